import { inject } from "vitest";

/**
 * The Redis of the tests that run in this process: `redis://127.0.0.1:<port>`, no database number. No file that runs at the same
 * time has the same one, so a test may listen to everything, count connections and end them.
 */
export function redisUrl(): string {
  const url = inject("redisUrls")[Number(process.env["VITEST_POOL_ID"]) - 1];
  if (url === undefined)
    throw new Error(
      `There is no Redis for test process ${process.env["VITEST_POOL_ID"]}: redis-global.ts starts one for each of maxWorkers.`,
    );
  return url;
}
