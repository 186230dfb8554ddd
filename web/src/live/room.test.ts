import { describe, expect, it } from "vitest";
import type { ConversationRow, OfferRow, PartyRow, Row, WaitingRow } from "../wire/generated";
import { asked, byItself, callbacks, dialling, handOvers, majors, mayLeave, newcomers, next, nowAt, onTheLine, passesOver, readable, spell, summons, supervisorsEar, waiting } from "./room";

const waits = (work: string, over: Partial<WaitingRow> = {}): [string, Row] => [
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

describe("what stands beside the queue", () => {
  const offer = (kind: OfferRow["kind"], item: OfferRow["because"]["item"] = "fence", deadline = 0) =>
    ({ offer: kind, kind, deadline, because: { item } }) as OfferRow;

  it("a page takes by itself what the engine says is for it alone, with empty hands, and nothing else", () => {
    const mine = { ...offer("exclusive"), auto_answer: true };
    expect(byItself([mine], false)?.offer).toBe("exclusive");
    expect(byItself([mine], true)).toBeNull();
    expect(byItself([offer("exclusive")], false)).toBeNull();
    expect(byItself([{ ...offer("shared"), auto_answer: true }, mine], false)).toBeNull();
    expect(byItself([], false)).toBeNull();
  });

  it("with a call in the ear only an alert or a conversation to join calls away, else what stands first", () => {
    expect(summons([offer("shared"), offer("alert")], true)?.kind).toBe("alert");
    expect(summons([offer("join")], true)?.kind).toBe("join");
    expect(summons([offer("exclusive")], true)).toBeNull();
    expect(summons([offer("join"), offer("exclusive")], false)?.kind).toBe("join");
    expect(summons([offer("exclusive"), offer("join")], false)).toBeNull();
    expect(summons([], false)).toBeNull();
  });

  it("one may leave when another is heard who stays; who only listens, rings or is lost does not count", () => {
    const party = (over: Partial<PartyRow>): PartyRow => ({ who: "lea", role: "regulator", seat: "speaks", leads: false, since: 0, lost: null, ...over });
    const leaves = (...parties: PartyRow[]) => mayLeave({ parties: [party({ who: "nour", leads: true }), ...parties] } as ConversationRow, "nour");
    expect(leaves()).toBe(false);
    expect(leaves(party({}))).toBe(true);
    expect(leaves(party({ who: "sdis-69", role: null }))).toBe(true);
    expect(leaves(party({ seat: "listens" }), party({ seat: "out" }), party({ lost: 5 }))).toBe(false);
  });

  it("a pick passes over a confirmed vital call only when it is not one itself", () => {
    const list = waiting(new Map([waits("vital", { fenced: true }), waits("other-vital", { fenced: true }), waits("late")]));
    expect(passesOver(list, "late")).toBe(true);
    expect(passesOver(list, "vital")).toBe(false);
    expect(passesOver(list, "held")).toBe(true);
    expect(passesOver(waiting(new Map([waits("late")])), "late")).toBe(false);
  });

  it("doctors read by urgency, then by wait; who is called back, or handed over, is no newcomer", () => {
    const handed = (call: string, priority: number, since: number): [string, Row] => [`hand_over/${call}`, { type: "hand_over", call, priority, since } as Row];
    const rows = new Map([handed("p2", 5, 10), handed("p1-late", 4, 20), handed("p1", 4, 5), waits("p1"), waits("front")]);
    expect(handOvers(rows).map((row) => row.call)).toEqual(["p1", "p1-late", "p2"]);
    expect(newcomers(waiting(rows), rows).map((row) => row.call)).toEqual(["front"]);
  });

  it("callbacks whose time has not come stand last, the soonest of them first", () => {
    const back = (call: string, priority: number, until: number | null): [string, Row] => [`callback/${call}`, { type: "callback", call, priority, until, since: 0, dialling: call === "rings" ? "nour" : null } as Row];
    const rows = new Map([back("later", 1, 300), back("soon", 9, 200), back("urgent", 1, null), back("due", 3, 100), back("rings", 5, null)]);
    expect(callbacks(rows, 150).map((row) => row.call)).toEqual(["urgent", "due", "rings", "soon", "later"]);
    expect(dialling(rows, "nour")?.call).toBe("rings");
    expect(dialling(rows, "sam")).toBeNull();
  });

  it("a major event that lasts stands before those that are over", () => {
    const major = (event: string, since: number, until: number | null): [string, Row] => [`major/${event}`, { type: "major", event, since, until } as Row];
    expect(majors(new Map([major("old", 1, 5), major("lasts", 2, null), major("recent", 3, 4)])).map((row) => row.event)).toEqual(["lasts", "recent", "old"]);
  });
});

describe("by which desk a supervisor listens", () => {
  const desk = (agent: string, over: Partial<Row> = {}): [string, Row] =>
    [`agent/${agent}`, { type: "agent", agent, role: "supervisor", intent: "ready", reachable: true, call: null, ...over } as Row];

  it("by the own one, else by a supervisor's who is there; never by an agent's", () => {
    const ear = (...rows: [string, Row][]) => supervisorsEar(new Map(rows), "claire")?.agent ?? null;
    expect(ear(desk("odile"), desk("claire"))).toBe("claire");
    expect(ear(desk("odile"), desk("nour", { role: "agent" }))).toBe("odile");
    expect(ear(desk("nour", { role: "agent" }))).toBeNull();
    expect(ear(desk("claire", { intent: "signed-out" }), desk("odile", { reachable: false }))).toBeNull();
  });

  it("callbacks are nobody on the line", () => {
    const rows = new Map([waits("live"), waits("back"), ["callback/back", { type: "callback", call: "back" } as Row] as [string, Row]]);
    expect(onTheLine(waiting(rows), rows).map((row) => row.call)).toEqual(["live"]);
  });
});

describe("who is asked about a call", () => {
  it("the directory first, then whoever is there but oneself, then the teams", () => {
    const rows = new Map<string, Row>([
      ["agent/nour", { type: "agent", agent: "nour", intent: "ready", reachable: true } as Row],
      ["agent/lea", { type: "agent", agent: "lea", intent: { paused: "meal" }, reachable: true } as Row],
      ["agent/sam", { type: "agent", agent: "sam", intent: "signed-out", reachable: true } as Row],
      ["agent/ali", { type: "agent", agent: "ali", intent: "ready", reachable: false } as Row],
      ["queue/0", { type: "queue", queue: "front", place: 0 } as Row],
    ]);
    expect(asked(rows, ["sdis-67"], "nour").map(({ as, name }) => `${as} ${name}`)).toEqual(["outside sdis-67", "colleague lea", "queue front"]);
  });
});
