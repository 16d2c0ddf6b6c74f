import { expect, type LessonPage, READY_LESSONS, settle, test } from "./fixtures.ts";

for (const slug of READY_LESSONS) {
  test(`given lesson ${slug}, when every step is clicked in order, then all checks turn green`, async ({
    lessonPage,
  }) => {
    test.setTimeout(240_000);
    await lessonPage.open(slug);
    const total = await lessonPage.checks.count();
    expect(total).toBeGreaterThan(0);
    await expect(lessonPage.checks.and(lessonPage.page.locator('[data-state="red"]'))).toHaveCount(total);

    await clickThrough(lessonPage);

    const red = lessonPage.checks.and(lessonPage.page.locator('[data-state="red"]'));
    await expect(red.filter({ hasNotText: "optional" })).toHaveCount(0);
  });
}

test("given lesson 1, when somebody reads at 250 words a minute, then the first check is green within a minute", async ({
  lessonPage,
}) => {
  await lessonPage.open("01-the-request-that-waits");
  const firstCheck = lessonPage.lesson.locator(".inline-check").first();
  const button = lessonPage.actions.first();
  const words = await lessonPage.lesson.evaluate((region) => {
    const card = region.querySelector(".card");
    const range = document.createRange();
    range.setStart(region, 0);
    range.setEndBefore(card ?? region);
    return range.toString().split(/\s+/).length;
  });

  const started = Date.now();
  await button.click();
  await expect(firstCheck).toHaveAttribute("data-tone", "ok", { timeout: 30_000 });
  const seconds = (words / 250) * 60 + (Date.now() - started) / 1000;

  expect(seconds).toBeLessThan(60);
});

test("given a finished step, when the page is reloaded, then its checks are still green", async ({
  lessonPage,
}) => {
  await lessonPage.open("03-delay-gives-a-receipt");
  await lessonPage.startWorker();
  const first = lessonPage.checks.first();
  await expect(first).toHaveAttribute("data-state", "green");

  await lessonPage.page.reload();

  await expect(first).toHaveAttribute("data-state", "green");
});

async function clickThrough(lessonPage: LessonPage): Promise<void> {
  // A step that is done stays in the text, so the n-th button is the n-th step from beginning to end.
  const hidden = lessonPage.lesson.locator("details.solution > summary");
  for (const summary of await hidden.all()) await summary.click();
  const count = await lessonPage.actions.count();
  for (let index = 0; index < count; index += 1) {
    const action = lessonPage.actions.nth(index);
    await action.click();
    const confirm = lessonPage.page.getByRole("dialog").getByRole("button", { name: /run|stop/i });
    if (await confirm.isVisible()) await confirm.click();
    await settle(lessonPage.card(action));
  }
}
