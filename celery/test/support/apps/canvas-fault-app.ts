import { appendFileSync } from "node:fs";
import { Celery } from "celery";

const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";

/** For `canvas.fault.test.ts`: a chord whose results are so large that its worker can be killed while it puts the body together. */
export const app = new Celery("canvas-fault", {
  broker: redis,
  backend: redis,
  broker_transport_options: { heartbeat_ttl: 1, max_message_bytes: 256 * 1024 * 1024 },
});

export const big = app.task("fault.big", (size: number) => "x".repeat(size));

export const bigLate = app.task("fault.big_late", { acksLate: true }, (size: number) => "x".repeat(size));

/** Says in the file that it was called. */
export const measure = app.task("fault.measure", (texts: readonly string[], file: string) => {
  appendFileSync(file, "called\n");
  return texts.map((text) => text.length);
});
