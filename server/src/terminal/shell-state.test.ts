import { expect, test } from "vitest";
import { advance, type Moment, type ShellEvent, type ShellState, viewOf } from "./shell-state.ts";

const at = (seconds: number): Moment => ({ now: 1_000_000 + seconds * 1000, monotonic: seconds * 1000 });
const after = (state: ShellState, ...events: ShellEvent[]): ShellState => events.reduce(advance, state);
const IDLE: ShellState = { phase: "idle", exit: null, seconds: null };

test("given a command typed by a step, when the shell reports it, then it is busy from the claim and idle from the prompt", () => {
  const typing = after(
    { phase: "starting" },
    { type: "prompted" },
    { type: "claimed", command: "ls", at: at(1) },
  );
  expect(viewOf(typing, 3)).toEqual({ phase: "busy", epoch: 3, command: "ls", since: 1_001_000 });

  const running = after(
    typing,
    { type: "entered", command: "ls", guessed: false, at: at(2) },
    { type: "began", command: "ls", at: at(2) },
  );
  const ended = after(running, { type: "ended", exit: 7, at: at(5) });
  expect(viewOf(ended, 3)).toMatchObject({ phase: "busy", since: 1_001_000 });

  expect(viewOf(after(ended, { type: "prompted" }), 3)).toEqual({
    phase: "idle",
    epoch: 3,
    exit: 7,
    seconds: 3,
  });
});

test("given several commands in one input, when each begins, then it is one run that lasts until the prompt", () => {
  const state = after(
    IDLE,
    { type: "began", command: "first", at: at(1) },
    { type: "began", command: "second", at: at(2) },
    { type: "ended", exit: 0, at: at(4) },
  );

  expect(state).toMatchObject({ phase: "busy", command: "first", end: { exit: 0, seconds: 3 } });
});

test("given a prompt that is only drawn again, when it is seen, then nothing changes", () => {
  const busy = after(IDLE, { type: "began", command: "sleep", at: at(1) });

  expect(advance(busy, { type: "prompted" })).toBe(busy);
  expect(advance(IDLE, { type: "prompted" })).toBe(IDLE);
  expect(advance(IDLE, { type: "ended", exit: 130, at: at(1) })).toBe(IDLE);
});

test("given a claim that comes to nothing, when it is released, then the last command's end is still told", () => {
  const idle: ShellState = { phase: "idle", exit: 2, seconds: 1 };

  const state = after(idle, { type: "claimed", command: "ls", at: at(1) }, { type: "released" });

  expect(viewOf(state, 1)).toEqual({ phase: "idle", epoch: 1, exit: 2, seconds: 1 });
});

test("given a shell that does not say when a command begins, when it asks for the rest of the input, then it was none yet", () => {
  const guessed = after(IDLE, { type: "entered", command: "", guessed: true, at: at(1) });

  expect(guessed.phase).toBe("busy");
  expect(advance(guessed, { type: "continued" }).phase).toBe("idle");
});

test("given a closed shell, when anything else is heard, then it stays closed for the first reason", () => {
  const closed = after(IDLE, { type: "closed", reason: "first" });

  expect(
    after(
      closed,
      { type: "closed", reason: "second" },
      { type: "prompted" },
      { type: "claimed", command: "ls", at: at(1) },
    ),
  ).toBe(closed);
});
