import { Celery } from "celery";

const redis = process.env.REDIS_URL ?? "redis://localhost:6379/0";

/** One Redis for both parts: it carries the messages and keeps the results. */
export const app = new Celery("sentiment", { broker: redis, backend: redis });

app.conf.update({
  task_track_started: true, // lets /result say "STARTED"
  task_time_limit: 300, // seconds, then the task's process is killed
  worker_max_tasks_per_child: 100, // then a fresh process takes over, so that leaks stay small
  result_expires: 3600, // seconds: a client that does not ask within the hour asks in vain
  task_routes: { "sentiment.retrain": { queue: "training" } }, // minutes of work must not hold up milliseconds
  beat_schedule: { "nightly-retrain": { task: "sentiment.retrain", schedule: 86_400 } },
});
