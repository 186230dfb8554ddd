//! A caller and an agent at a page hear one another: 1 kHz from the trunk, 700 Hz from the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bothTalk, eventually, hears, inHouse, press } from "./house.mjs";

const WITHIN = 1_000;

/** One call, answered by the key: when the page heard the caller, and what the caller reported. */
async function talk(house, page, seconds = 2) {
  const { report, placed } = house.load(`--count 1 --talk ${seconds} --patience 6`);
  await page.waitForSelector(".line.offered");
  const pressed = await press(page, "F2");
  const heardAt = await hears(page, 1_000, pressed, 2_500).catch(() => null);
  const { answer_ms, tone_ms, ...tally } = await report;
  // The caller's own clock starts with its INVITE, a moment after its process.
  const callerHeard = tally.callers_heard_phone ? placed + answer_ms.max + tone_ms.max : null;
  return { pressed, pageTook: heardAt && heardAt - pressed, callerTook: callerHeard && callerHeard - pressed, tally };
}

function assertBothWays({ pageTook, callerTook, tally }) {
  assert.equal(tally.failed, 0, JSON.stringify(tally));
  assert.ok(pageTook !== null, "the page never heard the caller");
  assert.ok(callerTook !== null, `the caller never heard the page: ${JSON.stringify(tally)}`);
  assert.ok(pageTook < WITHIN, `the page heard the caller ${pageTook} ms after the key`);
  assert.ok(callerTook < WITHIN, `the caller heard the page ${callerTook} ms after the key`);
}

test("both hear one another within a second of the key", inHouse({}, async (house, test) => {
  const page = await house.agent("nour");
  const took = [];
  for (let nth = 0; nth < 5; nth++) {
    const call = await talk(house, page);
    assertBothWays(call);
    took.push(call);
    await page.waitForSelector(".line.idle");
  }
  const half = (name) => took.map((call) => call[name]).sort((a, b) => a - b)[2].toFixed(0);
  test.diagnostic(`key to first audio, p50 of ${took.length}: page ${half("pageTook")} ms, caller ${half("callerTook")} ms`);
  assert.deepEqual(page.foreign, [], "a request left the origin");
}));

for (const [fault, whose] of [["dumb", /the caller never heard the page/], ["deaf", /the page never heard the caller/]]) {
  test(`a line that is ${fault} does not pass for one that works`, inHouse({}, async (house) => {
    const page = await house.agent("nour", { fault });
    const call = await talk(house, page);
    assert.throws(() => assertBothWays(call), whose);
  }));
}

test("i33 a line that is dumb at first is made anew, and the caller hears the agent", inHouse({}, async (house, test) => {
  const page = await house.agent("nour", { fault: "dumb-at-first" });
  const caller = await house.caller();
  await page.waitForSelector(".line.offered");
  const pressed = await press(page, "F2");
  await eventually("the caller hears the agent", () => caller.firstOf(700, pressed) !== null, 3_000);
  const heardAt = caller.firstOf(700, pressed) - pressed;
  test.diagnostic(`key to the caller's first audio: ${heardAt.toFixed(0)} ms`);
  assert.ok(heardAt > 900, "by the repair, not by the first line");
  await bothTalk(page, caller, pressed + heardAt + 500, pressed + heardAt + 1_500);
  await page.waitForSelector(".line.talking");
}));

test("i36 the ringer is a device of its own, and checked at log-in", inHouse({ agents: ["nour", "sam"] }, async (house) => {
  const browser = await house.browser();
  const page = await house.agent("nour", { browser });
  await page.evaluate(() => {
    globalThis.sinks = [];
    const set = globalThis.HTMLMediaElement.prototype.setSinkId;
    globalThis.HTMLMediaElement.prototype.setSinkId = function (id) {
      globalThis.sinks.push({ element: this, id });
      return set.call(this, id);
    };
  });
  await page.click(".strip .audio .button.quiet");
  const ringer = page.locator(".settings select").nth(2);
  const [device] = await ringer.locator("option").evaluateAll((options) => options.map((option) => option.value).filter((id) => id !== ""));
  if (device !== undefined) {
    await ringer.selectOption(device);
    await eventually("the ringer plays there, and the headset does not", () =>
      page.evaluate((device) => globalThis.sinks.some(({ id, element }) => id === device && element.sinkId === device) && globalThis.sinks.some(({ id }) => id === ""), device));
  }
  await page.close();
  // Another shift at this position: the ringer that was chosen here is not plugged in any more.
  const next = await house.page("sam", { browser, ringer: "unplugged" });
  await next.waitForSelector(".audio .warnings:not(:empty)");
  assert.match(await next.textContent(".audio .warnings"), /chosen ringer is not plugged in/);
}));
