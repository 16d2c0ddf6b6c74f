import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { processLives } from "../daemon.ts";
import { sendSignal, untilGone } from "./process.ts";

test("given the process of another user, when it is signalled, then that is refused, and it is no node of ours: nobody waits for it", async () => {
  const kill = vi.spyOn(process, "kill").mockImplementation(() => {
    throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
  });
  onTestFinished(() => kill.mockRestore());

  expect(sendSignal(4711, "SIGTERM")).toBe("refused");
  expect(processLives(4711)).toBe(false);
  await untilGone(4711, new AbortController().signal, () => expect.unreachable());
});

test("given a process that has ended, when it is signalled, then it is gone; one that lives gets the signal", async () => {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid ?? 0;

  expect(processLives(pid)).toBe(true);
  expect(sendSignal(pid, "SIGTERM")).toBe("sent");
  await once(child, "exit");

  expect(sendSignal(pid, "SIGTERM")).toBe("gone");
  expect(processLives(pid)).toBe(false);
});
