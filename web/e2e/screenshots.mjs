//! Pictures of the pages: the real engine with the shipped plan, real callers, real pages, in
//! French. Callers' numbers are of the block that is kept for fiction (06 39 98).

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { eventually, openHouse, sleep } from "./house.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const FRENCH = { locale: "fr-FR", viewport: { width: 1280, height: 800 } };
/** A board is looked at on a large screen. */
const WALL = { viewport: { width: 1440, height: 820 } };

const shoot = (page, name) => page.screenshot({ path: resolve(ROOT, "docs/img", `${name}.png`), animations: "disabled" });

/** Takes the next call that rings there, by the key. */
async function take(page) {
  await page.waitForSelector(".line.offered");
  await page.keyboard.press("F2");
  await page.waitForSelector(".line.talking");
}

async function evening(house) {
  const callers = (words) => house.load(`--talk 120 --patience 120 --audio speech ${words}`);
  const door = await house.page("nour", { ...FRENCH, signIn: false });
  await door.waitForSelector("input[name=name]");
  await shoot(door, "sign-in");

  const browser = await house.browser();
  const claire = await house.page("claire", { ...FRENCH, ...WALL, browser });
  const [sam, alex] = [await house.agent("sam", { ...FRENCH, browser }), await house.agent("alex", { ...FRENCH, browser })];
  callers("--from 06399812** --count 3 --rate 1");
  await Promise.all([take(sam), take(alex)]);
  await sam.keyboard.press("F8"); // the third caller rings once the first is on hold
  await take(sam);

  const nour = await house.agent("nour", FRENCH);
  callers("--from 06399840** --count 5 --rate 3 --to 15=3 --to 116117=2 --to +33388000018=1");
  await nour.waitForSelector(".line.offered");
  await eventually("four wait, one of them rings", async () => (await nour.locator(".panel.waiting tbody tr").count()) >= 4);
  await shoot(nour, "agent-ringing");
  await take(nour);
  await sleep(8_000); // a conversation that has begun
  await nour.keyboard.press("Shift+F1");
  await nour.fill("textarea", "Homme, 62 ans, chute dans l'escalier, conscient. Sa fille est auprès de lui.");
  await shoot(nour, "agent-talking");

  callers("--from 06399877** --count 1 --to urn:service:sos.ecall.automatic");
  await eventually("the eCall waits before all others", async () => (await claire.locator(".panel.waiting tbody tr").count()) >= 5);
  await sleep(2_000);
  await shoot(claire, "board");
}

const house = await openHouse({ agents: ["nour", "sam", "alex"], rules: readFileSync(resolve(ROOT, "dialplans/samu.toml"), "utf8") });
try {
  await evening(house);
} catch (error) {
  process.stderr.write(`${house.log().split("\n").slice(-40).join("\n")}\n`);
  throw error;
} finally {
  await house.close();
}
