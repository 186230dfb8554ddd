import { describe, expect, it } from "vitest";
import { opened } from "./Majors";

const form = (fields: Record<string, string>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
};

describe("a major event", () => {
  it("opens with nothing but the name that stands there", () => {
    expect(opened(form({ name: "Événement 04:10", queue: "", tags: "", "duty/nour": "" }))).toEqual({
      type: "open_major", name: "Événement 04:10", tags: [], numbers: [], queue: null, team: [], rest: [],
    });
  });

  it("divides the room as the form says, and reads words between commas", () => {
    const fields = { name: " Gare ", queue: "event", tags: "gare, ,train ", "duty/nour": "team", "duty/sam": "rest", "duty/lea": "team" };
    expect(opened(form(fields))).toMatchObject({ name: "Gare", queue: "event", tags: ["gare", "train"], team: ["nour", "lea"], rest: ["sam"] });
  });
});
