import { setTimeout as sleep } from "node:timers/promises";
import { Celery, Ignore, Reject } from "celery";

/** Our half of running.redis.test.ts: one task for each way in which a run may go. */
const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";

export const app = new Celery("running", {
  broker: redis,
  backend: redis,
  task_track_started: true,
  worker_send_task_events: true,
});

class Upstream extends Error {
  override readonly name = "Upstream";
}

export const order = app.task("run.order", (x: number, y: number, factor: number = 10) => (x - y) * factor);

export const shape = app.task(
  "run.shape",
  (text: string, { upper = false, times = 1 }: { upper?: boolean; times?: number }) =>
    (upper ? text.toUpperCase() : text).repeat(times),
);

export const minified = app.task("run.minified", { parameters: ["x", "y"] }, (a: number, b: number) => a - b);

/** Fails once, and is retried by itself after a second. */
export const backoff = app.task(
  "run.backoff",
  { bind: true, autoretryFor: [Upstream], retryBackoff: true, retryJitter: false },
  (self) => {
    if (self.request.retries === 0) throw new Upstream("refused");
    return self.request.retries;
  },
);

export const exhausted = app.task("run.exhausted", { bind: true, maxRetries: 0 }, (self) => self.retry());

export const retryOther = app.task("run.retry_other", { bind: true }, (self, x: number, y: number) => {
  if (self.request.retries === 0) self.retry({ countdown: 0.1, kwargs: { y: 5 }, priority: 3 });
  return [x, y, self.request.retries, self.request.deliveryInfo.priority];
});

export const ignore = app.task("run.ignore", () => {
  throw new Ignore();
});

/** Back to the queue the first time. */
export const requeue = app.task("run.requeue", { bind: true, acksLate: true }, (self) => {
  if (!self.request.redelivered) throw new Reject("not now", true);
  return "second time";
});

export const progress = app.task("run.progress", { bind: true }, async (self) => {
  await self.updateState("PROGRESS", { done: 1, total: 3 });
  self.sendEvent("task-progress", { done: 1 });
  await sleep(300);
  return "done";
});

export const tidy = app.task("run.tidy", { bind: true }, async (self) => {
  await sleep(60_000, undefined, { signal: self.signal }).catch(() => undefined);
  return "tidied up";
});

export const forEver = app.task(
  "run.forever",
  () => new Promise<null>(() => setInterval(() => undefined, 60_000)),
);

export const die = app.task("run.die", () => {
  process.kill(process.pid, "SIGKILL");
  return new Promise<null>(() => undefined);
});
