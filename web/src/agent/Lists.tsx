//! Who waits, and who is held for the whole room.

import { code, t } from "../i18n/words";
import { nowAt, readable, spell } from "../live/room";
import { Button, ClassBadge, Panel } from "../ui/pieces";
import { tick } from "../ui/time";
import { ANY, type Desk } from "./desk";

/** Takes one call of a list. While a vital call waits the same press asks once: focus and eye stay where they are. */
export function PickButton({ desk, call, first }: { desk: Desk; call: string; first: string }) {
  const asks = desk.toConfirm.value === call;
  return (
    <Button onPress={() => void desk.pick(call)} kind={asks ? "danger" : "plain"}>
      {asks ? t("do.pick_confirm") : first}
    </Button>
  );
}

export function WaitingPanel({ desk, pickUpKey }: { desk: Desk; pickUpKey: string }) {
  const list = desk.newcomers.value;
  const now = nowAt(desk.link.board.value.clock, tick.value);
  const busy = desk.call.value !== null;
  const take = busy ? t("do.pick_swap") : t("do.pick");
  const elsewhere = !busy && list.some((row) => row.offered.some((name) => name !== desk.name));
  return (
    <Panel title={t("waiting.title")} name="waiting" count={list.length}>
      {list.length === 0 ? (
        <p class="none">{t("waiting.none")}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("waiting.title")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("waiting.time")}</th>
                <th scope="col">{t("waiting.class")}</th>
                <th scope="col">{t("waiting.caller")}</th>
                <th scope="col">{t("waiting.queue")}</th>
                <th scope="col"><span class="unseen">{t("waiting.actions")}</span></th>
              </tr>
            </thead>
            <tbody>
              {list.map((row) => (
                <tr key={row.work} class={row.fenced ? "vital" : ""}>
                  <td class="time">{spell(now - row.arrived)}</td>
                  <td><ClassBadge name={row.class} fenced={row.fenced} /></td>
                  <td class="number">
                    {readable(row.caller) || t("call.unknown")}
                    <span class="detail">
                      {[row.again && t("waiting.again"), row.offered.length > 0 && t("waiting.offered", { names: row.offered.join(", ") })]
                        .filter(Boolean)
                        .join(" · ")}
                    </span>
                  </td>
                  <td>{row.queue}</td>
                  <td class="act">
                    <PickButton desk={desk} call={row.call} first={take} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {elsewhere && (
        <Button onPress={() => void desk.pickUp()} keyName={pickUpKey} kind={desk.toConfirm.value === ANY ? "danger" : "plain"}>
          {desk.toConfirm.value === ANY ? t("do.pick_confirm") : t("do.pick_up")}
        </Button>
      )}
    </Panel>
  );
}

export function HeldPanel({ desk }: { desk: Desk }) {
  const list = desk.held.value;
  const now = nowAt(desk.link.board.value.clock, tick.value);
  const busy = desk.call.value !== null;
  return (
    <Panel title={t("held.title")} name="held" count={list.length}>
      {list.length === 0 ? (
        <p class="none">{t("held.none")}</p>
      ) : (
        <ul class="held">
          {list.map((row) => (
            <li key={row.call} class={row.alarm || row.lost ? "alarm" : ""}>
              <span class="time">{spell(now - row.since)}</span>
              <ClassBadge name={row.class} />
              <span class="who">
                <strong class="number">{readable(row.caller) || t("call.unknown")}</strong>
                <span class="detail">
                  {[t(row.lost ? "held.lost" : "held.by", { name: row.by }), code("service", row.service)].filter(Boolean).join(" · ")}
                </span>
              </span>
              <strong class="recall">{row.alarm || row.lost ? `■ ${t("held.recall")}` : t("held.recall_in", { time: spell(row.recall - now) })}</strong>
              <PickButton desk={desk} call={row.call} first={busy ? t("do.pick_swap") : t("do.resume")} />
              {row.note && <p class="note detail">{row.note}</p>}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
