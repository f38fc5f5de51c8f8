import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
const [page, folder, ...what] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const tab = await browser.newPage();
await tab.goto(pathToFileURL(page).href);
for (const width of [390, 820, 1280]) for (const colorScheme of ["light", "dark"]) {
  if (what.length && !what.includes(`${width}${colorScheme}`)) continue;
  await tab.setViewportSize({ width, height: 900 });
  await tab.emulateMedia({ colorScheme, media: "screen" });
  console.log(width, await tab.evaluate(() => document.documentElement.scrollHeight));
  await tab.screenshot({ path: `${folder}/${width}${colorScheme}.png`, fullPage: true });
}
await tab.emulateMedia({ colorScheme: "light", media: null });
for (const format of ["A4", "Letter"]) if (!what.length || what.includes(format)) await tab.pdf({ path: `${folder}/${format}.pdf`, format });
await browser.close();
