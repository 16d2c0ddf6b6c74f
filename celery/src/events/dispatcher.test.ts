import { expect, test } from "vitest";
import { systemClock } from "../runtime/clock.ts";
import { type Deferred, makeDeferred } from "../runtime/deferred.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { silentLog } from "../runtime/log.ts";
import { EventDispatcher } from "./dispatcher.ts";

/** A dispatcher whose broker answers when the test says so. */
function aDispatcher(): { events: EventDispatcher; trips: Deferred<void>[]; told: () => readonly number[] } {
  const trips: Deferred<void>[] = [];
  const taken: string[] = [];
  const events = new EventDispatcher({
    channel: (routingKey) => routingKey,
    hostname: "w1@vm",
    taskEvents: true,
    publish: (_channel, payload) => {
      const trip = makeDeferred<void>();
      trips.push(trip);
      return trip.promise.then(() => void taken.push(payload));
    },
    close: () => Promise.resolve(),
    lamport: new LamportClock(),
    clock: systemClock,
    log: silentLog,
  });
  return { events, trips, told: () => taken.map(numberIn) };
}

function numberIn(payload: string): number {
  const { body } = JSON.parse(payload) as { body: string };
  return (JSON.parse(Buffer.from(body, "base64").toString()) as { n: number }).n;
}

/** Lets promises settle, `steps` of them one after the other. */
async function pass(steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await Promise.resolve();
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  "given a message posted %i steps after the broker has answered, when nothing else is sent, then it leaves too",
  async (steps) => {
    const { events, trips } = aDispatcher();
    events.sendCustom("test-event", { n: 1 });
    trips[0]?.resolve();
    await pass(steps);

    events.sendCustom("test-event", { n: 2 });
    await pass(20);

    expect(trips).toHaveLength(2);
  },
);

test("given messages posted while one is under way, when it has arrived, then they share a trip, in their order", async () => {
  const { events, trips, told } = aDispatcher();
  for (let n = 0; n < 50; n++) events.sendCustom("test-event", { n });
  expect(trips).toHaveLength(1);

  trips[0]?.resolve();
  await pass(20);

  expect(trips).toHaveLength(50);
  for (const trip of trips) trip.resolve();
  await events.flush();
  expect(told()).toEqual(Array.from({ length: 50 }, (_, n) => n));
});

test("given a broker that goes away, when it is back, then what it missed comes first and only once", async () => {
  const { events, trips, told } = aDispatcher();
  for (let n = 0; n < 4; n++) events.sendCustom("test-event", { n });
  trips[0]?.resolve();
  await pass(20);
  trips[1]?.resolve();
  trips[2]?.reject(new Error("away"));
  trips[3]?.reject(new Error("away"));
  await events.flush();

  events.sendCustom("test-event", { n: 4 });
  for (const trip of trips) trip.resolve();
  await pass(20);
  for (const trip of trips) trip.resolve();
  await events.flush();

  expect(told()).toEqual([0, 1, 2, 3, 4]);
});
