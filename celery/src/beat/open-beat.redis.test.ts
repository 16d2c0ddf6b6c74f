import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { Celery } from "../app/celery.ts";
import { Exchange, Queue } from "../app/queues.ts";
import { askWorkers } from "../control/index.ts";
import { openConnection } from "../redis/connection.ts";
import { openBeatLock } from "../redis/lock.ts";
import { silentLog } from "../runtime/log.ts";
import { openBeat } from "./open-beat.ts";

const url = `${redisUrl()}/92`;

test("given an entry that says exchange, key and what follows, when Beat sends it, then it lies in the queue that is bound there, with all of it", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "celery-beat-app-"));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const app = new Celery("feeds", {
    broker: url,
    task_queues: [
      new Queue("beat-feeds", { exchange: new Exchange("beat-media", "topic"), routingKey: "media.#" }),
    ],
  });
  onTestFinished(() => app.close());
  const next = app.signature("feeds.after", []);
  app.addPeriodicTask(0.1, "feeds.video", {
    exchange: "beat-media",
    routingKey: "media.video.new",
    link: next,
  });
  await using redis = openConnection(url);
  await redis.call("DEL", "beat-feeds");
  const stopping = new AbortController();
  await using beat = openBeat(app, { cwd, log: silentLog });

  const running = beat.run(stopping.signal);
  await until(async () => Number(await redis.call("LLEN", "beat-feeds")) > 0);
  stopping.abort();
  await running;

  const envelope = JSON.parse(String(await redis.call("LINDEX", "beat-feeds", -1))) as {
    body: string;
    headers: { task: string };
    properties: { delivery_info: object };
  };
  expect(envelope.headers.task).toBe("feeds.video");
  expect(envelope.properties.delivery_info).toEqual({
    exchange: "beat-media",
    routing_key: "media.video.new",
  });
  const [, , embed] = JSON.parse(Buffer.from(envelope.body, "base64").toString()) as [
    unknown,
    unknown,
    { callbacks: unknown },
  ];
  expect(embed.callbacks).toMatchObject([{ task: "feeds.after" }]);
  await redis.call("DEL", "beat-feeds");
});

test("given a Beat that answers pings, when its schedule cannot be read, then it ends with the error and answers no more", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "celery-beat-app-"));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const app = new Celery("stuck", { broker: url });
  onTestFinished(() => app.close());
  await using other = openBeatLock(url, { holder: "other", ttlMs: 20_000 });
  await other.acquire();
  const lines: string[] = [];
  const write = (_fields: object, line: string): void => void lines.push(line);
  const log = { debug: write, info: write, warn: write, error: write };
  await using beat = openBeat(app, {
    cwd,
    scheduleFile: ".",
    remoteControl: true,
    nodeName: "beat@here",
    log,
  });

  const running = beat.run(new AbortController().signal);
  running.catch(() => undefined);
  await until(() => lines.includes("beat pidbox: Connected.") && lines.some((line) => /waits/.test(line)));
  const destination = ["beat@here"];
  expect((await askWorkers(url, "ping", { timeoutSeconds: 30, destination })).size).toBe(1);
  await other.release();

  await expect(running).rejects.toThrow(/EISDIR/);
  expect((await askWorkers(url, "ping", { timeoutSeconds: 0.5, destination })).size).toBe(0);
});
