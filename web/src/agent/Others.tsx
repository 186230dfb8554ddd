//! Who else is in the conversation, who is being asked, and how to ask somebody.

import { code, t } from "../i18n/words";
import { nowAt, others, spell } from "../live/room";
import { Button, Chooser } from "../ui/pieces";
import { tick } from "../ui/time";
import type { ConsultRow, ConversationRow, PartyRow } from "../wire/generated";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";

/** In one line for the strip: `avec lea, sdis-69 ; claire écoute`; empty when nobody else is there. */
export function together(call: ConversationRow, name: string): string {
  const all = others(call, name);
  const heard = all.filter((party) => party.seat === "speaks").map((party) => party.who);
  const rest = all.filter((party) => party.seat !== "speaks").map((party) => `${party.who} ${code("seat", party.seat)}`);
  const asked = call.consult && consultSays(call.consult);
  return [asked, call.calling && !asked && `◔ ${t("party.calling")}`, heard.length > 0 && t("party.with", { names: heard.join(", ") }), ...rest].filter(Boolean).join(" · ");
}

export function consultSays(consult: ConsultRow): string {
  return t(consult.answered ? "consult.talks" : "consult.rings", { who: consult.whom });
}

export function OthersPart({ desk, call, keyOf }: { desk: Desk; call: ConversationRow; keyOf: KeyOf }) {
  const now = nowAt(desk.link.board.value.clock, tick.value);
  const all = others(call, desk.name);
  const consult = call.consult;
  const asked = desk.asked.value;
  const outside = all.some((party) => party.role === null);
  return (
    <fieldset class="others">
      <legend>{t("party.title")}</legend>
      {call.calling && <p role="status">◔ {t("party.calling")}</p>}
      {all.length === 0 && !consult && <p class="none">{t("party.none")}</p>}
      <ul>
        {all.map((party) => (
          <li key={party.who}>
            <Party party={party} /> <span class="time detail">{spell(now - party.since)}</span>
          </li>
        ))}
      </ul>
      {consult && (
        <p role="status">
          {consultSays(consult)} <span class="time">{spell(now - consult.since)}</span>
        </p>
      )}
      <div class="keys">
        {consult?.by === desk.name && (
          <>
            {consult.answered && <Button onPress={() => desk.act("together")} keyName={keyOf("together")} kind="answer">{t("do.together")}</Button>}
            <Button onPress={() => desk.act("hold")} keyName={keyOf("hold")}>{t("do.back")}</Button>
            {consult.answered && <Button onPress={() => desk.act("leave")} keyName={keyOf("leave")}>{t("do.leave_them")}</Button>}
          </>
        )}
        {!consult && outside && <Button onPress={() => desk.dismiss()}>{t("do.dismiss")}</Button>}
        {!consult && asked.length > 0 && (
          <Chooser
            label={t("consult.title")}
            empty={`${t("consult.title")}…`}
            choices={asked.map(({ as, name }) => ({ id: `${as}/${name}`, text: t(`consult.${as}`, { name }) }))}
            onChoose={(id) => {
              const whom = asked.find(({ as, name }) => `${as}/${name}` === id);
              if (whom) desk.consult(whom);
            }}
          />
        )}
      </div>
    </fieldset>
  );
}

/** Somebody in the conversation, in words: nobody listens unseen. */
export function Party({ party }: { party: PartyRow }) {
  return (
    <>
      <strong>{party.who}</strong>{" "}
      <span class="detail">
        {[
          party.role === null ? t("party.outside") : t(`role.${party.role}`),
          code("seat", party.seat),
          party.leads && t("party.leads"),
          party.lost !== null && t("party.lost"),
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </>
  );
}
