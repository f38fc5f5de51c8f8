// Takes a picture of the top of a page in Chromium, light and dark:
//   node shot.mjs CHROMIUM PAGE NAME
// writes NAME-light.png and NAME-dark.png. make pictures calls it.
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, page, name] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const tab = await browser.newPage({ viewport: { width: 1200, height: 860 } });
await tab.goto(pathToFileURL(page).href);
for (const colorScheme of ["light", "dark"]) {
  await tab.emulateMedia({ colorScheme });
  await tab.screenshot({ path: `${name}-${colorScheme}.png` });
}
await browser.close();
