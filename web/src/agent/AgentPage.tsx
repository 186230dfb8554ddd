//! The agents' page: a strip that says everything at arm's length, and below it the room to work in.
//! Alone on 120 pixels above the regulation software, the strip is the whole page.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { code, t } from "../i18n/words";
import { nowAt, readable, spell } from "../live/room";
import { Announce, ClassBadge } from "../ui/pieces";
import { tick } from "../ui/time";
import { AudioPart } from "./AudioPart";
import { CalledPart } from "./Called";
import { CallbackPanel } from "./Callbacks";
import { CallPanel } from "./CallPanel";
import type { Desk } from "./desk";
import { actionOf, keptBindings, keyName, type Action, type Bindings } from "./keys";
import { HandOverPanel } from "./HandOvers";
import { LinePart } from "./Line";
import { HeldPanel, WaitingPanel } from "./Lists";
import { Settings } from "./Settings";
import { StatePart } from "./StatePart";

export function AgentPage({ desk }: { desk: Desk }) {
  const bindings = useSignal<Bindings>(keptBindings());
  const settings = useSignal(false);
  useKeys(desk, bindings.value, settings.value);
  const keyOf = (action: Action) => keyName(bindings.value[action], t("keys.shift"));
  const isDoctor = desk.self.value?.role === "regulator"; // who works from the list of those handed over
  return (
    <main class="agent">
      <h1 class="unseen">{t("app.page.agent")}</h1>
      <div class="strip">
        <StatePart desk={desk} keyOf={keyOf} />
        <LinePart desk={desk} keyOf={keyOf} />
        {desk.call.value && desk.summons.value ? <CalledPart desk={desk} offer={desk.summons.value} keyOf={keyOf} /> : <WaitPart desk={desk} />}
        <AudioPart desk={desk} keyOf={keyOf} onSettings={() => (settings.value = !settings.value)} open={settings.value} />
      </div>
      <Refusal desk={desk} keyOf={keyOf} />
      <News desk={desk} keyOf={keyOf} />
      {settings.value && <Settings desk={desk} bindings={bindings} onClose={() => (settings.value = false)} />}
      <div class="desk">
        <CallPanel desk={desk} keyOf={keyOf} />
        <div class="lists">
          {isDoctor && <HandOverPanel desk={desk} />}
          <WaitingPanel desk={desk} pickUpKey={keyOf("pick_up")} />
          <HeldPanel desk={desk} />
          {!isDoctor && <HandOverPanel desk={desk} />}
          <CallbackPanel desk={desk} />
        </div>
      </div>
    </main>
  );
}

export type KeyOf = (action: Action) => string;

/** Keys work wherever the focus is, save while a new key is being chosen. */
function useKeys(desk: Desk, bindings: Bindings, choosing: boolean): void {
  useEffect(() => {
    const scope = new AbortController();
    const press = (event: KeyboardEvent) => {
      const action = actionOf(event, bindings);
      const isHeldDown = event.repeat && actionOf({ ...pressOf(event), repeat: false }, bindings) !== null;
      if (action !== null || isHeldDown) event.preventDefault(); // F10 would open a menu
      if (action !== null && !(choosing && (event.target as Element | null)?.closest("[data-choosing]"))) desk.act(action);
    };
    addEventListener("keydown", press, { capture: true, signal: scope.signal });
    return () => scope.abort();
  }, [desk, bindings, choosing]);
}

const pressOf = ({ key, code, ctrlKey, altKey, shiftKey, metaKey }: KeyboardEvent) => ({
  key, code, ctrlKey, altKey, shiftKey, metaKey,
});

/** How many wait, of which class, and the longest of them. */
function WaitPart({ desk }: { desk: Desk }) {
  const list = desk.newcomers.value;
  const now = nowAt(desk.link.board.value.clock, tick.value);
  const longest = list.reduce((most, row) => Math.max(most, now - row.arrived), 0);
  const classes = new Map<string, { n: number; fenced: boolean }>();
  for (const row of list) classes.set(row.class, { n: (classes.get(row.class)?.n ?? 0) + 1, fenced: row.fenced });
  return (
    <section class="waits" aria-label={t("waiting.summary")}>
      <div class="figure">
        <strong>{list.length}</strong>
        <span>{t("waiting.title")}</span>
      </div>
      <div class="figure">
        <strong>{list.length > 0 ? spell(longest) : "–"}</strong>
        <span>{t("waiting.longest")}</span>
      </div>
      <ul class="byclass">
        {[...classes].map(([name, { n, fenced }]) => (
          <li key={name}>
            {n} <ClassBadge name={name} fenced={fenced} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Refusal({ desk, keyOf }: { desk: Desk; keyOf: KeyOf }) {
  const refused = desk.refused.value;
  const why = refused && code("refused", refused.by === null && refused.why === "taken" ? "gone" : refused.why, t("refused.other", { code: refused.why }), {
    by: refused.by ?? "",
    key: keyOf(refused.why === "vital-waits" ? "answer" : "hold"),
  });
  const instead = desk.instead.value;
  return (
    <div class="refusal" role="alert" aria-atomic="true">
      {refused && why !== null && <p key={refused.nth}>{t("refused.title", { why })}</p>}
      {instead !== null && <p>{t("offer.instead", { number: readable(instead) || t("call.unknown") })}</p>}
    </div>
  );
}

/** What changes is said: a call offered at once, the rest when there is a pause. */
function News({ desk, keyOf }: { desk: Desk; keyOf: KeyOf }) {
  const called = desk.summons.value;
  const [ringing] = desk.call.value ? [] : desk.offers.value;
  const offer = called ?? (ringing && (desk.next.value ?? ringing));
  const said = called ? `offer.announce.${called.kind === "join" ? "join" : "alert"}` as const : "offer.announce";
  const offered = offer
    ? t(said, { class: code("class", offer.class), number: readable(offer.caller) || t("call.unknown"), key: keyOf("answer") })
    : "";
  const recalls = desk.held.value.some((row) => row.alarm);
  const vital = desk.waiting.value.some((row) => row.fenced);
  const overdue = desk.handOvers.value.some((row) => row.alarm);
  return (
    <>
      <Announce text={offered} urgent />
      <Announce text={[vital && t("waiting.vital"), recalls && t("held.alarm"), overdue && t("hand.alarm")].filter(Boolean).join(". ")} />
    </>
  );
}
