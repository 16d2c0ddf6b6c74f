import { defineConfig } from "vitest/config";

const source = { resolve: { conditions: ["source"] }, ssr: { resolve: { conditions: ["source"] } } };

/** Only a test that fails waits so long. On a machine that is busy with other things every program takes ten times its time. */
const patience = (seconds: number) => ({
  testTimeout: seconds * 1000,
  hookTimeout: seconds * 1000,
  expect: { poll: { timeout: seconds * 500 } },
});

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
          ...patience(60),
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
          ...patience(120),
        },
      },
      {
        ...source,
        test: {
          name: "fault",
          pool: "forks",
          include: ["celery/**/*.fault.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**"],
          globalSetup: ["celery/test/support/redis-global.ts"],
          ...patience(300),
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
