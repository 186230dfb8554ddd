//! What happens to the caller when the agent's browser, page or socket is lost in a conversation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bindUdp, freeUdp, hears, inHouse, press, sleep } from "./house.mjs";

/** Answers the next offer, and waits until the caller is heard. */
async function answer(page) {
  await page.waitForSelector(".line.offered");
  await hears(page, 1_000, await press(page, "F2"));
}

/** A desk phone that only notes when it is rung. */
async function deskPhone(port) {
  const rung = [];
  const socket = await bindUdp(port);
  socket.on("message", (bytes) => bytes.toString("latin1").startsWith("INVITE ") && rung.push(Date.now()));
  return { rung, close: () => socket.close() };
}

/** A house whose agents have a desk phone to fall back to. */
async function withDeskPhone(agents, body) {
  const fallback = await freeUdp();
  await inHouse({ agents, fallback }, async (house) => {
    const desk = await deskPhone(fallback);
    try {
      await body(house, desk);
    } finally {
      desk.close();
    }
  })();
}

test("a page reloaded while talking hears its caller again within two seconds", () =>
  withDeskPhone(["nour"], async (house, desk) => {
    const page = await house.agent("nour");
    const { report } = house.load("--count 1 --talk 9 --patience 8");
    await answer(page);
    await sleep(1_000);
    const reloaded = Date.now();
    await page.reload({ waitUntil: "commit" });
    const back = await hears(page, 1_000, reloaded);
    assert.ok(back - reloaded < 2_000, `the page heard its caller ${back - reloaded} ms after the reload`);
    await page.waitForSelector(".line.talking");
    const { failed, completed } = await report;
    assert.deepEqual({ failed, completed, rung: desk.rung.length }, { failed: 0, completed: 1, rung: 0 });
  }));

test("a browser killed while talking: comfort, the desk phone after 3 s, everyone at 5 s, never a BYE", () =>
  withDeskPhone(["nour", "sam"], async (house, desk) => {
    const browser = await house.browser();
    const nour = await house.agent("nour", { browser });
    const { report, placed } = house.load("--count 1 --talk 14 --patience 8");
    await answer(nour);
    const sam = await house.agent("sam");
    const killed = Date.now();
    await browser.kill();
    await sam.waitForSelector(".line.offered", { timeout: 12_000 });
    const offered = Date.now() - killed;
    await hears(sam, 1_000, await press(sam, "F2"));
    const { failed, completed, answered, ended } = await report;
    assert.deepEqual({ failed, completed, answered }, { failed: 0, completed: 1, answered: 1 });
    assert.ok(ended - placed >= 14_000, "the caller was let go before it wished to");
    const [rung] = desk.rung.map((at) => at - killed);
    // A kill is seen at once by its socket; the loss counts from there.
    assert.ok(rung >= 2_900 && rung < 4_500, `the desk phone rang after ${rung} ms`);
    assert.ok(offered >= 4_800 && offered < 6_500, `everyone was offered the call after ${offered} ms`);
  }));

test("the socket cut for ten seconds: the call goes on, and the page is right afterwards", inHouse({}, async (house) => {
  let cut = false;
  const sockets = new Set();
  const line = (page) =>
    page.routeWebSocket(/\/live$/, (socket) => {
      if (cut) return void socket.close();
      socket.connectToServer();
      sockets.add(socket);
    });
  const page = await house.agent("nour", { line });
  const { report } = house.load("--count 1 --talk 15 --patience 8");
  await answer(page);
  const since = Date.now();
  cut = true;
  for (const socket of sockets) await socket.close();
  await sleep(10_000);
  assert.equal(await page.evaluate(() => globalThis.ear.now()), 1_000);
  const gaps = await page.evaluate((since) => globalThis.ear.heard.filter(({ at, sound }) => at > since && sound !== 1_000).length, since);
  assert.ok(gaps <= 2, `the caller's tone was broken ${gaps} times`);
  cut = false;
  await page.waitForSelector(".linestate.up", { timeout: 8_000, state: "attached" });
  await page.waitForSelector(".line.talking");
  const { failed, completed } = await report;
  assert.deepEqual({ failed, completed }, { failed: 0, completed: 1 });
  await page.waitForSelector(".line.idle");
}));

test("a frozen page gets no call for more than a second, and none at all within six", inHouse({ agents: ["nour", "sam"] }, async (house) => {
  const nour = await house.agent("nour");
  const sam = await house.agent("sam");
  const board = await house.page("claire");
  const frozen = Date.now();
  void nour.evaluate(() => {
    const until = performance.now() + 14_000;
    while (performance.now() < until);
  }).catch(() => undefined);
  const { report } = house.load("--count 1 --talk 1 --patience 10");
  await sam.waitForSelector(".line.offered");
  const waited = Date.now() - frozen;
  assert.ok(waited < 2_000, `the second agent was offered the call after ${waited} ms`);
  await hears(sam, 1_000, await press(sam, "F2"));
  await report;
  await sleep(frozen + 6_000 - Date.now());
  assert.match((await board.locator("tr", { hasText: "nour" }).first().textContent()) ?? "", /page not connected/);
}));

