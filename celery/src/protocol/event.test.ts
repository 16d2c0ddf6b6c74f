import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeBroadcast, encodeBroadcast } from "./broadcast.ts";
import { makeEvent, readEvents } from "./event.ts";

interface Captured {
  events: { celery: string; channel: string; raw: string; types: string[] }[];
}
const captured = JSON.parse(
  readFileSync(new URL("../../test/fixtures/broadcasts.json", import.meta.url), "utf8"),
) as Captured;

describe("events as real Celery sends them", () => {
  test.each(captured.events)(
    "given $channel of Celery $celery, when it is read, then its events come out whole",
    ({ raw, types }) => {
      const broadcast = decodeBroadcast(raw);

      const events = readEvents(broadcast?.body);

      expect(events.map((event) => event.type)).toEqual(types);
      const bodies = [broadcast?.body].flat() as Record<string, unknown>[];
      events.forEach((event, i) => expect(event).toMatchObject(bodies[i] as object));
    },
  );

  test("given an event of ours, when it is read as Celery would, then it has Celery's keys in Celery's order", () => {
    const heartbeat = {
      freq: 2,
      active: 1,
      processed: 9,
      loadavg: [1, 2, 3],
      sw_ident: "ts-celery",
      sw_ver: "0.1.0",
      sw_sys: "Linux",
    };
    const event = makeEvent("worker-heartbeat", heartbeat, {
      hostname: "w1@vm",
      utcoffset: 0,
      pid: 7,
      clock: 3,
      timestamp: 1795255753.1,
    });
    const fromCelery = captured.events.find(({ types }) => types[0] === "worker-heartbeat");

    expect(Object.keys(event)).toEqual(Object.keys(decodeBroadcast(fromCelery?.raw ?? "")?.body as object));
    expect(readEvents(event)).toEqual([event]);
  });

  test("given an envelope of ours, when it is compared with a captured one, then it has the same parts", () => {
    const { raw } = captured.events.find(
      ({ types }) => types[0] === "worker-online",
    ) as Captured["events"][number];
    const theirs = JSON.parse(raw) as Record<string, object>;

    const ours = JSON.parse(
      encodeBroadcast(
        { headers: { hostname: "w1@vm" }, body: decodeBroadcast(raw)?.body },
        { exchange: "celeryev", routingKey: "worker.online", deliveryMode: 1, deliveryTag: "t" },
      ),
    ) as Record<string, object>;

    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    expect(ours["headers"]).toEqual(theirs["headers"]);
    expect(ours["properties"]).toEqual({ ...theirs["properties"], delivery_tag: "t" });
  });
});

describe("what else may come along the channel", () => {
  test.each([
    "",
    "hello",
    "{}",
    "[]",
    "null",
    '{"body": 7}',
    '{"body": "e30=", "content-type": "application/x-python-serialize", "properties": {}}',
    '{"body": "gA==", "content-type": "application/json", "properties": {"body_encoding": "base64"}}',
  ])("given %j, when it is read, then it is nothing", (raw) => {
    expect(decodeBroadcast(raw)).toBeUndefined();
  });

  test("given a list with a custom event and a broken one among good ones, when it is read, then the good ones come out", () => {
    const good = {
      type: "task-started",
      uuid: "u",
      hostname: "w",
      utcoffset: 0,
      pid: 1,
      clock: 1,
      timestamp: 1,
    };

    const events = readEvents([
      good,
      { type: "deploy-finished", timestamp: 1 },
      { type: "task-started", timestamp: "soon" },
      7,
      null,
    ]);

    expect(events).toEqual([good]);
  });
});
