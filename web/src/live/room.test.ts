import { describe, expect, it } from "vitest";
import type { OfferRow, Row, WaitingRow } from "../wire/generated";
import { next, nowAt, readable, spell, waiting } from "./room";

const waits = (work: string, over: Partial<WaitingRow>): [string, Row] => [
  `waiting/0-q0/${work}`,
  {
    type: "waiting", work, call: work, queue: "front", class: "unqualified", fenced: false, arrived: 0, due: 0, again: false,
    service: "samu", trunk: "otn", caller: "", caller_name: null, withheld: false, offered: [], ...over,
  },
];

describe("what a room reads", () => {
  it("a confirmed vital call stands before older ones, then the earliest deadline, then the earliest arrival", () => {
    const rows = new Map([
      waits("old", { arrived: 0, due: 60_000 }),
      waits("soon", { arrived: 30_000, due: 35_000 }),
      waits("vital", { arrived: 50_000, due: 50_000, fenced: true }),
      waits("tied", { arrived: 29_000, due: 35_000 }),
    ]);
    expect(waiting(rows).map((row) => row.work)).toEqual(["vital", "tied", "soon", "old"]);
  });

  it("the key takes the most urgent of what rings here and what rings for nobody, in the queue of what rings", () => {
    const taken = (rows: [string, Row][], kind: OfferRow["kind"] = "exclusive") =>
      next([{ work: "mine", kind } as OfferRow], waiting(new Map(rows)), "nour")?.work;
    const mine = waits("mine", { due: 50, offered: ["nour"] });
    expect(taken([mine])).toBe("mine");
    expect(taken([mine, waits("later", { due: 60 })])).toBe("mine");
    expect(taken([mine, waits("urgent", { due: 40 }), waits("vital", { due: 90, fenced: true })])).toBe("vital");
    expect(taken([mine, waits("theirs", { due: 40, offered: ["sam"] })])).toBe("mine");
    expect(taken([mine, waits("theirs", { due: 40, offered: ["sam"] })], "shared")).toBe("theirs");
    expect(taken([mine, waits("elsewhere", { due: 40, queue: "regulation" })])).toBe("mine");
    expect(next([], waiting(new Map([mine])), "nour")).toBeNull();
  });

  it("times are spelled as people say them", () => {
    expect([0, 7_900, 60_000, 760_000, 3_900_000, -5].map(spell)).toEqual(["0:00", "0:07", "1:00", "12:40", "1:05:00", "0:00"]);
  });

  it("the engine's time runs on between two messages", () => {
    expect(nowAt({ now: 10_000, utc: 0, heard: 500 }, 1_750)).toBe(11_250);
    expect(nowAt(null, 9)).toBe(0);
  });

  it("French numbers are read in pairs, also masked ones; others are left alone", () => {
    expect(readable("+33612345678")).toBe("06 12 34 56 78");
    expect(readable("0388000018")).toBe("03 88 00 00 18");
    expect(readable("+***")).toBe("+***");
    expect(readable("+4176123456")).toBe("+4176123456");
  });
});
