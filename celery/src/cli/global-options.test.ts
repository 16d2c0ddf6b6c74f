import { describe, expect, test } from "vitest";
import { GLOBAL_OPTIONS, readGlobalOptions, wordsFromEnvironment } from "./global-options.ts";
import { parseOptions } from "./options.ts";
import { WORKER_OPTIONS } from "./worker-options.ts";

const read = (args: readonly string[], env: Readonly<Record<string, string>> = {}): object =>
  readGlobalOptions(parseOptions(GLOBAL_OPTIONS, args), env);

describe("what stands before the sub-command", () => {
  test("given it on the command line and in the environment, when read, then the command line wins", () => {
    const env = { CELERY_APP: "other", CELERY_BROKER_URL: "redis://env", NO_COLOR: "1" };

    expect(read(["-A", "tasks", "-q"], env)).toEqual({
      app: "tasks",
      broker: "redis://env",
      resultBackend: undefined,
      color: false,
      quiet: true,
    });
    expect(read([], { APP: "a", RESULT_BACKEND: "redis://r", CELERY_BROKER_URL: "" })).toMatchObject({
      app: "a",
      broker: undefined,
      resultBackend: "redis://r",
    });
  });

  test.each([
    [["--loader", "my.Loader"], {}, "'--loader' names a Python class"],
    [["--config=celeryconfig"], {}, "'--config' names a Python module"],
    [[], { CELERY_CONFIG_MODULE: "celeryconfig" }, "'--config' names a Python module"],
  ])("given %j and %j, when read, then it is refused with what to do instead", (args, env, text) => {
    expect(() => read(args, env)).toThrow(text);
  });
});

describe("a sub-command's options in the environment", () => {
  test("given variables, when read, then they are words of the command line, flags only when they say yes", () => {
    const env = {
      CELERY_WORKER_CONCURRENCY: "4",
      CELERY_WORKER_TASK_EVENTS: "true",
      CELERY_WORKER_BEAT: "0",
      CELERY_WORKER_QUEUES: "",
      CELERY_BEAT_SCHEDULE: "elsewhere",
    };

    expect(wordsFromEnvironment("worker", WORKER_OPTIONS, env).toSorted()).toEqual([
      "--concurrency=4",
      "--task-events",
    ]);
  });
});
