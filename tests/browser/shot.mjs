// Takes a picture of the report's page in Chromium, light and dark, from one of its headings on:
//   node shot.mjs CHROMIUM PAGE HEADING NAME
// writes NAME-light.png and NAME-dark.png. make pictures calls it.
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, page, heading, name] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const tab = await browser.newPage({ viewport: { width: 1200, height: 860 } });
await tab.goto(pathToFileURL(page).href);
await tab.getByRole("heading", { name: heading, exact: true }).evaluate((element) => {
  document.documentElement.style.scrollBehavior = "auto";
  window.scrollTo(0, element.getBoundingClientRect().top);
});
for (const colorScheme of ["light", "dark"]) {
  await tab.emulateMedia({ colorScheme });
  await tab.screenshot({ path: `${name}-${colorScheme}.png` });
}
await browser.close();
