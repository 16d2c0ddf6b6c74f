import { expect, test } from "vitest";
import { aTask, someFacts } from "../../test/facts.ts";
import type { CheckRule } from "./check-board.ts";
import { openCheckBoard } from "./open-check-board.ts";
import { parseExpression } from "./parse.ts";

function aCheck(change: Partial<CheckRule> = {}): CheckRule {
  return {
    id: "online",
    title: "A worker is online",
    that: parseExpression("workers.online >= 1"),
    because: null,
    otherwise: "I see {workers.online} workers. Start one.",
    ...change,
  };
}

const online = (count: number) => someFacts({ workers: { online: count, oldCode: 0, seen: count } });

test("given a check, when its fact comes and goes, then it turns green and stays green until the reset", () => {
  let facts = online(0);
  const board = openCheckBoard({ checks: [aCheck()], facts: () => facts });
  const told: string[] = [];
  board.events.on("changed", ([check]) => told.push(`${check?.state}: ${check?.message}`));
  expect(board.states()).toEqual([{ id: "online", state: "red", message: "I see 0 workers. Start one." }]);

  facts = online(1);
  board.evaluate();
  facts = online(0);
  board.evaluate();
  expect(told).toEqual(["green: A worker is online"]);

  board.reset();
  expect(told).toEqual(["green: A worker is online", "red: I see 0 workers. Start one."]);
});

test("given greens of an earlier run, when the board opens, then those of checks that still exist are kept", () => {
  const earlier = [
    { id: "online", state: "green", message: "Seen yesterday" },
    { id: "gone", state: "green", message: "…" },
  ] as const;
  const board = openCheckBoard({
    checks: [aCheck(), aCheck({ id: "other" })],
    facts: () => online(0),
    earlier,
  });
  expect(board.states().map((check) => [check.id, check.state])).toEqual([
    ["online", "green"],
    ["other", "red"],
  ]);
});

test("given a sentence with values, when it is shown, then they are in words", () => {
  const facts = someFacts({ tasks: [aTask({ result: { a: [1] }, runtime: 1.23456 })] });
  const otherwise =
    '{task("tasks.add").result} {task("x").state} {1 == 1} {task("tasks.add").runtime} {{braces} {"}"} {"y" + "z"}';
  const board = openCheckBoard({ checks: [aCheck({ otherwise })], facts: () => facts });
  expect(board.states()[0]?.message).toBe('{"a":[1]} nothing yes 1.23 {braces} } yz');
});

test("given a check that takes too long, when it is evaluated, then it says so and the others go on", () => {
  const tasks = Array.from({ length: 5000 }, (_, index) => aTask({ id: String(index) }));
  const slow = aCheck({
    id: "slow",
    that: parseExpression("tasks().where(tasks().where(retries == 9).count == 1).count"),
  });
  const board = openCheckBoard({ checks: [slow, aCheck()], facts: () => ({ ...online(1), tasks }) });
  expect(board.states().map((check) => check.state)).toEqual(["red", "green"]);
  expect(board.states()[0]?.message).toContain("too many steps");
});

test("given a sentence with a brace that is never closed, when the board opens, then it is refused", () => {
  expect(() =>
    openCheckBoard({ checks: [aCheck({ otherwise: "See {workers.online" })], facts: () => online(0) }),
  ).toThrow('has no "}"');
});
