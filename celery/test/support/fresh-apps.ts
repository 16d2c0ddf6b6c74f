import { beforeEach, onTestFinished } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import { openConnection } from "../../src/redis/connection.ts";

/** Makes apps, each closed with its test, in a database that is empty when a test begins. For the top of a test file. */
export function freshApps(url: string): (settings?: object) => Celery {
  beforeEach(async () => {
    await using redis = openConnection(url);
    await redis.call("FLUSHDB");
  });
  return (settings = {}) => {
    const app = new Celery("inside", { broker: url, backend: url, ...settings });
    onTestFinished(() => app.close());
    return app;
  };
}
