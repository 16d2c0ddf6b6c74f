import { expect, test } from "vitest";
import { makeSignals } from "./signals.ts";
import type { CeleryApp } from "./types.ts";

const app = {} as CeleryApp;

test("given listeners, when a signal is sent, then they hear it in the order of connecting, until they disconnect", () => {
  const { workerReady } = makeSignals();
  const heard: string[] = [];
  const first = ({ sender }: { sender: string }): unknown => heard.push(`first ${sender}`);
  workerReady.connect(first);
  const off = workerReady.connect(({ sender }) => heard.push(`second ${sender}`));

  expect(workerReady.send({ sender: "w1@h", app })).toBeUndefined();
  off();
  expect(workerReady.disconnect(first)).toBe(true);
  expect(workerReady.disconnect(first)).toBe(false);
  void workerReady.send({ sender: "w1@h", app });

  expect(heard).toEqual(["first w1@h", "second w1@h"]);
  expect(workerReady.isHeard).toBe(false);
});

test("given a listener connected twice, when a signal is sent, then it hears it once", () => {
  const { workerReady } = makeSignals();
  let count = 0;
  const listener = (): void => {
    count += 1;
  };
  workerReady.connect(listener);
  workerReady.connect(listener);

  void workerReady.send({ sender: "w1@h", app });

  expect(count).toBe(1);
});

test("given a sender, when signals of several come, then only that one's are heard", () => {
  const { workerReady } = makeSignals();
  const heard: string[] = [];
  workerReady.connect(({ sender }) => heard.push(sender), { sender: "w2@h" });

  for (const sender of ["w1@h", "w2@h"]) void workerReady.send({ sender, app });

  expect(heard).toEqual(["w2@h"]);
});

test("given a listener that throws and one that rejects, when a signal is sent, then both are reported and the others hear it", async () => {
  const reported: string[] = [];
  const { workerReady } = makeSignals((signal, error) => reported.push(`${signal}: ${String(error)}`));
  const heard: string[] = [];
  workerReady.connect(() => {
    throw new Error("at once");
  });
  workerReady.connect(() => Promise.reject(new Error("later")));
  workerReady.connect(({ sender }) => heard.push(sender));

  await workerReady.send({ sender: "w1@h", app });

  expect(heard).toEqual(["w1@h"]);
  expect(reported).toEqual(["workerReady: Error: at once", "workerReady: Error: later"]);
});

test("given a listener that gives a promise, when a signal is sent, then the sender can wait for it", async () => {
  const { workerReady } = makeSignals();
  let isDone = false;
  workerReady.connect(async () => {
    await Promise.resolve();
    isDone = true;
  });

  await workerReady.send({ sender: "w1@h", app });

  expect(isDone).toBe(true);
});
