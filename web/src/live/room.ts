//! What views ask of the rows: lists in the order a person reads them, and lengths of time.

import type {
  AgentRow, AlarmRow, CallbackRow, ConversationRow, DecisionRow, HandOverRow, HeldRow, MajorRow, MinuteRow, OfferRow, PartyRow,
  QueueRow, Row, Totals, TrunkRow, WaitingRow,
} from "../wire/generated";
import type { Board, Clock, Rows } from "./board";

type Kind = Row["type"];
type Of<K extends Kind> = Extract<Row, { type: K }>;

function all<K extends Kind>(rows: Rows, kind: K): Of<K>[] {
  return [...rows.values()].filter((row): row is Of<K> => row.type === kind);
}

/** The rows of a topic; none before its first snapshot. */
export function rowsOf(board: Board, topic: string): Rows {
  return board.topics.get(topic)?.rows ?? new Map();
}

/** Who waits, first to be taken first: the fence, then arrival plus target, then arrival. */
export function waiting(rows: Rows): WaitingRow[] {
  return all(rows, "waiting").sort(
    (a, b) => Number(b.fenced) - Number(a.fenced) || a.due - b.due || a.arrived - b.arrived || compare(a.work, b.work),
  );
}

/** Those of them who are on the line and have not been talked with: the rest stands in lists of its own. */
export function newcomers(list: readonly WaitingRow[], rows: Rows): WaitingRow[] {
  const beside = new Set([...all(rows, "hand_over"), ...all(rows, "callback")].map((row) => row.call));
  return list.filter((row) => !beside.has(row.call));
}

/** People who wait on the line: callbacks wait in the same queues, and nobody hears them. */
export function onTheLine(list: readonly WaitingRow[], rows: Rows): WaitingRow[] {
  const back = new Set(all(rows, "callback").map((row) => row.call));
  return list.filter((row) => !back.has(row.call));
}

/** Whether taking this call leaves a confirmed vital one waiting: a person may, once they know. */
export function passesOver(list: readonly WaitingRow[], call: string): boolean {
  const picked = list.find((row) => row.call === call);
  return !(picked?.fenced ?? false) && list.some((row) => row.fenced);
}

/** Callers between two stages, as doctors read them: the most urgent first, then whoever waits longest. */
export function handOvers(rows: Rows): HandOverRow[] {
  return all(rows, "hand_over").sort((a, b) => a.priority - b.priority || a.since - b.since || compare(a.call, b.call));
}

/** Whom to call back: those whose time has come before those it has not, then as doctors read. */
export function callbacks(rows: Rows, now: number): CallbackRow[] {
  const rests = (row: CallbackRow) => Number(row.until !== null && row.until > now);
  return all(rows, "callback").sort(
    (a, b) => rests(a) - rests(b) || (rests(a) ? (a.until ?? 0) - (b.until ?? 0) : 0) || a.priority - b.priority || a.since - b.since || compare(a.call, b.call),
  );
}

/** The callback this agent has accepted, whose person's phone rings. */
export function dialling(rows: Rows, name: string): CallbackRow | null {
  return all(rows, "callback").find((row) => row.dialling === name) ?? null;
}

/** Major events: those that last before those that are over, the latest first. */
export function majors(rows: Rows): MajorRow[] {
  return all(rows, "major").sort((a, b) => Number(a.until !== null) - Number(b.until !== null) || b.since - a.since || compare(a.event, b.event));
}

/** The held calls of the room: those to take back first, then the oldest. */
export function held(rows: Rows): HeldRow[] {
  return all(rows, "held").sort((a, b) => Number(b.lost) - Number(a.lost) || a.since - b.since || compare(a.call, b.call));
}

/** Offers to this agent, the most urgent first. */
export function offers(rows: Rows): OfferRow[] {
  return all(rows, "offer").sort(
    (a, b) => Number(b.because.item === "fence") - Number(a.because.item === "fence") || a.deadline - b.deadline,
  );
}

/** What calls this agent to another call, the most urgent first: an alert with a call in the ear, a
 * conversation to join at any time. The key takes it and sets aside what is in the ear. */
export function summons(offers: readonly OfferRow[], talks: boolean): OfferRow | null {
  const calls = (offer: OfferRow) => offer.kind === "alert" || offer.kind === "join";
  if (talks) return offers.find(calls) ?? null;
  const [first] = offers;
  return first && calls(first) ? first : null;
}

/** What this page takes without a key: the engine says so of one that is for this agent alone. */
export function byItself(offers: readonly OfferRow[], busy: boolean): OfferRow | null {
  const [first] = offers;
  return !busy && first?.auto_answer && first.kind === "exclusive" ? first : null;
}

/** Whom the answer key takes at this instant, as far as the page is told: the most urgent of those that
 * ring here and those that nobody is rung for, in the queues of what rings here. The engine decides. */
export function next(offers: readonly OfferRow[], waiting: readonly WaitingRow[], name: string): WaitingRow | null {
  const ringing = new Set(offers.map((offer) => offer.work));
  const shared = offers.some((offer) => offer.kind === "shared");
  const queues = new Set(waiting.filter((row) => ringing.has(row.work)).map((row) => row.queue));
  const open = (row: WaitingRow) => queues.has(row.queue) && (shared || row.offered.every((other) => other === name));
  return waiting.find((row) => ringing.has(row.work) || open(row)) ?? null;
}

/** The call in this agent's ear. */
export function conversation(rows: Rows): ConversationRow | null {
  return all(rows, "conversation")[0] ?? null;
}

/** Everyone in a conversation besides the caller and this agent. */
export function others(call: ConversationRow, name: string): PartyRow[] {
  return call.parties.filter((party) => party.who !== name);
}

/** Somebody who can be asked about a call, by the field of the command that names them. */
export type Whom = { as: "outside" | "colleague" | "queue"; name: string };

export function asked(rows: Rows, contacts: readonly string[], name: string): Whom[] {
  const there = agents(rows).filter((row) => row.agent !== name && row.intent !== "signed-out" && row.reachable);
  return [
    ...contacts.map((name): Whom => ({ as: "outside", name })),
    ...there.map((row): Whom => ({ as: "colleague", name: row.agent })),
    ...queues(rows).map((row): Whom => ({ as: "queue", name: row.queue })),
  ];
}

/** Whether the caller would not be alone: another agent who is heard, or somebody outside, stays. */
export function mayLeave(call: ConversationRow, name: string): boolean {
  return others(call, name).some((party) => party.seat === "speaks" && party.lost === null);
}

/** The agent's own row. */
export function self(rows: Rows, name: string | null): AgentRow | null {
  return all(rows, "agent").find((row) => row.agent === name) ?? null;
}

/** The team: whoever is on duty first, by name. */
export function agents(rows: Rows): AgentRow[] {
  const off = (row: AgentRow) => Number(row.intent === "signed-out");
  return all(rows, "agent").sort((a, b) => off(a) - off(b) || compare(a.agent, b.agent));
}

/** By which desk a supervisor comes into a conversation: the one of the same name, else a supervisor's that is free. */
export function supervisorsEar(rows: Rows, name: string): AgentRow | null {
  const steers = (row: AgentRow) => row.role === "supervisor" || row.role === "administrator";
  const there = all(rows, "agent").filter((row) => steers(row) && row.intent !== "signed-out" && row.reachable);
  return there.find((row) => row.agent === name) ?? there.find((row) => row.call !== null) ?? there[0] ?? null;
}

export function queues(rows: Rows): QueueRow[] {
  return all(rows, "queue").sort((a, b) => a.place - b.place);
}

export function trunks(rows: Rows): TrunkRow[] {
  return all(rows, "trunk").sort((a, b) => compare(a.trunk, b.trunk));
}

/** Alarms that stand first, then the latest. */
export function alarms(rows: Rows): AlarmRow[] {
  return all(rows, "alarm").sort((a, b) => Number(b.on) - Number(a.on) || b.seq - a.seq);
}

export function decisions(rows: Rows): DecisionRow[] {
  return all(rows, "decision").sort((a, b) => b.seq - a.seq);
}

/** The last minutes, oldest first. */
export function minutes(rows: Rows): MinuteRow[] {
  return all(rows, "minute").sort((a, b) => a.from - b.from);
}

export function totals(rows: Rows): Totals | null {
  return all(rows, "totals")[0] ?? null;
}

/** Where the engine's timeline stands at this instant of the page's clock. */
export function nowAt(clock: Clock | null, at: number): number {
  return clock ? clock.now + (at - clock.heard) : 0;
}

/** A length of time as a person says it: `0:07`, `12:40`, `1:05:00`; never negative. */
export function spell(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A number as it is read aloud: French ones in pairs, others as they came. */
export function readable(number: string): string {
  const national = /^(?:\+33|0)([1-9*][\d*]{8})$/.exec(number)?.[1];
  if (!national) return number;
  const rest = national.slice(1).match(/.{2}/g) ?? [];
  return [`0${national[0] ?? ""}`, ...rest].join(" ");
}

/** In code units: the order does not depend on the language of the screen. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
