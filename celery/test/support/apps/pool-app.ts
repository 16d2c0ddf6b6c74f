import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Celery, Ignore, Reject, SoftTimeLimitExceeded } from "../../../src/index.ts";

/** Tasks for the tests of the pools: each shows one way in which a run may go. */
export const app = new Celery("pool-app", { broker: "redis://127.0.0.1:1/0" });

export const add = app.task("pool.add", (x: number, y: number) => x + y);

export const pid = app.task("pool.pid", () => process.pid);

export const fail = app.task("pool.fail", () => {
  throw new TypeError("boom");
});

export const ignore = app.task("pool.ignore", () => {
  throw new Ignore();
});

export const reject = app.task("pool.reject", () => {
  throw new Reject("no thanks", true);
});

export const retry = app.task("pool.retry", { bind: true }, (self) => self.retry({ countdown: 5 }));

export const progress = app.task("pool.progress", { bind: true }, async (self) => {
  await self.updateState("PROGRESS", { done: 1, at: new Date(0) });
  return "after";
});

/** Ends, and only then, when the file exists, tells of its progress. Writes into `log` what came of that. */
export const tooLate = app.task("pool.tooLate", { bind: true }, (self, file: string, log: string) => {
  const update = async (): Promise<void> => {
    while (!existsSync(file)) await sleep(10);
    self.sendEvent("task-progress", {});
    await self.updateState("PROGRESS", { late: true });
  };
  void update().catch((error: unknown) => appendFileSync(log, String(error)));
  return "ended";
});

export const echo = app.task("pool.echo", (value: unknown) => value);

export const print = app.task("pool.print", (text: string) => {
  process.stdout.write(`${text}\n`);
  process.stderr.write(`${text} on stderr\n`);
  return null;
});

/** Runs until the file exists; writes that it has begun into `log`. */
export const waitFor = app.task("pool.waitFor", async (file: string, log: string) => {
  appendFileSync(log, "begun\n");
  while (!existsSync(file)) await sleep(10);
  return "seen";
});

export const forEver = app.task("pool.forEver", () => new Promise<null>(() => undefined));

/** Blocks the event loop: nothing but a kill ends it. */
export const block = app.task("pool.block", (log: string) => {
  appendFileSync(log, `${process.pid}\n`);
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
});

export const exit = app.task("pool.exit", (code: number) => {
  process.exit(code);
});

export const die = app.task("pool.die", () => {
  process.stdout.write("last words\n");
  process.kill(process.pid, "SIGKILL");
  return new Promise<null>(() => undefined);
});

/** Forgets a promise that fails. */
export const strayRejection = app.task("pool.strayRejection", async () => {
  void Promise.reject(new Error("stray"));
  await sleep(1);
  return "survived";
});

export const named = app.task("pool.named", (x: number, y: number, factor: number = 10) => (x - y) * factor);

/** Told that its time is over, it tidies up. */
export const tidy = app.task("pool.tidy", { bind: true }, async (self) => {
  await sleep(60_000, undefined, { signal: self.signal }).catch(() => undefined);
  return self.signal.reason instanceof SoftTimeLimitExceeded ? "tidied up" : "why?";
});

export const tell = app.task("pool.tell", { bind: true }, (self, done: number) => {
  self.sendEvent("task-progress", { done, at: new Date(0) });
  return "told";
});

export const retryQuietly = app.task("pool.retryQuietly", { bind: true }, (self) => {
  self.retry({ countdown: 5, throw: false });
  return "went on";
});

export const retryWithAll = app.task("pool.retryWithAll", { bind: true }, (self, x: number) =>
  self.retry({
    countdown: 1,
    args: [x + 1],
    queue: "other",
    priority: 3,
    timeLimit: 9,
    exc: new RangeError("no"),
  }),
);

export const expected = app.task("pool.expected", { throws: [RangeError] }, () => {
  throw new RangeError("part of the contract");
});

export const flaky = app.task(
  "pool.flaky",
  { autoretryFor: [RangeError], retryBackoff: 2, retryJitter: false },
  () => {
    throw new RangeError("again");
  },
);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints what its handlers are told. */
export const handled = app.task(
  "pool.handled",
  {
    beforeStart: (_id, args) => say(`beforeStart ${JSON.stringify(args)}`),
    onSuccess: (retval) => say(`onSuccess ${String(retval)}`),
    onFailure: (exc) => say(`onFailure ${String(exc)}`),
    afterReturn: (state) => say(`afterReturn ${state}`),
  },
  (fails: boolean) => {
    if (fails) throw new TypeError("boom");
    return "fine";
  },
);

export const handlerThrows = app.task(
  "pool.handlerThrows",
  {
    onSuccess: () => {
      throw new Error("handler trouble");
    },
  },
  () => "fine",
);

const never = (): Promise<never> => new Promise(() => undefined);

/** Its function ends, and the handler that follows never does. */
export const stuckHandler = app.task(
  "pool.stuckHandler",
  { bind: true, onSuccess: never, onFailure: never, onRetry: never },
  (self, end: "success" | "failure" | "retry") => {
    if (end === "retry") self.retry();
    if (end === "failure") throw new TypeError("boom");
    return "fine";
  },
);

/** A listener that hears of it before never comes back. */
export const stuckListener = app.task("pool.stuckListener", () => "fine");
app.signals.taskPrerun.connect(never, { sender: "pool.stuckListener" });

/** Its runs are told to who listens; what they say is printed. */
export const heard = app.task("pool.heard", (fails: boolean) => {
  if (fails) throw new TypeError("boom");
  return 7;
});
const only = { sender: "pool.heard" };
app.signals.taskPrerun.connect(async ({ args }) => {
  await sleep(1);
  say(`prerun ${JSON.stringify(args)}`);
}, only);
app.signals.taskSuccess.connect(({ result }) => say(`success ${String(result)}`), only);
app.signals.taskFailure.connect(({ exception }) => say(`failure ${String(exception)}`), only);
app.signals.taskPostrun.connect(({ state }) => say(`postrun ${state}`), only);
app.signals.taskPostrun.connect(() => {
  throw new Error("listener trouble");
}, only);

/** Blocks the event loop for so long. */
export const blockFor = app.task("pool.blockFor", (ms: number) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return process.pid;
});

/** Keeps so many MiB for ever. */
const kept: Uint8Array[] = [];
export const keep = app.task("pool.keep", (mib: number) => {
  kept.push(new Uint8Array(mib * 1024 * 1024).fill(1));
  return process.pid;
});

/** Set by a listener of `workerProcessInit` that takes its time. */
let initialized = "";
app.signals.workerProcessInit.connect(async ({ processName }) => {
  await sleep(5);
  initialized = processName;
});
export const initializedAs = app.task("pool.initializedAs", () => initialized);

/** A file named by the environment says when this module's process ends in order. */
app.signals.workerProcessShutdown.connect(({ pid: own }) => {
  const file = process.env["POOL_APP_SHUTDOWNS"];
  if (file !== undefined) appendFileSync(file, `${own}\n`);
});

export const nap = app.task("pool.nap", async (ms: number, name: unknown) => {
  if (ms > 0) await sleep(ms);
  return name;
});
