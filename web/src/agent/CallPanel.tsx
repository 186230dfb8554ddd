//! The call in the ear: how urgent it is, what it is about, how it ends.

import { useEffect, useRef } from "preact/hooks";
import { code, t } from "../i18n/words";
import { Button, Panel } from "../ui/pieces";
import type { ConversationRow } from "../wire/generated";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";
import { Onward } from "./Onward";
import { OthersPart } from "./Others";

/** Longest note the engine keeps (`NOTE_MAX`). */
const NOTE_MAX = 500;
const DISPOSITIONS = ["advice", "dispatched", "transferred", "appointment", "error", "nuisance"];
const LEVELS = ["p1", "p2", "p3"] as const;

export function CallPanel({ desk, keyOf }: { desk: Desk; keyOf: KeyOf }) {
  const call = desk.call.value;
  return (
    <Panel title={t("call.title")} name="call">
      {call ? <Open key={call.call} desk={desk} call={call} keyOf={keyOf} /> : <p class="none">{t("call.none")}</p>}
    </Panel>
  );
}

function Open({ desk, call, keyOf }: { desk: Desk; call: ConversationRow; keyOf: KeyOf }) {
  const isVital = call.class === "vital";
  const planned = LEVELS.filter((level) => desk.classes.value.includes(level));
  return (
    <>
      {call.lost !== null && <p class="warning" role="alert">{t("call.lost")}</p>}
      <fieldset class="qualify">
        <legend>
          {t("call.qualify")} <span class="detail">{t("call.class", { class: code("class", call.class ?? "unqualified") })}</span>
        </legend>
        <Button onPress={() => desk.act("vital")} keyName={keyOf("vital")} kind="vital" pressed={isVital}>▲ P0 · {t("do.vital")}</Button>
        {planned.map((level) => (
          <Button key={level} onPress={() => desk.qualify(level)} keyName={keyOf(level)} pressed={call.class === level}>
            {code("class", level)}
          </Button>
        ))}
      </fieldset>
      <Note desk={desk} call={call} />
      <OthersPart desk={desk} call={call} keyOf={keyOf} />
      <Onward desk={desk} keyOf={keyOf} />
      <label class="field">
        <span>{t("call.disposition")}</span>
        <select value={desk.disposition.value} onChange={(event) => (desk.disposition.value = event.currentTarget.value)}>
          <option value="">{t("call.disposition.none")}</option>
          {DISPOSITIONS.map((name) => (
            <option key={name} value={name}>{code("call.disposition", name)}</option>
          ))}
        </select>
      </label>
    </>
  );
}

/** The note, kept when the hand leaves it: on Enter, on leaving the field, and when the call goes. */
function Note({ desk, call }: { desk: Desk; call: ConversationRow }) {
  const element = useRef<HTMLTextAreaElement>(null);
  const kept = useRef(call.note ?? "");
  const keep = () => {
    const text = element.current?.value.trim() ?? "";
    if (desk.draft.peek() === null || text === kept.current) return; // nothing written, or it has gone along with the call
    kept.current = text;
    void desk.note(call.call, text);
  };
  useEffect(() => {
    // A note of somebody else (a doctor, the ARM before) replaces ours only where we have not written.
    const field = element.current;
    if (field && call.note !== null && field.value.trim() === kept.current) {
      field.value = call.note;
      kept.current = call.note;
    }
  }, [call.note]);
  const isKept = desk.noteKept.value === call.call;
  return (
    <label class="field note">
      <span>
        {t("call.note")} <span class="detail" role="status">{isKept ? `✓ ${t("call.note_kept")}` : t("call.note_hint")}</span>
      </span>
      <textarea
        ref={element}
        rows={3}
        maxLength={NOTE_MAX}
        defaultValue={call.note ?? ""}
        onBlur={keep}
        onInput={(event) => {
          desk.noteKept.value = "";
          desk.draft.value = { call: call.call, text: event.currentTarget.value.trim() };
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          keep();
        }}
      />
    </label>
  );
}
