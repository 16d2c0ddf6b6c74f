import { describe, expect, test } from "vitest";
import { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import {
  ControlError,
  NO_REPLY,
  REMOTE_COMMANDS,
  type TaskInfo,
  type WorkerPanel,
  workerCommands,
} from "./index.ts";

const aTask = (id: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
  id,
  name: "tasks.add",
  args: [2, 3],
  kwargs: {},
  argsRepr: "(2, 3)",
  kwargsRepr: "{}",
  hostname: "w1@vm",
  timeStart: null,
  acknowledged: false,
  deliveryInfo: { exchange: "", routingKey: "celery", priority: 0, redelivered: false },
  workerPid: null,
  ...more,
});

interface Node {
  readonly ask: (command: string, args?: Readonly<Record<string, unknown>>) => unknown;
  /** What the worker was told to do. */
  readonly done: unknown[][];
  readonly logged: string[];
}

/** A worker that notes what it is told, with one task of each kind. */
function aNode(more: Partial<WorkerPanel> = {}): Node {
  const done: unknown[][] = [];
  const note =
    (name: string) =>
    (...args: unknown[]): void =>
      void done.push([name, ...args]);
  const panel: WorkerPanel = {
    active: () => [aTask("running", { timeStart: 1.5, acknowledged: true, workerPid: 7 })],
    reserved: () => [aTask("waiting")],
    scheduled: () => [{ eta: "2026-11-21T10:00:00+00:00", request: aTask("later") }],
    revoked: () => ["r1", "r2"],
    registered: () => [
      { name: "tasks.b", attributes: { rate_limit: "2/s", max_retries: 3, exchange: null } },
      { name: "tasks.add", attributes: { rate_limit: null, max_retries: 3 } },
      { name: "celery.chord", attributes: {} },
    ],
    stats: () => ({
      total: { "tasks.add": 3 },
      uptimeSeconds: 15.4,
      prefetchCount: 13,
      pool: {
        kind: "prefork",
        maxConcurrency: 3,
        processes: [11, 12, 13],
        maxTasksPerChild: null,
        timeouts: [0, 0],
        writes: [1, 1, 1],
      },
      autoscaler: null,
    }),
    conf: (withDefaults) => ({ withDefaults }),
    activeQueues: () => [{ name: "q", exchange: "x", exchangeType: "topic", routingKey: "a.#" }],
    report: () => "all well",
    revoke: async (...args) => note("revoke")(...args),
    revokeByStampedHeaders: async (...args) => {
      note("revokeByStampedHeaders")(...args);
      return ["running"];
    },
    adoptRevoked: note("adoptRevoked"),
    setRateLimit: note("setRateLimit"),
    setTimeLimit: note("setTimeLimit"),
    growPool: note("growPool"),
    shrinkPool: note("shrinkPool"),
    restartPool: note("restartPool"),
    autoscale: () => {
      throw new ControlError("Autoscale not enabled");
    },
    addConsumer: async (...args) => note("addConsumer")(...args),
    cancelConsumer: async (...args) => note("cancelConsumer")(...args),
    enableEvents: () => true,
    disableEvents: () => false,
    heartbeat: note("heartbeat"),
    shutdown: note("shutdown"),
    ...more,
  };
  const logged: string[] = [];
  const say = (_fields: object, text: string): void => void logged.push(text);
  const log: Log = { debug: say, info: say, warn: say, error: say };
  const commands = workerCommands(panel, {
    nodeName: "w1@vm",
    lamport: new LamportClock(),
    brokerUrl: "redis://me:secret@127.0.0.1:6610/5",
    transportOptions: {
      visibility_timeout: 60,
      socket_timeout: null,
      sentinel_kwargs: { password: "secret" },
    },
    log,
  });
  return { done, logged, ask: (name, args = {}) => commands[name]?.(args) };
}

describe("looking", () => {
  test("given tasks in every phase, when asked for, then they are shown as Celery shows requests", () => {
    const { ask } = aNode();

    expect(ask("active")).toEqual([
      {
        id: "running",
        name: "tasks.add",
        args: [2, 3],
        kwargs: {},
        type: "tasks.add",
        hostname: "w1@vm",
        time_start: 1.5,
        acknowledged: true,
        delivery_info: { exchange: "", routing_key: "celery", priority: 0, redelivered: false },
        worker_pid: 7,
      },
    ]);
    expect(ask("dump_active", { safe: true })).toMatchObject([{ args: "(2, 3)", kwargs: "{}" }]);
    expect(ask("reserved")).toMatchObject([{ id: "waiting", time_start: null, worker_pid: null }]);
    expect(ask("scheduled")).toMatchObject([
      { eta: "2026-11-21T10:00:00+00:00", priority: 6, request: { id: "later", args: [2, 3] } },
    ]);
  });

  test("given ids of which two are held, when queried, then their phase comes with them and the unknown is absent", () => {
    expect(aNode().ask("query_task", { ids: ["running", "later", "nope"] })).toMatchObject({
      running: ["active", { id: "running" }],
      later: ["scheduled", { id: "later" }],
    });
    expect(Object.keys(aNode().ask("query_task", { ids: ["nope"] }) as object)).toEqual([]);
  });

  test("given registered tasks, when listed, then set attributes are shown and builtins only on demand", () => {
    const { ask } = aNode();

    expect(ask("registered")).toEqual(["tasks.add", "tasks.b [rate_limit=2/s]"]);
    expect(ask("registered", { taskinfoitems: ["max_retries", "rate_limit"] })).toEqual([
      "tasks.add [max_retries=3]",
      "tasks.b [max_retries=3 rate_limit=2/s]",
    ]);
    expect(ask("registered", { taskinfoitems: null, builtins: true })).toContain("celery.chord");
  });

  test("given a prefork worker, when asked for stats, then they are what Celery tells, without the password", () => {
    const stats = aNode().ask("stats") as Record<string, unknown>;

    expect(stats).toMatchObject({
      total: { "tasks.add": 3 },
      pid: process.pid,
      clock: "0",
      uptime: 15,
      prefetch_count: 13,
      pool: {
        implementation: "celery.concurrency.prefork:TaskPool",
        "max-concurrency": 3,
        "max-tasks-per-child": "N/A",
        timeouts: [0, 0],
        writes: {
          total: 3,
          avg: "0.33",
          all: "0.33, 0.33, 0.33",
          raw: "1, 1, 1",
          strategy: "fair",
          inqueues: { total: 3, active: 0 },
        },
      },
      broker: { hostname: "127.0.0.1", userid: "me", virtual_host: "5", port: 6610, transport: "redis" },
    });
    expect(JSON.stringify(stats)).not.toContain("secret");
    expect(stats["broker"]).toMatchObject({
      transport_options: { visibility_timeout: 60, sentinel_kwargs: { password: "********" } },
    });
    expect(stats).not.toHaveProperty("autoscaler");
    expect(Object.keys(stats["rusage"] as object)).toHaveLength(16);
  });

  test("given a hello, when it comes from a neighbour, then ids are exchanged; from ourselves, then nothing", () => {
    const { ask, done, logged } = aNode();

    expect(ask("hello", { from_node: "w2@vm", revoked: { a: [12.5, "a"] } })).toEqual({
      revoked: ["r1", "r2"],
      clock: 1,
    });
    expect(ask("hello", { from_node: "w3@vm", revoked: ["b"] })).toMatchObject({ clock: 2 });
    expect(ask("hello", { from_node: "w1@vm", revoked: ["c"] })).toBeNull();
    expect(done).toEqual([
      ["adoptRevoked", ["a"]],
      ["adoptRevoked", ["b"]],
    ]);
    expect(logged).toEqual(["sync with w2@vm", "sync with w3@vm"]);
  });

  test("given memory samples, when dumped, then they are shown once", () => {
    const { ask } = aNode();

    expect(ask("memsample")).toMatch(/^\d+\.\d\dMB$/);
    expect(ask("memdump", { samples: 10 })).toMatch(/^- rss \(sample\):\n- {4}> [\d.]+MB,\n- rss \(end\): /);
    expect(ask("memdump")).toMatch(/^- rss \(end\): [\d.]+MB\.\n$/);
  });
});

describe("changing", () => {
  test("given ids, when revoked, then Python's set of them is told, and the log line written", async () => {
    const { ask, done, logged } = aNode();

    expect(await ask("revoke", { task_id: ["a", "b", "a"], terminate: false, signal: "SIGTERM" })).toEqual({
      ok: "tasks {'a', 'b'} flagged as revoked",
    });
    expect(await ask("revoke", { task_id: "c" })).toEqual({ ok: "tasks {'c'} flagged as revoked" });
    expect(done[0]).toEqual(["revoke", ["a", "b"], { terminate: false, signal: "SIGTERM" }]);
    expect(logged[0]).toBe("Tasks flagged as revoked: a, b");
  });

  test("given a running task, when terminated by name or number of a signal, then it is told which were known", async () => {
    const { ask, done, logged } = aNode();

    expect(await ask("terminate", { signal: "KILL", task_id: ["running", "nope"] })).toEqual({
      ok: "terminate: running",
    });
    expect(await ask("revoke", { task_id: ["nope"], terminate: true, signal: 15 })).toEqual({
      ok: "terminate: tasks unknown",
    });
    expect(done).toEqual([
      ["revoke", ["running", "nope"], { terminate: true, signal: "SIGKILL" }],
      ["revoke", ["nope"], { terminate: true, signal: "SIGTERM" }],
    ]);
    expect(logged).toEqual(["Terminating running (9)"]);
    await expect(ask("terminate", { signal: "NONE", task_id: [] })).rejects.toThrow(/no signal "NONE"/);
  });

  test("given stamps as pairs or as an object, when revoked by them, then both are understood", async () => {
    const { ask, done } = aNode();

    expect(await ask("revoke_by_stamped_headers", { headers: ["tenant=acme"] })).toEqual({
      ok: "headers {'tenant': 'acme'} flagged as revoked, but not terminated",
    });
    expect(
      await ask("revoke_by_stamped_headers", { headers: { tenant: ["a", "b"] }, terminate: true }),
    ).toEqual({ ok: "headers defaultdict(<class 'set'>, {'tenant': {'a', 'b'}}) revoked" });
    expect(done[0]).toEqual([
      "revokeByStampedHeaders",
      { tenant: ["acme"] },
      { terminate: false, signal: "SIGTERM" },
    ]);
  });

  test.each([
    ["10/m", "new rate limit set successfully", "10/m"],
    ["0", "new rate limit set successfully", "0"],
    [5, "new rate limit set successfully", 5],
    ["", "rate limit disabled successfully", null],
    [0, "rate limit disabled successfully", null],
    [null, "rate limit disabled successfully", null],
  ])("given the rate limit %j, when set, then the answer is: %s", (limit, ok, set) => {
    const { ask, done } = aNode();

    expect(ask("rate_limit", { task_name: "tasks.add", rate_limit: limit })).toEqual({ ok });
    expect(done).toEqual([["setRateLimit", "tasks.add", set]]);
  });

  test("given limits that cannot be, when set, then Celery's errors come and nothing is done", () => {
    const { ask, done } = aNode();

    expect(ask("rate_limit", { task_name: "tasks.add", rate_limit: "x/m" })).toEqual({
      error: "Invalid rate limit string: ValueError(\"could not convert string to float: 'x'\")",
    });
    expect(() => ask("rate_limit", { task_name: "tasks.add", rate_limit: "1/y" })).toThrow("KeyError('y')");
    expect(ask("rate_limit", { task_name: "no.such", rate_limit: "1/s" })).toEqual({ error: "unknown task" });
    expect(ask("time_limit", { task_name: "no.such", soft: 1 })).toEqual({ error: "unknown task" });
    expect(done).toEqual([]);
  });

  test("given a soft limit alone, when set, then the hard one is taken away, as in Celery", () => {
    const { ask, done, logged } = aNode();

    expect(ask("time_limit", { task_name: "tasks.add", soft: 10 })).toEqual({
      ok: "time limits set successfully",
    });
    expect(done).toEqual([["setTimeLimit", "tasks.add", { soft: 10, hard: null }]]);
    expect(logged).toEqual(["New time limits for tasks of type tasks.add: soft=10 hard=None"]);
  });

  test("given a pool, when it is to grow, shrink, restart or scale, then answers and errors are Celery's", () => {
    const busy = (): never => {
      throw new ControlError("Can't shrink pool. All processes busy!");
    };
    const { ask, done } = aNode({ shrinkPool: busy });

    expect(ask("pool_grow", { n: 2 })).toEqual({ ok: "pool will grow" });
    expect(ask("pool_grow")).toEqual({ ok: "pool will grow" });
    expect(done).toEqual([
      ["growPool", 2],
      ["growPool", 1],
    ]);
    expect(() => ask("pool_shrink", { n: 1 })).toThrow(
      `ValueError("Can't shrink pool. All processes busy!")`,
    );
    expect(() => ask("autoscale", { max: 3, min: 1 })).toThrow("ValueError('Autoscale not enabled')");
    expect(ask("pool_restart", { modules: null, reload: false, reloader: null })).toEqual({
      ok: "reload started",
    });
  });

  test("given an autoscaler, when the pool is to grow by hand, then it is refused", () => {
    const { stats } = fullPanel();
    const { ask } = aNode({ stats: () => ({ ...stats, autoscaler: { max: 4, min: 1, current: 2 } }) });

    expect(ask("pool_grow", { n: 1 })).toEqual({
      error: "pool_grow is not supported with autoscale. Adjust autoscale range instead.",
    });
  });

  test("given queues, events and an end, when asked for, then the answers are Celery's", async () => {
    const { ask, done, logged } = aNode();

    expect(await ask("add_consumer", { queue: "extra" })).toEqual({ ok: "add consumer extra" });
    expect(await ask("cancel_consumer", { queue: "extra" })).toEqual({
      ok: "no longer consuming from extra",
    });
    expect(ask("enable_events")).toEqual({ ok: "task events enabled" });
    expect(ask("disable_events")).toEqual({ ok: "task events already disabled" });
    expect(ask("heartbeat")).toBeNull();
    expect(ask("shutdown")).toBe(NO_REPLY);
    expect(done).toEqual([
      ["addConsumer", { queue: "extra", exchange: null, exchangeType: null, routingKey: null }],
      ["cancelConsumer", "extra"],
      ["heartbeat"],
      ["shutdown"],
    ]);
    expect(logged).toContain("Got shutdown from remote");
  });

  test("given the table of commands, when each is looked up, then the worker answers to its name and its alias", () => {
    const commands = workerCommands({} as WorkerPanel, {
      nodeName: "w1@vm",
      lamport: new LamportClock(),
      brokerUrl: "redis://localhost/0",
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
    const names = REMOTE_COMMANDS.flatMap(({ name, alias }) =>
      alias === undefined ? [name] : [name, alias],
    );

    expect(names.filter((name) => !Object.hasOwn(commands, name))).toEqual([]);
  });
});

function fullPanel(): { stats: ReturnType<WorkerPanel["stats"]> } {
  return {
    stats: {
      total: {},
      uptimeSeconds: 0,
      prefetchCount: 4,
      pool: {
        kind: "prefork",
        maxConcurrency: 1,
        processes: [1],
        maxTasksPerChild: null,
        timeouts: [0, 0],
        writes: [0],
      },
      autoscaler: null,
    },
  };
}
