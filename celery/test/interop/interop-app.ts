import { Celery } from "celery";

/** The TypeScript half of the interop tests: tasks of the same names as in python/interop_app.py. */
const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";

export const app = new Celery("interop", {
  broker: redis,
  backend: redis,
  task_track_started: true,
  task_send_sent_event: true,
  worker_send_task_events: true,
  broker_transport_options: { heartbeat_ttl: Number(process.env["HEARTBEAT_TTL"] ?? 10) },
});

/** An error that the other side has never heard of. */
class PaymentRefused extends Error {
  override readonly name = "PaymentRefused";
}

export const add = app.task("interop.add", (x: number, y: number) => x + y);

export const echo = app.task("interop.echo", (value: unknown) => value);

export const fail = app.task("interop.fail", (message: string) => {
  throw new TypeError(message);
});

export const refuse = app.task("interop.refuse", (reason: string) => {
  throw new PaymentRefused(reason);
});

export const flaky = app.task("interop.flaky", { bind: true, maxRetries: 5 }, (self, times: number) => {
  if (self.request.retries < times) self.retry({ countdown: 0.3, exc: new RangeError("missing") });
  return self.request.retries;
});

export const describe = app.task("interop.describe", { bind: true }, (self, ...args: unknown[]) => {
  const { id, retries, rootId, parentId, redelivered, headers } = self.request;
  const from_beat = headers["celery_beat_task"] === true;
  return { id, args, retries, root_id: rootId, parent_id: parentId, redelivered, from_beat };
});

/** Held until its worker is killed. */
export const hold = app.task(
  "interop.hold",
  { acksLate: true },
  () => new Promise(() => setInterval(() => undefined, 60_000)),
);
