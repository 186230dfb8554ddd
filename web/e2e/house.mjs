//! A whole house for one test: the real engine, the real callers of `bandeau load`, and browsers
//! whose microphones play 700 Hz, or 400. What a page hears is judged on decoded samples, by frequency.

import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { call, pickUp } from "./caller.mjs";
import { installEar } from "./ear.mjs";

export const BINARY = resolve(import.meta.dirname, "../../target", process.env.PROFILE ?? "debug", "bandeau");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const PASSWORD = "correct horse battery";
/** UDP ports of one node's media plane. */
const MEDIA_PORTS = 400;

/** One queue, every class the pages know; offers are exclusive unless a test says otherwise. */
const plan = (offer) => `
plan    = "test"
version = "1"

[numbers]
"15" = "samu"

[class]
vital       = { fence = true }
unqualified = { target = "20s" }
p1          = { target = "30s" }
p2          = { target = "60s" }
p3          = { target = "120s" }

[queue.front]
skills = ["arm"]
offer  = ${offer}
hold   = "answered"

[[route]]
name     = "default"
priority = 0
then     = { queue = "front", class = "unqualified" }
`;
export const EXCLUSIVE = '{ mode = "exclusive", strategy = "longest-idle", ring = "6s" }';
/** The shipped plan. */
export const SAMU = readFileSync(resolve(import.meta.dirname, "../../dialplans/samu.toml"), "utf8");
export const SHARED = '{ mode = "shared" }';

/** Whom agents of the house may ask outside: nobody answers there. */
export const CONTACT = "sdis-67";

/** An agent as a test names one: `"nour"`, an ARM, or with a role and skills of its own. */
const person = (agent) => (typeof agent === "string" ? { name: agent, role: "agent", skills: ["arm"] } : agent);

const configuration = ({ centre, sip, http, media, outside, fallback, agents }) => `
[node]
state_dir = "state"
drain     = "0s"

[sip]
listen = ["udp:127.0.0.1:${sip}"]

[media]
bind  = "127.0.0.1"
ports = "${media}-${media + MEDIA_PORTS - 1}"

[http]
listen = "127.0.0.1:${http}"

[[trunk]]
name  = "test-trunk"
peers = ["127.0.0.1", "127.0.0.1:${outside}"]

[[centre]]
name    = "${centre}"
plan    = "plan.toml"
wrap_up = "0s"

[[centre.contact]]
name   = "${CONTACT}"
number = "0388000018"
trunks = ["test-trunk"]
${agents.map(({ name, role, skills }, nth) => `
[[centre.agent]]
name     = "${name}"
role     = "${role}"
skills   = ${JSON.stringify(skills)}
position = "P${nth + 1}"
phone    = { page = true }
${fallback ? `fallback = { uri = "sip:${name}@127.0.0.1:${fallback + nth}", address = "127.0.0.1:${fallback + nth}" }` : ""}`).join("\n")}
`;

/** A browser whose microphone plays a file. */
async function launch(microphone) {
  const server = await chromium.launchServer({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-audio-capture=${microphone}`, "--allow-loopback-in-peer-connection",
    ],
  });
  return { server, browser: await chromium.connect(server.wsEndpoint()) };
}

/** Puts the ear into every page of a context. */
async function listenIn(context, fault = "none", ringer = "") {
  await context.addInitScript(installEar, fault);
  // A steady tone is noise to the browser's processing: the headset's own is what positions use.
  await context.addInitScript((ringer) => localStorage.setItem("bandeau.devices", JSON.stringify({ processing: false, ringer })), ringer);
}

/** A browser without a house, for an engine that was started otherwise. */
export async function openBrowser() {
  const folder = mkdtempSync(join(tmpdir(), "bandeau-e2e-"));
  writeFileSync(join(folder, "700.wav"), wav(700));
  const { server, browser } = await launch(join(folder, "700.wav"));
  return {
    async page(options) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      await listenIn(context);
      return context.newPage();
    },
    async close() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Callers are called back through the trunk. */
export const CALLS_BACK = `\n[callback]\ntrunk = "test-trunk"\n`;

/** Starts the engine with these agents at pages, and a supervisor `claire`; `rules` is another plan's text. */
export async function openHouse({ agents: named = ["nour"], offer = EXCLUSIVE, fallback = 0, rules = plan(offer) } = {}) {
  const agents = named.map(person);
  const folder = mkdtempSync(join(tmpdir(), "bandeau-e2e-"));
  const [sip, http, media] = [await freeUdp(), await freeTcp(), await freeMedia()];
  const outside = await bindUdp(0); // where calls to the outside go: nobody answers unless a test says so
  writeFileSync(join(folder, "plan.toml"), rules);
  const [, centre] = /^plan\s*=\s*"(.+)"/m.exec(rules);
  const config = join(folder, "bandeau.toml");
  writeFileSync(config, configuration({ centre, sip, http, media, outside: outside.address().port, fallback, agents }));
  for (const [name, role] of [...agents.map(({ name, role }) => [name, role]), ["claire", "supervisor"]]) {
    const desk = role === "supervisor" && agents.some((agent) => agent.name === name) ? ["--agent", name] : [];
    const added = spawnSync(BINARY, ["user", "--config", config, "add", name, "--role", role, ...desk], { input: `${PASSWORD}\n${PASSWORD}\n`, encoding: "utf8" });
    if (added.status !== 0) throw new Error(`user add ${name}: ${added.stderr}`);
  }
  let log = "";
  const engine = spawn(BINARY, ["serve", "--config", config], { stdio: ["ignore", "pipe", "pipe"] });
  for (const out of [engine.stdout, engine.stderr]) out.on("data", (text) => (log += text));
  const url = `http://127.0.0.1:${http}`;
  const ears = { tone: join(folder, "700.wav"), low: join(folder, "400.wav"), silence: join(folder, "silence.wav"), voice: join(folder, "voice.wav") };
  writeFileSync(ears.tone, wav(700));
  writeFileSync(ears.low, wav(400));
  writeFileSync(ears.silence, wav(0));
  writeFileSync(ears.voice, wav(700, 900));
  const closing = [];
  const house = {
    url,
    log: () => log,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    /** Callers: `placed` is when the process was started; `report` waits until it has ended. */
    load(args) {
      const placed = Date.now();
      const load = spawn(BINARY, ["load", "--json", "--target", `127.0.0.1:${sip}`, ...args.split(" ")], { stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      load.stdout.on("data", (part) => (text += part));
      const report = new Promise((done) => load.on("close", () => done({ placed, ended: Date.now(), ...JSON.parse(text || "{}") })));
      closing.push(() => load.kill("SIGKILL"));
      return { placed, report };
    },
    /** A caller who listens: answered by the engine at once, in front of the queue. */
    async caller(options) {
      const caller = await call(sip, options);
      closing.push(() => caller.hangUp());
      return caller;
    },
    /** Somebody outside who answers whenever the trunk calls, from here on. */
    async outside() {
      const person = await pickUp(outside, sip);
      closing.push(() => person.leave());
      return person;
    },
    /** A browser of its own, as each position has one. */
    async browser({ microphone = "tone" } = {}) {
      const { server, browser } = await launch(ears[microphone]);
      closing.push(() => server.kill());
      browser.kill = () => server.kill(); // as a crash does: nobody says goodbye
      return browser;
    },
    /** Signs somebody in through the real page. */
    async page(name, options = {}) {
      const browser = options.browser ?? (await house.browser(options));
      const context = await browser.newContext({ locale: options.locale ?? "en-GB", viewport: options.viewport ?? { width: 1440, height: 900 }, colorScheme: options.scheme ?? "dark" });
      await listenIn(context, options.fault, options.ringer);
      const page = await context.newPage();
      if (options.line) await options.line(page);
      page.foreign = [];
      page.on("request", (request) => {
        const { origin } = new URL(request.url());
        if (origin !== url && origin !== url.replace("http", "ws") && !request.url().startsWith("blob:") && !request.url().startsWith("data:")) page.foreign.push(request.url());
      });
      page.on("pageerror", (error) => (log += `page of ${name}: ${error.stack}\n`));
      page.on("console", (said) => ["error", "warning"].includes(said.type()) && (log += `page of ${name} says: ${said.text()}\n`));
      await page.goto(url);
      if (options.signIn === false) return page;
      await page.fill("input[name=name]", name);
      await page.fill("input[name=password]", PASSWORD);
      if (options.role) await page.selectOption("select[name=role]", options.role);
      await page.keyboard.press("Enter");
      await page.waitForSelector(".strip, main.board");
      return page;
    },
    /** An agent who is ready, with a line that stands. */
    async agent(name, options = {}) {
      const page = await house.page(name, options);
      await beReady(page);
      return page;
    },
    async close() {
      for (const close of closing.reverse()) await close();
      const gone = new Promise((done) => engine.once("close", done));
      engine.kill("SIGKILL");
      await gone;
      outside.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await eventually("the engine is ready", async () => {
    if (engine.exitCode !== null) throw new Error(`serve ended: ${log}`);
    return fetch(`${url}/readyz`).then((answer) => answer.ok, () => false);
  }).catch(async (error) => {
    await house.close();
    throw error;
  });
  return house;
}

/** Runs a test's body in a house, and says what the engine and the pages said when it fails. */
export function inHouse(options, body) {
  return async (test) => {
    const house = await openHouse(options);
    try {
      await body(house, test);
    } catch (error) {
      process.stderr.write(`${house.log().split("\n").slice(-40).join("\n")}\n`);
      throw error;
    } finally {
      await house.close();
    }
  };
}

/** By the key, as an agent does at the start of a shift. */
export async function beReady(page) {
  await page.waitForSelector(".state .doing");
  await eventually("the agent may be called", async () => {
    if (await page.$(".state.eligible, .state.busy")) return true;
    const intent = await page.textContent(".state .doing strong");
    if (/signed out|paus/i.test(intent ?? "")) await page.keyboard.press("F10");
    await sleep(200);
    return false;
  });
}

/** Both hear one another all the time of a span; waits until it is over. */
export async function bothTalk(page, caller, from, until) {
  await sleep(until - Date.now() + 100);
  const atPage = await page.evaluate(([from, until]) => globalThis.ear.portion(1_000, from, until), [from, until]);
  const atCaller = caller.portion(700, from, until);
  const timeline = `page ${atPage.toFixed(2)}, caller ${atCaller.toFixed(2)} of the time; the caller: ${JSON.stringify(caller.heard.slice(-12))}`;
  // A tenth for the scheduling of a loaded machine, whose browser fills a late packet with a guess.
  if (atPage < 0.9 || atCaller < 0.9) throw new Error(`no audio both ways: ${timeline}`);
}

/** For a second, after the moment it takes to come about, each hears this and nothing else. */
export async function eachHears(what, ears) {
  const now = ([who]) => (who.evaluate ? who.evaluate(() => globalThis.ear.now()) : who.heard.at(-1)?.sound);
  await eventually(`${what}: each hears what they should`, async () => {
    const heard = await Promise.all(ears.map(now));
    return heard.every((sound, nth) => sound === ears[nth][1]);
  }, 6_000).catch(async (error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await Promise.all(ears.map(now)))}, not ${JSON.stringify(ears.map(([, sound]) => sound))}`);
  });
  const from = Date.now();
  await sleep(1_100);
  for (const [nth, [who, sound]] of ears.entries()) {
    const share = who.evaluate ? await who.evaluate(([sound, from]) => globalThis.ear.portion(sound, from, from + 1_000), [sound, from]) : who.portion(sound, from, from + 1_000);
    if (share < 0.85) throw new Error(`${what}: ear ${nth} hears ${sound} for ${share.toFixed(2)} of the time only`);
  }
}

/** Presses a key and says when, by the page's own clock in milliseconds of the epoch. */
export async function press(page, key) {
  await page.evaluate(() => {
    globalThis.pressedAt = null;
    addEventListener("keydown", () => (globalThis.pressedAt ??= performance.timeOrigin + performance.now()), { capture: true, once: true });
  });
  await page.keyboard.press(key);
  return page.evaluate(() => globalThis.pressedAt);
}

/** When the page first heard this tone after a time, in milliseconds of the epoch. */
export async function hears(page, hertz, since, within = 5_000) {
  let at = null;
  await eventually(`the page hears ${hertz} Hz`, async () => {
    at = await page.evaluate(([hertz, since]) => globalThis.ear.firstOf(hertz, since), [hertz, since]);
    return at !== null;
  }, within);
  return at;
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Waits for something that must come about. */
export async function eventually(what, holds, within = 15_000) {
  const until = Date.now() + within;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > until) throw new Error(`never came about: ${what}`);
    await sleep(20);
  }
}

/** Ten seconds of a tone, mono, 48 kHz: whole waves, so that it loops without a click. */
function wav(hertz, loud = 12_000) {
  const [rate, seconds] = [48_000, 10];
  const data = Buffer.alloc(rate * seconds * 2);
  for (let n = 0; n < rate * seconds; n++) data.writeInt16LE(Math.round(Math.sin((2 * Math.PI * hertz * n) / rate) * loud), n * 2);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

export function freeTcp() {
  return new Promise((done, failed) => {
    const server = createServer().on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export async function freeUdp() {
  const socket = await bindUdp(0);
  const { port } = socket.address();
  await new Promise((done) => socket.close(done));
  return port;
}

/** A socket of ours, rejected when the port is taken. */
export function bindUdp(port) {
  return new Promise((done, failed) => {
    const socket = createSocket("udp4").on("error", failed);
    socket.bind(port, "127.0.0.1", () => done(socket));
  });
}

/** The first port of a window that is free as a whole, below those the system gives out by itself. */
async function freeMedia() {
  for (let turn = 0; turn < 50; turn++) {
    const first = 10_000 + ((process.pid * 7 + Math.floor(Math.random() * 50)) % 50) * MEDIA_PORTS;
    const bound = await Promise.allSettled(Array.from({ length: MEDIA_PORTS }, (_, nth) => bindUdp(first + nth)));
    await Promise.all(bound.map(({ value }) => value && new Promise((done) => value.close(done))));
    if (bound.every(({ status }) => status === "fulfilled")) return first;
  }
  throw new Error(`no window of ${MEDIA_PORTS} UDP ports is free`);
}
