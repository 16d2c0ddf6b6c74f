import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { type Playground, startPlayground } from "../support/playground.ts";

export { expect };

export type PaneName = "Broker" | "Worker" | "Producer";

/** The lessons that are ready, in the order of the course. */
export const READY_LESSONS = [
  "01-the-request-that-waits",
  "02-four-parts",
  "03-delay-gives-a-receipt",
  "07-fire-and-forget",
  "11-retry",
  "16-beat",
] as const;

/** Every test gets a playground of its own and a page that is signed in to it. */
export const test = base.extend<{ playground: Playground; lessonPage: LessonPage }>({
  // Playwright reads a fixture's dependencies from this pattern, so it must be one.
  playground: async ({ browserName: _browserName }, use) => {
    await using playground = await startPlayground();
    await use(playground);
  },
  lessonPage: async ({ page, playground }, use) => {
    const outside: string[] = [];
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (origin !== playground.origin && protocol !== "data:" && protocol !== "blob:") {
        outside.push(request.url());
      }
    });
    await page.goto(playground.url);
    await use(new LessonPage(page, playground));
    expect(outside, "requests that left the playground").toEqual([]);
  },
});

/** The page by its accessible names, which are its contract. */
export class LessonPage {
  readonly page: Page;
  readonly playground: Playground;
  readonly lesson: Locator;
  /** One item per check of the lesson, with `data-state`. */
  readonly checks: Locator;
  /** Run and Apply buttons in the order of the text. */
  readonly actions: Locator;

  constructor(page: Page, playground: Playground) {
    this.page = page;
    this.playground = playground;
    this.lesson = page.getByRole("region", { name: "Lesson", exact: true });
    this.checks = page.getByRole("list", { name: "Checks" }).getByRole("listitem");
    this.actions = this.lesson.getByRole("button", {
      name: /^(Run in (broker|worker|producer): |Apply to )/,
    });
  }

  async open(slug: string): Promise<void> {
    await this.page.goto(`${this.playground.origin}/l/${slug}`);
    await expect(this.lesson.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(this.pane("Producer")).toHaveAttribute("data-phase", "idle");
    await expect(this.pane("Worker")).toHaveAttribute("data-phase", "idle");
  }

  pane(name: PaneName): Locator {
    return this.page.getByRole("region", { name, exact: true });
  }

  /** The first button of the lesson that runs this command. */
  run(command: string): Locator {
    return this.lesson
      .getByRole("button", { name: new RegExp(`^Run in \\w+: .*${escape(command)}`) })
      .first();
  }

  /** The card around a Run or Apply button: it says how the step went. */
  card(action: Locator): Locator {
    return action.locator("xpath=ancestor::*[@data-phase][contains(@class, 'card')][1]");
  }

  /** What a terminal has printed, from the server. */
  async text(name: PaneName): Promise<string> {
    const response = await this.page.request.get(
      `${this.playground.origin}/api/panes/${name.toLowerCase()}/text`,
    );
    return response.text();
  }

  /** Types into a terminal as a learner would: click, keys, Enter. */
  async type(name: PaneName, command: string): Promise<void> {
    await this.pane(name).locator(".xterm").click();
    await this.page.keyboard.type(command);
    await this.page.keyboard.press("Enter");
  }

  /** Starts the lesson's worker with its own step and waits until it is ready. */
  async startWorker(): Promise<void> {
    const button = this.run("celery -A tasks worker");
    await button.click();
    await expect(this.card(button)).toHaveAttribute("data-phase", "ready", { timeout: 30_000 });
  }
}

/** Waits until a step or edit is done and every check that follows it is green. */
export async function settle(card: Locator): Promise<void> {
  await expect(card).toHaveAttribute("data-phase", /^(done|ready|applied)$/, { timeout: 90_000 });
  const open = card
    .locator('.inline-check[data-tone="quiet"]')
    .filter({ hasNot: card.page().locator(".tag") });
  await expect(open).toHaveCount(0, { timeout: 60_000 });
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
