import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { startRedisServer } from "./redis-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** One a test process, in the order of `VITEST_POOL_ID`; see `redisUrl()`. */
    redisUrls: readonly string[];
  }
}

/**
 * As many redis-servers as test files run at the same time, for the whole project run: pub/sub, connections and commands like
 * `CLIENT KILL` know no databases. The files that a process runs one after the other share its server, so every file
 * takes its own database number. Many tests start the built `celery`: it is made anew first, from the sources as they are.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bundle = fileURLToPath(new URL("../../build/bundle.mjs", import.meta.url));
  await promisify(execFile)(process.execPath, [bundle]);
  const processes = project.config.maxWorkers ?? project.vitest.config.maxWorkers ?? 1;
  const servers = await Promise.all(Array.from({ length: processes }, () => startRedisServer()));
  project.provide(
    "redisUrls",
    servers.map(({ url }) => url),
  );
  return async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
}
