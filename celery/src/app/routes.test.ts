import { expect, test } from "vitest";
import type { SendOptions } from "./call-options.ts";
import { makeConf } from "./conf.ts";
import { knownQueues } from "./known-queues.ts";
import { Broadcast, Queue } from "./queues.ts";
import { compileRoutes, type TaskRoutes } from "./routes.ts";

function findRoute(
  routes: TaskRoutes | null,
  name: string,
  args: readonly unknown[] = [],
  kwargs: Readonly<Record<string, unknown>> = {},
): SendOptions {
  return compileRoutes(routes).find(name, args, kwargs, { options: {}, isRegistered: true });
}

const table: TaskRoutes = {
  "tasks.*": "default",
  "tasks.retrain": { queue: "training", priority: 3 },
  "*.slow": "slow",
  "feed.?": "short",
};

test.each([
  ["tasks.retrain", { queue: "training", priority: 3 }],
  ["tasks.add", { queue: "default" }],
  ["other.slow", { queue: "slow" }],
  ["tasks.slow", { queue: "default" }],
  ["feed.a", { queue: "short" }],
  ["feed.ab", {}],
  ["nothing", {}],
  ["__proto__", {}],
  ["constructor", {}],
])("given a table, when %s is routed, then exact names win over globs, globs in order", (name, route) => {
  expect(findRoute(table, name, [], {})).toEqual(route);
});

test("given functions and tables in a list, when routed, then the first answer counts", () => {
  const routes: TaskRoutes = [
    (name, args) => (name === "tasks.add" && args[0] === 1 ? "ones" : null),
    { "tasks.*": "rest" },
  ];
  expect(findRoute(routes, "tasks.add", [1], {})).toEqual({ queue: "ones" });
  expect(findRoute(routes, "tasks.add", [2], {})).toEqual({ queue: "rest" });
});

test("given a single function or nothing, when routed, then that is all there is", () => {
  expect(findRoute((_name, _args, kwargs) => String(kwargs["to"]), "x", [], { to: "there" })).toEqual({
    queue: "there",
  });
  expect(findRoute(null, "x", [], {})).toEqual({});
});

test.each([
  ["feed.tasks.import", { queue: "feeds" }],
  ["feed.task", { queue: "early" }],
  ["a.video.b", {}],
  ["video.x", { exchange: "media", routingKey: "video.compress", exchangeType: "topic", priority: 2 }],
  ["image.y", { exchange: "media", routingKey: "image" }],
  ["x[1].z", { queue: "brackets" }],
])(
  "given pairs, regular expressions and Celery's spelling, when %s is routed, then all are understood",
  (name, route) => {
    const routes: TaskRoutes = [
      [
        ["feed.tasks.*", { queue: "feeds" }],
        [
          /video\.[a-z]/g,
          { exchange: "media", exchange_type: "topic", routing_key: "video.compress", priority: 2 },
        ],
      ],
      new Map<string | RegExp, { queue?: string; exchange?: string; routingKey?: string }>([
        [/feed/, { queue: "early" }],
        ["image.?", { exchange: "media", routingKey: "image" }],
        ["x[[]1].*", { queue: "brackets" }],
      ]),
    ];
    expect(findRoute(routes, name)).toEqual(route);
  },
);

test("given routes, then only those with functions have to be asked each time", () => {
  expect(compileRoutes(table).isStatic).toBe(true);
  expect(compileRoutes([table, new Map()]).isStatic).toBe(true);
  expect(compileRoutes(null).isStatic).toBe(true);
  expect(compileRoutes([table, () => null]).isStatic).toBe(false);
  expect(compileRoutes(() => null).isStatic).toBe(false);
});

test("given queues and routes in all their forms, when those known are asked for, then each is there once, and no broadcast", () => {
  const conf = makeConf({
    task_queues: ["celery", new Broadcast("news")],
    task_routes: [
      { "a.*": "from-table", "b.*": { queue: "celery" }, "c.*": { exchange: "x", routing_key: "k" } },
      [[/d/, { queue: new Queue("from-pair") }]],
      new Map([["e.*", "from-map"]]),
      () => "unknown",
      { "f.*": "news" },
    ],
  });
  expect(knownQueues(conf)).toEqual(["celery", "from-table", "from-pair", "from-map"]);
});
