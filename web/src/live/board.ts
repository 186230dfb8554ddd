//! What the page holds of the engine's state: one fold of what it is told, and no other writer.
//!
//! A topic is a set of rows under keys, at a version. A snapshot replaces it, a delta moves it from
//! `pv` to `v`; a delta that starts anywhere else means something was missed: the topic is void
//! until the snapshot that `owed` asks for. The same rules as `engine/src/live/follow.rs`.

import type { Change, ClientMessage, Resume, Row, Seen, ServerMessage } from "../wire/generated";

export const PROTO = 1;

export type Rows = ReadonlyMap<string, Row>;

/** What is held of one topic. */
export type Held = {
  /** Of which start of the engine, at which version; `null`: nothing is held yet. */
  readonly at: { readonly epoch: number; readonly v: number } | null;
  readonly rows: Rows;
  /** A gap was found: nothing here counts until the next snapshot. */
  readonly void: boolean;
};

/** Where the engine's clocks stood when they were last heard of, by the page's own clock. */
export type Clock = { readonly now: number; readonly utc: number; readonly heard: number };

export type Welcome = Extract<ServerMessage, { type: "welcome" }>;

export type Board = {
  readonly topics: ReadonlyMap<string, Held>;
  readonly welcome: Welcome | null;
  readonly clock: Clock | null;
  /** Gaps found so far. */
  readonly gaps: number;
};

const NOTHING: Held = { at: null, rows: new Map(), void: false };

/** A board that will follow these topics and holds nothing yet. */
export function blank(topics: readonly string[]): Board {
  return { topics: new Map(topics.map((topic) => [topic, NOTHING])), welcome: null, clock: null, gaps: 0 };
}

/** Folds one message. `at` is the page's monotonic clock, in milliseconds. */
export function apply(board: Board, message: ServerMessage, at: number): Board {
  switch (message.type) {
    case "welcome":
      return { ...board, welcome: message, clock: { now: message.now, utc: message.utc, heard: at } };
    case "plan":
      return { ...board, welcome: board.welcome && { ...board.welcome, classes: message.classes } };
    case "ping":
      return { ...board, clock: { now: message.now, utc: message.utc, heard: at } };
    case "snapshot":
      return hold(board, message.topic, () => ({
        at: { epoch: message.epoch, v: message.v },
        rows: changed(new Map(), message.changes),
        void: false,
      }));
    case "up_to_date":
      return hold(board, message.topic, (held) =>
        held.at?.epoch === message.epoch && held.at.v <= message.v
          ? { ...held, at: { epoch: message.epoch, v: message.v } }
          : { ...held, at: null },
      );
    case "replay":
    case "delta":
      return advance(board, message);
    case "offer":
    case "offer_ended":
    case "outcome":
    case "rtc.answer":
    case "rtc.failed":
    case "taken_over":
    case "error":
      return board; // not state: rows tell who is offered what
    default:
      return unknown(message, board);
  }
}

/** What the page must say because of a message it has just folded. */
export function owed(before: Board, after: Board, message: ServerMessage): ClientMessage[] {
  const voided = [...after.topics].filter(([topic, held]) => held.void && !before.topics.get(topic)?.void);
  const answers: ClientMessage[] = voided.map(([topic]) => ({ type: "resync", topic }));
  if (message.type === "welcome" && message.proto !== PROTO) answers.length = 0;
  return answers;
}

/** What is held, for the first message of a connection. */
export function resume(board: Board): Resume[] {
  return [...board.topics].map(([topic, held]) =>
    held.at && !held.void ? { topic, epoch: held.at.epoch, v: held.at.v } : { topic },
  );
}

/** Where the page stands, for a pong; at 0 where it holds nothing that counts, so that it is told. */
export function seen(board: Board): Seen[] {
  return [...board.topics].map(([topic, held]) => ({ topic, v: held.at && !held.void ? held.at.v : 0 }));
}

function advance(board: Board, message: Extract<ServerMessage, { type: "delta" | "replay" }>): Board {
  const held = board.topics.get(message.topic);
  if (!held || held.void) return board;
  if (held.at?.epoch !== message.epoch || held.at.v !== message.pv) {
    return { ...hold(board, message.topic, () => ({ ...held, void: true })), gaps: board.gaps + 1 };
  }
  const at = { epoch: message.epoch, v: message.v };
  return hold(board, message.topic, () => ({ at, rows: changed(held.rows, message.changes), void: false }));
}

function hold(board: Board, topic: string, change: (held: Held) => Held): Board {
  const held = board.topics.get(topic);
  if (!held) return board; // not followed any more
  return { ...board, topics: new Map(board.topics).set(topic, change(held)) };
}

function changed(rows: Rows, changes: readonly Change[]): Rows {
  const next = new Map(rows);
  for (const { key, row } of changes) {
    if (row) next.set(key, row);
    else next.delete(key);
  }
  return next;
}

/** A message of a later protocol has no effect; the compiler knows when one of ours is forgotten. */
function unknown(_message: never, board: Board): Board {
  return board;
}
