//! `make demo` as somebody tries it who has just built it: what the terminal prints is all there is to
//! go by. From the start of the program to a voice in the ear, with a stopwatch.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { call } from "./caller.mjs";
import { BINARY, bothTalk, eventually, openBrowser, press, sleep } from "./house.mjs";

const WITHIN = 60_000;

test("the demo: from its start to a talking agent in less than a minute", async (test) => {
  const started = Date.now();
  const demo = spawn(BINARY, ["demo", "--no-board", "--seconds", "100"], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  demo.stdout.on("data", (text) => (said += text));
  const gone = new Promise((done) => demo.once("close", done));
  const browser = await openBrowser();
  try {
    await eventually("the demo says where to go", () => /Ctrl-C/.test(said));
    const find = (pattern) => pattern.exec(said)?.[1] ?? assert.fail(`not said: ${pattern} in ${said}`);
    const [url, password, sip] = [find(/(http:\S+)/), find(/^ *nour +(\S+)/m), find(/sip:15@127\.0\.0\.1:(\d+)/)];
    assert.match(said, /F10.*ready.*F2/s, "how one starts");
    const page = await browser.page({ locale: "fr-FR" });
    await page.goto(url);
    await page.fill("input[name=name]", "nour");
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    // The page says how one starts, where the calls will be.
    await page.waitForSelector(".line.idle .detail");
    assert.match(await page.textContent(".line.idle .detail"), /^F10 : prêt/);
    await eventually("the line stands", async () => /Audio prêt/.test(await page.textContent(".audio")));
    await page.keyboard.press("F10");
    await page.waitForSelector(".line.offered", { timeout: 40_000 });
    const pressed = await press(page, "F2");
    await page.waitForSelector(".line.talking");
    await eventually("the caller's voice", () => page.evaluate((since) => globalThis.ear.firstOf("other", since), pressed));
    const took = Date.now() - started;
    assert.ok(took < WITHIN, `a voice in the ear ${took} ms after the start`);
    test.diagnostic(`from the start to a voice in the ear: ${(took / 1_000).toFixed(1)} s`);

    // A caller with an ear of its own proves the other way: picked out of the list by its number.
    await page.keyboard.press("F9");
    const caller = await call(Number(sip), { from: "+33639981234" });
    try {
      const row = page.locator(".panel.waiting tr", { hasText: "06 39 98 12 34" });
      await row.waitFor();
      await row.locator("button").click();
      await row.locator("button").click({ timeout: 500 }).catch(() => undefined); // asked again when it is not the first
      await eventually("the caller is in the ear", async () => (await page.locator(".line.talking .number").textContent().catch(() => "")) === "06 39 98 12 34");
      const from = Date.now() + 1_000;
      await bothTalk(page, caller, from, from + 1_500);
    } finally {
      caller.hangUp();
    }
  } finally {
    await browser.close();
    demo.kill("SIGINT");
    await Promise.race([gone, sleep(8_000)]);
    demo.kill("SIGKILL");
  }
});
