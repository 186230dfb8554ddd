import { describe, expect, it } from "vitest";
import type { Change, Row, ServerMessage } from "../wire/generated";
import { apply, blank, owed, resume, seen, type Board } from "./board";

const queue = (entered: number): Row => ({
  type: "queue", queue: "front", place: 0, entered, answered: 0, withdrawn: 0, alarm: false, overflow: false,
});
const change = (key: string, row: Row | null): Change => ({ key, row });
const snapshot = (v: number, changes: Change[], epoch = 1): ServerMessage => ({
  type: "snapshot", topic: "board", epoch, v, reason: "first", changes,
});
const delta = (pv: number, v: number, changes: Change[], epoch = 1): ServerMessage => ({
  type: "delta", topic: "board", epoch, pv, v, changes,
});
const rows = (board: Board) => Object.fromEntries(board.topics.get("board")?.rows ?? []);
const fold = (...messages: ServerMessage[]) => messages.reduce((board, one) => apply(board, one, 0), blank(["board"]));

describe("the browser folds what it is told", () => {
  it("a snapshot and its deltas are the state of the engine", () => {
    const board = fold(
      snapshot(3, [change("queue/a", queue(1)), change("queue/b", queue(5))]),
      delta(3, 5, [change("queue/a", queue(2))]),
      delta(5, 6, [change("queue/b", null), change("queue/c", queue(9))]),
    );
    expect(rows(board)).toEqual({ "queue/a": queue(2), "queue/c": queue(9) });
    expect(resume(board)).toEqual([{ topic: "board", epoch: 1, v: 6 }]);
  });

  it("another plan's classes are what may be said from then on", () => {
    const welcome: ServerMessage = {
      type: "welcome", proto: 1, centre: "samu", epoch: 1, viewer: "a", right: "agent", agent: "a",
      classes: ["vital", "routine"], contacts: ["sdis"], now: 0, utc: 0,
    };
    const plan: ServerMessage = { type: "plan", classes: ["vital", "p1", "p2"] };
    expect(fold(welcome, plan).welcome).toEqual({ ...welcome, classes: ["vital", "p1", "p2"] });
    expect(fold(plan).welcome).toBeNull();
  });

  it("any split of a log into deltas ends in the same board", () => {
    const log = Array.from({ length: 60 }, (_, i) => change(`queue/${i % 7}`, i % 5 === 4 ? null : queue(i)));
    const whole = rows(fold(snapshot(0, []), delta(0, 60, log)));
    for (const size of [1, 2, 7, 13, 59]) {
      const parts: ServerMessage[] = [snapshot(0, [])];
      for (let v = 0; v < log.length; v += size) {
        parts.push(delta(v, Math.min(v + size, log.length), log.slice(v, v + size)));
      }
      expect(rows(fold(...parts))).toEqual(whole);
    }
  });

  it("a gap voids the topic, asks once, and nothing counts until the snapshot", () => {
    const held = fold(snapshot(3, [change("queue/a", queue(1))]));
    const missed = delta(4, 5, [change("queue/a", queue(7))]);
    const after = apply(held, missed, 0);
    expect(owed(held, after, missed)).toEqual([{ type: "resync", topic: "board" }]);
    expect(after.gaps).toBe(1);
    expect(seen(after)).toEqual([{ topic: "board", v: 0 }]);
    expect(resume(after)).toEqual([{ topic: "board" }]);

    const later = delta(5, 6, [change("queue/a", queue(8))]);
    const still = apply(after, later, 0);
    expect(owed(after, still, later)).toEqual([]);
    expect(rows(still)).toEqual({ "queue/a": queue(1) });

    const again = apply(still, snapshot(6, [change("queue/a", queue(8))]), 0);
    expect(rows(again)).toEqual({ "queue/a": queue(8) });
    expect(seen(again)).toEqual([{ topic: "board", v: 6 }]);
  });

  it("a delta of another start of the engine is a gap", () => {
    const held = fold(snapshot(3, []));
    expect(apply(held, delta(3, 4, [], 2), 0).topics.get("board")?.void).toBe(true);
  });

  it("up to date after a short break keeps every row and moves on", () => {
    const held = fold(snapshot(3, [change("queue/a", queue(1))]));
    const after = apply(held, { type: "up_to_date", topic: "board", epoch: 1, v: 9 }, 0);
    expect(rows(after)).toEqual(rows(held));
    expect(resume(after)).toEqual([{ topic: "board", epoch: 1, v: 9 }]);
  });

  it("a topic nobody follows and a message nobody knows change nothing", () => {
    const held = fold(snapshot(3, [change("queue/a", queue(1))]));
    expect(apply(held, { ...delta(3, 4, []), topic: "call/0-c1.1" } as ServerMessage, 0)).toEqual(held);
    expect(apply(held, { type: "from_next_year" } as unknown as ServerMessage, 0)).toBe(held);
  });

  it("what was held is not written to", () => {
    const held = fold(snapshot(3, [change("queue/a", queue(1))]));
    const before = structuredClone(rows(held));
    apply(held, delta(3, 4, [change("queue/a", queue(2))]), 0);
    expect(rows(held)).toEqual(before);
  });
});
