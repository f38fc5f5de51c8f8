// Opens a page in Chromium at three widths, light and dark, and prints what there is to be seen:
//   node look.mjs CHROMIUM PAGE [FOLDER]
// Judging is left to test_report_in_browser.py. For people: pictures of each, and the printed page, in
// the folder.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, page, folder] = process.argv.slice(2);
const address = pathToFileURL(page).href;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const WIDTHS = [360, 820, 1280];

// In the page: texts that stand out of the window, or of what scrolls; pairs in a picture that overlap; texts
// over the lines of a picture, but where it is grey and has none; numbers that are broken into two lines.
function look() {
  const texts = [];
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility()) continue;
    if (parent.closest(".skip, .unseen, title, desc")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    texts.push({ text: node.data.trim(), box: range.getBoundingClientRect(), parent });
    for (const number of node.data.matchAll(/(?<![0-9A-Za-z\\[])[0-9][0-9A-Za-z.,:%-]*/g)) {
      range.setStart(node, number.index);
      range.setEnd(node, number.index + number[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(number[0]);
    }
  }
  const width = document.documentElement.clientWidth;
  const outside = texts.filter(
    ({ box, parent }) => (box.left < -1 || box.right > width + 1) && !parent.closest(".wide"),
  );
  const overlapping = [];
  const crossing = [];
  for (const picture of document.querySelectorAll("svg.plot")) {
    const within = texts.filter(({ parent }) => parent.closest("svg.plot") === picture);
    const drawn = picture.querySelector("svg").getBoundingClientRect();
    for (const { text, box, parent } of within) {
      const across = Math.min(box.right, drawn.right) - Math.max(box.left, drawn.left);
      const down = Math.min(box.bottom, drawn.bottom) - Math.max(box.top, drawn.top);
      if (across > 2 && down > 4 && !parent.matches(".within")) crossing.push(text);
    }
    within.forEach((one, place) => {
      for (const other of within.slice(place + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (across > 1 && down > 4) overlapping.push(`${one.text} / ${other.text}`);
      }
    });
  }
  const tables = [...document.querySelectorAll(".wide")].filter((one) => one.scrollWidth > one.clientWidth);
  return {
    scrolls: document.documentElement.scrollWidth > width,
    outside: outside.map(({ text }) => text),
    overlapping,
    crossing,
    broken,
    scrolling: tables.map((one) => one.ariaLabel),
    texts: texts.length,
    background: getComputedStyle(document.body).backgroundColor,
  };
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const tab = await browser.newPage();
const requests = [];
const complaints = [];
tab.on("request", (request) => requests.push(request.url()));
tab.on("console", (message) => complaints.push(message.text()));
tab.on("pageerror", (error) => complaints.push(String(error)));
await tab.goto(address);
await tab.evaluate(axe);

const fold = (open) =>
  tab.evaluate((open) => document.querySelectorAll("details").forEach((one) => (one.open = open)), open);
async function examine(options) {
  const { violations } = await tab.evaluate((options) => axe.run(options), options);
  return violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map((one) => one.html) }));
}

// axe takes its time, so it looks at colours where they differ, and at the rest where that differs. What
// is folded has the colours of what is not.
const CONTRAST = "color-contrast";
const views = [];
for (const width of WIDTHS) {
  await tab.setViewportSize({ width, height: 900 });
  for (const colorScheme of ["light", "dark"]) {
    await tab.emulateMedia({ colorScheme });
    if (folder) await tab.screenshot({ path: `${folder}/${width}-${colorScheme}.png`, fullPage: true });
    const folded = await tab.evaluate(look);
    const faults = width === 820 ? await examine({ runOnly: [CONTRAST] }) : [];
    await fold(true);
    const unfolded = await tab.evaluate(look);
    if (colorScheme === "light") faults.push(...(await examine({ rules: { [CONTRAST]: { enabled: false } } })));
    await fold(false);
    views.push({ width, scheme: colorScheme, folded, unfolded, faults });
  }
}

const keys = [];
for (const key of ["Tab", "Tab", "Enter", "Tab"]) {
  await tab.keyboard.press(key);
  keys.push(await tab.evaluate(() => document.activeElement.textContent.slice(0, 40)));
}

await tab.emulateMedia({ colorScheme: "dark", media: "print" });
const paper = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
// The sheets' width without their margins of 14 mm, in pixels of 1/96 inch.
const sheets = [];
for (const [name, width] of [["A4", 688], ["Letter", 710]]) {
  await tab.setViewportSize({ width, height: 900 });
  sheets.push({ name, ...(await tab.evaluate(look)) });
}
const printed = await tab.pdf({ path: folder && `${folder}/printed.pdf`, format: "A4" });

// What a hostile text would try, were it not for the page's own policy.
const before = { requests: requests.filter((one) => one !== address), complaints: [...complaints] };
await tab.evaluate(() => {
  const image = document.createElement("img");
  image.src = "https://example.invalid/picture";
  document.body.append(image);
});
await tab.waitForTimeout(100);
const refused = complaints.slice(before.complaints.length);
await browser.close();
console.log(JSON.stringify({ ...before, refused, views, keys, paper, sheets, printed: printed.length }));
