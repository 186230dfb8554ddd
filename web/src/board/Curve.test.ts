import { describe, expect, it } from "vitest";
import { points } from "./Curve";

describe("a curve", () => {
  it("stands at the bottom for nothing and at the top for the most, from left to right", () => {
    expect(points([0, 4, 2], 4)).toBe("0.0,42.0 120.0,2.0 240.0,22.0");
  });

  it("an empty minute of an empty room is no division by nothing", () => {
    expect(points([0], 0)).toBe("0.0,42.0");
    expect(points([], 0)).toBe("");
  });
});
