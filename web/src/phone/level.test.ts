import { describe, expect, it } from "vitest";
import { decibels, Ear } from "./level";

const tone = (amplitude: number) => Float32Array.from({ length: 960 }, (_, i) => amplitude * Math.sin(i / 7));

describe("the microphone's level", () => {
  it("is in decibels of full scale", () => {
    expect(decibels(tone(1))).toBeCloseTo(-3, 0);
    expect(decibels(tone(0.1))).toBeCloseTo(-23, 0);
    expect(decibels(new Float32Array(960))).toBe(-100);
  });

  it("a microphone that gives nothing is dead after four seconds, and lives again at the first sound", () => {
    const ear = new Ear(0);
    expect(ear.hear(-100, false, 3_900).dead).toBe(false);
    expect(ear.hear(-100, false, 4_100).dead).toBe(true);
    expect(ear.hear(-60, false, 4_200).dead).toBe(false);
  });

  it("whoever speaks while muted is told, a cough is not", () => {
    const ear = new Ear(0);
    const levels = [-20, -80, -20, -20, -20, -20];
    expect(levels.map((level, i) => ear.hear(level, true, i * 100).speaksMuted)).toEqual([
      false, false, false, false, false, true,
    ]);
    expect(ear.hear(-20, false, 700).speaksMuted).toBe(false);
  });
});
