import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";

const LESSON = "03-delay-gives-a-receipt";

test("given a flood, when the tab is closed in the middle and reopened, then its screen is the server's", async ({
  page,
  lessonPage,
  context,
}) => {
  await lessonPage.open(LESSON);
  await lessonPage.type("Producer", "for i in $(seq 1 60000); do echo line $i; done; echo the end");
  await expect.poll(() => lessonPage.text("Producer")).toMatch(/line \d{3,}/);
  await page.close();

  const again = await context.newPage();
  await again.goto(`${lessonPage.playground.origin}/l/${LESSON}`);
  const producer = again.getByRole("region", { name: "Producer", exact: true });
  await expect(producer.locator(".xterm-rows")).toContainText("the end", { timeout: 60_000 });
  await expect(producer).toHaveAttribute("data-phase", "idle");

  const response = await again.request.get(`${lessonPage.playground.origin}/api/panes/producer/text`);
  const server = trimmed((await response.text()).split("\n"));
  const shown = trimmed(await rows(again));
  expect(shown.length).toBeGreaterThan(3);
  expect(shown).toEqual(server.slice(-shown.length));
});

test("given `yes` in a pane, when Ctrl-C is pressed, then it shows within 200 ms, and the page stays usable meanwhile", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  await lessonPage.type("Producer", "yes");
  await expect(lessonPage.pane("Producer")).toHaveAttribute("data-phase", "busy");
  await expect.poll(() => lessonPage.text("Producer")).toMatch(/y\ny\ny\ny/);

  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await lessonPage.pane("Producer").locator(".xterm").click();
  // Installed before the key is sent: a busy page would handle the key first.
  const watch = await page.evaluateHandle(watchForStop);
  await page.keyboard.press("Control+c");

  expect(await watch.evaluate(({ milliseconds }) => milliseconds)).toBeLessThan(200);
  await expect.poll(() => lessonPage.text("Producer")).toContain("^C");
});

test("given a page that draws nothing, when a program floods its terminal, then the program is not held up", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  await lessonPage.type("Worker", "seq 1 300000; echo all of it");
  await expect(lessonPage.pane("Worker")).toHaveAttribute("data-phase", /busy|idle/);
  // A dialog of the browser stops the page's script as a closed laptop lid does; it stays open until dismissed.
  const dialog = page.waitForEvent("dialog");
  void page.evaluate(() => window.alert("asleep")).catch(() => undefined);
  const asleep = await dialog;

  await expect.poll(() => lessonPage.text("Worker"), { timeout: 60_000 }).toMatch(/^all of it$/m);

  await asleep.dismiss();
  await expect(lessonPage.pane("Worker").locator(".xterm-rows")).toContainText("all of it");
});

/** Milliseconds from the next key to the moment the pane stops being busy. Runs in the page, and is installed when it returns. */
function watchForStop(): { milliseconds: Promise<number> } {
  const pane = document.querySelector('section[aria-label="Producer"]') as HTMLElement;
  const milliseconds = new Promise<number>((resolve) => {
    let pressed = 0;
    window.addEventListener("keydown", () => (pressed ||= performance.now()), { capture: true });
    new MutationObserver(() => {
      if (pressed > 0 && pane.dataset["phase"] === "idle") resolve(performance.now() - pressed);
    }).observe(pane, { attributes: true, attributeFilter: ["data-phase"] });
  });
  return { milliseconds };
}

function rows(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    Array.from(
      document.querySelectorAll('section[aria-label="Producer"] .xterm-rows > div'),
      (row) => row.textContent ?? "",
    ),
  );
}

function trimmed(lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll("\u00a0", " ").trimEnd()).filter((line) => line !== "");
}
