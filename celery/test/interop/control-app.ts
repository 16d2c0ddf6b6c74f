import { Celery } from "celery";

/** Tasks of the same names as in python/control_app.py, for what remote control and monitors see. */
const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";

export const app = new Celery("control", {
  broker: redis,
  backend: redis,
  task_track_started: true,
  task_send_sent_event: true,
  worker_send_task_events: true,
  worker_pool_restarts: process.env["POOL_RESTARTS"] === "1",
});

app.task("control.add", { rateLimit: "1000/s" }, (x: number, y: number) => x + y);

app.task(
  "control.wait",
  (seconds: number) => new Promise((resolve) => setTimeout(() => resolve(seconds), seconds * 1000)),
);

app.task("control.fail", (text: string) => {
  throw new RangeError(text);
});

app.task("control.again", { bind: true, maxRetries: 1 }, (self) => {
  if (self.request.retries === 0) self.retry({ countdown: 0.3 });
  return "at last";
});

app.task("control.tell", { bind: true }, (self, amount: number) => {
  self.sendEvent("payment-refused", { amount });
});
