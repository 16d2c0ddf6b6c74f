import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { RetryPlan } from "../execution/outcome.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { decodeMessage } from "../protocol/message-decode.ts";
import { makeRetryMessage, withHeadersOf } from "./retry-message.ts";

function decode(raw: string): TaskMessage {
  const decoded = decodeMessage(raw);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.message;
}

function aPlan(changes: Partial<RetryPlan> = {}): RetryPlan {
  return {
    etaEpochSeconds: 0,
    message: "Retry in 1s",
    args: null,
    kwargs: null,
    queue: null,
    exchange: null,
    routingKey: null,
    priority: null,
    changes: {},
    ...changes,
  };
}

interface RetryCapture {
  readonly received: string;
  readonly sent: string;
}

const [captured] = JSON.parse(
  readFileSync(new URL("../../test/fixtures/retries.json", import.meta.url), "utf8"),
) as readonly [RetryCapture];

test("given what a Python worker received, when it is retried, then the message is the one Python sent", () => {
  const sent = decode(captured.sent);
  // Python writes microseconds, this clock has milliseconds.
  const expected = captured.sent
    .replace(".186321+00:00", ".186000+00:00")
    .replace('"lang": "py"', '"lang": "js"');

  const retry = makeRetryMessage(
    decode(captured.received),
    aPlan({ etaEpochSeconds: Date.parse("2026-11-21T10:09:21.186Z") / 1000 }),
    "celery",
    [],
    sent.properties.deliveryTag,
  );

  expect(retry).toEqual({ queue: "celery", priority: 0, raw: expected });
});

test("given new arguments and another queue, when retried, then both are in the message", () => {
  const retry = makeRetryMessage(
    decode(captured.received),
    aPlan({ args: [7, "x"], kwargs: { slow: true }, queue: "slow" }),
    "celery",
  );

  const message = decode(retry.raw);
  expect(retry.queue).toBe("slow");
  expect(message).toMatchObject({ args: [7, "x"], kwargs: { slow: true } });
  expect(message.headers).toMatchObject({ argsRepr: "(7, 'x')", kwargsRepr: "{'slow': True}", retries: 1 });
  expect(message.properties.deliveryInfo).toMatchObject({ routingKey: "slow" });
});

test("given an exchange, a priority and new limits, when retried, then the message goes there with them", () => {
  const retry = makeRetryMessage(
    decode(captured.received),
    aPlan({
      exchange: "feed",
      routingKey: "feed.retry",
      priority: 3,
      changes: { timeLimit: 9, expiresEpochSeconds: 60, headers: { trace: "t" } },
    }),
    "celery",
  );

  expect(retry).toMatchObject({ priority: 3, via: { exchange: "feed", routingKey: "feed.retry" } });
  const { headers, properties } = decode(retry.raw);
  expect(headers).toMatchObject({
    timeLimit: 9,
    expires: "1970-01-01T00:01:00+00:00",
    custom: { trace: "t" },
  });
  expect(properties).toMatchObject({
    priority: 3,
    deliveryInfo: { exchange: "feed", routingKey: "feed.retry" },
  });
});

const FOREIGN =
  '[[1.0, {"__type__": "decimal", "__value__": "1.10"}, 2], {"price": 2.50, "n": 3}, ' +
  '{"callbacks": [{"task": "t", "args": [4.0], "kwargs": {}, "options": {}}], "errbacks": null, "chain": null, "chord": null}]';

function foreignMessage(): { raw: string; message: TaskMessage } {
  const envelope = JSON.parse(captured.received) as { body: string };
  envelope.body = Buffer.from(FOREIGN).toString("base64");
  const raw = JSON.stringify(envelope).replace('"headers":{', '"headers":{"rate":5.0,');
  return { raw, message: decode(raw) };
}

function bodyOf(raw: string): string {
  return Buffer.from((JSON.parse(raw) as { body: string }).body, "base64").toString();
}

test("given numbers that JavaScript cannot tell apart, when retried with other arguments, then what was not changed is as it came", () => {
  const { message } = foreignMessage();
  expect(message.args).toEqual([1, "1.10", 2]);

  const changed = makeRetryMessage(message, aPlan({ args: [1, "1.10", 5] }), "celery");
  const named = makeRetryMessage(message, aPlan({ kwargs: { price: 2.5, n: 4 } }), "celery");

  expect(bodyOf(changed.raw)).toBe(FOREIGN.replace("}, 2]", "}, 5]"));
  expect(bodyOf(named.raw)).toBe(FOREIGN.replace('"n": 3', '"n": 4'));
  expect(bodyOf(changed.raw)).toContain('"args": [4.0]');
});

test("given such a number in a header of the sender's own, when retried, then it is as it came", () => {
  const { raw, message } = foreignMessage();
  expect(message.headers.custom).toEqual({ rate: 5 });
  const retry = makeRetryMessage(withHeadersOf(raw, message), aPlan(), "celery");
  expect(retry.raw).toContain('"rate": 5.0');
});

test.each([{ queue: "alerts" }, { exchange: "alarms" }, { exchange: "alarms", routingKey: "loud" }])(
  "given a fanout with a named queue, when a task retries by %j, then everybody who listens gets it: nobody takes from its list",
  (changes) => {
    const declared = [{ queue: "alerts", exchange: "alarms", type: "fanout", routingKey: "loud" }] as const;
    const { via } = makeRetryMessage(decode(captured.received), aPlan(changes), "celery", declared);
    expect(via).toMatchObject({ exchange: "alarms", type: "fanout", routingKey: "loud" });
  },
);
