import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { startPlayground } from "../support/playground.ts";
import { expect, type LessonPage, test } from "./fixtures.ts";

const LESSON = "03-delay-gives-a-receipt";

test("given a running page, when Redis is killed, then the page says so and one click starts it again", async ({
  lessonPage,
}) => {
  await lessonPage.open(LESSON);

  await killRedis(lessonPage);

  const broker = lessonPage.pane("Broker");
  await expect(broker.getByText("Redis keeps messages until a worker takes them")).toBeVisible();
  await broker.getByRole("button", { name: "Start Redis" }).click();
  await expect(broker.getByRole("button", { name: "Start Redis" })).toHaveCount(0);
  await expect(broker).toHaveAttribute("data-phase", "busy");
});

test("given a worker, when Redis goes and comes back, then the worker takes tasks again by itself", async ({
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  await lessonPage.startWorker();
  await killRedis(lessonPage);
  await expect.poll(() => lessonPage.text("Worker"), { timeout: 20_000 }).toMatch(/Trying again in/);
  await lessonPage.pane("Broker").getByRole("button", { name: "Start Redis" }).click();
  await expect(lessonPage.pane("Broker")).toHaveAttribute("data-phase", "busy");

  await lessonPage.type("Producer", "celery -A tasks call tasks.multiply -a '[6, 7]'");

  await expect.poll(() => lessonPage.text("Worker"), { timeout: 60_000 }).toMatch(/succeeded in [\d.]+s: 42/);
});

test("given a syntax error in tasks.ts, when the worker starts, then file and line are named, and Reset mends it", async ({
  page,
  lessonPage,
}) => {
  await lessonPage.open(LESSON);
  const file = `${lessonPage.playground.workspace}/${LESSON}/tasks.ts`;
  const original = await readFile(file, "utf8");
  await page.getByRole("region", { name: "Editor" }).locator(".cm-content").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("export const = ;\n");
  await page.keyboard.press("Control+s");
  await expect.poll(() => readFile(file, "utf8")).toContain("export const = ;");

  const button = lessonPage.run("celery -A tasks worker");
  await button.click();
  await expect(lessonPage.card(button)).toHaveAttribute("data-phase", "failed", { timeout: 30_000 });
  await expect(lessonPage.card(button)).toContainText(/tasks\.ts/);
  expect(await lessonPage.text("Worker")).toMatch(/tasks\.ts:1\b/);

  await page.getByRole("button", { name: "Reset", exact: true }).click();
  await page.getByRole("button", { name: "Reset tasks.ts…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Reset tasks.ts" }).click();
  await expect.poll(() => readFile(file, "utf8")).toBe(original);
  await lessonPage.startWorker();
});

test("given a worker, when a task throws or its name does not exist, then the worker says what happened and goes on", async ({
  lessonPage,
}) => {
  await lessonPage.open("11-retry");
  await lessonPage.startWorker();

  await lessonPage.type("Producer", "celery -A tasks call tasks.nope");
  await expect.poll(() => lessonPage.text("Worker")).toMatch(/unregistered task of type 'tasks\.nope'/);
  await lessonPage.type("Producer", "celery -A tasks call tasks.flaky -a '[1]'");
  await expect.poll(() => lessonPage.text("Worker")).toMatch(/raised unexpected: UpstreamError/);

  await lessonPage.type("Producer", "celery -A tasks call tasks.flaky -a '[0]'");
  await expect.poll(() => lessonPage.text("Worker")).toMatch(/succeeded in/);
});

test("given a port that is taken, when the server is told to use it, then it says so and ends", async () => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const { port } = squatter.address() as AddressInfo;
  try {
    await expect(startPlayground({ args: ["--port", String(port)] })).rejects.toThrow(
      new RegExp(`${port}[\\s\\S]*(taken|in use)|(taken|in use)[\\s\\S]*${port}`),
    );
  } finally {
    squatter.close();
  }
});

test("given a REDIS_URL where nobody answers, when the server starts, then it says so and stops", async () => {
  await expect(startPlayground({ env: { REDIS_URL: "redis://127.0.0.1:1/0" } })).rejects.toThrow(
    /127\.0\.0\.1:1/,
  );
});

/** As the kernel would end it: no warning, no goodbye. */
async function killRedis(lessonPage: LessonPage): Promise<void> {
  await expect(lessonPage.pane("Broker")).toHaveAttribute("data-phase", "busy");
  const pid = /PID: (\d+)/.exec(await lessonPage.text("Broker"))?.[1];
  expect(pid, "redis-server prints its pid").toBeDefined();
  process.kill(Number(pid), "SIGKILL");
  await expect(lessonPage.pane("Broker")).toHaveAttribute("data-phase", "idle");
}
