import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningServer, startServer, TestPage } from "../../test/support/page.ts";

const course = fileURLToPath(new URL("../../test/fixtures/course", import.meta.url));

let server: RunningServer;
let page: TestPage;
beforeAll(async () => {
  server = await startServer({ args: ["--lessons", course] });
  page = await TestPage.open(server);
  await page.until(() => page.newest("redis")?.redis.up === true, "Redis");
}, 30_000);
afterAll(async () => {
  await page[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Every test begins with the first lesson, untouched. */
beforeEach(async () => {
  await page.ask({ type: "start-redis" });
  await page.until(() => page.newest("redis")?.redis.up === true, "Redis");
  await page.ask({ type: "open-lesson", lesson: "01-first" });
  await page.ask({ type: "reset", scope: "lesson" });
}, 30_000);

const checks = (): Record<string, string> =>
  Object.fromEntries((page.newest("checks")?.checks ?? []).map(({ id, state }) => [id, state]));

const step = (id: string): string | undefined => page.newest("steps")?.steps[id]?.phase;

const hashOf = (path: string): string => {
  const found = page.messages
    .flatMap((each) => (each.type === "file" ? [each.file] : each.type === "lesson" ? each.files : []))
    .findLast((file) => file.path === path);
  return found?.hash ?? "";
};

test("given a lesson, when its step is run and its change applied, then each check turns green", async () => {
  expect(checks()).toEqual({ printed: "red", corrected: "red" });

  expect(await page.ask({ type: "run", step: "print" })).toMatchObject({ type: "done" });
  await page.until(() => step("print") === "done", "the step");
  await page.until(() => checks()["printed"] === "green", "the first check");

  await page.ask({ type: "apply-edit", edit: "correct" });
  await page.until(() => checks()["corrected"] === "green", "the second check");
  expect(page.newest("edits")?.edits).toEqual({ correct: "applied" });
  expect(await readFile(join(server.workspace, "01-first/answer.ts"), "utf8")).toContain("= 42;");
});

test("given green checks and an edited file, when the lesson is reset, then all is as at first and the old text is kept", async () => {
  await page.ask({ type: "apply-edit", edit: "correct" });
  await page.ask({ type: "run", step: "push" });
  await page.until(() => checks()["corrected"] === "green", "the check");
  await page.until(() => (page.newest("queue")?.queue.queues[0]?.length ?? 0) === 2, "the messages");

  await page.ask({ type: "reset", scope: "lesson" });

  expect(checks()).toEqual({ printed: "red", corrected: "red" });
  expect(page.newest("steps")?.steps["push"]?.phase ?? "idle").toBe("idle");
  expect(await readFile(join(server.workspace, "01-first/answer.ts"), "utf8")).toContain("= 41;");
  await page.until(() => page.newest("queue")?.queue.queues[0]?.length === 0, "an empty queue");
});

test("given a lesson, when another is opened, then the shells are fresh, in its folder, and the queue is empty", async () => {
  await page.ask({ type: "run", step: "push" });
  await page.ask({ type: "run", step: "wait" });
  await page.until(() => page.paneState("worker")?.phase === "busy", "the program");
  const epoch = page.paneState("worker")?.epoch ?? 0;

  await page.ask({ type: "open-lesson", lesson: "02-second" });

  expect(page.newest("lesson")?.lesson.slug).toBe("02-second");
  expect(page.paneState("worker")).toMatchObject({ epoch: epoch + 1 });
  await page.ask({ type: "run", step: "where" });
  await page.until(() => checks()["there"] === "green", "the check of the other lesson");
  await page.until(() => page.newest("queue")?.queue.queues[0]?.length === 0, "an empty queue");
});

test("given the open lesson, when it is opened again, then nothing is restarted", async () => {
  await page.ask({ type: "run", step: "wait" });
  await page.until(() => page.paneState("worker")?.phase === "busy", "the program");
  const before = page.paneState("worker");

  await page.ask({ type: "open-lesson", lesson: "01-first" });

  expect(page.paneState("worker")).toEqual(before);
});

test("given a busy pane, when a step wants it, then the answer says what runs; with consent it is stopped", async () => {
  await page.ask({ type: "run", step: "wait" });
  await page.until(() => step("wait") === "running", "the program");
  page.type("producer", "sleep 500\n");
  await page.until(() => page.paneState("producer")?.phase === "busy", "the learner's program");

  const refused = await page.ask({ type: "run", step: "push" });
  expect(refused).toMatchObject({
    type: "error",
    code: "busy",
    message: expect.stringContaining("sleep 500"),
  });

  await page.ask({ type: "run", step: "push", force: true });
  await page.until(() => step("push") === "done", "the step");
});

test("given a save on an older text, when it arrives, then it is a conflict and the file stays", async () => {
  const base = hashOf("answer.ts");
  expect(await page.ask({ type: "save", path: "answer.ts", text: "// mine\n", base })).toMatchObject({
    type: "done",
  });

  const late = await page.ask({ type: "save", path: "answer.ts", text: "// late\n", base });

  expect(late).toMatchObject({ type: "error", code: "conflict" });
  expect(await readFile(join(server.workspace, "01-first/answer.ts"), "utf8")).toBe("// mine\n");
});

test("given another program that changes a file, when it is written, then the page gets it", async () => {
  await writeFile(join(server.workspace, "01-first/answer.ts"), "// by vim\n");

  await page.until(() => page.newest("file")?.file.text === "// by vim\n", "the new text");
});

test.each([
  "../answer.ts",
  "/etc/passwd",
  "answer.ts\0",
  "01-first/../../secret",
  ".playground.json",
  "a/b.ts",
])("given the path %j, when it is saved or reset, then it is refused", async (path) => {
  expect(await page.ask({ type: "save", path, text: "x", base: "" })).toMatchObject({ type: "error" });
  expect(await page.ask({ type: "reset", scope: "file", path })).toMatchObject({ type: "error" });
});

test("given a syntax error in the learner's file, when it is run, then a notice names file and line and what to do", async () => {
  const base = hashOf("answer.ts");
  await page.ask({ type: "save", path: "answer.ts", text: "const a = 1;\nconst b = (;\n", base });

  await page.ask({ type: "run", step: "print" });
  await page.until(() => page.notice("producer-failed") !== undefined, "the notice");

  expect(page.notice("producer-failed")).toMatch(
    /answer\.ts, line 2: .*Correct that line.*or press Reset for answer\.ts/,
  );
  await page.ask({ type: "reset", scope: "file", path: "answer.ts" });
  await page.ask({ type: "run", step: "print" });
  await page.until(() => step("print") === "done", "the corrected program");
  await page.until(() => page.notice("producer-failed") === undefined, "the notice to go");
});

test("given a port that is taken, when a program of the learner wants it, then a notice names it", async () => {
  const port = new URL(server.url).port;
  page.type("producer", `node -e 'require("net").createServer().listen(${port}, "127.0.0.1")'\n`);

  await page.until(() => page.notice("producer-failed") !== undefined, "the notice");

  expect(page.notice("producer-failed")).toContain(`Port ${port} is taken by another program`);
});

test("given Redis that is killed, when Start Redis is pressed, then it is up again and the page was told both", async () => {
  page.type("broker", "\x03");
  await page.until(() => page.notice("redis") !== undefined, "the notice");
  expect(page.newest("redis")?.redis.up).toBe(false);
  expect(page.notice("redis")).toContain("Press Start Redis");

  expect(await page.ask({ type: "start-redis" })).toMatchObject({ type: "done" });

  await page.until(() => page.notice("redis") === undefined, "the notice to go");
  expect(page.newest("redis")?.redis.up).toBe(true);
});

test("given Redis that is down, when Start Redis is pressed many times at once, then it is started once and all are answered", async () => {
  page.type("broker", "\x03");
  await page.until(() => page.newest("redis")?.redis.up === false, "Redis to end");
  await page.until(() => page.paneState("broker")?.phase === "idle", "its shell");

  const answers = await Promise.all(Array.from({ length: 20 }, () => page.ask({ type: "start-redis" })));

  expect(answers.map(({ type }) => type)).toEqual(answers.map(() => "done"));
  expect(server.output()).not.toContain("MaxListenersExceededWarning");
});

test("given a workspace that the learner removed whole, when the lesson is reset, then steps run and Redis starts again", async () => {
  await rm(server.workspace, { recursive: true });

  expect(await page.ask({ type: "reset", scope: "lesson" })).toMatchObject({ type: "done" });

  await page.ask({ type: "run", step: "print" });
  await page.until(() => checks()["printed"] === "green", "the check");
  page.tell({ type: "interrupt", pane: "broker" });
  await page.until(() => page.newest("redis")?.redis.up === false, "Redis to end");
  await page.until(() => page.paneState("broker")?.phase === "idle", "its shell");
  expect(await page.ask({ type: "start-redis" })).toMatchObject({ type: "done" });
});

test("given Redis stopped by Ctrl-Z, when Start Redis is pressed, then the answer says how it goes on", async () => {
  page.type("broker", "\x1a");
  await page.until(() => page.newest("redis")?.redis.up === false, "Redis to fall silent");

  expect(await page.ask({ type: "start-redis" })).toMatchObject({
    code: "redis-down",
    message: expect.stringContaining("Type fg in the broker pane"),
  });

  page.type("broker", "fg\r");
  await page.until(() => page.newest("redis")?.redis.up === true, "Redis");
});

test("given a broker pane that is busy, when Start Redis is pressed, then the answer says with what", async () => {
  page.type("broker", "\x03");
  await page.until(() => page.paneState("broker")?.phase === "idle", "an idle broker pane");
  page.type("broker", "sleep 500\n");
  await page.until(() => page.paneState("broker")?.phase === "busy", "the learner's program");

  const refused = await page.ask({ type: "start-redis" });

  expect(refused).toMatchObject({
    type: "error",
    code: "busy",
    message: expect.stringContaining("sleep 500"),
  });
  page.type("broker", "\x03");
  await page.until(() => page.paneState("broker")?.phase === "idle", "an idle broker pane");
});

test("given a second page, when it comes late, then it has the same state and the same screens", async () => {
  await page.ask({ type: "run", step: "print" });
  await page.until(() => checks()["printed"] === "green", "the check");
  await page.until(() => page.screens.producer.includes("the answer is 41"), "the output");

  await using second = await TestPage.open(server);
  await second.until(
    () => second.screens.producer.includes("the answer is 41"),
    "the output in the second page",
  );

  expect(second.newest("lesson")).toEqual(page.newest("lesson"));
  expect(second.newest("checks")).toEqual(page.newest("checks"));
  expect(second.newest("steps")).toEqual(page.newest("steps"));
  expect(second.newest("welcome")?.lesson).toBe("01-first");
});

test("given a lesson that is still to come, when it is opened, then the answer says so", async () => {
  const answer = await page.ask({ type: "open-lesson", lesson: "03-third" });

  expect(answer).toMatchObject({
    code: "not-found",
    message: expect.stringContaining("Lesson 3, The third, is still to come"),
  });
});

test("given an author who corrects the lesson's text, when it is saved, then the page gets it and nothing seen is forgotten", async () => {
  const copy = await mkdtemp(join(tmpdir(), "course-"));
  await cp(course, copy, { recursive: true });
  await using authors = await startServer({ args: ["--lessons", copy] });
  await using view = await TestPage.open(authors);
  await view.until(() => view.newest("redis")?.redis.up === true, "Redis");
  await view.ask({ type: "open-lesson", lesson: "01-first" });
  await view.ask({ type: "run", step: "print" });
  await view.until(() => view.newest("steps")?.steps["print"]?.phase === "done", "the step");
  const epoch = view.paneState("producer")?.epoch;

  const file = join(copy, "01-first/lesson.md");
  await writeFile(file, (await readFile(file, "utf8")).replace("The first", "The very first"));
  await view.until(() => view.newest("lesson")?.lesson.title === "The very first", "the new title");

  expect(view.newest("checks")?.checks[0]?.state).toBe("green");
  expect(view.newest("steps")?.steps["print"]?.phase).toBe("done");
  expect(view.paneState("producer")?.epoch).toBe(epoch);
  await rm(copy, { recursive: true });
});

test("given green checks, when the server starts again, then they are still green", async () => {
  await using first = await startServer({ args: ["--lessons", course] });
  const workspace = first.workspace;
  const one = await TestPage.open(first);
  await one.ask({ type: "open-lesson", lesson: "01-first" });
  await one.ask({ type: "apply-edit", edit: "correct" });
  await one.until(() => one.newest("checks")?.checks[1]?.state === "green", "the check");
  await one[Symbol.asyncDispose]();
  first.process.kill("SIGKILL");

  await using again = await startServer({ args: ["--lessons", course], workspace });
  await using two = await TestPage.open(again);
  await two.ask({ type: "open-lesson", lesson: "01-first" });

  expect(two.newest("checks")?.checks.map(({ state }) => state)).toEqual(["red", "green"]);
});
