import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aPane, quietLog, untilPane, workingRungs } from "../../test/panes.ts";
import type { PaneId, StepState } from "../protocol/index.ts";
import type { Pane } from "../terminal/index.ts";
import { openStepRunner } from "./open-step-runner.ts";
import type { RunnableStep, StepRunner } from "./step-runner.ts";

// Real shells, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

const rungs = (await workingRungs()).filter((factory, index) => index === 0 || factory.rung === "pipes");
const READY = "sh -c 'echo up and ready; exec sleep 600'";

let panes: Record<PaneId, Pane>;
let runner: StepRunner;

function aStep(
  step: Partial<RunnableStep> & { readonly id: string; readonly command: string },
): RunnableStep {
  return {
    pane: "worker",
    until: null,
    expect: null,
    exit: 0,
    timeoutSeconds: 30,
    interrupt: false,
    restart: false,
    after: null,
    type: false,
    ...step,
  };
}

const start = (step: RunnableStep, force = false): void => runner.start(step, { force });

/** The step's state now or next that has one of these phases. */
function untilStep(id: string, ...phases: StepState["phase"][]): Promise<StepState> {
  return new Promise((resolve) => {
    const look = (): void => {
      const state = runner.states[id] ?? { phase: "idle" };
      if (!phases.includes(state.phase)) return;
      runner.events.off("changed", look);
      resolve(state);
    };
    runner.events.on("changed", look);
    look();
  });
}

/** Every phase that the step goes through, without repetitions. */
function phasesOf(id: string): string[] {
  const phases: string[] = [];
  runner.events.on("changed", () => {
    const phase = runner.states[id]?.phase ?? "idle";
    if (phase !== phases.at(-1)) phases.push(phase);
  });
  return phases;
}

describe.each(rungs)("given panes by $rung", (pty) => {
  beforeEach(async () => {
    const patience = { warmMs: 2000, coldMs: 1000, interactiveMs: 500 };
    const [broker, worker, producer] = await Promise.all(
      (["broker", "worker", "producer"] as const).map((id) => aPane({ id, pty, patience })),
    );
    panes = { broker, worker, producer } as Record<PaneId, Pane>;
    runner = openStepRunner({ pane: (id) => panes[id], log: quietLog });
  });
  afterEach(async () => {
    runner.reset();
    await Promise.all(Object.values(panes).map((pane) => pane[Symbol.asyncDispose]()));
  });

  test("when a step is started, then it is queued, running and done, with its exit and its time", async () => {
    const phases = phasesOf("hello");

    start(aStep({ id: "hello", command: "echo hello" }));

    expect(await untilStep("hello", "done", "failed")).toMatchObject({
      phase: "done",
      exit: 0,
      seconds: expect.any(Number),
    });
    expect(phases).toEqual(["queued", "running", "done"]);
  });

  test("when a command fails, then the learner is told why", async () => {
    start(aStep({ id: "typo", command: "celerey worker" }));

    expect(await untilStep("typo", "done", "failed")).toMatchObject({
      exit: 127,
      message: expect.stringContaining("`celerey`"),
    });
  });

  test("when a long-running command says that it is ready, then the step is, and it is done when it was stopped", async () => {
    start(aStep({ id: "up", command: READY, until: /ready$/ }));
    expect(await untilStep("up", "ready", "failed")).toMatchObject({ phase: "ready" });
    expect(panes.worker.state.phase).toBe("busy");

    panes.worker.interrupt();

    expect(await untilStep("up", "done", "failed")).toMatchObject({ phase: "done", exit: 130 });
  });

  test("when the words were on the screen before, or are only in the command, then the step is not ready by them", async () => {
    await panes.worker.run("echo 'up and ready'");

    start(aStep({ id: "up", command: "sh -c 'sleep 0.1; exit 5' # ready", until: /ready$/ }));

    expect(await untilStep("up", "ready", "done", "failed")).toMatchObject({ phase: "failed", exit: 5 });
  });

  test("when a ready command is killed, then the step says so", async () => {
    start(aStep({ id: "up", command: "sh -c 'echo ready; kill -9 $$'", until: /ready/ }));

    expect(await untilStep("up", "failed", "done")).toMatchObject({
      exit: 137,
      message: expect.stringContaining("signal 9"),
    });
  });

  test("when a command takes longer than its time, then the step fails with the way out, and is done when it ends after all", async () => {
    start(aStep({ id: "slow", command: "sh -c 'echo working; sleep 1.5; echo ended'", timeoutSeconds: 0.3 }));

    expect(await untilStep("slow", "failed")).toMatchObject({
      exit: null,
      message: expect.stringMatching(/still running after 0.3 s.*Ctrl-C/),
    });
    expect(await untilStep("slow", "done")).toMatchObject({ exit: 0 });
  });

  test("when what a step is about is not printed, then it fails though the command ended well", async () => {
    start(aStep({ id: "eight", command: "echo 7", expect: /^8$/ }));
    expect(await untilStep("eight", "done", "failed")).toMatchObject({ phase: "failed", exit: 0 });

    start(aStep({ id: "eight", command: "echo 8", expect: /^8$/ }));
    expect(await untilStep("eight", "done")).toMatchObject({ exit: 0 });
  });

  test("when several steps are started at once, then each pane runs them in order, and panes do not wait for each other", async () => {
    start(aStep({ id: "first", command: "sh -c 'sleep 0.3; echo first'" }));
    start(aStep({ id: "second", command: "echo second" }));
    start(aStep({ id: "aside", pane: "producer", command: "echo aside" }));
    expect(runner.states["second"]).toEqual({
      phase: "queued",
      because: expect.stringContaining("sleep 0.3"),
    });

    await untilStep("aside", "done");
    expect(runner.states["first"]?.phase).not.toBe("done");
    await untilStep("second", "done");
    expect(runner.states["first"]?.phase).toBe("done");
  });

  test("when a step is clicked twice, then it runs once", async () => {
    const step = aStep({ id: "once", command: "echo once" });
    const phases = phasesOf("once");

    start(step);
    start(step);

    await untilStep("once", "done");
    await panes.worker.run("true");
    expect(phases).toEqual(["queued", "running", "done"]);
  });

  test("when the pane runs something else, then the step is refused with what it is, and goes on with the learner's word", async () => {
    start(aStep({ id: "up", command: READY, until: /ready$/ }));
    await untilStep("up", "ready");
    const next = aStep({ id: "next", command: "echo next" });

    expect(() => start(next)).toThrow(
      expect.objectContaining({ code: "busy", message: expect.stringContaining(READY) }),
    );
    start(next, true);

    await untilStep("next", "done");
    expect(runner.states["up"]).toMatchObject({ phase: "done", exit: 130 });
  });

  test("when a step restarts, then it stops what the pane runs, its own last run too", async () => {
    const step = aStep({ id: "up", command: READY, until: /ready$/, restart: true });
    const phases = phasesOf("up");

    start(step);
    await untilStep("up", "ready");
    start(step);
    await untilStep("up", "queued");
    await untilStep("up", "ready");

    expect(phases).toEqual(["queued", "running", "ready", "queued", "done", "running", "ready"]);
  });

  test("when a step interrupts, then Ctrl-C comes before its command", async () => {
    start(aStep({ id: "up", command: READY, until: /ready$/ }));
    await untilStep("up", "ready");

    start(aStep({ id: "down", command: "echo down", interrupt: true }));

    await untilStep("down", "done");
    expect(runner.states["up"]).toMatchObject({ phase: "done", exit: 130 });
  });

  test("when a step needs another, then it is refused before that, and waits while that runs", async () => {
    const up = aStep({ id: "up", command: "sh -c 'sleep 0.3; echo ready; exec sleep 600'", until: /ready$/ });
    const send = aStep({ id: "send", pane: "producer", command: "echo sent", after: "up" });
    expect(() => start(send)).toThrow(expect.objectContaining({ code: "failed" }));

    start(up);
    start(send);

    expect(runner.states["send"]?.phase).toBe("queued");
    await untilStep("send", "done");
    expect(runner.states["up"]?.phase).toBe("ready");
  });

  test("when the step before fails, then the one that waits for it says so", async () => {
    start(aStep({ id: "up", command: "sh -c 'sleep 0.3; exit 1'", until: /ready$/ }));
    start(aStep({ id: "send", pane: "producer", command: "echo sent", after: "up" }));

    expect(await untilStep("send", "done", "failed")).toMatchObject({
      phase: "failed",
      message: expect.stringContaining("sleep 0.3"),
    });
  });

  test("when the shell is gone, then a step opens a new one", async () => {
    await panes.worker.run("exit 0").catch(() => {});
    await untilPane(panes.worker, (state) => state.phase === "closed");

    start(aStep({ id: "hello", command: "echo hello" }));

    await untilStep("hello", "done");
    expect(panes.worker.state).toMatchObject({ epoch: 2 });
  });

  test("when the shell goes in the middle of a step, then the step says so", async () => {
    start(aStep({ id: "bye", command: "exit 3" }));

    expect(await untilStep("bye", "failed", "done")).toMatchObject({
      phase: "failed",
      message: expect.stringContaining("exit code 3"),
    });
  });

  test("when a pane's command is run again, then it is stopped first and its step is told", async () => {
    start(aStep({ id: "up", command: READY, until: /ready$/ }));
    await untilStep("up", "ready");

    runner.again("worker");

    await untilStep("up", "queued");
    await untilStep("up", "ready");
    expect(() => runner.again("broker")).toThrow(expect.objectContaining({ code: "failed" }));
  });

  test("when what ran last was no step, then that is run again", async () => {
    await panes.worker.run("echo again >> log");

    runner.again("worker");
    await untilPane(panes.worker, (state) => state.phase === "busy");
    await untilPane(panes.worker, (state) => state.phase === "idle");

    expect(await panes.worker.run('test "$(wc -l < log)" -eq 2')).toMatchObject({ exit: 0 });
  });

  test("when all is reset, then nothing is known any more, nothing queued starts, and what runs is left alone", async () => {
    start(aStep({ id: "up", command: READY, until: /ready$/ }));
    await untilStep("up", "ready");
    start(aStep({ id: "slow", pane: "producer", command: "sh -c 'sleep 0.3'" }));
    start(aStep({ id: "waiting", pane: "producer", command: "touch started" }));
    await untilPane(panes.producer, (state) => state.phase === "busy");

    runner.reset();

    expect(runner.states).toEqual({});
    await untilPane(panes.producer, (state) => state.phase === "idle" && state.exit !== null);
    expect(await panes.producer.run("test -e started")).toMatchObject({ exit: 1 });
    expect(runner.states).toEqual({});
    expect(panes.worker.state.phase).toBe("busy");
  });

  test.runIf(pty.rung !== "pipes")(
    "when a step only types, then it waits for the learner's Enter and is then judged as any",
    async () => {
      start(aStep({ id: "typed", command: "echo typed", type: true, expect: /^typed$/ }));
      expect(await untilStep("typed", "queued")).toBeDefined();
      await new Promise<void>((resolve) => {
        const look = (): void => {
          const state = runner.states["typed"];
          if (state?.phase === "queued" && state.because.includes("press Enter")) resolve();
        };
        runner.events.on("changed", look);
        look();
      });

      panes.worker.write("\r");

      expect(await untilStep("typed", "done", "failed")).toMatchObject({ phase: "done", exit: 0 });
    },
  );

  test("when another step comes before the learner's Enter, then the typed one gives way", async () => {
    start(aStep({ id: "typed", command: "echo typed", type: true }));
    await untilPane(panes.worker, (state) => state.phase === "idle");

    start(aStep({ id: "other", command: "echo other" }));

    await untilStep("other", "done");
    expect(["idle", "done"]).toContain(runner.states["typed"]?.phase);
  });
});
