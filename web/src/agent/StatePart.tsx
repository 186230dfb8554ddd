//! Who I am, what I asked for, and why calls can or cannot reach me.

import { code, t } from "../i18n/words";
import { nowAt, spell } from "../live/room";
import { Button, Chooser } from "../ui/pieces";
import { tick } from "../ui/time";
import type { AgentRow } from "../wire/generated";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";

/** Reasons of a pause; the engine keeps the code. */
const PAUSES = ["break", "meal", "handover", "briefing", "file", "technical"];

export function StatePart({ desk, keyOf }: { desk: Desk; keyOf: KeyOf }) {
  const self = desk.self.value;
  if (!self) return <section class="state" aria-label={t("board.state")}>{t("app.loading")}</section>;
  const eligible = self.why.length === 0;
  // A busy agent is no fault: only what keeps calls away for another reason is shown as one, and the
  // strip does not grow a line at the very moment a call rings.
  const busy = self.why.every((why) => why === "talking" || why === "offered");
  const now = nowAt(desk.link.board.value.clock, tick.value);
  return (
    <section class={`state ${eligible ? "eligible" : busy ? "busy" : "not"}`} aria-label={t("board.state")}>
      <div class="me">
        <strong>{self.agent}</strong>
        <span class="detail">{self.position}</span>
      </div>
      <div class="doing">
        <strong>
          <span aria-hidden="true">{eligible ? "✓ " : busy ? "● " : "■ "}</span>
          {doing(self)}
        </strong>
        <span class="clock small">{self.occupation === "wrap-up" && self.until !== null ? t("wrap.left", { time: spell(self.until - now) }) : spell(now - self.since)}</span>
      </div>
      <p class="why" role="status">
        {eligible ? t("why.eligible") : !busy && `${t("why.title")} : ${self.why.map((why) => code("why", why)).join(", ")}`}
      </p>
      <div class="keys">
        <Intent desk={desk} self={self} keyOf={keyOf} />
      </div>
    </section>
  );
}

function Intent({ desk, self, keyOf }: { desk: Desk; self: AgentRow; keyOf: KeyOf }) {
  if (self.intent === "signed-out") {
    return <Button onPress={() => desk.signIn()} keyName={keyOf("ready")} kind="answer">{t("do.sign_in")}</Button>;
  }
  const wraps = self.occupation === "wrap-up";
  const isReady = self.intent === "ready" && !self.rona;
  return (
    <>
      {(wraps || !isReady) && (
        <Button onPress={() => desk.ready()} keyName={keyOf("ready")} kind="answer">{wraps && isReady ? t("wrap.done") : t("do.ready")}</Button>
      )}
      <Chooser
        label={t("pause.title")}
        empty={isReady ? `${t("do.pause")}…` : t("pause.title")}
        choices={PAUSES.map((reason) => ({ id: reason, text: code("pause", reason) }))}
        onChoose={(reason) => desk.pause(reason)}
      />
    </>
  );
}

/** What an agent does, in a word; the pause with its reason. */
export function doing(row: AgentRow): string {
  if (row.occupation === "talking") return t("state.talking");
  if (row.occupation === "offered") return t("state.offered");
  if (row.intent === "signed-out") return t("state.signed_out");
  if (row.occupation === "wrap-up") return t("state.wrap_up");
  if (typeof row.intent === "object") return `${t("state.paused")} (${code("pause", row.intent.paused)})`;
  return row.why.length === 0 ? t("state.ready") : t("state.unreachable");
}
