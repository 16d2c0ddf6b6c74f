import { setTimeout as sleep } from "node:timers/promises";
import { Celery } from "celery";

/** Our half of worker.redis.test.ts. */
const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";

export const app = new Celery("interop", {
  broker: redis,
  backend: redis,
  task_track_started: true,
  worker_send_task_events: true,
  worker_pool_restarts: true,
  worker_direct: process.env["WORKER_DIRECT"] === "1",
});

export const add = app.task("interop.add", (x: number, y: number) => x + y);

/** Tells when it ran: Unix time in seconds. */
export const stamp = app.task("interop.stamp", () => Date.now() / 1000);

/** Runs until it is ended. */
export const hold = app.task("interop.hold", () => sleep(600_000));

export const holdLate = app.task("interop.hold_late", { acksLate: true }, () => sleep(600_000));
