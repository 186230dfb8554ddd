//! The one connection of a page: it keeps the board, carries commands once, and comes back by itself.
//!
//! Deliberately absent: any decision about calls. What the engine has not said is not shown.

import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { ClientMessage, ServerMessage, WireVerb } from "../wire/generated";
import { apply, blank, owed, PROTO, resume, seen, type Board } from "./board";
import { every, within } from "./scope";

/** The shortest and the longest pause between two tries. Half a room comes back at once after a
 * restart: the pause is spread, and short enough that no caller notices. */
const RETRY_MIN = 200;
const RETRY_MAX = 4_000;
/** The engine pings every 2 s: a line silent for so long is dead, whatever the browser thinks. */
const SILENCE_MAX = 6_000;
/** A command not answered for so long has no effect worth waiting for: the agent must know. */
const OUTCOME_WITHIN = 4_000;
/** A command is said again on a fresh line only while the hand is still near the key. */
const SAY_AGAIN_WITHIN = 2_000;

/** What an engine of another version answers to our hello. */
const FOREIGN: readonly string[] = ["proto", "bad_message", "bad_json"];

/** How the line stands. */
export type Line = "connecting" | "up" | "down" | "signed_out" | "wrong_proto";

/** What became of a command: done, or why not, as a code, and who was faster. */
export type Outcome = { done: true } | { done: false; why: string; by: string | null };

/** A message that is no state. */
export type Notice = Extract<
  ServerMessage,
  { type: "offer" | "offer_ended" | "rtc.answer" | "rtc.failed" | "taken_over" | "error" }
>;

type Pending = { message: ClientMessage; at: number; settle: (outcome: Outcome) => void };

/** What a page says of itself in each pong. */
export type Health = () => { visible: boolean; audio: string };

export class Link {
  readonly #board;
  readonly #line = signal<Line>("connecting");
  readonly #scope: AbortSignal;
  readonly #url: string;
  readonly #tab: string;
  readonly #pending = new Map<string, Pending>();
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #isSignedIn: () => Promise<boolean>;
  #health: Health = () => ({ visible: document.visibilityState === "visible", audio: "" });
  #socket: WebSocket | null = null;
  #lineScope: AbortController | null = null;
  #heard = 0;
  #tries = 0;

  constructor(scope: AbortSignal, topics: readonly string[], tab: string, isSignedIn: () => Promise<boolean>) {
    this.#board = signal<Board>(blank(topics));
    this.#scope = scope;
    this.#tab = tab;
    this.#isSignedIn = isSignedIn;
    this.#url = new URL("/live", location.href).href.replace(/^http/, "ws");
    this.#connect();
    every(scope, 1_000, () => this.#look());
    addEventListener("online", () => this.#hurry(), { signal: scope });
    scope.addEventListener("abort", () => this.#socket?.close(), { once: true });
  }

  get board(): ReadonlySignal<Board> {
    return this.#board;
  }

  get line(): ReadonlySignal<Line> {
    return this.#line;
  }

  /** What each pong says of the page besides. */
  set health(health: Health) {
    this.#health = health;
  }

  /** Hears what is no state, until the scope ends. */
  listen(scope: AbortSignal, listener: (notice: Notice) => void): void {
    this.#listeners.add(listener);
    scope.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  /** Says something; what is said while the line is down is lost, and `false`. */
  say(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#line.value !== "up") return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Asks for something; the engine answers once, even if it had to be said twice. */
  command(verb: WireVerb): Promise<Outcome> {
    const id = crypto.randomUUID();
    const message: ClientMessage = { type: "command", id, verb };
    return new Promise((settle) => {
      this.#pending.set(id, { message, at: performance.now(), settle });
      this.say(message);
    });
  }

  #connect(): void {
    if (this.#scope.aborted) return;
    const inner = within(this.#scope);
    const socket = new WebSocket(this.#url);
    const opened = { yes: false };
    this.#socket = socket;
    this.#lineScope = inner;
    this.#heard = performance.now();
    const options = { signal: inner.signal };
    socket.addEventListener("open", () => {
      opened.yes = true;
      const hello: ClientMessage = { type: "hello", proto: PROTO, resume: resume(this.#board.value), tab: this.#tab };
      socket.send(JSON.stringify(hello));
    }, options);
    socket.addEventListener("message", (event) => this.#hear(event.data), options);
    socket.addEventListener("close", () => {
      inner.abort();
      void this.#lost(opened.yes);
    }, options);
  }

  async #lost(opened: boolean): Promise<void> {
    this.#socket = null;
    if (this.#scope.aborted || this.#line.value === "wrong_proto") return;
    this.#line.value = "down";
    // A browser does not say why a handshake failed: the session says whether we may come at all.
    if (!opened && !(await this.#isSignedIn())) {
      this.#line.value = "signed_out";
      return;
    }
    this.#tries += 1;
    const pause = Math.min(RETRY_MAX, RETRY_MIN * 2 ** (this.#tries - 1)) * (0.75 + Math.random() / 2);
    setTimeout(() => {
      if (!this.#socket) this.#connect();
    }, pause);
  }

  #hurry(): void {
    this.#tries = 0;
    if (!this.#socket && this.#line.value === "down") this.#connect();
  }

  /** Once a second: is the line silent, has a command waited too long? */
  #look(): void {
    const now = performance.now();
    if (this.#socket && now - this.#heard > SILENCE_MAX) {
      // `close` of a dead line waits for the peer: the page does not.
      const socket = this.#socket;
      this.#lineScope?.abort();
      socket.close();
      void this.#lost(true);
    }
    for (const [id, { at, settle }] of this.#pending) {
      if (now - at > OUTCOME_WITHIN) {
        this.#pending.delete(id);
        settle({ done: false, why: this.#line.value === "up" ? "late" : "offline", by: null });
      }
    }
  }

  #hear(data: unknown): void {
    if (typeof data !== "string") return;
    this.#heard = performance.now();
    const message = JSON.parse(data) as ServerMessage; // the engine's own print of its own types
    const before = this.#board.value;
    const after = apply(before, message, this.#heard);
    batch(() => {
      this.#board.value = after;
      if (message.type === "welcome") this.#welcomed(message.proto);
    });
    for (const answer of owed(before, after, message)) this.say(answer);
    switch (message.type) {
      case "ping":
        this.say({ type: "pong", n: message.n, ...this.#health(), seen: seen(after) });
        return;
      case "outcome":
        this.#settle(
          message.id,
          message.refusal === null ? { done: true } : { done: false, why: message.refusal, by: message.by },
        );
        return;
      case "error":
        // Our first word was not understood: these pages are of another version than the engine.
        if (this.#line.value !== "up" && FOREIGN.includes(message.code)) this.#line.value = "wrong_proto";
        if (message.params["id"]) this.#settle(message.params["id"], { done: false, why: message.code, by: null });
        this.#tell(message);
        return;
      case "offer":
      case "offer_ended":
      case "rtc.answer":
      case "rtc.failed":
      case "taken_over":
        this.#tell(message);
        return;
      default:
        return; // state
    }
  }

  #welcomed(proto: number): void {
    this.#tries = 0;
    this.#line.value = proto === PROTO ? "up" : "wrong_proto";
    const now = performance.now();
    for (const { message, at } of this.#pending.values()) {
      if (now - at < SAY_AGAIN_WITHIN) this.say(message);
    }
  }

  #tell(notice: Notice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  #settle(id: string, outcome: Outcome): void {
    this.#pending.get(id)?.settle(outcome);
    this.#pending.delete(id);
  }
}
