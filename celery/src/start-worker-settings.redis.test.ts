import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { freshApps } from "../test/support/fresh-apps.ts";
import { redisUrl } from "../test/support/redis-url.ts";
import { until } from "../test/support/until.ts";
import type { Celery } from "./app/celery.ts";
import { type LogRecord, type StartWorkerOptions, startWorker } from "./start-worker.ts";

const url = `${redisUrl()}/90`;
const anApp = freshApps(url);
const APPS = new URL("../test/support/apps/", import.meta.url).pathname;
const silent = { log: () => undefined };

async function poolOf(app: Celery): Promise<Readonly<Record<string, unknown>>> {
  const [stats] = Object.values(await app.control.inspect({ timeout: 5 }).stats());
  return stats?.["pool"] as Readonly<Record<string, unknown>>;
}

test.each<[object, StartWorkerOptions, string]>([
  [{}, {}, "async"],
  [{ worker_pool: "solo" }, {}, "solo"],
  [{ worker_pool: "solo" }, { pool: "async" }, "async"],
  [{ worker_pool: "threads" }, { module: "pool-app", cwd: APPS }, "async"],
  [{}, { module: "pool-app", cwd: APPS, concurrency: 1 }, "prefork"],
])(
  "given the settings %j and the options %j, when a worker is started, then its pool is %s",
  async (settings, options, kind) => {
    const app = anApp(settings);

    await using _worker = await startWorker(app, { ...silent, ...options });

    expect((await poolOf(app))["implementation"]).toContain(kind);
  },
);

test("given a prefork pool and no module to load, when a worker is started, then the error says what to give", async () => {
  await expect(startWorker(anApp(), { ...silent, pool: "prefork" })).rejects.toThrow(
    /needs `module`.*module: "tasks"/s,
  );
});

test("given a pool of one that is to grow, when a worker is started, then the error says what to do instead", async () => {
  const options = { ...silent, pool: "solo", autoscale: { min: 1, max: 3 } } as const;

  await expect(startWorker(anApp(), options)).rejects.toThrow(/solo pool runs one task .* Leave it out/);
});

test("given a state file, when a worker ends and another starts, then it does not run what was revoked before", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "state-"));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const app = anApp({ worker_state_db: "%n.state" });
  const ran: string[] = [];
  const note = app.task("inside.note", (text: string) => void ran.push(text));
  const options = { ...silent, cwd, nodeName: "one@here" };

  const first = await startWorker(app, options);
  await app.control.revoke("unwanted");
  await until(async () => (await app.control.inspect().revoked())["one@here"]?.includes("unwanted") ?? false);
  await first.stop();
  await note.applyAsync(["unwanted"], { taskId: "unwanted" });
  const wanted = await note.applyAsync(["wanted"]);
  await using _second = await startWorker(app, options);
  await wanted.get({ timeout: 10 });

  expect(ran).toEqual(["wanted"]);
});

test("given a neighbour that knows what is revoked, when a worker is started, then it knows it too, unless it was not to ask", async () => {
  const app = anApp();
  await using first = await startWorker(app, { ...silent, nodeName: "old@here" });
  await app.control.revoke("unwanted");
  await until(async () => (await app.control.inspect().revoked())[first.nodeName]?.length === 1);

  await using _new = await startWorker(app, { ...silent, nodeName: "new@here" });
  await using _deaf = await startWorker(app, { ...silent, nodeName: "deaf@here", mingle: false });

  const revoked = await app.control.inspect({ timeout: 5 }).revoked();
  expect(revoked["new@here"]).toEqual(["unwanted"]);
  expect(revoked["deaf@here"]).toEqual([]);
});

test("given a range to scale in, when more tasks come than its least, then they run at once", async () => {
  const app = anApp({ worker_prefetch_multiplier: 1 });
  let running = 0;
  const meet = app.task("inside.meet", async () => {
    running += 1;
    await until(() => running === 2);
    return running;
  });

  await using _worker = await startWorker(app, { ...silent, autoscale: { min: 1, max: 2 } });
  expect(await poolOf(app)).toMatchObject({ "max-concurrency": 1 });
  const results = [await meet.delay(), await meet.delay()];

  expect(await Promise.all(results.map((result) => result.get({ timeout: 10 })))).toEqual([2, 2]);
});

test.each([
  [{ worker_redirect_stdouts_level: "ERROR" }, ["ERROR"], false],
  [{ worker_redirect_stdouts: false }, [], true],
])(
  "given %j, when a task prints in a process, then it is logged as %j, and printed as it is: %s",
  async (settings, levels, isPrinted) => {
    const app = anApp(settings);
    const print = app.task("pool.print", (_text: string) => null);
    const log: LogRecord[] = [];
    const stdout = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    onTestFinished(() => stdout.mockRestore());
    await using _worker = await startWorker(app, {
      module: "pool-app",
      cwd: APPS,
      concurrency: 1,
      log: (record) => log.push(record),
    });

    await (await print.delay("a word")).get({ timeout: 20 });

    expect(log.filter(({ text }) => text === "a word").map(({ level }) => level)).toEqual(levels);
    expect(stdout.mock.calls.some(([text]) => text === "a word\n")).toBe(isPrinted);
  },
);

test("given listeners to the app's signals, when a worker starts and ends, then they hear what those of a worker process hear, and the first may change settings", async () => {
  const app = anApp();
  const heard: string[] = [];
  const { celerydInit, celerydAfterSetup, workerInit, workerReady, workerShutdown } = app.signals;
  for (const [name, signal] of Object.entries({ celerydAfterSetup, workerInit, workerReady, workerShutdown }))
    signal.connect(({ sender }) => void heard.push(`${name} ${sender}`));
  celerydInit.connect(({ options }) => {
    heard.push(`celerydInit ${JSON.stringify(options["queues"])}`);
    app.conf.worker_concurrency = 3;
  });

  const worker = await startWorker(app, { ...silent, nodeName: "w1", queues: ["mails"] });
  const pool = await poolOf(app);
  await worker.stop();

  expect(pool["max-concurrency"]).toBe(3);
  expect(heard).toEqual([
    'celerydInit ["mails"]',
    "celerydAfterSetup celery@w1",
    "workerInit celery@w1",
    "workerReady celery@w1",
    "workerShutdown celery@w1",
  ]);
});
