import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startRedisServer } from "./redis-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the test run's own Redis, database 0: `redis://127.0.0.1:<port>`. */
    redisUrl: string;
  }
}

/**
 * One redis-server for the whole project run; every test file takes its own database number. Many tests start the built
 * `celery`: it is made anew first, from the sources as they are.
 */
export default async function setup(project: {
  provide(key: "redisUrl", value: string): void;
}): Promise<() => Promise<void>> {
  const bundle = fileURLToPath(new URL("../../build/bundle.mjs", import.meta.url));
  await promisify(execFile)(process.execPath, [bundle]);
  const server = await startRedisServer();
  project.provide("redisUrl", server.url);
  return () => server.stop();
}
