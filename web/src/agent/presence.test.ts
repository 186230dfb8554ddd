import { describe, expect, it } from "vitest";
import { Presence, SAID_EVERY } from "./presence";

describe("who sits at the page shows it", () => {
  it("the first touch is told at once, and the next ones now and then", () => {
    const presence = new Presence();
    const told: number[] = [];
    for (const now of [5, 6, SAID_EVERY, SAID_EVERY + 5, SAID_EVERY + 6, 3 * SAID_EVERY]) {
      presence.touched(now, () => told.push(now) > 0);
    }
    expect(told).toEqual([5, SAID_EVERY + 5, 3 * SAID_EVERY]);
  });

  it("what the line has lost is told by the next touch", () => {
    const presence = new Presence();
    const told: number[] = [];
    presence.touched(1, () => false);
    presence.touched(2, () => told.push(2) > 0);
    expect(told).toEqual([2]);
  });
});
