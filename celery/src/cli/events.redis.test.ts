import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";
import { startCelery } from "../../test/support/worker-process.ts";
import { openEventDispatcher } from "../events/index.ts";

test("given a broker that is away, when events are dumped, then it is said once, and they come when it is there", async () => {
  const dir = await mkdtemp(join(tmpdir(), "celery-dump-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const place = { port: await freePort(), dir };
  const broker = `redis://127.0.0.1:${place.port}/0`;
  const dump = startCelery({ args: ["-b", broker, "events", "--dump"], cwd: dir });
  onTestFinished(() => dump[Symbol.asyncDispose]());
  await dump.line(/Trying again until it is there/);

  const server = await startRedisServer([], place);
  onTestFinished(() => server.stop());
  await dump.line(/Connected again/);
  const events = openEventDispatcher(broker, { hostname: "w1@vm", taskEvents: true });
  onTestFinished(() => events[Symbol.asyncDispose]());
  events.send("task-started", { uuid: "t1" });

  expect(await dump.line(/task started/)).toMatch(/^w1@vm \[.*\] task started: {2}clock=1, /);
  expect(dump.lines.filter((line) => line.includes("Trying again"))).toHaveLength(1);
  dump.kill("SIGTERM");
  expect(await dump.exited).toBe(0);
});
