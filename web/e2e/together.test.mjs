//! More than two: who hears whom when a supervisor comes in, when a colleague is asked, and when a caller goes
//! on to a doctor and back. One house plays each part after the other; nour says 700 Hz, whoever comes in 400.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CALLS_BACK, eachHears, eventually, inHouse, SAMU } from "./house.mjs";

const ODILE = { name: "odile", role: "supervisor", skills: [] };
const LEA = { name: "lea", role: "regulator", skills: ["mr-amu"] };
/** The shipped plan, which lets a vital call come without a key. */
const RULES = SAMU.replace("auto_answer = false", "auto_answer = true") + CALLS_BACK;

/** Takes what rings here. */
async function take(page) {
  await page.waitForSelector(".line.offered");
  await page.keyboard.press("F2");
  await page.waitForSelector(".line.talking");
}

const idle = (...pages) => Promise.all(pages.map((page) => page.waitForSelector(".line.idle")));

/** A supervisor listens, whispers, speaks and goes: each is heard by whom it should be, and by nobody else. */
async function watched({ house, nour, odile }) {
  const caller = await house.caller({ from: "+33639980011" });
  await take(nour);
  const seats = [
    ["listens", [[nour, 1_000], [caller, 700], [odile, "700+1000"]]],
    ["whispers", [[nour, "400+1000"], [caller, 700], [odile, "700+1000"]]],
    ["speaks", [[nour, "400+1000"], [caller, "400+700"], [odile, "700+1000"]]],
  ];
  await odile.evaluate(() => (globalThis.location.hash = "#board"));
  for (const [seat, ears] of seats) {
    await odile.selectOption(".watch select", seat);
    await eachHears(seat, ears);
  }
  await odile.locator(".watch .button.quiet").click();
  await eachHears("the supervisor has gone", [[nour, 1_000], [caller, 700]]);
  await odile.evaluate(() => (globalThis.location.hash = "#agent"));
  caller.hangUp();
  await idle(nour, odile);
}

/** A colleague is asked and answers, alone with her; then comes to the caller, and stays with them. */
async function asked({ house, nour, lea }) {
  const caller = await house.caller({ from: "+33639980012" });
  await take(nour);
  const lines = nour.locator(".others select option");
  const choice = (await lines.allTextContents()).find((text) => /lea/.test(text));
  await nour.selectOption(".others select", { label: choice });
  await take(lea);
  await eachHears("a question aside", [[nour, 400], [lea, 700]]);
  assert.ok(![400, 700].includes(caller.heard.at(-1).sound), `the caller hears none of it: ${caller.heard.at(-1).sound}`);
  await nour.keyboard.press("Shift+F8");
  await eachHears("all together", [[nour, "400+1000"], [caller, "400+700"], [lea, "700+1000"]]);
  await nour.keyboard.press("Shift+F9");
  await eachHears("the colleague stays", [[lea, 1_000], [caller, 400]]);
  caller.hangUp();
  await idle(nour, lea);
}

/** Handed to a doctor, referred back with a word, and taken back by whoever answers for the caller. */
async function thereAndBack({ house, nour, lea }) {
  const caller = await house.caller({ from: "+33639980013" });
  await take(nour);
  await nour.keyboard.press("Shift+F2");
  await nour.keyboard.press("Control+F8");
  await lea.locator(".panel.handovers li button").click();
  await eachHears("the doctor has the caller", [[lea, 1_000], [caller, 400]]);
  await lea.locator(".onward .button", { hasText: "Refer back" }).click();
  await nour.waitForSelector(".panel.handovers li, .line.offered");
  await lea.waitForSelector(".line.idle");
  if (await nour.$(".line.offered")) await take(nour);
  else await nour.locator(".panel.handovers li button").click();
  await eachHears("back at the first desk", [[nour, 1_000], [caller, 700]]);
  // And once more, taken back before any doctor has come.
  await nour.keyboard.press("Control+F8");
  await nour.waitForSelector(".line.idle");
  await nour.locator(".panel.handovers li button").click();
  await eachHears("taken back", [[nour, 1_000], [caller, 700]]);
  assert.equal(caller.byeAt, null);
  caller.hangUp();
  await idle(nour);
}

/** A caller who is let go to be called back is dialled from the list, and both hear each other. */
async function calledBack({ house, nour, person }) {
  const caller = await house.caller({ from: "+33639980014" });
  await take(nour);
  await nour.locator(".onward .button", { hasText: "Hang up, call back" }).click();
  await eventually("the caller is let go", () => caller.byeAt !== null);
  await nour.waitForSelector(".line.idle");
  await nour.locator(".panel.callbacks li", { hasText: "06 39 98 00 14" }).locator("button").click();
  await nour.waitForSelector(".line.talking");
  await eachHears("called back", [[nour, 1_000], [person, 700]]);
  await nour.keyboard.press("F9");
  await eventually("the person is hung up on", () => person.byeAt !== null);
  await eventually("nobody is left to call", async () => (await nour.locator(".panel.callbacks li").count()) === 0);
}

/** A confirmed vital call comes by itself, after a tone, to who has asked for it and is there. */
async function byItself({ house, nour }) {
  await nour.click(".strip .audio .button.quiet");
  await nour.locator(".settings label", { hasText: "without a key" }).locator("input").check();
  await nour.keyboard.press("Escape");
  const caller = await house.caller({ to: "urn:service:sos.ecall.automatic", from: "+33639980015" });
  await eachHears("it came by itself", [[nour, 1_000], [caller, 700]]);
  const took = caller.firstOf(700, caller.answeredAt) - caller.answeredAt;
  assert.ok(took > 600, `after a tone, not ${took} ms after the call`);
  caller.hangUp();
  await idle(nour);
}

test("whisper and speak, an answered consult, referred and taken back, a callback dialled, a call that comes by itself", inHouse({ agents: ["nour", LEA, ODILE], rules: RULES }, async (house, test) => {
  const [nour, browser] = [await house.agent("nour"), await house.browser({ microphone: "low" })];
  const [lea, odile] = [await house.agent("lea", { browser }), await house.agent("odile", { browser, role: "agent" })];
  const person = await house.outside();
  for (const part of [watched, asked, thereAndBack, calledBack, byItself]) {
    const begun = Date.now();
    await part({ house, nour, lea, odile, person });
    test.diagnostic(`${part.name}: ${((Date.now() - begun) / 1_000).toFixed(1)} s`);
  }
}));
