//! What happens to the caller when the agent's browser, page or socket is lost in a conversation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bindUdp, bothTalk, eventually, freeUdp, hears, inHouse, press, sleep } from "./house.mjs";
import { network } from "./network.mjs";

/** Answers the next offer, and waits until the caller is heard. */
async function answer(page) {
  await page.waitForSelector(".line.offered");
  await hears(page, 1_000, await press(page, "F2"));
}

/** Waits until a caller hears the agent. */
const heardBy = (caller) => eventually("the caller hears the agent", () => caller.heard.at(-1)?.sound === 700, 5_000);

/** A desk phone that only notes when it is rung. */
async function deskPhone(port) {
  const rung = [];
  const socket = await bindUdp(port);
  socket.on("message", (bytes) => bytes.toString("latin1").startsWith("INVITE ") && rung.push(Date.now()));
  return { rung, close: () => socket.close() };
}

/** A house whose agents have a desk phone to fall back to. */
async function withDeskPhone(test, agents, body) {
  const fallback = await freeUdp();
  await inHouse({ agents, fallback }, async (house, test) => {
    const desk = await deskPhone(fallback);
    try {
      await body(house, desk, test);
    } finally {
      desk.close();
    }
  })(test);
}

test("a page reloaded while talking: audio both ways again within two seconds", (test) =>
  withDeskPhone(test, ["nour"], async (house, desk) => {
    const page = await house.agent("nour");
    const caller = await house.caller();
    await answer(page);
    await heardBy(caller);
    await sleep(1_000);
    const reloaded = Date.now();
    await page.reload({ waitUntil: "commit" });
    await bothTalk(page, caller, reloaded + 2_000, reloaded + 4_000);
    await page.waitForSelector(".line.talking");
    assert.deepEqual({ bye: caller.byeAt, rung: desk.rung.length }, { bye: null, rung: 0 });
    caller.hangUp();
    await page.waitForSelector(".line.idle");
  }));

for (const [change, what] of [["pull", "the way is gone"], ["renumber", "the address is another, and the browser does not know"]]) {
  test(`a network that changes while talking (${what}): audio both ways again within two seconds`, async (test) => {
    const between = network();
    await inHouse({}, async (house, test) => {
      const page = await house.agent("nour", { line: between.line });
      const caller = await house.caller();
      await answer(page);
      await heardBy(caller);
      await sleep(1_000);
      const changed = Date.now();
      between[change]();
      await bothTalk(page, caller, changed + 2_000, changed + 4_000);
      const back = [caller.firstOf(700, caller.heard.find(({ at, sound }) => at > changed && sound !== 700)?.at ?? changed)];
      test.diagnostic(`the caller heard the agent again ${back[0] - changed} ms after the change`);
      assert.equal(caller.byeAt, null);
      await page.waitForSelector(".line.talking");
    })(test).finally(between.close);
  });
}

test("a browser killed while talking: comfort at once, the desk phone after 3 s, everyone at 5 s, never a BYE", (test) =>
  withDeskPhone(test, ["nour", "sam"], async (house, desk, test) => {
    const browser = await house.browser();
    const nour = await house.agent("nour", { browser });
    const caller = await house.caller();
    await answer(nour);
    await heardBy(caller);
    const sam = await house.agent("sam");
    const killed = Date.now();
    await browser.kill();
    await sam.waitForSelector(".line.offered", { timeout: 12_000 });
    const offered = Date.now() - killed;
    // By its own ear, from decoded samples: the line is never dead.
    const comforted = caller.firstOf("comfort", killed);
    assert.ok(comforted !== null && comforted - killed < 1_000, `comfort after ${comforted && comforted - killed} ms: ${JSON.stringify(caller.heard.slice(-8))}`);
    const comfort = caller.portion("comfort", killed + 1_000, killed + 4_500);
    assert.ok(comfort > 0.95, `comfort for ${comfort} of the time: ${JSON.stringify(caller.heard.slice(-8))}`);
    const pressed = await press(sam, "F2");
    await hears(sam, 1_000, pressed);
    await bothTalk(sam, caller, pressed + 1_000, pressed + 2_500);
    assert.equal(caller.byeAt, null, "the caller was hung up on");
    const [rung] = desk.rung.map((at) => at - killed);
    // A kill is seen at once by its socket; the loss counts from there.
    assert.ok(rung >= 2_900 && rung < 4_500, `the desk phone rang after ${rung} ms`);
    assert.ok(offered >= 4_800 && offered < 6_500, `everyone was offered the call after ${offered} ms`);
    test.diagnostic(`after the kill: comfort ${comforted - killed} ms, desk phone ${rung} ms, everyone ${offered} ms`);
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
  const caller = await house.caller();
  await answer(page);
  await heardBy(caller);
  const since = Date.now();
  cut = true;
  for (const socket of sockets) await socket.close();
  await bothTalk(page, caller, since, since + 10_000);
  cut = false;
  await page.waitForSelector(".linestate.up", { timeout: 8_000, state: "attached" });
  await page.waitForSelector(".line.talking");
  assert.equal(caller.byeAt, null);
  caller.hangUp();
  await page.waitForSelector(".line.idle");
}));

test("a page of another version than the engine says that it must be loaded again", inHouse({}, async (house) => {
  const older = (page) =>
    page.routeWebSocket(/\/live$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => server.send(message.replace('"resume"', '"since":"yesterday","resume"')));
    });
  const page = await house.page("nour", { line: older });
  await page.waitForSelector(".linestate.wrong_proto p");
  assert.match(await page.textContent(".linestate"), /reload the page \(F5\)/);
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

