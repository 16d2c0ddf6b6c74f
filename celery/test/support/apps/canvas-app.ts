import { Celery, group } from "celery";

const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";

/** For `canvas.redis.test.ts` of the worker: what running tasks do to their workflow, from a process of the pool. */
export const app = new Celery("canvas-app", { broker: redis, backend: redis });

export const add = app.task("flow.add", (x: number, y: number) => x + y);

export const sum = app.task("flow.sum", (numbers: number[]) => numbers.reduce((total, n) => total + n, 0));

export const replaced = app.task("flow.replaced", { bind: true }, (self, n: number) =>
  self.replace(group(add.s(n, 1), add.s(n, 2))),
);

export const grow = app.task("flow.grow", { bind: true }, async (self, n: number) => {
  await self.addToChord(add.s(n, 100));
  return n;
});

export const parent = app.task("flow.parent", async () => {
  await add.delay(1, 1);
  await group(add.s(2, 2), add.s(3, 3)).delay();
  return "sent";
});

export const tell = app.task("flow.tell", { bind: true }, (self, when: Date) => {
  const { group: groupId, groupIndex, chord, chain, callbacks, errbacks, stamps } = self.request;
  const isDate = when instanceof Date;
  return { groupId, groupIndex, chord, chain, callbacks, errbacks, stamps, isDate };
});

export const fail = app.task("flow.fail", (): never => {
  throw new TypeError("no");
});

export const onFailure = app.task(
  "flow.on_failure",
  (request: { id: string }, error: Error, traceback: string | null) => {
    const [first] = (traceback ?? "none").split("\n");
    process.stdout.write(`errback of ${request.id}: ${error.name} ${error.message}, ${first}\n`);
  },
);

export const die = app.task("flow.die", () => process.kill(process.pid, "SIGKILL"));

/** Calls itself once per item. */
export const twice = app.task("flow.twice", { bind: true }, (self, n: number | readonly number[]): unknown =>
  typeof n === "number" ? n * 2 : self.replace(self.map(n)),
);
