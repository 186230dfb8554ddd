//! Two at once, keys alone, and everybody who cannot see or point.

import assert from "node:assert/strict";
import { test } from "node:test";
import { beReady, eventually, hears, inHouse, PASSWORD, press, SAMU, SHARED } from "./house.mjs";

const lineOf = (page) => page.textContent(".line.talking .number");

test("two keys at once take two different callers", inHouse({ agents: ["nour", "sam"], offer: SHARED }, async (house) => {
  const pages = await Promise.all(["nour", "sam"].map((name) => house.agent(name)));
  const { report } = house.load("--count 2 --rate 50 --talk 3 --patience 10");
  await Promise.all(pages.map((page) => page.waitForSelector(".line.offered")));
  await eventually("two callers wait", async () => (await pages[0].textContent(".waits .figure strong")) === "2");
  const pressed = await Promise.all(pages.map((page) => press(page, "F2")));
  await Promise.all(pages.map((page, nth) => hears(page, 1_000, pressed[nth])));
  const [one, other] = await Promise.all(pages.map(lineOf));
  assert.notEqual(one, other);
  const { completed, failed, callers_heard_phone } = await report;
  assert.deepEqual({ completed, failed, callers_heard_phone }, { completed: 2, failed: 0, callers_heard_phone: 2 });
}));

test("of two who pick the same caller one has it, and the other is told who", inHouse({ agents: ["nour", "sam"], offer: SHARED }, async (house) => {
  const pages = await Promise.all(["nour", "sam"].map((name) => house.agent(name)));
  const { report } = house.load("--count 1 --talk 4 --patience 10");
  const take = pages.map((page) => page.locator(".panel.waiting .act button").first());
  await Promise.all(take.map((button) => button.waitFor()));
  await Promise.all(take.map((button) => button.evaluate((element) => element.click())));
  await eventually("one talks", async () => (await Promise.all(pages.map((page) => page.$(".line.talking")))).some(Boolean));
  const talks = await Promise.all(pages.map(async (page) => (await page.$(".line.talking")) !== null));
  assert.equal(talks.filter(Boolean).length, 1, "one caller in two ears");
  const winner = ["nour", "sam"][talks.indexOf(true)];
  const loser = pages[talks.indexOf(false)];
  // Right below the strip, where the eyes are, as an alarm to whoever does not look; and his line is free.
  const told = loser.locator(".refusal[role=alert] p");
  await told.waitFor({ timeout: 1_500 });
  assert.match(await told.textContent(), new RegExp(`taken by ${winner}`));
  const [box, strip] = [await told.boundingBox(), await loser.locator(".strip").boundingBox()];
  assert.ok(box.height > 20 && box.y >= strip.y + strip.height - 1 && box.y < strip.y + strip.height + 40, JSON.stringify({ box, strip }));
  assert.ok(await loser.$(".line.idle"), "the loser's line is free");
  const { failed } = await report;
  assert.equal(failed, 0);
}));

test("the key takes the call that stands beside it, also when a more urgent one comes while it rings", inHouse({ rules: SAMU }, async (house) => {
  const page = await house.agent("nour");
  const first = house.caller({ to: "15", from: "+33639980001" });
  await page.waitForSelector(".line.offered");
  assert.equal(await page.textContent(".line.offered .number"), "06 39 98 00 01");
  const second = house.caller({ to: "+33388000018", from: "+33639980002" });
  await eventually("the fire brigade's number stands beside the key", async () => (await page.textContent(".line.offered .number")) === "06 39 98 00 02", 2_000);
  const shown = page.locator(".line.offered .who");
  assert.match(await shown.textContent(), /Partner.*More urgent/);
  const pressed = await press(page, "F2");
  await hears(page, 1_000, pressed);
  assert.equal(await lineOf(page), "06 39 98 00 02");
  assert.equal(await page.locator(".refusal p").count(), 0, "nothing else was taken than what was shown");
  await Promise.all([first, second]);
}));

/** Tab, and again, until the focus is on it. */
async function tabTo(page, selector) {
  for (let n = 0; n < 60; n++) {
    if (await page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`no Tab leads to ${selector}`);
}

test("a whole call by the keyboard alone", inHouse({}, async (house) => {
  const page = await house.page("nour", { signIn: false });
  await page.waitForSelector("input[name=name]");
  await tabTo(page, "input[name=name]");
  await page.keyboard.type("nour");
  await tabTo(page, "input[name=password]");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await beReady(page);
  const { report } = house.load("--count 1 --talk 30 --patience 20");
  await page.waitForSelector(".line.offered");
  await hears(page, 1_000, await press(page, "F2"));
  await page.keyboard.press("Shift+F7");
  await page.waitForSelector(".line.talking.vital");
  await tabTo(page, ".note textarea");
  await page.keyboard.type("chest pain, 54");
  await page.keyboard.press("Enter");
  await page.keyboard.press("F8");
  const resume = ".panel.held button";
  await page.waitForSelector(resume);
  await tabTo(page, resume);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".line.talking");
  assert.equal(await page.inputValue(".note textarea"), "chest pain, 54");
  await page.keyboard.press("F9");
  await page.waitForSelector(".line.idle");
  const { failed, answered, ended, placed } = await report;
  assert.deepEqual({ failed, answered }, { failed: 0, answered: 1 });
  assert.ok(ended - placed < 25_000, "the caller was let go by the key, not by its own clock");
}));
