import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Celery, Ignore, Reject } from "../../../src/index.ts";

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
