import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const tab = await browser.newPage();
await tab.goto(pathToFileURL(process.argv[2]).href);
await tab.setViewportSize({ width: 390, height: 900 });
console.log(await tab.evaluate(() => [...document.querySelectorAll("section, article, article > *")].map(e => [e.tagName, e.className, e.innerText.slice(0,20).replace(/\n/g," "), Math.round(e.getBoundingClientRect().height)].join(" ")).join("\n")));
await browser.close();
