import { startRedisServer } from "./redis-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the test run's own Redis, database 0: `redis://127.0.0.1:<port>`. */
    redisUrl: string;
  }
}

/** One redis-server for the whole project run; every test file takes its own database number. */
export default async function setup(project: {
  provide(key: "redisUrl", value: string): void;
}): Promise<() => Promise<void>> {
  const server = await startRedisServer();
  project.provide("redisUrl", server.url);
  return () => server.stop();
}
