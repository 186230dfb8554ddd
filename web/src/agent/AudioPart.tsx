//! The audio of this page: fit or why not, how loud the microphone is, mute.

import { code, t } from "../i18n/words";
import { Button } from "../ui/pieces";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";

export function AudioPart({ desk, keyOf, onSettings, open }: { desk: Desk; keyOf: KeyOf; onSettings: () => void; open: boolean }) {
  const { phone } = desk;
  const why = phone.why.value;
  const isDesk = phone.line.value === "desk";
  const said = isDesk ? t("audio.desk") : why === "" ? t("audio.fit") : code("audio", why);
  const warnings = warningsOf(desk);
  return (
    <section class={`audio ${why === "" && warnings.length === 0 ? "" : "not"}`} aria-label={t("audio.title")}>
      <div class="fit">
        <span aria-hidden="true">{why === "" ? "✓" : "■"}</span> <span role="status">{said}</span>
      </div>
      {!isDesk && <Level level={phone.hearing.value.level} muted={phone.muted.value} />}
      <div class="warnings" role="alert">{warnings.join(" · ")}</div>
      <div class="keys">
        {why === "not-owner" && phone.ownership.value === "elsewhere" && (
          <Button onPress={() => phone.takeOver()} kind="answer">{t("audio.take_over")}</Button>
        )}
        {!isDesk && phone.inCall.value && why !== "not-owner" && (
          <Button onPress={() => desk.act("mute")} keyName={keyOf("mute")} pressed={phone.muted.value} kind={phone.muted.value ? "danger" : "plain"}>
            {t("do.mute")}
          </Button>
        )}
        <Button onPress={onSettings} pressed={open} kind="quiet" label={t("audio.settings")}>⚙</Button>
      </div>
    </section>
  );
}

function warningsOf({ phone }: Desk): string[] {
  const ringer = phone.ringer.value;
  const { dead, speaksMuted } = phone.hearing.value;
  const muted = phone.muted.value;
  return [
    ringer !== "" && phone.ownership.value === "ours" && t(`audio.ringer_${ringer}`),
    muted && !speaksMuted && t("audio.muted"),
    speaksMuted && t("audio.speaks_muted"),
    dead && phone.microphone.value === "" && t("audio.dead"),
    phone.deaf.value && t("audio.deaf"),
  ].filter((text) => text !== false);
}

/** Ten bars, the louder the more of them: also readable without colour. */
function Level({ level, muted }: { level: number; muted: boolean }) {
  const bars = Math.round(Math.max(0, Math.min(10, (level + 70) / 6)));
  return (
    <div class={`level ${muted ? "muted" : ""}`} role="meter" aria-label={t("audio.level")} aria-valuemin={-100} aria-valuemax={0} aria-valuenow={Math.round(level)}>
      {Array.from({ length: 10 }, (_, i) => (
        <i key={i} class={i < bars ? "on" : ""} />
      ))}
    </div>
  );
}
