//! The agent's desk: what the engine says of this agent, and what the agent's hands do. No view.
//!
//! | key | alone | a call offered | a call in the ear |
//! |---|---|---|---|
//! | answer | the most urgent call there is | the same | refused with a word: hold first |
//! | hold, hang up, vital, P1-P3 | - | - | of that call |
//! | ready | ready or pause; ends wrap-up | - | a pause that begins after the call |

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Link, Outcome } from "../live/link";
import { conversation, held, next, offers, rowsOf, self, waiting } from "../live/room";
import { after } from "../live/scope";
import type { Phone } from "../phone/phone";
import type { AgentRow, WireVerb } from "../wire/generated";
import type { Action } from "./keys";

/** What was refused, until it has been read. */
export type Refused = { why: string; by: string | null; nth: number };

/** A pressed answer waits so long for its call before the microphone leaves the line again. */
const CALL_COMES_WITHIN = 3_000;
const READ_WITHIN = 6_000;

export class Desk {
  readonly link: Link;
  readonly phone: Phone;
  readonly name: string;
  readonly refused = signal<Refused | null>(null);
  /** Pressed, and the call is not there yet. */
  readonly answering = signal(false);
  /** The number that was shown when the key took a more urgent call, until it has been read. */
  readonly instead = signal<string | null>(null);
  readonly noteKept = signal("");
  readonly disposition = signal("");

  readonly #me = computed(() => rowsOf(this.link.board.value, "me"));
  readonly #room = computed(() => rowsOf(this.link.board.value, "board"));
  readonly self: ReadonlySignal<AgentRow | null> = computed(() => self(this.#me.value, this.name));
  readonly call = computed(() => conversation(this.#me.value));
  readonly offers = computed(() => offers(this.#me.value));
  readonly waiting = computed(() => waiting(this.#room.value));
  /** Whom the answer key takes. */
  readonly next = computed(() => next(this.offers.value, this.waiting.value, this.name));
  readonly held = computed(() => held(this.#room.value));
  readonly classes = computed(() => this.link.board.value.welcome?.classes ?? []);

  readonly #scope: AbortSignal;
  readonly #shown = new Set<string>();
  #shownWith: { call: string; number: string } | null = null;
  #nth = 0;
  #turn = 0;

  constructor(scope: AbortSignal, link: Link, phone: Phone, name: string) {
    [this.#scope, this.link, this.phone, this.name] = [scope, link, phone, name];
    const stops = [
      effect(() => {
        if (this.call.value) this.#came(this.call.value.call);
        phone.attach(this.call.value !== null || this.answering.value);
      }),
      effect(() => {
        const rings = this.call.value === null && !this.answering.value && this.offers.value.length > 0;
        const urgent = this.offers.value.some((offer) => offer.because.item === "fence");
        phone.ring(rings ? (urgent ? "urgent" : "calm") : "no");
      }),
      effect(() => {
        if (this.call.value === null) this.disposition.value = "";
      }),
      effect(() => phone.unheard(this.call.value !== null && this.call.value.lost !== null)),
    ];
    scope.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
    // Sent again, it was shown and our word was lost.
    link.listen(scope, (notice) => {
      if (notice.type === "offer" && this.#shown.has(notice.offer.offer)) this.#see(notice.offer.offer);
      if (notice.type === "offer_ended") this.#shown.delete(notice.offer);
    });
  }

  /** The view shows this offer: a page that cannot say so within a second gets no more. */
  shows(offer: string): void {
    if (this.#shown.has(offer)) return;
    this.#shown.add(offer);
    this.#see(offer);
  }

  act(action: Action): void {
    const call = this.call.peek();
    switch (action) {
      case "answer":
        return void this.answer();
      case "hang_up":
        if (call) this.hangUp();
        return;
      case "hold":
        if (call) void this.#ask({ type: "hold", call: call.call });
        return;
      case "mute":
        if (call) this.phone.mute(!this.phone.muted.peek());
        return;
      case "ready":
        return this.toggleReady();
      case "vital":
        if (call) void this.#ask({ type: "vital", call: call.call });
        return;
      case "p1":
      case "p2":
      case "p3":
        if (call) this.qualify(action);
        return;
    }
  }

  /** The one key: the most urgent call at the instant the engine hears of it. */
  async answer(): Promise<void> {
    if (this.answering.peek()) return;
    if (this.call.peek()) {
      // An alert says: hold yours, take this. Anything else must not end up in a busy ear.
      if (!this.offers.peek().some((offer) => offer.kind === "alert")) { this.#tell({ done: false, why: "talking", by: null }); return; }
      if (!(await this.#holdMine())) return;
    }
    const next = this.next.peek();
    this.#shownWith = next && { call: next.call, number: next.caller };
    await this.#take({ type: "answer" });
  }

  /** A call is in the ear: is it the one that was shown? Between the eye and the key another may have come. */
  #came(call: string): void {
    this.answering.value = false;
    const shown = this.#shownWith;
    this.#shownWith = null;
    if (shown === null || shown.call === call) return;
    this.instead.value = shown.number;
    after(this.#scope, READ_WITHIN, () => (this.instead.value = null));
  }

  /** One call of the list; whatever is in the ear goes onto the shared list first. */
  async pick(call: string): Promise<void> {
    this.#shownWith = null;
    if (this.answering.peek() || (this.call.peek() && !(await this.#holdMine()))) return;
    await this.#take({ type: "pick", call });
  }

  hangUp(): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "release", call, disposition: this.disposition.peek() || null });
  }

  qualify(name: string): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "qualify", call, class: name });
  }

  async note(call: string, text: string): Promise<void> {
    if (await this.#ask({ type: "note", call, text })) this.noteKept.value = call;
  }

  signIn(): void {
    void this.#ask({ type: "sign_in" }).then((done) => done && this.#ask({ type: "ready" }));
  }

  ready(): void {
    void this.#ask({ type: "ready" });
  }

  pause(reason: string): void {
    void this.#ask({ type: "pause", reason });
  }

  toggleReady(): void {
    const self = this.self.peek();
    if (!self) return;
    if (self.intent === "signed-out") this.signIn();
    else if (self.intent === "ready" && self.occupation !== "wrap-up" && !self.rona) this.pause("break");
    else this.ready();
  }

  async #holdMine(): Promise<boolean> {
    const call = this.call.peek()?.call;
    return call === undefined || this.#ask({ type: "hold", call });
  }

  async #take(verb: WireVerb): Promise<void> {
    // The microphone is on the line before the engine has answered: the first word is not lost.
    this.answering.value = true;
    const turn = ++this.#turn;
    after(this.#scope, CALL_COMES_WITHIN, () => {
      if (turn === this.#turn) this.answering.value = false;
    });
    if (!(await this.#ask(verb))) this.answering.value = false;
  }

  async #ask(verb: WireVerb): Promise<boolean> {
    const outcome = await this.link.command(verb);
    this.#tell(outcome);
    return outcome.done;
  }

  #tell(outcome: Outcome): void {
    if (outcome.done) {
      this.refused.value = null;
      return;
    }
    this.#nth += 1;
    const refused = { why: outcome.why, by: outcome.by, nth: this.#nth };
    this.refused.value = refused;
    after(this.#scope, READ_WITHIN, () => {
      if (this.refused.peek() === refused) this.refused.value = null;
    });
  }

  #see(offer: string): void {
    this.link.say({ type: "offer.seen", offer });
  }
}
