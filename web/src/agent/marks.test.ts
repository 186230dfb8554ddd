import { afterEach, describe, expect, it } from "vitest";
import { speak } from "../i18n/words";
import type { Signed } from "../wire/generated";
import { marks } from "./marks";

const nothing: Signed = { attested: null, passed_by: [], priority: null };

describe("what the line says of its caller", () => {
  afterEach(() => speak("fr"));

  it("a call of which nothing is said has no mark", () => {
    expect(marks(null)).toEqual([]);
    expect(marks(nothing)).toEqual([]);
  });

  it("attestation, who has passed the call on and its priority stand in the language of the page", () => {
    const all: Signed = { attested: "A", passed_by: ["+33388112233", "18"], priority: "esnet.1" };
    speak("fr");
    expect(marks(all)).toEqual(["attestation A", "renvoyé par 03 88 11 22 33, 18", "priorité esnet.1"]);
    speak("en");
    expect(marks(all)).toEqual(["attestation A", "passed on by 03 88 11 22 33, 18", "priority esnet.1"]);
  });

  it("a signature that cannot be read is told from one that says nothing", () => {
    speak("en");
    expect(marks({ ...nothing, attested: "unreadable" })).toEqual(["attestation unreadable"]);
  });
});
