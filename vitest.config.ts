import { defineConfig } from "vitest/config";

const source = { resolve: { conditions: ["source"] }, ssr: { resolve: { conditions: ["source"] } } };

/**
 * Four kinds of test, by what they need: `unit` needs nothing; `redis` gets redis-servers of its own
 * (`celery/test/support/redis-global.ts` starts one for each file that runs at a time); `fault` kills processes and takes minutes; `lessons` starts the
 * built server and runs every lesson.
 */
export default defineConfig({
  test: {
    // Vitest leaves a core to itself, which on two cores means one file at a time; most of these tests wait for other processes.
    maxWorkers: 2,
    projects: [
      {
        ...source,
        test: {
          name: "unit",
          // Some train models or start shells; on a busy machine the default of 5 s is a coin toss.
          testTimeout: 30_000,
          include: ["{celery,server,client,docs,lessons,scripts}/**/*.test.{ts,tsx}"],
          exclude: ["**/*.redis.test.ts", "**/*.fault.test.ts", "**/node_modules/**", "**/dist/**"],
        },
      },
      {
        ...source,
        test: {
          name: "redis",
          pool: "forks",
          include: ["{celery,server,examples}/**/*.redis.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**"],
          globalSetup: ["celery/test/support/redis-global.ts"],
          testTimeout: 30_000,
        },
      },
      {
        ...source,
        test: {
          name: "fault",
          pool: "forks",
          fileParallelism: false,
          include: ["celery/**/*.fault.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**"],
          globalSetup: ["celery/test/support/redis-global.ts"],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: "lessons",
          fileParallelism: false,
          include: ["e2e/lessons/**/*.test.ts"],
          exclude: ["**/node_modules/**"],
        },
      },
    ],
  },
});
