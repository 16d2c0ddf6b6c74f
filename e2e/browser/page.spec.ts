import AxeBuilder from "@axe-core/playwright";
import { expect, READY_LESSONS, test } from "./fixtures.ts";

test("given an empty cache, when the first lesson is readable, then under 150 KB of script has been transferred", async ({
  page,
  playground,
}) => {
  await page.addInitScript(() => {
    new MutationObserver((_changes, observer) => {
      if (document.querySelector('section[aria-label="Lesson"] h1') === null) return;
      performance.mark("readable");
      observer.disconnect();
    }).observe(document, { subtree: true, childList: true });
  });
  await page.goto(playground.url);
  await page
    .getByRole("region", { name: "Lesson", exact: true })
    .getByRole("heading", { level: 1 })
    .waitFor();

  const bytes = await page.evaluate(() => {
    const readable = performance.getEntriesByName("readable")[0]?.startTime ?? Number.NaN;
    const loaded = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    return loaded
      .filter((entry) => entry.name.endsWith(".js") && entry.responseEnd <= readable)
      .reduce((sum, entry) => sum + entry.encodedBodySize, 0);
  });

  expect(bytes).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(150 * 1024);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`given ${colorScheme} colours, when axe looks at every lesson, then it finds no serious fault`, async ({
    page,
    lessonPage,
  }) => {
    await page.emulateMedia({ colorScheme });
    for (const slug of READY_LESSONS) {
      await lessonPage.open(slug);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${slug} ${id}: ${nodes[0]?.html}`)).toEqual([]);
    }
  });
}

for (const width of [1440, 1024, 390]) {
  test(`given a window ${width} pixels wide, when a lesson is open, then nothing sticks out sideways`, async ({
    page,
    lessonPage,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    await expect(lessonPage.lesson.getByRole("heading", { level: 1 })).toBeVisible();

    const wide = await page.evaluate(() =>
      document.documentElement.scrollWidth <= window.innerWidth
        ? []
        : [...document.querySelectorAll("body *")]
            .filter((element) => element.getBoundingClientRect().right > window.innerWidth)
            .map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 40)}`),
    );

    expect(wide).toEqual([]);
  });
}

test("given an address of no lesson, when it is opened, then the page says so and leads back", async ({
  page,
  lessonPage,
}) => {
  await page.goto(`${lessonPage.playground.origin}/l/99-nowhere`);

  await expect(page.getByRole("heading", { name: "No lesson here" })).toBeVisible();
  await page
    .getByRole("link", { name: /lesson 1|the request that waits/i })
    .first()
    .click();
  await expect(lessonPage.lesson.getByRole("heading", { level: 1 })).toHaveText(/request that waits/i);
});
