import { BeatLazyFunc, Celery, crontab, schedule } from "celery";

const redis = process.env.REDIS_URL ?? "redis://localhost:6379/0";

export const app = new Celery("clockwork", { broker: redis, backend: redis, timezone: "Europe/Berlin" });

export const greet = app.task("clockwork.greet", (name: string) => `Good morning, ${name}`);

export const measure = app.task("clockwork.measure", { ignoreResult: true }, (window: { since: string }) => {
  console.log(`measuring what came in since ${window.since}`);
});

export const report = app.task("clockwork.report", () => "report written");

/** By name, as in Python. All five fields of a crontab must match; what is left out is "*". */
app.conf.beat_schedule = {
  "every two seconds": { task: "clockwork.greet", schedule: 2, args: ["Ada"], options: { expires: 10 } },
  "on workdays at seven": {
    task: "clockwork.report",
    schedule: crontab({ hour: 7, minute: 0, dayOfWeek: "mon-fri" }),
  },
  "on the hour": { task: "clockwork.report", schedule: schedule({ runEvery: 3600, relative: true }) },
};

/** Where the tasks are defined. An argument may be worked out when Beat sends it. */
app.addPeriodicTask(5, measure, {
  name: "every five seconds",
  args: [{ since: "the start" }],
});
app.addPeriodicTask(crontab.fromString("*/10 8-18 * * mon-fri"), greet, {
  name: "every ten minutes at work",
  args: [new BeatLazyFunc(() => new Date().toLocaleTimeString("en"))],
});
