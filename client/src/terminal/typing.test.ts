import { expect, test } from "vitest";
import { openTyping, type Typing } from "./typing.ts";

function aRig(isConnected = true): { typing: Typing; sent: string[]; refused: () => number } {
  const sent: string[] = [];
  let refusals = 0;
  const typing = openTyping({
    onInput: (text) => {
      if (isConnected) sent.push(text);
      return isConnected;
    },
    onRefused: () => {
      refusals += 1;
    },
  });
  return { typing, sent, refused: () => refusals };
}

test("given a screen being restored, when keys are typed, then they are sent after it in order", () => {
  const { typing, sent } = aRig();
  typing.hold();
  typing.typed("l");
  typing.typed("s");
  expect(sent).toEqual([]);

  typing.release();
  typing.typed("\r");

  expect(sent).toEqual(["ls", "\r"]);
});

test("given a restored screen that switches focus reports on, when the terminal sends one, then it is dropped", () => {
  const { typing, sent } = aRig();
  typing.hold();
  typing.typed("\x1b[I");

  typing.release();

  expect(sent).toEqual([]);
});

test("given two restores at once, when one ends, then keys still wait for the other", () => {
  const { typing, sent } = aRig();
  typing.hold();
  typing.hold();
  typing.typed("x");

  typing.release();
  expect(sent).toEqual([]);

  typing.release();
  expect(sent).toEqual(["x"]);
});

test("given more than a screen of keys while restoring, when it overflows, then the rest is refused visibly", () => {
  const { typing, sent, refused } = aRig();
  typing.hold();
  typing.typed("x".repeat(4_000));
  typing.typed("y".repeat(100));

  typing.release();

  expect(refused()).toBe(1);
  expect(sent).toEqual(["x".repeat(4_000)]);
});

test("given no connection, when a key is typed, then it is refused visibly", () => {
  const { typing, refused } = aRig(false);

  typing.typed("a");

  expect(refused()).toBe(1);
});
