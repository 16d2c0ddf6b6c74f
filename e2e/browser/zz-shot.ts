import { chromium } from "@playwright/test";
import { startPlayground } from "../support/playground.ts";

const slugs = process.argv.slice(2);
await using playground = await startPlayground();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(playground.url);
for (const slug of slugs) {
  await page.goto(`${playground.origin}/l/${slug}`);
  const lesson = page.getByRole("region", { name: "Lesson", exact: true });
  await lesson.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForTimeout(3000);
  const buttons = lesson.getByRole("button", { name: /^(Run in (broker|worker|producer): |Apply to )/ });
  const n = Math.min(await buttons.count(), 2);
  for (let i = 0; i < n; i++) {
    await buttons.nth(i).click();
    await page.waitForTimeout(9000);
  }
  await page.screenshot({ path: `/tmp/content-w/shot-${slug}.png` });
  // whole lesson text
  const box = await lesson.evaluate((el) => {
    let s: Element | null = el;
    let best = el;
    for (const c of [el, ...el.querySelectorAll("*")])
      if (c.scrollHeight > c.clientHeight + 200 && getComputedStyle(c).overflowY !== "visible")
        best = c as typeof el;
    (best as HTMLElement).style.height = "auto";
    return best.scrollHeight;
  });
  console.log(slug, box);
  for (let y = 0, k = 0; y < box && k < 8; y += 760, k++) {
    await lesson.evaluate((el, top) => {
      for (const c of [el, ...el.querySelectorAll("*")])
        if (c.scrollHeight > c.clientHeight + 100) (c as HTMLElement).scrollTop = top;
    }, y);
    await page.waitForTimeout(150);
    await lesson.screenshot({ path: `/tmp/content-w/shot-${slug}-${k}.png` });
  }
}
await browser.close();
