import { afterAll, beforeAll, expect, test } from "vitest";
import { type Playground, startPlayground } from "../support/playground.ts";
import { PageSession } from "./page-session.ts";
import { readySlugs } from "./ready-slugs.ts";
import { runThrough } from "./run-through.ts";

let playground: Playground;
let session: PageSession;

beforeAll(async () => {
  playground = await startPlayground();
  session = await PageSession.open(playground);
}, 60_000);

afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await playground?.stop();
});

test("given the course, when the server lists it, then every lesson that is ready can be opened", async () => {
  const course = await session.course();
  const served = course.parts.flatMap((part) => part.lessons.filter((lesson) => lesson.ready));
  expect(served.map((lesson) => lesson.slug)).toEqual(readySlugs());
  expect(served.length).toBeGreaterThan(0);
});

test.each([...readySlugs()])(
  "given the lesson %s, when its steps are run in order, then each check is red before and green after, and red again after a reset",
  { timeout: 600_000 },
  async (slug) => {
    const { seconds, steps, checks } = await runThrough(session, slug, () => {});
    process.stdout.write(`${slug}: ${steps} steps, ${checks} checks, ${seconds.toFixed(1)} s\n`);
  },
);
