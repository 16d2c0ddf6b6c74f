import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { taskOptions } from "../../test/support/builders.ts";
import { EncodeError, InvalidArgument } from "../protocol/errors.ts";
import { encodeTaskMessage } from "../protocol/message.ts";
import { decodeMessage } from "../protocol/message-decode.ts";
import { makeConf } from "./conf.ts";
import type { ConfInput } from "./conf-values.ts";
import { type Call, makeDraft, type RoutedDraft } from "./draft.ts";
import { Router } from "./router.ts";
import type { ApplyOptions } from "./types.ts";

const NOW = Date.UTC(2026, 10, 21, 10, 0, 0);

function draft(options: ApplyOptions = {}, call: Partial<Call> = {}, settings: ConfInput = {}): RoutedDraft {
  const conf = makeConf(settings);
  return makeDraft(
    { name: "tasks.add", args: [4, 4], options, task: undefined, parent: undefined, ...call },
    {
      conf,
      router: new Router(conf),
      clock: { nowMs: () => NOW, monotonicMs: () => 0 },
      origin: "gen1@vm",
      replyTo: "me",
      nextId: randomUUID,
      nextTag: randomUUID,
    },
  );
}

test("given add.delay(4, 4), then the message has what Celery's has, but for the language", () => {
  const raw = encodeTaskMessage(draft({ taskId: "id-1" }).draft);
  const { headers, properties, body } = JSON.parse(raw) as {
    headers: unknown;
    properties: unknown;
    body: string;
  };
  expect(headers).toEqual({
    lang: "js",
    task: "tasks.add",
    id: "id-1",
    shadow: null,
    eta: null,
    expires: null,
    group: null,
    group_index: null,
    retries: 0,
    timelimit: [null, null],
    root_id: "id-1",
    parent_id: null,
    argsrepr: "(4, 4)",
    kwargsrepr: "{}",
    origin: "gen1@vm",
    ignore_result: false,
    replaced_task_nesting: 0,
    stamped_headers: null,
    stamps: {},
  });
  expect(properties).toMatchObject({
    correlation_id: "id-1",
    reply_to: "me",
    delivery_mode: 2,
    delivery_info: { exchange: "", routing_key: "celery" },
    priority: 0,
    body_encoding: "base64",
    delivery_tag: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
  });
  expect(Buffer.from(body, "base64").toString()).toBe(
    '[[4, 4], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
  );
  expect(decodeMessage(raw).ok).toBe(true);
});

test("given two calls, then neither id nor delivery tag is the same", () => {
  const [a, b] = [draft().draft, draft().draft];
  expect(a.headers.id).not.toBe(b.headers.id);
  expect(a.properties.deliveryTag).not.toBe(b.properties.deliveryTag);
});

test.each([
  [{ countdown: 5 }, "2026-11-21T10:00:05+00:00"],
  [{ countdown: 0 }, null],
  [{ eta: new Date(NOW + 1500) }, "2026-11-21T10:00:01.500000+00:00"],
  [{ eta: "2030-01-02T03:04:05" }, "2030-01-02T03:04:05"],
])("given %j, then eta is %s", (options, eta) => {
  expect(draft(options).draft.headers.eta).toBe(eta);
});

test.each([
  [{ expires: 60 }, "2026-11-21T10:01:00+00:00", "60000"],
  [{ expires: new Date(NOW - 5000) }, "2026-11-21T09:59:55+00:00", "0"],
  [{ expires: null }, null, null],
])("given %j, then it expires at %s", (options, expires, expiration) => {
  const { headers, properties } = draft(options).draft;
  expect([headers.expires, properties.expiration]).toEqual([expires, expiration]);
});

test.each([
  [{ queue: "call" }, { queue: "task" }, "call"],
  [{}, { queue: "task" }, "task"],
  [{}, {}, "routed"],
])("given queues of call, task and routes, then the nearest wins", (options, task, queue) => {
  const settings = { task_routes: { "tasks.*": "routed" } };
  const made = draft(options, { task: taskOptions(task) }, settings);
  expect(made.address.queue).toBe(queue);
  expect(made.draft.properties.deliveryInfo.routingKey).toBe(queue);
});

test("given no route, then the default queue of the settings is it", () => {
  expect(draft({}, {}, { task_default_queue: "mine" }).address.queue).toBe("mine");
});

test.each([
  [{ priority: 9 }, {}, 9],
  [{}, { task_default_priority: 4 }, 4],
  [{}, { task_inherit_parent_priority: true }, 6],
  [{}, {}, 0],
])("given priorities of call, settings and parent, then the nearest wins", (options, settings, priority) => {
  const parent = { id: "p", rootId: "r", priority: 6 };
  expect(draft(options, { parent }, settings).priority).toBe(priority);
});

test("given a task that sends, then the message names it as parent, and its root as root", () => {
  const { headers } = draft({}, { parent: { id: "p", rootId: "r", priority: 0 } }).draft;
  expect([headers.parentId, headers.rootId]).toEqual(["p", "r"]);
});

test.each([
  [{ priority: 10 }, /priority = 10: a whole number from 0 \(first\) to 9/],
  [{ priority: 1.5 }, /priority = 1.5/],
  [{ countdown: Number.NaN }, /countdown = null: a number of seconds/],
  [{ countdown: "5" }, /countdown = "5": a number of seconds/],
  [{ countdown: 1e20 }, /countdown = 100000000000000000000: .* Give fewer seconds/],
  [{ expires: -1e20 }, /expires = -100000000000000000000: .* Give fewer seconds/],
  [{ eta: new Date(253_402_300_800_000) }, /eta = "\+010000-01-01T00:00:00.000Z": a Date/],
  [{ eta: "tomorrow" }, /eta = "tomorrow": a Date or ISO 8601 text/],
  [{ eta: new Date(Number.NaN) }, /eta = null: a Date/],
  [{ timeLimit: 0 }, /timeLimit = 0: a number of seconds above 0/],
  [{ queue: "" }, /A queue has no name/],
  [{ countdwon: 5 }, /sending tasks.add: there is no option "countdwon". Did you mean "countdown"\?/],
  [{ task_id: "x" }, /there is no option "task_id". Did you mean "taskId"\?/],
  [{ zzzzzzzzzzzz: 1 }, /There are: kwargs, countdown/],
])("given %j, then the error quotes it", (options, message) => {
  expect(() => draft(options as ApplyOptions)).toThrow(InvalidArgument);
  expect(() => draft(options as ApplyOptions)).toThrow(message);
});

test("given an argument that cannot travel, then the error names its place", () => {
  expect(() => draft({}, { args: [1, { a: () => 1 }] })).toThrow(EncodeError);
  expect(() => draft({}, { args: [1, { a: () => 1 }] })).toThrow(/arguments\[0\]\[1\]\.a is a function/);
});

test("given long and deep arguments, then their texts are cut as Celery cuts them", () => {
  const { headers } = draft({ kwargs: { text: "x".repeat(5000) } }, { args: [[[[[1]]]]] }).draft;
  expect(headers.argsRepr).toBe("([[[...]]],)");
  expect(headers.kwargsRepr.length).toBeLessThan(1100);
});
