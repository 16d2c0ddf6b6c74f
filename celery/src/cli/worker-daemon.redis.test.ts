import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { startCelery, type WorkerProcess } from "../../test/support/worker-process.ts";
import { askWorkers } from "../control/index.ts";
import { openConnection } from "../redis/connection.ts";

vi.setConfig({ testTimeout: 60_000 });

const url = `${redisUrl()}/53`;
const node = `w1@${hostname()}`;

let folder: string;
/** Ends what a test has left running in the background. */
let left: number | undefined;

beforeEach(async () => {
  await using redis = openConnection(url);
  await redis.call("FLUSHDB");
  folder = await mkdtemp(join(tmpdir(), "worker-daemon-"));
  const packageJson = new URL("../../package.json", import.meta.url);
  const app = `import { Celery } from "${new URL("../../dist/index.js", import.meta.url).href}";
export const app = new Celery("tasks", { broker: process.env.REDIS_URL, backend: process.env.REDIS_URL });
app.task("tasks.hold", () => new Promise((resolve) => setTimeout(resolve, 600_000)));`;
  await copyFile(packageJson, join(folder, "package.json"));
  await writeFile(join(folder, "tasks.js"), app);
  await writeFile(
    join(folder, "more.js"),
    'import { app } from "./tasks.js";\napp.task("more.task", () => 1);',
  );
});

afterEach(async () => {
  if (left !== undefined) process.kill(left, "SIGKILL");
  left = undefined;
  await rm(folder, { recursive: true, force: true });
});

function celery(args: readonly string[], env: Readonly<Record<string, string>> = {}): WorkerProcess {
  return startCelery({
    args: ["-A", "tasks", "worker", "-l", "info", "-n", "w1@%h", "-P", "async", ...args],
    cwd: folder,
    env: { REDIS_URL: url, ...env },
  });
}

async function logHas(pattern: RegExp): Promise<void> {
  await until(async () => pattern.test(await readFile(join(folder, "w1.log"), "utf8").catch(() => "")));
}

test("given --detach, when a worker starts, then it goes on in the background until its process is told to end; and there is only one", async () => {
  const daemon = ["-D", "--pidfile=%n.pid", "--logfile=%n.log", "-I", "more"];
  expect(await celery(daemon).exited).toBe(0);
  await logHas(/w1@.* ready\./);
  const pid = Number(await readFile(join(folder, "w1.pid"), "utf8"));
  left = pid;
  expect(await readFile(join(folder, "w1.log"), "utf8")).toContain("more.task");

  const second = celery(["--pidfile=%n.pid"]);
  expect(await second.exited).toBe(1);
  expect(second.lines.join("\n")).toContain(`Seems we're already running? (pid: ${pid})`);

  process.kill(pid, "SIGTERM");
  await until(() => !existsSync(join(folder, "w1.pid")));
  left = undefined;
  await logHas(/worker: Warm shutdown \(MainProcess\)/);
});

test("given --logfile, when the file is moved away by log rotation, then the worker goes on in a new one", async () => {
  await using worker = celery(["--logfile=%n.log"]);
  await logHas(/ready\./);

  await rename(join(folder, "w1.log"), join(folder, "w1.log.1"));
  await askWorkers(url, "add_consumer", {
    timeoutSeconds: 5,
    destination: [node],
    arguments: { queue: "another" },
  });

  await logHas(/^\[.*Started consuming from another/);
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(0);
});

test("given --statedb, when a worker that was told to revoke is killed and started again, then it still knows", async () => {
  const first = celery(["--statedb=%n.state"]);
  await first.line(/ready\./);
  const told = { task_id: ["revoked-before"] };
  await askWorkers(url, "revoke", { timeoutSeconds: 5, destination: [node], arguments: told });
  await until(async () => (await readFile(join(folder, "w1.state"), "utf8")).includes("revoked-before"));
  await first[Symbol.asyncDispose]();

  await using second = celery(["--statedb=%n.state"]);
  await second.line(/ready\./);

  const answers = await askWorkers(url, "revoked", { timeoutSeconds: 5, destination: [node] });
  expect(answers.get(node)).toEqual(["revoked-before"]);
});

test("given a state file that cannot be written, when a worker starts, then it says so at once and ends", async () => {
  await using worker = celery(["--statedb=tasks.js/%n.state"]);

  expect(await worker.exited).toBe(1);
  expect(worker.lines.join("\n")).toMatch(/Error: .*w1\.state cannot be/);
});

test("given REMAP_SIGTERM=SIGQUIT, when SIGTERM comes while a task runs, then the worker does not wait for it", async () => {
  await using worker = celery(["-X", "other"], { REMAP_SIGTERM: "SIGQUIT" });
  await worker.line(/ready\./);
  const { Celery } = await import("../app/celery.ts");
  const app = new Celery("client", { broker: url, backend: url });
  await app.sendTask("tasks.hold");
  await worker.line(/received/);

  worker.kill("SIGTERM");

  await worker.line(/worker: Cold shutdown \(MainProcess\)/);
  expect(await worker.exited).toBe(0);
  await app.close();
});
