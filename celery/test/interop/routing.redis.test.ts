import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import { Broadcast, Exchange, Queue, selectQueues } from "../../src/app/queues.ts";
import type { RequestInfo } from "../../src/app/types.ts";
import { openConnection, type RedisConnection } from "../../src/redis/connection.ts";
import { redisUrl } from "../support/redis-url.ts";
import { startTestWorker, type TestWorker } from "../support/test-worker.ts";
import { until } from "../support/until.ts";
import { proves } from "./compat.ts";
import { PythonClient, type PythonProcess, startPython } from "./python-celery.ts";

vi.setConfig({ testTimeout: 120_000 });

const base = redisUrl();
/** Our workers, and Python as the client. */
const ours = `${base}/56`;
/** A Python worker, and our client. */
const theirs = `${base}/57`;

const media = new Exchange("media", "topic");

/** The same queues as in python/routing_app.py. */
function anApp(url: string): Celery {
  return new Celery("routing", {
    broker: url,
    backend: url,
    task_queues: [
      "celery",
      new Queue("feeds", { exchange: media, routingKey: "feed.#" }),
      new Queue("images", { exchange: media, routingKey: "image.*.resize" }),
      { name: "one", exchange: "pair", routingKey: "both" },
      { name: "two", exchange: "pair", routing_key: "both" },
      new Broadcast("news"),
      new Queue("alerts", { exchange: new Exchange("alarms", "fanout"), routingKey: "loud" }),
    ],
    task_routes: { "routed.*": { queue: "feeds", routing_key: "feed.routed" } },
  });
}

interface Run {
  readonly id: string;
  readonly node: string;
  readonly from: readonly [exchange: string, routingKey: string];
}

/** A worker of ours that notes what it runs. */
async function aWorker(nodeName: string, runs: Run[]): Promise<TestWorker> {
  const app = anApp(ours);
  const note = ({ request }: { request: RequestInfo }): Run["from"] => {
    const from = [request.deliveryInfo.exchange, request.deliveryInfo.routingKey] as const;
    runs.push({ id: request.id, node: request.hostname, from });
    return from;
  };
  app.task("routing.where", { bind: true }, (self) => note(self));
  app.task("routed.here", { bind: true }, (self) => note(self));
  app.task("routing.again", { bind: true }, (self) => {
    note(self);
    if (self.request.retries === 0) self.retry({ countdown: 0, exchange: "alarms", routingKey: "loud" });
  });
  const worker = await startTestWorker(app, { nodeName, queues: selectQueues(app.conf) });
  onClose.push(worker, { [Symbol.asyncDispose]: () => app.close() });
  return worker;
}

const onClose: AsyncDisposable[] = [];
const runs: Run[] = [];
let python: PythonClient;
let pythonWorker: PythonProcess;
let client: Celery;
let redis: RedisConnection;

async function anEmptyDatabase(url: string): Promise<RedisConnection> {
  const connection = openConnection(url);
  await connection.call("FLUSHDB");
  return connection;
}

beforeAll(async () => {
  onClose.push(await anEmptyDatabase(ours));
  redis = await anEmptyDatabase(theirs);
  client = anApp(theirs);
  const args = ["-m", "celery", "-A", "routing_app", "worker", "-l", "info", "-P", "solo", "-n", "py@here"];
  [python, pythonWorker] = await Promise.all([
    PythonClient.open(ours, "routing_client.py"),
    startPython(args, { REDIS_URL: theirs }),
    aWorker("w1@here", runs),
    aWorker("w2@here", runs),
  ]);
  await pythonWorker.line(/ready\./);
}, 360_000);

afterAll(async () => {
  for (const resource of onClose) await resource[Symbol.asyncDispose]();
  await python?.[Symbol.asyncDispose]();
  await client?.close();
  await pythonWorker?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
}, 60_000);

const runsOf = (id: string): readonly Run[] => runs.filter((run) => run.id === id);

describe("a task sent by Python, to our workers", () => {
  test("given a queue of a topic exchange, when a key fits it, then our worker gets it with exchange and key", async () => {
    proves("Routing", "topic exchanges", "python → ours");
    const id = await python.send("routing.where", [], { queue: "feeds", routing_key: "feed.a.b" });

    expect(await python.get(id)).toEqual({ value: ["media", "feed.a.b"], state: "SUCCESS" });
  });

  test("given the topic exchange itself, when the key has one word for each star, then the queue bound by us gets it", async () => {
    proves("Routing", "topic exchanges", "python → ours");
    const id = await python.ask<string>({
      command: "send_through",
      task: "routing.where",
      exchange: "media",
      type: "topic",
      routing_key: "image.big.resize",
    });

    expect(await python.get(id)).toEqual({ value: ["media", "image.big.resize"], state: "SUCCESS" });
  });

  test("given a direct exchange with two queues on one key, when Python sends to it, then each queue has a copy", async () => {
    proves("Routing", "direct exchanges", "python → ours");
    const id = await python.send("routing.where", [], { exchange: "pair", routing_key: "both" });

    await until(() => runsOf(id).length === 2);
    expect(runsOf(id).map(({ from }) => from)).toEqual([
      ["pair", "both"],
      ["pair", "both"],
    ]);
  });

  test("given a fanout exchange, when Python sends to it, then every worker of ours runs the task once", async () => {
    proves("Routing", "fanout exchanges and broadcast queues", "python → ours");
    const through = { exchange: "news", type: "fanout", routing_key: "celery" };
    const id = await python.ask<string>({ command: "send_through", task: "routing.where", ...through });

    await until(() => runsOf(id).length === 2);
    expect(
      runsOf(id)
        .map(({ node }) => node)
        .toSorted(),
    ).toEqual(["w1@here", "w2@here"]);
    expect(runsOf(id)[0]?.from).toEqual(["news", "celery"]);
  });

  const nodesOf = (id: string): readonly string[] =>
    runsOf(id)
      .map(({ node }) => node)
      .toSorted();

  test.each([
    ["its name", { command: "send", queue: "alerts" }],
    ["its exchange", { command: "send_through", exchange: "alarms", type: "fanout", routing_key: "loud" }],
  ])(
    "given a queue with a name on a fanout exchange, when Python sends to it by %s, then every worker of ours runs the task once, and no list is left",
    async (_how, request) => {
      proves("Routing", "a fanout exchange with a named queue", "python → ours");
      await using other = openConnection(ours);
      const id = await python.ask<string>({ task: "routing.where", args: [], ...request });

      await until(() => runsOf(id).length === 2);
      expect(nodesOf(id)).toEqual(["w1@here", "w2@here"]);
      expect(runsOf(id)[0]?.from).toEqual(["alarms", "loud"]);
      expect(await other.call("LLEN", "alerts")).toBe(0);
    },
  );

  test("given a task that retries through a fanout exchange, when Python has sent it, then every worker of ours runs it again", async () => {
    proves("Routing", "a fanout exchange with a named queue", "python → ours");
    await using other = openConnection(ours);
    const id = await python.send("routing.again", []);

    await until(() => runsOf(id).length === 3);
    expect(new Set(nodesOf(id))).toEqual(new Set(["w1@here", "w2@here"]));
    expect(await other.call("LLEN", "alerts")).toBe(0);
  });

  test("given task_routes in Python that name queue and key, when the task is sent, then it arrives by them", async () => {
    proves("Routing", "task_routes", "python → ours");
    const id = await python.send("routed.here", []);

    expect(await python.get(id)).toEqual({ value: ["media", "feed.routed"], state: "SUCCESS" });
  });

  test("given priorities, when our worker finds them all waiting, then 0 comes first, and one bucket keeps its order", async () => {
    proves("Routing", "priorities", "python → ours");
    const app = new Celery("priorities", { broker: ours, backend: ours });
    const seen: number[] = [];
    app.task("routing.note", (priority: number) => void seen.push(priority));
    onTestFinished(() => app.close());
    for (const priority of [9, 5, 0, 3, 4, 7, 1]) {
      await python.send("routing.note", [priority], { queue: "by-priority", priority });
    }

    await using _worker = await startTestWorker(app, { queues: ["by-priority"], concurrency: 1 });

    await until(() => seen.length === 7);
    expect(seen).toEqual([0, 1, 5, 3, 4, 7, 9]);
  });
});

describe("a task sent by us, to a Python worker", () => {
  const runsInPython = async (id: string): Promise<number> => Number(await redis.call("LLEN", `trace:${id}`));

  test.each([
    ["its queue and a key", { queue: "feeds", routingKey: "feed.x" }, ["media", "feed.x"]],
    [
      "the exchange by name",
      { exchange: "media", routingKey: "image.a.resize" },
      ["media", "image.a.resize"],
    ],
    ["the exchange", { exchange: media, routingKey: "feed.y" }, ["media", "feed.y"]],
    ["a queue that nobody declared", { queue: "celery" }, ["", "celery"]],
  ])("given %s, when Python runs it, then it sees where it came from", async (_what, options, from) => {
    proves("Routing", "topic exchanges", "ours → python");
    const result = await client.sendTask("routing.where", [], options);

    expect(await result.get({ timeout: 20 })).toEqual(from);
  });

  test("given a direct exchange with two queues on one key, when we send to it, then Python runs a copy from each", async () => {
    proves("Routing", "direct exchanges", "ours → python");
    const { id } = await client.sendTask("routing.where", [], { exchange: "pair", routingKey: "both" });

    await until(async () => (await runsInPython(id)) === 2);
    expect(await runsInPython(id)).toBe(2);
  });

  test("given task_routes of ours that name queue and key, when the task is sent, then Python gets it by them", async () => {
    proves("Routing", "task_routes", "ours → python");
    const result = await client.sendTask("routed.here");

    expect(await result.get({ timeout: 20 })).toEqual(["media", "feed.routed"]);
  });

  test("given a broadcast queue, when we send to it by its name, then the Python worker hears it", async () => {
    proves("Routing", "fanout exchanges and broadcast queues", "ours → python");
    const result = await client.sendTask("routing.where", [], { queue: "news" });

    expect(await result.get({ timeout: 20 })).toEqual(["news", "celery"]);
  });

  test.each([
    ["its name", { queue: "alerts" }],
    ["its exchange", { exchange: "alarms", routingKey: "loud" }],
  ])(
    "given a queue with a name on a fanout exchange, when we send to it by %s, then the Python worker runs it, and no list is left",
    async (_how, options) => {
      proves("Routing", "a fanout exchange with a named queue", "ours → python");
      const result = await client.sendTask("routing.where", [], options);

      expect(await result.get({ timeout: 20 })).toEqual(["alarms", "loud"]);
      expect(await runsInPython(result.id)).toBe(1);
      expect(await redis.call("LLEN", "alerts")).toBe(0);
    },
  );

  test("given a client that does not know the exchange, when its type is said, then Python hears the broadcast; when not, then we are told", async () => {
    proves("Routing", "fanout exchanges and broadcast queues", "ours → python");
    const stranger = new Celery("stranger", { broker: theirs, backend: theirs });
    onTestFinished(() => stranger.close());
    const options = { exchange: "news", routingKey: "celery" };

    const result = await stranger.sendTask("routing.where", [], { ...options, exchangeType: "fanout" });

    expect(await result.get({ timeout: 20 })).toEqual(["news", "celery"]);
    await expect(stranger.sendTask("routing.where", [], options)).rejects.toThrow(
      /is a fanout.*exchangeType/,
    );
  });

  test("given a client that knows only the exchange's name, when the key fits a binding of Python's, then it arrives; else we are told", async () => {
    proves("Routing", "topic exchanges", "ours → python");
    const stranger = new Celery("stranger", { broker: theirs, backend: theirs });
    onTestFinished(() => stranger.close());

    const result = await stranger.sendTask("routing.where", [], { exchange: "media", routingKey: "feed.z" });

    expect(await result.get({ timeout: 20 })).toEqual(["media", "feed.z"]);
    const lost = stranger.sendTask("routing.where", [], {
      exchange: "media",
      routingKey: "image.a.b.resize",
    });
    await expect(lost).rejects.toThrow(
      /no queue is bound to the exchange "media" by a key that fits "image.a.b.resize"/,
    );
  });

  test("given the bindings that both sides declare, when they are read, then they are the same", async () => {
    proves("Routing", "bindings in Redis", "mixed");
    await using other = openConnection(ours);
    for (const exchange of ["media", "pair", "celery"]) {
      const [here, there] = await Promise.all(
        [other, redis].map((connection) => connection.call("SMEMBERS", `_kombu.binding.${exchange}`)),
      );
      expect((here as string[]).toSorted()).toEqual((there as string[]).toSorted());
    }
  });
});
