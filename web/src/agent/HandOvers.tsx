//! Callers between two stages: a doctor takes the most urgent, reads the note first; whoever handed one
//! over stays responsible, and any agent may take them back.

import { code, t } from "../i18n/words";
import { nowAt, readable, spell } from "../live/room";
import { Button, ClassBadge, Panel } from "../ui/pieces";
import { tick } from "../ui/time";
import type { HandOverRow } from "../wire/generated";
import type { Desk } from "./desk";
import { PickButton } from "./Lists";

export function HandOverPanel({ desk }: { desk: Desk }) {
  const list = desk.handOvers.value;
  const now = nowAt(desk.link.board.value.clock, tick.value);
  return (
    <Panel title={t("hand.list")} name="handovers" count={list.length}>
      {list.length === 0 ? (
        <p class="none">{t("hand.none")}</p>
      ) : (
        <ul class="held">
          {list.map((row) => (
            <Handed key={row.call} desk={desk} row={row} now={now} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Handed({ desk, row, now }: { desk: Desk; row: HandOverRow; now: number }) {
  const mine = row.by === desk.name;
  return (
    <li class={row.alarm ? "alarm" : ""}>
      <span class="time">{spell(now - row.since)}</span>
      <ClassBadge name={row.class} />
      <span class="who">
        <strong class="number">{readable(row.caller) || t("call.unknown")}</strong>
        <span class="detail">
          {[row.caller_name, t(mine ? "hand.mine" : "hand.by", { name: row.by }), row.back && t("hand.back"), row.queue, code("service", row.service)].filter(Boolean).join(" · ")}
        </span>
      </span>
      <strong class="recall">{row.alarm ? `■ ${t("hand.recontact")}` : t("hand.recontact_in", { time: spell(row.recontact - now) })}</strong>
      {desk.self.value?.role === "regulator" ? (
        <PickButton desk={desk} call={row.call} first={t("do.pick")} />
      ) : (
        <Button onPress={() => void desk.takeBack(row.call)}>{t(desk.call.value ? "do.take_back_swap" : "do.take_back")}</Button>
      )}
      {row.note && <p class="note detail">{row.note}</p>}
    </li>
  );
}
