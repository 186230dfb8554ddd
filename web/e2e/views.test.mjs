//! Every view as it is looked at: in both languages and themes, on the screens of a room, docked on
//! 120 pixels, and enlarged twice. Nothing that axe calls a violation; nothing cut off.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { CALLS_BACK, CONTACT, eventually, hears, inHouse, press, SAMU, sleep } from "./house.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DESK = { width: 1440, height: 900 };
const SMALL = { width: 1280, height: 800 };
const DOCKED = { width: 1280, height: 120 };
/** A screen of 1280 x 800 at 200 %. */
const TWICE = { width: 640, height: 400 };
const LOOKS = ["fr", "en"].flatMap((language) => ["dark", "light"].map((theme) => ({ language, theme })));

const turn = async (page, { language, theme }) => {
  const shown = await page.evaluate(() => document.documentElement.lang);
  if (shown !== language) await page.evaluate(() => document.querySelector(".head .button[lang]").click());
  await page.emulateMedia({ colorScheme: theme });
};

const violations = (page) =>
  page.evaluate(() => globalThis.axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`)));

/** What is cut off: beyond the screen, beyond a box that hides or scrolls, or a word wider than its place. */
const cutOff = (page) =>
  page.evaluate(() => {
    const found = [];
    const docked = innerHeight <= 220;
    const name = (element) => `<${element.tagName.toLowerCase()} class="${element.className}"> "${element.textContent.trim().slice(0, 40)}"`;
    const isUnseen = (element) => element.closest(".unseen") !== null;
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    for (const element of document.querySelectorAll("body *")) {
      if (isUnseen(element) || !element.checkVisibility()) continue;
      const box = element.getBoundingClientRect();
      if (box.width === 0 || box.height === 0) continue;
      const style = getComputedStyle(element);
      if (style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1 && element.tagName !== "SELECT") found.push(`${name(element)} hides ${element.scrollWidth - element.clientWidth} pixels`);
      if (box.right > innerWidth + 1 || box.left < -1) found.push(`${name(element)} leaves the screen`);
      if (docked && box.bottom > innerHeight + 1) found.push(`${name(element)} ends ${Math.round(box.bottom - innerHeight)} pixels below the strip`);
      const part = element.parentElement?.closest(".strip > section, .panel");
      const own = part?.getBoundingClientRect();
      if (own && (box.right > own.right + 1 || box.left < own.left - 1 || box.bottom > own.bottom + 1 || box.top < own.top - 1)) found.push(`${name(element)} leaves its part, <${part.className}>`);
    }
    for (const part of document.querySelectorAll(".strip > section, .held li")) {
      const boxes = [...part.children].filter((child) => child.checkVisibility() && !isUnseen(child)).map((child) => [child, child.getBoundingClientRect()]);
      for (const [n, [one, a]] of boxes.entries()) {
        for (const [other, b] of boxes.slice(n + 1)) {
          const over = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
          if (over[0] > 1 && over[1] > 1) found.push(`${name(one)} lies over ${name(other)}`);
        }
        if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0) found.push(`${name(one)} is wider than its place`);
      }
    }
    return [...new Set(found)];
  });

/** Looks at a page as it stands, in every way it may be shown. */
function looker(seen) {
  return async (page, view, { docks = false } = {}) => {
    await page.evaluate(AXE);
    for (const look of LOOKS) {
      await turn(page, look);
      // Both sizes of words in both languages; colours do not depend on the screen.
      const sizes = look.theme === "dark" ? [SMALL, TWICE, ...(docks ? [DOCKED] : []), DESK] : [DESK];
      for (const size of sizes) {
        await page.setViewportSize(size);
        await page.evaluate(() => new Promise((done) => globalThis.requestAnimationFrame(() => globalThis.requestAnimationFrame(done))));
        const where = `${view}, ${look.language}, ${look.theme}, ${size.width}x${size.height}`;
        seen.push(...(await violations(page)).map((one) => `${where}: ${one}`));
        if (size !== TWICE) seen.push(...(await cutOff(page)).map((one) => `${where}: ${one}`));
        if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${view}-${look.language}-${look.theme}-${size.width}x${size.height}.png` });
      }
    }
    seen.push(...page.foreign.map((url) => `${view}: asked ${url}`));
  };
}

test("sign-in and the agent's page, from the pause to a refusal", inHouse({ agents: ["nour", "sam"], rules: SAMU }, async (house) => {
  const seen = [];
  const look = looker(seen);
  const stranger = await house.page("nobody", { signIn: false });
  await stranger.waitForSelector("form");
  await look(stranger, "sign-in");
  await stranger.fill("input[name=name]", "nobody");
  await stranger.fill("input[name=password]", "wrong");
  await stranger.keyboard.press("Enter");
  await stranger.waitForSelector("[role=alert]:not(:empty)");
  await look(stranger, "sign-in-refused");

  const page = await house.page("nour");
  await page.waitForSelector(".state.not");
  await look(page, "agent-paused", { docks: true });
  await page.keyboard.press("F10");
  await page.waitForSelector(".state.eligible");
  await look(page, "agent-idle", { docks: true });
  await page.click(".strip .audio .button.quiet");
  await page.waitForSelector(".settings");
  await look(page, "settings");
  await page.keyboard.press("Escape");
  await page.click(".strip .audio .button.quiet").catch(() => undefined);
  await eventually("the settings are shut", async () => {
    if (!(await page.$(".settings"))) return true;
    await page.click(".strip .audio .button.quiet");
    return false;
  });

  // It must ring for as long as it is looked at: offers come again by themselves.
  await Promise.all(["15", "116117", "+33388000018"].map((to, n) => house.caller({ to, from: `+3363998000${n}` })));
  await page.waitForSelector(".line.offered");
  await page.evaluate(AXE);
  for (const look of LOOKS) {
    for (const size of [DOCKED, DESK]) {
      await turn(page, look);
      await page.setViewportSize(size);
      if (!(await page.$(".line.offered"))) await page.waitForSelector(".line.offered, .state.not");
      if (await page.$(".state.not")) await page.keyboard.press("F10");
      await page.waitForSelector(".line.offered");
      const where = `agent-offered, ${look.language}, ${look.theme}, ${size.width}x${size.height}`;
      seen.push(...(await violations(page)).map((one) => `${where}: ${one}`), ...(await cutOff(page)).map((one) => `${where}: ${one}`));
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/agent-offered-${look.language}-${look.theme}-${size.width}x${size.height}.png` });
    }
  }
  if (await page.$(".state.not")) await page.keyboard.press("F10");
  await page.waitForSelector(".line.offered");
  await hears(page, 1_000, await press(page, "F2"));
  await page.keyboard.press("F8");
  await page.waitForSelector(".panel.held li");
  await page.keyboard.press("F2");
  await page.waitForSelector(".line.talking");
  await page.keyboard.press("Shift+F7");
  await page.waitForSelector(".line.talking.vital");
  await page.keyboard.press("F2"); // refused: a call is in the ear
  await page.keyboard.press("F4");
  await look(page, "agent-talking", { docks: true });
  const second = await house.page("nour", { browser: page.context().browser() });
  await second.waitForSelector(".audio.not");
  await look(second, "agent-other-tab", { docks: true });
  assert.deepEqual(seen, []);
}));

test("the board, of a supervisor and of an agent", inHouse({ agents: ["nour", "samuel"], rules: SAMU }, async (house) => {
  const seen = [];
  const look = looker(seen);
  const nour = await house.agent("nour");
  const calls = [["15", "01"], ["15", "02"], ["116117", "03"], ["+33388000018", "04"], ["urn:service:sos.ecall.automatic", "05"]];
  const board = await house.page("claire");
  await board.waitForSelector("main.board .queues");
  await look(board, "board-quiet");
  await Promise.all(calls.map(([to, last]) => house.caller({ to, from: `+336399800${last}` })));
  await nour.waitForSelector(".line.offered");
  await hears(nour, 1_000, await press(nour, "F2"));
  await eventually("four wait", async () => (await board.locator(".panel.waiting tbody tr").count()) === 4);
  await sleep(1_200);
  await look(board, "board");
  await board.click(".team .button.quiet");
  await board.waitForSelector(".team form");
  await look(board, "board-skills");
  await nour.evaluate(() => (globalThis.location.hash = "#board"));
  await nour.waitForSelector("main.board .queues");
  await look(nour, "board-agent");
  assert.deepEqual(seen, []);
}));

/** A look that costs little, at what does not stand for long: both languages, the strip and the desk. */
function glancer(seen) {
  return async (page, view, sizes = [DOCKED, SMALL]) => {
    await page.evaluate(AXE);
    for (const look of LOOKS.filter(({ theme }) => theme === "dark")) {
      await turn(page, look);
      for (const size of sizes) {
        await page.setViewportSize(size);
        await page.evaluate(() => new Promise((done) => globalThis.requestAnimationFrame(() => globalThis.requestAnimationFrame(done))));
        const where = `${view}, ${look.language}, ${size.width}x${size.height}`;
        seen.push(...(await violations(page)).map((one) => `${where}: ${one}`), ...(await cutOff(page)).map((one) => `${where}: ${one}`));
        if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${view}-${look.language}-${size.width}x${size.height}.png` });
      }
    }
    await page.setViewportSize(DESK);
  };
}

/** Takes what rings here. */
async function take(page) {
  await page.waitForSelector(".line.offered");
  await page.keyboard.press("F2");
  await page.waitForSelector(".line.talking");
}

/** A supervisor with a desk, who signs in at it as an agent does. */
const ODILE = { name: "odile", role: "supervisor", skills: [] };
const LEA = { name: "lea", role: "regulator", skills: ["mr-amu"] };

test("asking outside, handing over, calling back, a vital call passed over, and a major event", inHouse({ agents: ["nour", LEA, ODILE], rules: SAMU + CALLS_BACK }, async (house) => {
  const seen = [];
  const [look, glance] = [looker(seen), glancer(seen)];
  const nour = await house.agent("nour");
  const browser = nour.context().browser();
  const [lea, claire] = [await house.agent("lea", { browser }), await house.page("claire", { browser })];

  await house.caller({ to: "15", from: "+33639980001" });
  await take(nour);
  await nour.fill(".note textarea", "Homme, 71 ans, douleur thoracique depuis une heure.");
  await nour.selectOption(".others select", { label: `${CONTACT} (outside)` });
  await nour.waitForSelector(".others [role=status]");
  await glance(nour, "agent-asking");
  await nour.keyboard.press("F8"); // back to the caller, whoever was asked rings no more
  await eventually("nobody is asked any more", async () => (await nour.$(".others [role=status]")) === null);
  await nour.keyboard.press("Shift+F1");
  await nour.keyboard.press("Control+F8"); // with the note as it stands in the field
  await nour.waitForSelector(".panel.handovers li");
  await lea.waitForSelector(".panel.handovers li");
  assert.match(await lea.textContent(".panel.handovers li"), /P1.*06 39 98 00 01.*nour.*douleur thoracique/s);
  await look(lea, "regulator-list", { docks: true });

  await house.caller({ to: "15", from: "+33639980002" });
  await take(nour);
  await nour.locator(".onward .button", { hasText: /Raccrocher et rappeler|Hang up, call back/ }).click();
  await nour.waitForSelector(".panel.callbacks li");
  await look(nour, "agent-lists", { docks: true });

  // A vital call waits and she is at her files: the press of another call asks once, and takes it the second time.
  await nour.selectOption(".state select", "file");
  await eventually("she is paused", async () => (await nour.$(".state.not")) !== null);
  await house.caller({ to: "urn:service:sos.ecall.automatic", from: "+33639980003" });
  await house.caller({ to: "15", from: "+33639980004" });
  const lower = nour.locator(".panel.waiting tr", { hasText: "06 39 98 00 04" }).locator("button");
  await lower.focus();
  await nour.keyboard.press("Enter");
  await nour.waitForSelector(".panel.waiting .button.danger");
  seen.push(...(await violations(nour)), ...(await cutOff(nour)));
  assert.equal(await nour.$(".line.talking"), null, "a warning takes nothing");
  await nour.keyboard.press("Enter"); // the focus has stayed where it was
  await nour.waitForSelector(".line.talking");
  assert.equal(await nour.textContent(".line.talking .number"), "06 39 98 00 04");

  // Ready again with that call in the ear: the vital caller calls her away, by the one key, and hers is kept.
  await nour.keyboard.press("F10");
  await nour.waitForSelector(".strip .called");
  await glance(nour, "agent-alerted");
  await nour.keyboard.press("F2");
  await eventually("the vital caller is in her ear", async () => (await nour.textContent(".line.talking .number")) === "06 39 98 00 03");
  assert.match(await nour.textContent(".panel.held li"), /06 39 98 00 04/);

  // The vital key calls the doctor beside her; she leaves when she says so, and he stays.
  await nour.keyboard.press("Shift+F7");
  await lea.waitForSelector(".line.offered");
  await glance(lea, "regulator-called", [DOCKED]);
  await lea.keyboard.press("F2");
  await lea.waitForSelector(".line.talking");
  await eventually("each is shown the other", async () => /lea/.test(await nour.textContent(".line.talking .with").catch(() => "")) && /nour/.test(await lea.textContent(".line.talking .with").catch(() => "")));
  await glance(nour, "agent-together");
  await nour.keyboard.press("Shift+F9");
  await nour.waitForSelector(".line.idle, .line.offered");
  assert.ok(await lea.$(".line.talking"), "the doctor stays with the caller");

  // A supervisor listens by her own page, the doctor is shown it, and she takes the call over.
  const odile = await house.agent("odile", { browser, role: "agent" });
  await odile.evaluate(() => (globalThis.location.hash = "#board"));
  await odile.selectOption(".watch select", "listens");
  await eventually("the doctor sees who listens", async () => /odile listens|odile écoute/.test(await lea.textContent(".line.talking .with").catch(() => "")));
  await glance(lea, "regulator-listened", [DOCKED]);
  await odile.waitForSelector(".watch .button");
  await glance(odile, "board-listening", [SMALL]);
  await odile.locator(".watch .button").first().click();
  await odile.locator(".watch .button.danger").click();
  await lea.waitForSelector(".line.idle");
  await odile.evaluate(() => (globalThis.location.hash = "#agent"));
  await odile.waitForSelector(".line.talking");

  await claire.locator(".majors > .button").click();
  await claire.waitForSelector(".majorform");
  await look(claire, "board-opening");
  await claire.locator(".majorform button[type=submit]").click();
  await claire.waitForSelector(".majorlist .alarm");
  await claire.locator(".overflow .button").first().click();
  await claire.waitForSelector(".overflow .button.danger");
  seen.push(...(await cutOff(claire)));
  await claire.locator(".overflow .button.danger").click(); // the second of two
  await claire.waitForSelector(".overflow .on");
  await look(claire, "board-major");
  await odile.waitForSelector(".onward select >> nth=2"); // the event can be told to the call in the ear
  await glance(odile, "desk-major", [SMALL]);
  assert.deepEqual(seen, []);
}));
