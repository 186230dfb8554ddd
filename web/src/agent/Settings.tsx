//! Devices and keys of this position.

import { useSignal, type Signal } from "@preact/signals";
import { t, type Word } from "../i18n/words";
import type { Device } from "../phone/devices";
import { Button } from "../ui/pieces";
import type { Desk } from "./desk";
import { ACTIONS, chordOf, DEFAULT, keepBindings, keyName, unfit, type Action, type Bindings, type Unfit } from "./keys";

type Props = { desk: Desk; bindings: Signal<Bindings>; onClose: () => void };

export function Settings({ desk, bindings, onClose }: Props) {
  const { phone } = desk;
  const chosen = phone.chosen.value;
  const { microphones, speakers } = phone.devices.value;
  const quality = phone.quality.value;
  return (
    <section
      class="panel settings"
      aria-label={t("audio.settings")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div>
        <h2>{t("audio.title")}</h2>
        <Pick label={t("audio.microphone")} value={chosen.microphone} among={microphones} onPick={(microphone) => void phone.choose({ ...chosen, microphone })} />
        <Pick label={t("audio.headset")} value={chosen.headset} among={speakers} onPick={(headset) => void phone.choose({ ...chosen, headset })} />
        <Pick label={t("audio.ringer")} value={chosen.ringer} among={speakers} onPick={(ringer) => void phone.choose({ ...chosen, ringer })} />
        <Button onPress={() => phone.testRinger()}>{t("audio.test_ringer")}</Button>
        <label class="check">
          <input type="checkbox" checked={chosen.processing} onChange={(event) => void phone.choose({ ...chosen, processing: event.currentTarget.checked })} />
          <span>{t("audio.processing")}</span>
        </label>
        <label class="check">
          <input type="checkbox" checked={desk.autoAnswer.value} onChange={(event) => desk.setAutoAnswer(event.currentTarget.checked)} />
          <span>{t("audio.auto_answer")}</span>
        </label>
        {quality && (
          <p class="detail">
            {t("audio.quality", { rtt: quality.rtt === null ? "–" : Math.round(quality.rtt), jitter: Math.round(quality.jitter), lost: quality.lost })}
          </p>
        )}
      </div>
      <Keys bindings={bindings} />
    </section>
  );
}

function Pick({ label, value, among, onPick }: { label: string; value: string; among: readonly Device[]; onPick: (id: string) => void }) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        <option value="">{t("audio.default")}</option>
        {among.map(({ id, label }) => (
          <option key={id} value={id}>{label}</option>
        ))}
      </select>
    </label>
  );
}

const WHY: Record<Unfit, Word> = { bare: "keys.bad.bare", shift: "keys.bad.shift", taken: "keys.bad.taken", browser: "keys.bad.browser" };

function Keys({ bindings }: { bindings: Signal<Bindings> }) {
  const changing = useSignal<Action | null>(null);
  const unfitWhy = useSignal<Unfit | null>(null);
  const take = (action: Action, event: KeyboardEvent) => {
    if (changing.value !== action || event.key === "Tab") return;
    const chord = chordOf(event);
    if (chord === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (chord !== "Escape") {
      unfitWhy.value = unfit(action, chord, bindings.value);
      if (unfitWhy.value) return;
      bindings.value = { ...bindings.value, [action]: chord };
      keepBindings(bindings.value);
    }
    changing.value = null;
  };
  return (
    <div>
      <h2>{t("keys.title")}</h2>
      <ul class="keylist">
        {ACTIONS.map((action) => (
          <li key={action} data-choosing={changing.value === action ? "" : undefined} onKeyDown={(event) => take(action, event)}>
            <span>{t(`keys.${action}`)}</span>
            <Button
              label={`${t("keys.change", { action: t(`keys.${action}`) })} ${changing.value === action ? t("keys.press") : keyName(bindings.value[action], t("keys.shift"))}`}
              pressed={changing.value === action}
              onPress={() => {
                unfitWhy.value = null;
                changing.value = changing.value === action ? null : action;
              }}
            >
              {changing.value === action ? t("keys.press") : keyName(bindings.value[action], t("keys.shift"))}
            </Button>
          </li>
        ))}
      </ul>
      <p class="warning" role="alert">{unfitWhy.value && t(WHY[unfitWhy.value])}</p>
      <Button
        kind="quiet"
        onPress={() => {
          bindings.value = DEFAULT;
          keepBindings(DEFAULT);
        }}
      >
        {t("keys.reset")}
      </Button>
    </div>
  );
}
