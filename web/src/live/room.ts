//! What views ask of the rows: lists in the order a person reads them, and lengths of time.

import type {
  AgentRow, AlarmRow, ConversationRow, DecisionRow, HeldRow, MinuteRow, OfferRow, QueueRow, Row, Totals, TrunkRow, WaitingRow,
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

/** The agent's own row. */
export function self(rows: Rows, name: string | null): AgentRow | null {
  return all(rows, "agent").find((row) => row.agent === name) ?? null;
}

/** The team: whoever is on duty first, by name. */
export function agents(rows: Rows): AgentRow[] {
  const off = (row: AgentRow) => Number(row.intent === "signed-out");
  return all(rows, "agent").sort((a, b) => off(a) - off(b) || compare(a.agent, b.agent));
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
