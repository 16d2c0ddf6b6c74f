import { expect, test } from "vitest";
import { aMessage, taskOptions } from "../../test/support/builders.ts";
import type { AnyTask } from "../app/types.ts";
import type { ResultBackend } from "../backend/backend.ts";
import type { TaskHeaders } from "../protocol/message.ts";
import type { ResultMeta } from "../protocol/result-meta.ts";
import { type Delivery, makeDelivery } from "./delivery.ts";
import { Revocations } from "./revocations.ts";
import { Revokes } from "./revokes.ts";

const TERMINATE = { terminate: true, signal: "SIGKILL" } as const;
const ONLY_FLAG = { terminate: false, signal: "SIGTERM" } as const;
const task = { name: "tasks.add", options: taskOptions() } as AnyTask;

function held(headers: Partial<TaskHeaders>, isRunning: boolean): Delivery {
  const claim = { id: `claim-${headers.id}`, queue: "celery", raw: "" };
  const delivery = makeDelivery(claim, aMessage(headers), task, 1);
  if (isRunning) delivery.phase = { name: "running", acked: null, pid: 7, startedAtMs: 0 };
  return delivery;
}

function open(deliveries: readonly Delivery[], states: Readonly<Record<string, string>> = {}) {
  const done: string[] = [];
  const backend: Pick<ResultBackend, "get" | "store"> = {
    get: (id) =>
      id === "unreachable"
        ? Promise.reject(new Error("away"))
        : Promise.resolve(id in states ? ({ status: states[id] } as ResultMeta) : undefined),
    store: ({ taskId, status }) => Promise.resolve(void done.push(`${taskId} is ${status}`)),
  };
  const say = (_fields: object, text: string): void => void done.push(text);
  const revocations = new Revocations({
    revokes: new Revokes({ clock: { monotonicMs: () => 0 } }),
    backend: backend as ResultBackend,
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    log: { debug: say, info: say, warn: say, error: say, record: ({ text }) => void done.push(text) },
    held: () => deliveries,
    terminate: ({ message }, signal) => void done.push(`${signal} to ${message.headers.id}`),
    withdraw: ({ message }) => void done.push(`${message.headers.id} taken back`),
    onChanged: () => void done.push("to be remembered"),
  });
  return { revocations, done };
}

test("given tasks of all kinds, when they are revoked, then results are written of those only that nobody has begun", async () => {
  const states = { retried: "RETRY", started: "STARTED", done: "SUCCESS", failed: "FAILURE" };
  const { revocations, done } = open([held({ id: "running" }, true)], states);

  await revocations.revoke(["running", "unknown", ...Object.keys(states)], ONLY_FLAG);

  expect(done).toEqual([
    "to be remembered",
    "running taken back",
    "unknown is REVOKED",
    "retried is REVOKED",
  ]);
  expect(revocations.ids()).toHaveLength(6);
});

test("given tasks held here, when they are revoked with a signal, then each gets it and nobody else", async () => {
  const { revocations, done } = open([
    held({ id: "a" }, true),
    held({ id: "b" }, false),
    held({ id: "c" }, true),
  ]);

  await revocations.revoke(["a", "b"], TERMINATE);

  expect(done).toEqual(["to be remembered", "SIGKILL to a", "SIGKILL to b", "b is REVOKED"]);
});

test("given a result store that is away, when a task is revoked, then that is said, and the id is remembered", async () => {
  const { revocations, done } = open([]);

  await revocations.revoke(["unreachable"], ONLY_FLAG);

  expect(done).toEqual(["to be remembered", "Failed to mark task unreachable as revoked in backend"]);
  expect(revocations.ids()).toEqual(["unreachable"]);
});

test.each([
  { options: TERMINATE, hit: ["a"], done: ["SIGKILL to a"] },
  { options: ONLY_FLAG, hit: [], done: ["a taken back"] },
])(
  "given stamps, when they are revoked with $options, then those that carry them are ended",
  async ({ options, hit, done }) => {
    const stamped = (id: string, tenant: string): Delivery =>
      held({ id, stampedHeaders: ["tenant"], stamps: { tenant } }, true);
    const lab = open([stamped("a", "acme"), stamped("b", "globex")]);

    expect(await lab.revocations.revokeByStamps({ tenant: ["acme"] }, options)).toEqual(hit);

    expect(lab.done).toEqual(done);
  },
);
