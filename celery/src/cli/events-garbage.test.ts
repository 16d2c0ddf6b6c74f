import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RawEvent, State } from "../events/index.ts";
import { readEvents, readRawEvents } from "../protocol/event.ts";
import { EventDumper } from "./events-dump.ts";
import { makeModel } from "./monitor/model.ts";
import { width } from "./monitor/text.ts";
import { render, settle } from "./monitor/view.ts";

const NOW = 1_795_257_527;
const MISSING = Symbol("missing");

/** What nobody should send. */
const ABSURD: readonly unknown[] = [
  MISSING,
  null,
  true,
  "",
  "word",
  "x".repeat(200_000),
  "\u0301".repeat(20_000),
  "line\n".repeat(20_000),
  0,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  -1e300,
  8.65e12,
  10n ** 40n,
  [],
  [Number.NaN, "x", null],
  Array.from({ length: 10_000 }, () => 1),
  {},
  { a: [{ b: null }] },
  new Date(0),
  "__proto__",
  "constructor",
];

const SOUND: Readonly<Record<string, unknown>> = {
  hostname: "w1@vm",
  utcoffset: 0,
  pid: 7,
  clock: 12,
  timestamp: NOW - 1,
  uuid: "t1",
  name: "tasks.add",
  args: "(2, 3)",
  kwargs: "{}",
  eta: null,
  expires: null,
  retries: 0,
  result: "5",
  runtime: 0.5,
  exception: "ValueError('no')",
  traceback: "Traceback",
  queue: "celery",
  exchange: "",
  routing_key: "celery",
  root_id: "t1",
  parent_id: null,
  freq: 2,
  active: 1,
  processed: 2,
  loadavg: [0.5, 0.25, 1],
  sw_ident: "ts-celery",
  sw_ver: "1",
  sw_sys: "Linux",
  terminated: false,
  signum: "15",
  expired: false,
  requeue: false,
};
const TYPES = [
  "sent",
  "received",
  "started",
  "succeeded",
  "failed",
  "retried",
  "revoked",
  "rejected",
  "progress",
]
  .map((subject) => `task-${subject}`)
  .concat(["worker-online", "worker-heartbeat", "worker-offline", "task", "taskX", "task-", "-", ""]);

function anEvent(type: unknown, fields: Readonly<Record<string, unknown>>): object {
  const all = Object.entries({ ...SOUND, ...fields, type }).filter(([, value]) => value !== MISSING);
  return Object.fromEntries(all);
}

/** Everything that shows events, one after the other. */
function show(events: readonly RawEvent[]): readonly string[] {
  const state = new State();
  const dumper = new EventDumper();
  const lines = events.map((event) => {
    state.event(event, NOW);
    return dumper.line(event, NOW);
  });
  state.aliveWorkers(NOW);
  const tasks = makeModel(state);
  const details = [...state.tasks.keys()].map((uuid) => ({
    ...tasks,
    screen: { kind: "details", uuid, scroll: 0 } as const,
  }));
  for (const model of [tasks, ...details]) {
    const size = { columns: 80, rows: 24 };
    const screen = render(settle(model, size), {
      ...size,
      nowSeconds: NOW,
      broker: "redis://",
      color: false,
    });
    expect(screen).toHaveLength(24);
    expect(Math.max(...screen.map(width))).toBeLessThanOrEqual(80);
    expect(screen.join("")).not.toMatch(/NaN|undefined|\[object/);
  }
  return lines;
}

describe("events that nobody should send", () => {
  test.each(Object.keys(SOUND))(
    "given every absurd value as %s, when shown, then it is a line and a screen",
    (field) => {
      for (const value of ABSURD) {
        const events = readRawEvents(TYPES.map((type) => anEvent(type, { [field]: value })));

        expect(events).toHaveLength(TYPES.length);
        expect(show(events)).toHaveLength(TYPES.length);
        readEvents(events);
      }
    },
  );

  test("given any of them at once, in any order, when shown, then it is lines and a screen", () => {
    const value = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...ABSURD));
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(SOUND)), value, { maxKeys: 8 });
    const event = fc.record({ type: fc.constantFrom(...TYPES), changes });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), (events) => {
        const bodies = events.map(({ type, changes: { ...fields } }) =>
          anEvent(
            type,
            Object.fromEntries(Object.entries(fields).filter(([, given]) => given !== undefined)),
          ),
        );
        show(readRawEvents(bodies));
      }),
      { numRuns: 100 },
    );
  });

  test("given a moment that is none, when dumped, then it is shown as not known, and the rest is there", () => {
    const [event] = readRawEvents(anEvent("task-succeeded", { timestamp: 1e300, hostname: 5 }));

    expect(new EventDumper().line(event as RawEvent, NOW)).toMatch(/^\? \[\?\] task succeeded: .*result=5/);
  });

  test("given arguments that are no text, when folded, then they are shown as Python would", () => {
    const state = new State();
    for (const event of readRawEvents(anEvent("task-received", { args: [2, { a: null }], retries: "many" })))
      state.event(event, NOW);

    expect(state.tasks.get("t1")?.fields).toMatchObject({ args: "[2, {'a': None}]", retries: null });
  });

  test("given what is no event at all, when read, then nothing comes of it", () => {
    expect(readRawEvents([null, 5, "x", [], {}, { type: 5 }, { type: null }])).toEqual([]);
  });
});
