import { access, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { startPlayground } from "../support/playground.ts";
import { expect, LessonPage, settle, test } from "./fixtures.ts";

/** A PATH with everything but Redis: the machine of somebody who never installed it. */
async function pathWithoutRedis(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "path-"));
  for (const name of [
    "bash",
    "sh",
    "node",
    "env",
    "sleep",
    "cat",
    "curl",
    "seq",
    "ps",
    "kill",
    "uname",
    "dirname",
    "stty",
    "tput",
  ]) {
    const found = await findOnPath(name);
    if (found !== undefined) await symlink(found, join(folder, name));
  }
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, name);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

test("given no redis-server on PATH, when the page opens, then it says that Redis is emulated and a lesson works", async ({
  page,
}) => {
  test.setTimeout(180_000);
  await using bare = await pathWithoutRedis();
  await using playground = await startPlayground({ env: { PATH: bare.path, REDIS_SERVER_BIN: undefined } });
  await page.goto(playground.url);
  await expect(page.getByText(/emulated Redis/i).first()).toBeVisible();

  const lessonPage = new LessonPage(page, playground);
  await lessonPage.open("03-delay-gives-a-receipt");
  await lessonPage.startWorker();
  const send = lessonPage.run("tsx send.ts");
  await send.click();

  await settle(lessonPage.card(send));
});
