import { Celery } from "celery";

// The playground's Redis. It plays two parts: it carries the messages and it keeps the answers.
const redis = process.env.REDIS_URL ?? "redis://localhost:6379/0";

export const app = new Celery("tasks", { broker: redis, backend: redis });

app.conf.update({
  task_serializer: "json",
  accept_content: ["json"],
  result_serializer: "json",
  timezone: "UTC",
  enable_utc: true,
  task_track_started: true,
  task_time_limit: 300, // seconds: a task that runs longer is stopped
  worker_max_tasks_per_child: 100, // then a fresh process takes over, so that leaks stay small
  worker_send_task_events: true, // these two tell the page what happens
  task_send_sent_event: true,
});
