//! Pictures of the pages: the real engine with the shipped plan, real callers, real pages, in
//! French. Callers' numbers are of the block that is kept for fiction (06 39 98).

import { resolve } from "node:path";
import { eventually, openHouse, SAMU, sleep } from "./house.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const FRENCH = { locale: "fr-FR", viewport: { width: 1280, height: 800 } };
/** A board is looked at on a large screen. */
const WALL = { viewport: { width: 1440, height: 860 } };
/** The strip alone, above another program. */
const DOCKED = { width: 1280, height: 120 };

const shoot = (page, name) => page.screenshot({ path: resolve(ROOT, "docs/img", `${name}.png`), animations: "disabled" });

/** Takes the next call that rings there, by the key. */
async function take(page) {
  await page.waitForSelector(".line.offered");
  await page.keyboard.press("F2");
  await page.waitForSelector(".line.talking");
}

async function evening(house) {
  const callers = (words) => house.load(`--talk 170 --patience 170 --audio speech ${words}`);
  const door = await house.page("nour", { ...FRENCH, signIn: false });
  await door.waitForSelector("input[name=name]");
  await shoot(door, "sign-in");

  const browser = await house.browser({ microphone: "voice" });
  const claire = await house.page("claire", { ...FRENCH, ...WALL, browser });
  const [sam, alex] = [await house.agent("sam", { ...FRENCH, browser }), await house.agent("alex", { ...FRENCH, browser })];
  callers("--from 06399812** --count 3 --rate 1");
  await Promise.all([take(sam), take(alex)]);
  await sam.fill("textarea", "Femme, 34 ans, allergie connue. Rappel du pharmacien attendu.");
  await sam.keyboard.press("Enter");
  await sam.keyboard.press("F8"); // the third caller rings once the first is on hold
  await take(sam);
  await sleep(40_000); // an evening has more than one minute in its curves

  const nour = await house.agent("nour", { ...FRENCH, microphone: "voice" });
  callers("--from 06399840** --count 3 --rate 0.4 --to 15=3 --to 116117=2");
  callers("--from 06399855** --count 1 --to +33388000018");
  await nour.waitForSelector(".line.offered");
  await eventually("three wait, one of them rings", async () => (await nour.locator(".panel.waiting tbody tr").count()) >= 3);
  await eventually("somebody has waited", async () => /0:0[4-9]/.test(await nour.textContent(".line.offered .clock")));
  await shoot(nour, "agent-ringing");
  await nour.setViewportSize(DOCKED);
  await nour.waitForSelector(".line.offered");
  await shoot(nour, "strip-ringing");
  await nour.setViewportSize(FRENCH.viewport);
  await take(nour);
  await sleep(9_000); // a conversation that has begun
  await nour.keyboard.press("Shift+F1");
  await nour.fill("textarea", "Homme, 62 ans, chute dans l'escalier, conscient. Sa fille est auprès de lui.");
  await nour.evaluate(() => document.activeElement.blur());
  await sleep(300);
  await shoot(nour, "agent-talking");
  await nour.setViewportSize(DOCKED);
  await shoot(nour, "strip-talking");

  callers("--from 06399877** --count 1 --to urn:service:sos.ecall.automatic");
  await eventually("the eCall waits before all others", async () => /Vital/.test((await claire.textContent(".panel.waiting tbody tr:first-child").catch(() => "")) ?? ""));
  await sleep(2_000);
  await shoot(claire, "board");
}

const house = await openHouse({ agents: ["nour", "sam", "alex"], rules: SAMU });
try {
  await evening(house);
} catch (error) {
  process.stderr.write(`${house.log().split("\n").slice(-40).join("\n")}\n`);
  throw error;
} finally {
  await house.close();
}
