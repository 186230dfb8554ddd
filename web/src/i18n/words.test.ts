import { describe, expect, it } from "vitest";
import { en } from "./en";
import { fr } from "./fr";
import { code, speak, t } from "./words";

const blanks = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();

describe("words", () => {
  it("every text has the same blanks in both languages", () => {
    for (const word of Object.keys(fr) as (keyof typeof fr)[]) {
      expect(blanks(en[word]), word).toEqual(blanks(fr[word]));
      expect(en[word].trim(), word).not.toBe("");
    }
  });

  it("a class no dictionary knows is shown as the plan names it", () => {
    speak("en");
    expect(code("class", "partner")).toBe("Partner");
    expect(code("class", "red-plan")).toBe("red-plan");
    expect(t("waiting.count", { n: 3 })).toBe("3 waiting");
  });
});
