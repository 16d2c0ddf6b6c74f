import { expect, test } from "vitest";
import { UsageError } from "./command.ts";
import { parseWorkerArguments } from "./worker-options.ts";

test("given no options, when they are read, then everything is as Celery's defaults", () => {
  expect(parseWorkerArguments([])).toMatchObject({
    logLevel: "WARNING",
    concurrency: undefined,
    autoscale: undefined,
    mingle: true,
    heartbeatInterval: 2,
    disablePrefetch: false,
    include: [],
    daemon: { detach: false, logFile: undefined, pidFile: undefined },
  });
});

test.each([
  [["--autoscale=10,3"], { autoscale: { max: 10, min: 3 } }],
  [["--autoscale", "3,10"], { autoscale: { max: 10, min: 3 } }],
  [["--autoscale=4"], { autoscale: { max: 4, min: 0 } }],
  [["-c", "auto"], { concurrency: undefined }],
  [["-X", "a, b", "-I", "shop.tasks"], { excludeQueues: ["a", "b"], include: ["shop.tasks"] }],
  [["--without-mingle", "--without-gossip"], { mingle: false }],
  [["--without-heartbeat"], { heartbeatInterval: null }],
  [["--heartbeat-interval=5"], { heartbeatInterval: 5 }],
  [["-O", "fair", "--disable-prefetch"], { disablePrefetch: true }],
  [
    ["-S", "w.state", "-D", "-f", "w.log"],
    { stateFile: "w.state", daemon: { detach: true, logFile: "w.log", pidFile: undefined } },
  ],
  [["--max-memory-per-child=200000"], { maxMemoryPerChild: 200_000 }],
])("given %j, when they are read, then they mean %j", (args, meaning) => {
  expect(parseWorkerArguments(args)).toMatchObject(meaning);
});

test.each([
  [["--autoscale=ten"], "is not two whole numbers as in 10,3"],
  [["--autoscale=0,0"], "leaves no process at all"],
  [["-O", "fast"], "is not one of default, fair"],
  [["--uid=nobody"], "--uid is not supported"],
  [["--scheduler=x:Y"], "--scheduler is not supported"],
  [["--pool-start-method=fork"], "Node processes cannot be forked"],
  [["-c", "0"], "must be at least 1"],
])("given %j, when they are read, then the error says what is wrong", (args, text) => {
  expect(() => parseWorkerArguments(args)).toThrow(UsageError);
  expect(() => parseWorkerArguments(args)).toThrow(text);
});
