//! Called away from the call in the ear: a confirmed vital caller has nobody, or a colleague wants a
//! regulator. It stands where the queue stands otherwise: nothing of the call in the ear moves.

import { code, t } from "../i18n/words";
import { nowAt, readable, spell } from "../live/room";
import { Button, ClassBadge } from "../ui/pieces";
import { tick } from "../ui/time";
import type { OfferRow } from "../wire/generated";
import type { KeyOf } from "./AgentPage";
import type { Desk } from "./desk";
import { offerStart } from "./Line";

export function CalledPart({ desk, offer, keyOf }: { desk: Desk; offer: OfferRow; keyOf: KeyOf }) {
  const now = nowAt(desk.link.board.value.clock, tick.value);
  const waits = offer.waited + Math.max(0, now - offerStart(desk, offer));
  const number = readable(offer.caller) || t("call.unknown");
  return (
    <section class="called" aria-label={code("offer.kind", offer.kind)}>
      <div class="what">
        <ClassBadge name={offer.class} fenced={offer.because.item === "fence"} />
        <strong>{code("offer.kind", offer.kind)}</strong>
        <span class="time">{spell(waits)}</span>
      </div>
      <span class="detail">{[number, offer.caller_name, code("service", offer.service)].filter(Boolean).join(" · ")}</span>
      <Button onPress={() => desk.act("answer")} keyName={keyOf("answer")} kind="vital">{t(offer.kind === "join" ? "do.join_swap" : "do.pick_swap")}</Button>
    </section>
  );
}
