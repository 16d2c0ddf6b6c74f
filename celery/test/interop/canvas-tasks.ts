import { group } from "../../src/app/canvas/primitives.ts";
import type { Signature } from "../../src/app/canvas/signature.ts";
import type { Celery } from "../../src/app/celery.ts";
import type { Task } from "../../src/app/types.ts";
import type { RedisConnection } from "../../src/redis/connection.ts";

class ValueError extends Error {
  override readonly name = "ValueError";
}

type Any = Task<readonly never[], unknown>;

export interface CanvasTasks {
  readonly add: Task<[number, number], number>;
  readonly mul: Task<[number, number], number>;
  readonly xsum: Task<[number[]], number>;
  readonly echo: Any;
  readonly where: Any;
  readonly fail: Any;
  readonly note: Any;
  readonly onId: Any;
  readonly onFailure: Any;
  readonly replaced: Any;
  readonly replacedByGroup: Any;
  readonly grow: Any;
  readonly parent: Any;
  readonly stamps: Any;
}

/** The TypeScript half of the canvas tests: tasks of the same names as in python/canvas_app.py. */
export function canvasTasks(app: Celery, redis: RedisConnection): CanvasTasks {
  const add = app.task("canvas.add", (x: number, y: number) => x + y);
  const mul = app.task("canvas.mul", (x: number, y: number) => x * y);
  const xsum = app.task("canvas.xsum", (numbers: number[]) => numbers.reduce((sum, n) => sum + n, 0));
  const write = async (key: string, text: string): Promise<void> =>
    void (await redis.call("RPUSH", key, text));
  return {
    add,
    mul,
    xsum,
    echo: app.task("canvas.echo", (value: unknown) => value),
    where: app.task("canvas.where", (..._rest: unknown[]) => "ts"),
    fail: app.task("canvas.fail", (..._rest: unknown[]) => {
      throw new ValueError("no");
    }),
    note: app.task("canvas.note", { ignoreResult: true }, (key: unknown, value: unknown = null) =>
      write(`notes:${String(key)}`, String(value)),
    ),
    onId: app.task("canvas.on_id", (id: string) => write("failed", `ts ${id}`)),
    onFailure: app.task("canvas.on_failure", (request: { id: string }, exc: Error, traceback: unknown) =>
      write("failed", `ts ${request.id} ${exc.name} ${typeof traceback === "string" ? exc.message : "?"}`),
    ),
    replaced: app.task("canvas.replaced", { bind: true }, (self, sig: object) =>
      self.replace(sig as Signature),
    ),
    replacedByGroup: app.task(
      "canvas.replaced_by_group",
      { bind: true, parameters: ["numbers", "queue"] },
      (self, numbers: number[], queue: string) =>
        self.replace(group(numbers.map((n) => add.s(n, 1).set({ queue })))),
    ),
    grow: app.task("canvas.grow", { bind: true }, async (self, n: number) => {
      await self.addToChord(add.s(n, 100).set({ queue: "py" }));
      return n;
    }),
    parent: app.task("canvas.parent", { bind: true }, async (_self, queue: string) => {
      await add.s(1, 1).set({ queue }).delay();
      await group(add.s(2, 2).set({ queue }), add.s(3, 3).set({ queue })).delay();
      return "sent";
    }),
    stamps: app.task("canvas.stamps", { bind: true }, (self, ..._rest: unknown[]) => ({
      names: self.request.stampedHeaders ?? [],
      stamps: self.request.stamps,
    })),
  } as unknown as CanvasTasks;
}
