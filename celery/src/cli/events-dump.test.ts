import { describe, expect, test } from "vitest";
import type { RawEvent } from "../events/index.ts";
import { EventDumper } from "./events-dump.ts";

const stamp = { hostname: "w1@vm", utcoffset: 0, pid: 20730 };
const description = {
  uuid: "73ca48f9",
  name: "labapp.add",
  args: "(2, 3)",
  kwargs: "{}",
  root_id: "73ca48f9",
  parent_id: null,
  retries: 0,
  eta: null,
  expires: null,
};

describe("celery events --dump", () => {
  test("given a task's life, when dumped, then every line is as Celery writes it", () => {
    const dumper = new EventDumper();
    const received: RawEvent = {
      ...stamp,
      ...description,
      type: "task-received",
      clock: 21,
      timestamp: 1795257527.900794,
    };
    const succeeded: RawEvent = {
      ...stamp,
      uuid: "73ca48f9",
      type: "task-succeeded",
      clock: 23,
      result: "5",
      runtime: 0.011511717999837856,
      timestamp: 1795257527.914814,
    };

    expect(dumper.line(received, 1795257527.902219)).toBe(
      "w1@vm [2026-11-21 10:38:47.900794+00:00] task received: labapp.add(73ca48f9) args=(2, 3) kwargs={} " +
        "clock=21, eta=None, expires=None, local_received=1795257527.902219, parent_id=None, pid=20730, retries=0, root_id=73ca48f9, utcoffset=0",
    );
    expect(dumper.line(succeeded, 1795257527.915867)).toBe(
      "w1@vm [2026-11-21 10:38:47.914814+00:00] task succeeded: labapp.add(73ca48f9) args=(2, 3) kwargs={} " +
        "clock=23, local_received=1795257527.915867, pid=20730, result=5, runtime=0.011511717999837856, utcoffset=0",
    );
  });

  test("given a name that would command the terminal, when dumped, then it is shown", () => {
    const event: RawEvent = {
      ...stamp,
      ...description,
      name: "\u001b[2Jx",
      type: "task-received",
      clock: 21,
      timestamp: 1795257527,
    };
    expect(new EventDumper().line(event, 0)).toContain(" task received: \\x1b[2Jx(73ca48f9)");
  });

  test("given a worker's sign of life, when dumped, then floats look like Python's", () => {
    const event: RawEvent = {
      ...stamp,
      type: "worker-heartbeat",
      clock: 13,
      timestamp: 1795257525,
      freq: 2,
      active: 0,
      loadavg: [1.44, 1, 1.56],
      sw_ident: "ts-celery",
    };

    expect(new EventDumper().line(event, 1795257525.5)).toBe(
      "w1@vm [2026-11-21 10:38:45+00:00] heartbeat: active=0, clock=13, freq=2.0, loadavg=[1.44, 1.0, 1.56], " +
        "local_received=1795257525.5, pid=20730, sw_ident=ts-celery, utcoffset=0",
    );
  });

  test("given an event of somebody's own making, when dumped, then its type and all its fields are there", () => {
    const event: RawEvent = {
      ...stamp,
      type: "payment-refused",
      clock: 1,
      timestamp: 0.5,
      card: { last: [4, "x"] },
      ok: false,
    };

    expect(new EventDumper().line(event, 1)).toBe(
      "w1@vm [1970-01-01 00:00:00.500000+00:00] payment refused: card={'last': [4, 'x']}, clock=1, local_received=1.0, ok=False, pid=20730, utcoffset=0",
    );
  });

  test.each([
    // Seconds as JSON has them, and what Python 3.11 prints for them.
    [1795278607.3309526, "2026-11-21 16:30:07.330953"],
    [1795278607.330952, "2026-11-21 16:30:07.330952"],
    [0, "1970-01-01 00:00:00"],
  ])("given the moment %d, when dumped, then it is rounded as Python rounds it", (timestamp, text) => {
    const event: RawEvent = { ...stamp, type: "x-y", clock: 1, timestamp };

    expect(new EventDumper().line(event, 1)).toContain(`[${text}+00:00]`);
  });
});
