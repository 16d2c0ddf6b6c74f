// Ours, as a worker loads it: `celery -A tasks worker`.
import { Celery } from "celery";
import { noop } from "./noop.mjs";

const url = process.env.BENCH_REDIS_URL;

export const app = new Celery("bench", { broker: url, backend: url });
export const task = app.task("bench.noop", noop);
