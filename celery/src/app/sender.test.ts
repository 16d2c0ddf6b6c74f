import { expect, test } from "vitest";
import { Celery } from "./celery.ts";

test("given a listener to beforeTaskPublish, when a call is prepared, then what it puts into the headers travels", () => {
  const app = new Celery("signals");
  const told: unknown[] = [];
  app.signals.beforeTaskPublish.connect((signal) => {
    told.push([signal.sender, signal.args, signal.kwargs, signal.exchange, signal.routingKey]);
    signal.headers["trace"] = "t-1";
  });

  const call = app.prepare("tasks.add", [1, 2], { kwargs: { z: 3 }, headers: { own: 1 } });

  expect(told).toEqual([["tasks.add", [1, 2], { z: 3 }, "", "celery"]]);
  expect(JSON.parse(call.message.raw)).toMatchObject({ headers: { own: 1, trace: "t-1" } });
});

test("given settings that change, when calls are prepared before and after, then each follows the settings of its time", () => {
  const app = new Celery("changing");
  expect(app.prepare("tasks.add")).toMatchObject({
    routingKey: "celery",
    retry: true,
    policy: { maxRetries: 3 },
  });

  app.conf.update({
    task_default_queue: "other",
    task_publish_retry: false,
    task_publish_retry_policy: { max_retries: 9 },
  });

  expect(app.prepare("tasks.add")).toMatchObject({
    routingKey: "other",
    retry: false,
    policy: { maxRetries: 9 },
  });
  expect(app.prepare("tasks.add", [], { retry: true, retryPolicy: { maxRetries: 1 } })).toMatchObject({
    retry: true,
    policy: { maxRetries: 1, intervalStep: 0.2 },
  });
});

test("given a message larger than allowed, when it is prepared, then the error says how large and what to do", () => {
  const app = new Celery("large", { broker_transport_options: { max_message_bytes: 2000 } });
  expect(() => app.prepare("tasks.add", ["x".repeat(3000)])).toThrow(
    /tasks\.add has \d+ bytes.*2000 allowed/,
  );
});

test("given options of the call, the task and the routes, when a call is prepared, then the nearest that says something wins", () => {
  const app = new Celery("precedence", {
    task_queues: [
      "celery",
      { name: "feeds", exchange: "media", exchange_type: "topic", routing_key: "feed.#" },
    ],
    task_routes: { "tasks.*": { queue: "feeds", routing_key: "feed.route", priority: 3 } },
  });
  app.task("tasks.own", { priority: 6, routingKey: "feed.task" }, () => null);

  const [routed, own, called] = [
    app.prepare("tasks.any"),
    app.prepare("tasks.own"),
    app.prepare("tasks.own", [], { routingKey: "feed.call", priority: 9 }),
  ];

  expect([routed, own, called].map(({ exchange, routingKey }) => [exchange, routingKey])).toEqual([
    ["media", "feed.route"],
    ["media", "feed.task"],
    ["media", "feed.call"],
  ]);
  expect([routed, own, called].map(({ message }) => message.priority)).toEqual([3, 6, 9]);
});

test.each([
  [{ serializer: "pickle" }, /serializer = "pickle" is not supported, only "json"/],
  [{ compression: "bzip2" }, /compression = "bzip2" is not supported, only "gzip"/],
])("given %j, when a call is prepared, then the error says what there is", (options, message) => {
  expect(() => new Celery("refusals").prepare("tasks.add", [], options as object)).toThrow(message);
});
