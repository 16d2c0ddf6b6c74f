import { expect, test } from "vitest";
import { aMessage, taskOptions } from "../../test/support/builders.ts";
import type { AnyTask, CeleryApp } from "../app/types.ts";
import type { TaskHeaders } from "../protocol/message.ts";
import { judge, type Verdict } from "./judge.ts";
import { Revokes } from "./revokes.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

function revoking(...ids: readonly string[]): Revokes {
  const revokes = new Revokes({ clock: { monotonicMs: () => 0 } });
  revokes.add(ids);
  return revokes;
}

function verdictOn(
  headers: Partial<TaskHeaders>,
  timezone: string | null = null,
  revokes: Revokes = revoking(),
): Verdict {
  const app = { conf: { timezone }, tasks: new Map<string, AnyTask>() } as unknown as CeleryApp;
  const task: AnyTask = { name: "tasks.add", app, options: taskOptions(), run: () => null, takes: null };
  (app.tasks as Map<string, AnyTask>).set(task.name, task);
  return judge({ ok: true, message: aMessage(headers) }, app, NOW, revokes);
}

test.each([
  { headers: {}, kind: "run" },
  { headers: { task: "tasks.sub" }, kind: "unregistered" },
  { headers: { expires: "2026-11-21T09:59:59+00:00" }, kind: "expired" },
  { headers: { expires: "2026-11-21T10:00:01+00:00" }, kind: "run" },
  { headers: { expires: "soon" }, kind: "run" },
  { headers: { eta: "2026-11-21T10:00:05+00:00" }, kind: "park" },
  { headers: { eta: "2026-11-21T09:00:00+00:00" }, kind: "run" },
  { headers: { eta: "tomorrow" }, kind: "refused" },
  { headers: { eta: "2026-11-21T11:00:00+00:00", expires: "2026-11-21T09:00:00+00:00" }, kind: "expired" },
  { headers: { task: "tasks.sub", expires: "2026-11-21T09:00:00+00:00" }, kind: "unregistered" },
])("given $headers, when judged, then the verdict is $kind", ({ headers, kind }) => {
  expect(verdictOn(headers).kind).toBe(kind);
});

test("given an eta, when the message is parked, then until that second", () => {
  expect(verdictOn({ eta: "2026-11-21T10:00:05.250000+00:00" })).toMatchObject({
    etaEpochSeconds: NOW / 1000 + 5.25,
  });
});

test("given an eta without offset, when judged, then it is read in the app's timezone", () => {
  expect(verdictOn({ eta: "2026-11-21T10:30:00" }).kind).toBe("park");
  expect(verdictOn({ eta: "2026-11-21T10:30:00" }, "Europe/Berlin").kind).toBe("run");
});

test("given a message that could not be read, when judged, then it is refused with the reason", () => {
  const app = { conf: { timezone: null }, tasks: new Map() } as unknown as CeleryApp;

  expect(
    judge({ ok: false, kind: "malformed", reason: "no headers", taskId: "x" }, app, NOW, revoking()),
  ).toEqual({
    kind: "refused",
    reason: "no headers",
    taskId: "x",
  });
});

test.each([
  { headers: { id: "a" }, kind: "revoked" },
  { headers: { id: "a", eta: "2026-11-21T11:00:00+00:00" }, kind: "revoked" },
  { headers: { id: "a", expires: "2026-11-21T09:00:00+00:00" }, kind: "expired" },
  { headers: { id: "a", task: "tasks.sub" }, kind: "unregistered" },
  { headers: { id: "b" }, kind: "run" },
])("given that a is revoked and $headers, when judged, then the verdict is $kind", ({ headers, kind }) => {
  expect(verdictOn(headers, null, revoking("a")).kind).toBe(kind);
});
