import { expect, type LessonPage, settle, test } from "./fixtures.ts";

const LESSON = "03-delay-gives-a-receipt";

test("given lesson 3, when only the keyboard is used, then all checks turn green", async ({ lessonPage }) => {
  test.setTimeout(240_000);
  await lessonPage.open(LESSON);
  const count = await lessonPage.actions.count();
  for (let index = 0; index < count; index += 1) {
    const action = lessonPage.actions.nth(index);
    await tabTo(lessonPage, (await action.getAttribute("aria-label")) ?? "", index);
    await lessonPage.page.keyboard.press("Enter");
    await settle(lessonPage.card(action));
  }

  const red = lessonPage.checks.and(lessonPage.page.locator('[data-state="red"]'));
  await expect(red).toHaveCount(0);
});

test("given a terminal with the keyboard, when Escape is pressed twice, then Tab leaves it", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  await lessonPage.pane("Producer").locator(".xterm").click();
  await page.keyboard.type("echo typed");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");

  const isInside = await page.evaluate(() => document.activeElement?.closest(".xterm") !== null);
  expect(isInside).toBe(false);
  expect(await lessonPage.text("Producer")).toContain("echo typed");
});

test("given the page, when F6 is pressed again and again, then each region gets the focus", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  const seen = new Set<string>();
  for (let presses = 0; presses < 8; presses += 1) {
    await page.keyboard.press("F6");
    const label = await page.evaluate(
      () => document.activeElement?.closest("section[aria-label]")?.getAttribute("aria-label") ?? "",
    );
    seen.add(label);
  }
  for (const name of ["Lesson", "Editor", "Broker", "Worker", "Producer", "Inside the queue"]) {
    expect(seen).toContain(name);
  }
});

test("given the page, when ? is pressed, then it lists its keys and Escape closes the list", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog");
  await expect(sheet).toContainText("F6");
  await page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);
});

test("given a terminal, when Open as text is pressed, then its output is there as text", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  await lessonPage.type("Producer", "echo a line to read");
  await expect.poll(() => lessonPage.text("Producer")).toMatch(/^a line to read$/m);

  await lessonPage.pane("Producer").getByRole("button", { name: "Open as text" }).click();

  await expect(page.getByRole("dialog")).toContainText("a line to read");
});

/** Tab, as often as it takes, to the `occurrence`-th action, known by its name and its place among the actions. */
async function tabTo({ page }: LessonPage, name: string, index: number): Promise<void> {
  for (let presses = 0; presses < 300; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const actions = [
        ...document.querySelectorAll('button[aria-label^="Run in "], button[aria-label^="Apply to "]'),
      ];
      return actions.indexOf(document.activeElement as Element);
    });
    if (focused === index) return;
  }
  throw new Error(`300 presses of Tab never reached "${name}"`);
}
