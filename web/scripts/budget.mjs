// The agents' page stays small enough for a slow line at 4 a.m.: everything it loads, gzipped.
// Stops the build beyond the budget, or when the page would ask another origin for anything.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 120_000;
const dist = new URL("../dist/", import.meta.url);
const assets = readdirSync(new URL("assets/", dist)).filter((name) => /\.(js|css)$/.test(name));
const sizes = assets.map((name) => ({ name, bytes: gzipSync(readFileSync(new URL(`assets/${name}`, dist))).length }));

// Loaded when the board is asked for, and only then.
const isAgents = ({ name }) => !name.startsWith("BoardPage-");
const sum = (list) => list.reduce((total, one) => total + one.bytes, 0);
for (const { name, bytes } of sizes) console.log(`${String(bytes).padStart(8)} B gzipped  ${name}`);
const agents = sum(sizes.filter(isAgents));
console.log(`${String(agents).padStart(8)} B gzipped  the agents' page, of ${BUDGET}`);

let broken = agents > BUDGET;
if (broken) console.error("the agents' page is over its budget");
const html = readFileSync(new URL("index.html", dist), "utf8");
const texts = [["index.html", html], ...assets.map((name) => [name, readFileSync(new URL(`assets/${name}`, dist), "utf8")])];
for (const [name, text] of texts) {
  // Namespaces are names, nobody fetches them.
  const foreign = text.match(/https?:\/\/(?!www\.w3\.org\/)[\w.-]+\.\w+/);
  if (foreign) {
    console.error(`${name} names another origin: ${foreign[0]}`);
    broken = true;
  }
  if (/<script(?![^>]*\bsrc=)|<style|\son\w+=/.test(name === "index.html" ? text : "")) {
    console.error(`${name} holds inline code or style, which the page's policy refuses`);
    broken = true;
  }
}
process.exit(broken ? 1 : 0);
