import { Celery } from "celery";

const redis = process.env.REDIS_URL ?? "redis://localhost:6379/0";

/** The TypeScript half. tasks.py has the same name, broker and routes: a message does not say in which language its task is. */
export const app = new Celery("fleet", {
  broker: redis,
  backend: redis,
  task_routes: { "fleet.count": { queue: "python" }, "fleet.*": { queue: "typescript" } },
});

export const words = app.task("fleet.words", (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? []);

export const report = app.task("fleet.report", (counts: [word: string, times: number][]) =>
  counts.map(([word, times]) => `${word} ${"█".repeat(times)} ${times}`).join("\n"),
);
