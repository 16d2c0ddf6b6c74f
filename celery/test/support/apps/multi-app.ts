import { Celery } from "celery";

/** For workers that are started in the background. */
const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";
export const app = new Celery("multi", { broker: redis, backend: redis });

app.task("multi.where", { bind: true }, (self) => self.request.hostname);
