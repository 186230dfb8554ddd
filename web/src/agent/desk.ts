//! The agent's desk: what the engine says of this agent, and what the agent's hands do. No view.
//!
//! | key | alone | a call offered | a call in the ear |
//! |---|---|---|---|
//! | answer | the most urgent call there is | the same | an alert or a join: mine is set aside, that one comes; else refused with a word: hold first |
//! | pick up | the most urgent call that rings at a colleague | the same | refused with a word |
//! | hold | - | - | on the shared list; while somebody is asked: back to the caller |
//! | together | - | - | whoever was asked comes to the caller |
//! | leave | - | - | out of it; whoever else is in it stays with the caller |
//! | hang up, vital, P1-P3 | - | - | of that call |
//! | hand over | - | - | to the next stage, with class and note |
//! | ready | ready or pause; ends wrap-up | - | a pause that begins after the call |
//!
//! A callback that was accepted has nobody in the ear until the person answers: hang up gives it up.

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Link, Outcome } from "../live/link";
import {
  asked, byItself, callbacks, conversation, dialling, handOvers, held, majors, newcomers, next, nowAt, offers, passesOver, queues, rowsOf, self, summons, waiting, type Whom,
} from "../live/room";
import { after } from "../live/scope";
import type { Phone } from "../phone/phone";
import { tick } from "../ui/time";
import type { AgentRow, WireVerb } from "../wire/generated";
import type { Action } from "./keys";
import { watchHands } from "./presence";

/** What was refused, until it has been read. */
export type Refused = { why: string; by: string | null; nth: number };

/** A pressed answer waits so long for its call before the microphone leaves the line again. */
const CALL_COMES_WITHIN = 3_000;
const READ_WITHIN = 6_000;

/** What is to be confirmed when no call was named. */
export const ANY = "*";

const HAND_TO_KEPT_AS = "bandeau.hand_to";
const AUTO_KEPT_AS = "bandeau.auto_answer";

/** From the tone to the call it announces: long enough to be heard, and for a hand to be faster. */
const TONE_LASTS = 700;

export class Desk {
  readonly link: Link;
  readonly phone: Phone;
  readonly name: string;
  readonly refused = signal<Refused | null>(null);
  /** Pressed, and the call is not there yet. */
  readonly answering = signal(false);
  /** The number that was shown when the key took a more urgent call, until it has been read. */
  readonly instead = signal<string | null>(null);
  /** A pick that waits for one confirmation: a vital call waits. */
  readonly toConfirm = signal<string | null>(null);
  readonly noteKept = signal("");
  /** What has been written of a call and is not kept yet. */
  readonly draft = signal<{ call: string; text: string } | null>(null);
  readonly disposition = signal("");

  readonly #me = computed(() => rowsOf(this.link.board.value, "me"));
  readonly #room = computed(() => rowsOf(this.link.board.value, "board"));
  readonly self: ReadonlySignal<AgentRow | null> = computed(() => self(this.#me.value, this.name));
  readonly call = computed(() => conversation(this.#me.value));
  readonly offers = computed(() => offers(this.#me.value));
  readonly waiting = computed(() => waiting(this.#room.value));
  /** Of them, those nobody has talked with yet. */
  readonly newcomers = computed(() => newcomers(this.waiting.value, this.#room.value));
  /** What the answer key takes although a call is in the ear, or instead of the queue's next. */
  readonly summons = computed(() => summons(this.offers.value, this.call.value !== null));
  readonly handOvers = computed(() => handOvers(this.#room.value));
  readonly callbacks = computed(() => callbacks(this.#room.value, nowAt(this.link.board.value.clock, tick.value)));
  /** The callback this agent has accepted: the person's phone rings. */
  readonly dialling = computed(() => dialling(this.#room.value, this.name));
  readonly queues = computed(() => queues(this.#room.value).map((row) => row.queue));
  readonly majors = computed(() => majors(this.#room.value).filter((row) => row.until === null));
  /** Whom one may ask about a call: outside first, then whoever is on duty, then teams. */
  readonly asked = computed(() => asked(this.#room.value, this.link.board.value.welcome?.contacts ?? [], this.name));
  /** The agent wants vital calls without a key: said to the engine by each page, over each connection. */
  readonly autoAnswer = signal(kept(AUTO_KEPT_AS) === "yes");
  /** What comes by itself, after a tone. */
  readonly byItself = computed(() => byItself(this.offers.value, this.call.value !== null || this.answering.value || this.phone.why.value !== ""));
  /** Whom the answer key takes. */
  readonly next = computed(() => next(this.offers.value, this.waiting.value, this.name));
  readonly held = computed(() => held(this.#room.value));
  readonly classes = computed(() => this.link.board.value.welcome?.classes ?? []);

  readonly #scope: AbortSignal;
  readonly #handTo = signal(kept(HAND_TO_KEPT_AS));
  readonly #shown = new Set<string>();
  #shownWith: { call: string; number: string } | null = null;
  #ear: string | null = null;
  #announced: string | null = null;
  #wished = false;
  #nth = 0;
  #turn = 0;

  constructor(scope: AbortSignal, link: Link, phone: Phone, name: string) {
    [this.#scope, this.link, this.phone, this.name] = [scope, link, phone, name];
    const stops = [
      effect(() => {
        const ear = this.call.value?.call ?? null;
        if (ear !== null && ear !== this.#ear) this.#came(ear);
        this.#ear = ear;
        phone.attach(ear !== null || this.answering.value || this.dialling.value !== null);
      }),
      effect(() => {
        const rings = this.call.value === null && !this.answering.value && this.offers.value.length > 0;
        const urgent = this.offers.value.some((offer) => offer.because.item === "fence");
        phone.ring(rings ? (urgent ? "urgent" : "calm") : "no");
      }),
      effect(() => {
        if (this.call.value === null) [this.disposition.value, this.draft.value] = ["", null];
      }),
      effect(() => {
        const offer = this.byItself.value?.offer ?? null;
        if (offer === this.#announced) return;
        this.#announced = offer;
        if (offer === null) return;
        phone.beep();
        after(scope, TONE_LASTS, () => {
          if (this.byItself.peek()?.offer === offer) void this.#take({ type: "claim", offer });
        });
      }),
      effect(() => {
        const on = this.autoAnswer.value;
        if (link.line.value !== "up" || (!on && !this.#wished)) return;
        this.#wished = on;
        void link.command({ type: "auto_answer", on });
      }),
      effect(() => phone.unheard(this.call.value !== null && this.call.value.lost !== null)),
    ];
    scope.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
    watchHands(scope, () => link.say({ type: "present" }));
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

  setAutoAnswer(on: boolean): void {
    keep(AUTO_KEPT_AS, on ? "yes" : "no");
    this.autoAnswer.value = on;
  }

  act(action: Action): void {
    const call = this.call.peek();
    switch (action) {
      case "answer":
        return void this.answer();
      case "hang_up":
        return this.hangUp();
      case "hold":
        if (call?.consult?.by === this.name) void this.#ask({ type: "dismiss", call: call.call });
        else if (call) void this.#holdMine();
        return;
      case "together":
        if (call) void this.#ask({ type: "conference", call: call.call });
        return;
      case "leave":
        this.#keepDraft();
        if (call) void this.#ask({ type: "leave", call: call.call });
        return;
      case "hand_over":
        return void this.handOver();
      case "pick_up":
        return void this.pickUp();
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
    const called = this.summons.peek();
    if (called) {
      // One command: the engine sets aside what is in the ear only when the other call can be had.
      this.#shownWith = { call: called.call, number: called.caller };
      this.#keepDraft();
      await this.#take({ type: "claim", offer: called.offer });
      return;
    }
    if (this.call.peek()) { this.#tell({ done: false, why: "talking", by: null }); return; }
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

  /** One call of a list; whatever is in the ear goes onto the shared list first. Once more, when a vital call waits. */
  async pick(call: string): Promise<void> {
    this.#shownWith = null;
    if (this.answering.peek()) return;
    const confirmed = this.toConfirm.peek() === call;
    this.toConfirm.value = null;
    // Asked before the hand is empty: nobody is put on hold for a warning.
    if (this.call.peek() && !confirmed && passesOver(this.waiting.peek(), call)) { this.#warn(call); return; }
    if (this.call.peek() && !(await this.#holdMine())) return;
    const outcome = await this.#take({ type: "pick", call, confirmed });
    if (!outcome.done && outcome.why === "vital-waits") this.#warn(call);
  }

  /** The most urgent call that rings at a colleague, whichever it is. Once more, when a vital call waits. */
  async pickUp(): Promise<void> {
    this.#shownWith = null;
    if (this.answering.peek()) return;
    if (this.call.peek()) { this.#tell({ done: false, why: "talking", by: null }); return; }
    const confirmed = this.toConfirm.peek() === ANY;
    this.toConfirm.value = null;
    const outcome = await this.#take({ type: "pick_up", confirmed });
    if (!outcome.done && outcome.why === "vital-waits") this.#warn(ANY);
    if (!outcome.done && outcome.why === "gone") this.#tell({ ...outcome, why: "nothing-rings" });
  }

  #warn(call: string): void {
    this.#tell({ done: false, why: "vital-waits", by: null });
    this.toConfirm.value = call;
    after(this.#scope, READ_WITHIN, () => {
      if (this.toConfirm.peek() === call) this.toConfirm.value = null;
    });
  }

  hangUp(): void {
    const call = this.call.peek()?.call ?? this.dialling.peek()?.call;
    this.#keepDraft();
    if (call) void this.#ask({ type: "release", call, disposition: this.disposition.peek() || null });
  }

  /** Where the caller goes when the key is pressed: where this position handed over last, if the plan still has it. */
  handTo(): string | null {
    const names = this.queues.value;
    const kept = this.#handTo.value;
    return names.includes(kept) ? kept : (names.find((name) => /regul/i.test(name)) ?? names.at(-1) ?? null);
  }

  setHandTo(queue: string): void {
    this.#handTo.value = queue;
    keep(HAND_TO_KEPT_AS, queue);
  }

  /** The caller waits for the next stage, with the class and the note as they stand. */
  async handOver(): Promise<void> {
    const call = this.call.peek()?.call;
    const queue = this.handTo();
    if (call && queue) await this.#ask({ type: "hand_over", call, queue, note: this.#written(call) });
  }

  /** Back to whoever handed the caller over; the note says why. */
  async referBack(): Promise<void> {
    const call = this.call.peek()?.call;
    if (!call) return;
    const outcome = await this.link.command({ type: "refer_back", call, note: this.#written(call) });
    this.#tell(!outcome.done && outcome.why === "invalid" ? { ...outcome, why: "not-handed-over" } : outcome);
  }

  /** A caller who was handed over and waits comes back to an agent; whatever is in the ear is set aside first. Once more,
   *  when a vital call waits. */
  async takeBack(call: string): Promise<void> {
    this.#shownWith = null;
    if (this.answering.peek()) return;
    const confirmed = this.toConfirm.peek() === call;
    this.toConfirm.value = null;
    if (this.call.peek() && !confirmed && passesOver(this.waiting.peek(), call)) { this.#warn(call); return; }
    if (this.call.peek() && !(await this.#holdMine())) return;
    const outcome = await this.#take({ type: "take_back", call, confirmed });
    if (!outcome.done && outcome.why === "vital-waits") this.#warn(call);
  }

  /** One gesture: the call ends here and its caller is called back. */
  dropToCallback(): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "drop_to_callback", call, note: this.#written(call) });
  }

  /** The call goes on; its caller is called again in so many minutes. */
  planCallback(minutes: number): void {
    const call = this.call.peek()?.call;
    if (!call) return;
    void this.#ask({ type: "plan_callback", call, after: minutes * 60_000, note: this.#written(call) }).then((done) => {
      if (done) [this.noteKept.value, this.draft.value] = [call, null];
    });
  }

  dismissCallback(call: string, reason: string): void {
    void this.#ask({ type: "dismiss_callback", call, reason });
  }

  /** One of the directory, a colleague, or a queue's team; alone with the caller, the caller is on hold meanwhile. */
  consult(whom: Whom): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "consult", call, [whom.as]: whom.name });
  }

  /** Whoever was asked from outside is let go. */
  dismiss(): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "dismiss", call });
  }

  addToMajor(event: string): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "add_to_major", event, call });
  }

  /** What has been written of this call and is not kept yet: it goes along with the command. */
  #written(call: string): string | null {
    const draft = this.draft.peek();
    return draft?.call === call ? draft.text : null;
  }

  /** The hand leaves this call: what it has written is kept first. */
  #keepDraft(): void {
    const call = this.call.peek()?.call;
    const text = call === undefined ? null : this.#written(call);
    if (call !== undefined && text !== null) void this.note(call, text);
  }

  qualify(name: string): void {
    const call = this.call.peek()?.call;
    if (call) void this.#ask({ type: "qualify", call, class: name });
  }

  async note(call: string, text: string): Promise<void> {
    this.draft.value = null;
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
    this.#keepDraft();
    return call === undefined || this.#ask({ type: "hold", call });
  }

  async #take(verb: WireVerb): Promise<Outcome> {
    // The microphone is on the line before the engine has answered: the first word is not lost.
    this.answering.value = true;
    const turn = ++this.#turn;
    after(this.#scope, CALL_COMES_WITHIN, () => {
      if (turn === this.#turn) this.answering.value = false;
    });
    const outcome = await this.link.command(verb);
    this.#tell(outcome);
    if (!outcome.done) this.answering.value = false;
    return outcome;
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

function kept(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function keep(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Chosen again at the next shift, then.
  }
}
