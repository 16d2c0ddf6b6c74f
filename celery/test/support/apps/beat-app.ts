import { Celery } from "celery";

/** A schedule for the tests that kill Beat. */
export const app = new Celery("beat-app", {
  broker: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0",
  beat_schedule: { tick: { task: "beat.tick", schedule: 0.5 } },
});
