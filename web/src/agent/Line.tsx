//! Who is on the line, or who could be: the largest thing on the page.

import { useLayoutEffect } from "preact/hooks";
import { code, t } from "../i18n/words";
import { mayLeave, nowAt, readable, spell } from "../live/room";
import { Button, ClassBadge } from "../ui/pieces";
import { tick } from "../ui/time";
import type { CallbackRow, ConversationRow, OfferRow, Signed } from "../wire/generated";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";
import { marks } from "./marks";
import { together } from "./Others";

type Props = { desk: Desk; keyOf: KeyOf };

export function LinePart({ desk, keyOf }: Props) {
  const call = desk.call.value;
  const [offer] = desk.offers.value;
  // An alert is shown beside the call in the ear, and is as much on the screen as any other.
  useLayoutEffect(() => {
    for (const one of desk.offers.value) desk.shows(one.offer);
  }, [desk, desk.offers.value]);
  if (call) return <Talking desk={desk} keyOf={keyOf} call={call} />;
  if (desk.dialling.value) return <Dialling desk={desk} keyOf={keyOf} row={desk.dialling.value} />;
  if (offer) return <Offered desk={desk} offer={desk.summons.value ?? offer} keyOf={keyOf} />;
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

const time = (desk: Desk) => nowAt(desk.link.board.value.clock, tick.value);

function Talking({ desk, keyOf, call }: Props & { call: ConversationRow }) {
  const others = together(call, desk.name);
  const said = [call.caller_name, call.withheld && t("call.withheld"), code("service", call.service), t("call.waited", { time: spell(call.waited) })];
  return (
    <section class={`line talking ${call.class === "vital" ? "vital" : ""}`} aria-label={t("call.line")}>
      <div class="who">
        <ClassBadge name={call.class} />
        <CallerOf number={call.caller} signed={call.signed} />
        {others ? <strong class="detail with">{others}</strong> : <span class="detail">{said.filter(Boolean).join(" · ")}</span>}
      </div>
      <div class="clock" aria-label={t("call.duration")}>{spell(time(desk) - call.since)}</div>
      <div class="keys">
        <FirstKey desk={desk} keyOf={keyOf} call={call} />
        <Button onPress={() => desk.act("hang_up")} keyName={keyOf("hang_up")} kind="danger">{t("do.hang_up")}</Button>
      </div>
    </section>
  );
}

/** The caller's number, and beside it what the line says of it. */
function CallerOf({ number, signed }: { number: string; signed: Signed | null }) {
  return (
    <span class="caller">
      <strong class="number">{readable(number) || t("call.unknown")}</strong>
      {marks(signed).map((mark) => <span key={mark} class="mark">{mark}</span>)}
    </span>
  );
}

/** What fits the moment: with others in it one leaves, with somebody asked one comes back or brings all together, else one holds. */
function FirstKey({ desk, keyOf, call }: Props & { call: ConversationRow }) {
  const consult = call.consult?.by === desk.name ? call.consult : null;
  if (consult?.answered) return <Button onPress={() => desk.act("together")} keyName={keyOf("together")} kind="answer">{t("do.together")}</Button>;
  if (consult) return <Button onPress={() => desk.act("hold")} keyName={keyOf("hold")}>{t("do.back")}</Button>;
  if (mayLeave(call, desk.name)) return <Button onPress={() => desk.act("leave")} keyName={keyOf("leave")}>{t("do.leave")}</Button>;
  return <Button onPress={() => desk.act("hold")} keyName={keyOf("hold")}>{t("do.hold")}</Button>;
}

/** An accepted callback: the person's phone rings, and nobody is in the ear yet. */
function Dialling({ desk, keyOf, row }: Props & { row: CallbackRow }) {
  return (
    <section class="line talking" aria-label={t("call.line")}>
      <div class="who">
        <ClassBadge name={row.class} />
        <strong class="number">{readable(row.caller) || t("call.unknown")}</strong>
        <span class="detail" role="status">{[t("back.rings"), row.caller_name, row.note].filter(Boolean).join(" · ")}</span>
      </div>
      <div class="keys">
        <Button onPress={() => desk.act("hang_up")} keyName={keyOf("hang_up")} kind="danger">{t("do.give_up")}</Button>
      </div>
    </section>
  );
}

/** An offer: shown where the call will be, and said to the engine as soon as it stands on the screen. It never takes the focus. */
function Offered({ desk, offer, keyOf }: Props & { offer: OfferRow }) {
  const now = time(desk);
  // The key takes the most urgent call at the instant it is pressed: that one stands beside it, whatever rang first.
  const next = desk.summons.value ? null : desk.next.value;
  const urgent = next && next.work !== offer.work ? next : null;
  const shown = urgent ?? offer;
  const fenced = urgent ? urgent.fenced : offer.because.item === "fence";
  const waits = urgent ? now - urgent.arrived : offer.waited + Math.max(0, now - offerStart(desk, offer));
  const back = desk.callbacks.value.find((row) => row.call === shown.call);
  const kind = back ? t("back.preview") : t(urgent ? "offer.more_urgent" : "offer.title");
  const comes = desk.byItself.value?.work === shown.work && t("offer.by_itself");
  const said = [comes, kind, code("offer.kind", offer.kind), shown.caller_name, code("service", shown.service), back?.note];
  return (
    <section class={`line offered ${fenced ? "vital" : ""}`} aria-label={t("offer.title")}>
      <div class="who">
        <ClassBadge name={shown.class} fenced={fenced} />
        <CallerOf number={shown.caller} signed={urgent ? null : offer.signed} />
        <span class="detail">{said.filter(Boolean).join(" · ")}</span>
      </div>
      <div class="clock" aria-label={t("waiting.time")}>{spell(waits)}</div>
      <div class="keys">
        <Button onPress={() => desk.act("answer")} keyName={keyOf("answer")} kind="answer">
          {t(offer.kind === "join" && !urgent ? "do.join" : back ? "do.call_back" : "do.answer")}
        </Button>
      </div>
    </section>
  );
}

/** When the offer was made, by the engine's timeline: its item waits in the list with its arrival. */
export function offerStart(desk: Desk, offer: OfferRow): number {
  const item = desk.waiting.value.find((row) => row.work === offer.work);
  return item ? item.arrived + offer.waited : offer.deadline;
}
