//! The agents' page: a strip that says everything at arm's length, and below it the room to work in.
//! Alone on 120 pixels above the regulation software, the strip is the whole page.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { code, t } from "../i18n/words";
import { nowAt, readable, spell } from "../live/room";
import { Announce, Button, ClassBadge } from "../ui/pieces";
import { tick } from "../ui/time";
import type { OfferRow } from "../wire/generated";
import { AudioPart } from "./AudioPart";
import { CallPanel } from "./CallPanel";
import type { Desk } from "./desk";
import { actionOf, keptBindings, keyName, type Action, type Bindings } from "./keys";
import { HeldPanel, WaitingPanel } from "./Lists";
import { Settings } from "./Settings";
import { StatePart } from "./StatePart";

export function AgentPage({ desk }: { desk: Desk }) {
  const bindings = useSignal<Bindings>(keptBindings());
  const settings = useSignal(false);
  useKeys(desk, bindings.value, settings.value);
  const keyOf = (action: Action) => keyName(bindings.value[action], t("keys.shift"));
  return (
    <main class="agent">
      <h1 class="unseen">{t("app.page.agent")}</h1>
      <div class="strip">
        <StatePart desk={desk} keyOf={keyOf} />
        <LinePart desk={desk} keyOf={keyOf} />
        <WaitPart desk={desk} />
        <AudioPart desk={desk} keyOf={keyOf} onSettings={() => (settings.value = !settings.value)} open={settings.value} />
      </div>
      <Refusal desk={desk} keyOf={keyOf} />
      <News desk={desk} keyOf={keyOf} />
      {settings.value && <Settings phone={desk.phone} bindings={bindings} onClose={() => (settings.value = false)} />}
      <div class="desk">
        <CallPanel desk={desk} keyOf={keyOf} />
        <div class="lists">
          <WaitingPanel desk={desk} />
          <HeldPanel desk={desk} />
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

/** Who is on the line, or who could be: the largest thing on the page. */
function LinePart({ desk, keyOf }: { desk: Desk; keyOf: KeyOf }) {
  const call = desk.call.value;
  const [offer] = desk.offers.value;
  const now = () => nowAt(desk.link.board.value.clock, tick.value);
  if (call) {
    return (
      <section class={`line talking ${call.class === "vital" ? "vital" : ""}`} aria-label={t("call.line")}>
        <div class="who">
          <ClassBadge name={call.class} />
          <strong class="number">{readable(call.caller) || t("call.unknown")}</strong>
          <span class="detail">
            {[call.caller_name, call.withheld && t("call.withheld"), code("service", call.service), t("call.waited", { time: spell(call.waited) })]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </div>
        <div class="clock" aria-label={t("call.duration")}>{spell(now() - call.since)}</div>
        <div class="keys">
          <Button onPress={() => desk.act("hold")} keyName={keyOf("hold")}>{t("do.hold")}</Button>
          <Button onPress={() => desk.act("hang_up")} keyName={keyOf("hang_up")} kind="danger">{t("do.hang_up")}</Button>
        </div>
      </section>
    );
  }
  if (offer) return <Offered desk={desk} offer={offer} keyOf={keyOf} now={now} />;
  const isReady = desk.self.value?.intent === "ready";
  return (
    <section class="line idle" aria-label={t("call.line")}>
      <div class="who">
        <strong class="quiet">{desk.answering.value ? t("app.loading") : t(isReady ? "call.none" : "call.not_ready")}</strong>
        <span class="detail">{isReady ? t("call.none_hint", { key: keyOf("answer") }) : t("call.ready_hint", { key: keyOf("ready") })}</span>
      </div>
      <div class="keys">
        <Button onPress={() => desk.act("answer")} keyName={keyOf("answer")} kind="answer" disabled={desk.waiting.value.length === 0}>
          {t("do.answer")}
        </Button>
      </div>
    </section>
  );
}

/** An offer: shown where the call will be, and said to the engine as soon as it stands on the screen. It never takes the focus. */
function Offered({ desk, offer, keyOf, now }: { desk: Desk; offer: OfferRow; keyOf: KeyOf; now: () => number }) {
  useLayoutEffect(() => {
    for (const one of desk.offers.value) desk.shows(one.offer);
  }, [desk, desk.offers.value]);
  // The key takes the most urgent call at the instant it is pressed: that one stands beside it, whatever rang first.
  const next = desk.next.value;
  const urgent = next && next.work !== offer.work ? next : null;
  const shown = urgent ?? offer;
  const fenced = urgent ? urgent.fenced : offer.because.item === "fence";
  const waits = urgent ? now() - urgent.arrived : offer.waited + Math.max(0, now() - offerStart(desk, offer));
  return (
    <section class={`line offered ${fenced ? "vital" : ""}`} aria-label={t("offer.title")}>
      <div class="who">
        <ClassBadge name={shown.class} fenced={fenced} />
        <strong class="number">{readable(shown.caller) || t("call.unknown")}</strong>
        <span class="detail">
          {[t(urgent ? "offer.more_urgent" : "offer.title"), code("offer.kind", offer.kind), shown.caller_name, code("service", shown.service)].filter(Boolean).join(" · ")}
        </span>
      </div>
      <div class="clock" aria-label={t("waiting.time")}>{spell(waits)}</div>
      <div class="keys">
        <Button onPress={() => desk.act("answer")} keyName={keyOf("answer")} kind="answer">{t("do.answer")}</Button>
      </div>
    </section>
  );
}

/** When the offer was made, by the engine's timeline: its item waits in the list with its arrival. */
function offerStart(desk: Desk, offer: OfferRow): number {
  const item = desk.waiting.value.find((row) => row.work === offer.work);
  return item ? item.arrived + offer.waited : offer.deadline;
}

/** How many wait, of which class, and the longest of them. */
function WaitPart({ desk }: { desk: Desk }) {
  const list = desk.waiting.value;
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
    key: keyOf("hold"),
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
  const [ringing] = desk.call.value ? [] : desk.offers.value;
  const offer = ringing && (desk.next.value ?? ringing);
  const offered = offer
    ? t("offer.announce", { class: code("class", offer.class), number: readable(offer.caller) || t("call.unknown"), key: keyOf("answer") })
    : "";
  const recalls = desk.held.value.some((row) => row.alarm);
  const vital = desk.waiting.value.some((row) => row.fenced);
  return (
    <>
      <Announce text={offered} urgent />
      <Announce text={[vital && t("waiting.vital"), recalls && t("held.alarm")].filter(Boolean).join(". ")} />
    </>
  );
}
