//! Whom to call back: seen first, dialled by a press, closed with a reason.

import { code, t } from "../i18n/words";
import { nowAt, readable, spell } from "../live/room";
import { Chooser, ClassBadge, Panel } from "../ui/pieces";
import { tick } from "../ui/time";
import type { CallbackRow } from "../wire/generated";
import type { Desk } from "./desk";
import { PickButton } from "./Lists";

/** Why nobody needs to be called any more; the engine keeps the code. */
const REASONS = ["reached", "not-needed", "wrong-number", "duplicate"];

export function CallbackPanel({ desk }: { desk: Desk }) {
  const list = desk.callbacks.value;
  const now = nowAt(desk.link.board.value.clock, tick.value);
  return (
    <Panel title={t("back.list")} name="callbacks" count={list.length}>
      {list.length === 0 ? (
        <p class="none">{t("back.none")}</p>
      ) : (
        <ul class="held">
          {list.map((row) => (
            <Back key={row.call} desk={desk} row={row} now={now} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Back({ desk, row, now }: { desk: Desk; row: CallbackRow; now: number }) {
  const rests = row.until !== null && row.until > now;
  const said = [
    row.caller_name,
    code("back.why", row.why),
    row.owner && t("back.owner", { name: row.owner }),
    row.tried > 0 && t("back.tried", { n: row.tried, last: row.last ? code("back.last", row.last) : "–" }),
    code("service", row.service),
  ];
  const number = readable(row.caller) || t("call.unknown");
  return (
    <li>
      <span class="time">{spell(now - row.since)}</span>
      <ClassBadge name={row.class} />
      <span class="who">
        <strong class="number">{number}</strong>
        <span class="detail">{said.filter(Boolean).join(" · ")}</span>
      </span>
      {row.dialling === null ? (
        <>
          <span class="recall">
            {rests && t("back.rests", { time: spell((row.until ?? 0) - now) })}{" "}
            <Chooser
              label={t("back.close", { call: number })}
              empty={t("back.close_as")}
              choices={REASONS.map((reason) => ({ id: reason, text: code("back.reason", reason) }))}
              onChoose={(reason) => desk.dismissCallback(row.call, reason)}
            />
          </span>
          <PickButton desk={desk} call={row.call} first={t("do.call_back")} />
        </>
      ) : (
        <strong class="recall">{t("back.dialling", { name: row.dialling })}</strong>
      )}
      {row.note && <p class="note detail">{row.note}</p>}
    </li>
  );
}
