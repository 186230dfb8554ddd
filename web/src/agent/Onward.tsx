//! Where the caller goes from here: to the next stage, back to the one before, or onto the list of those to call.

import { t } from "../i18n/words";
import { Button, Chooser } from "../ui/pieces";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";

/** Minutes a callback is planned ahead: the choices of a hand that has no time to type. */
const MINUTES = [5, 15, 30, 60, 120];

export function Onward({ desk, keyOf }: { desk: Desk; keyOf: KeyOf }) {
  const to = desk.handTo();
  const majors = desk.majors.value;
  return (
    <fieldset class="onward">
      <legend>{t("hand.title")}</legend>
      <div class="keys">
        <select aria-label={t("hand.to")} value={to ?? ""} onChange={(event) => desk.setHandTo(event.currentTarget.value)}>
          {desk.queues.value.map((name) => (
            <option key={name} value={name}>{name}</option>
          ))}
        </select>
        <Button onPress={() => desk.act("hand_over")} keyName={keyOf("hand_over")} disabled={to === null}>{t("do.hand_over")}</Button>
        {desk.self.value?.role === "regulator" && <Button onPress={() => void desk.referBack()}>{t("do.refer_back")}</Button>}
      </div>
      <div class="keys">
        <Button onPress={() => desk.dropToCallback()}>{t("do.drop_to_callback")}</Button>
        <Chooser
          label={t("back.plan")}
          empty={`${t("back.plan")}…`}
          choices={MINUTES.map((minutes) => ({ id: String(minutes), text: t("back.in", { n: minutes }) }))}
          onChoose={(minutes) => desk.planCallback(Number(minutes))}
        />
        {majors.length > 0 && (
          <Chooser label={t("major.add")} empty={`${t("major.add")}…`} choices={majors.map((row) => ({ id: row.event, text: row.name }))} onChoose={(event) => desk.addToMajor(event)} />
        )}
      </div>
    </fieldset>
  );
}
