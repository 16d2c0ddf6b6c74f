import { expect, test } from "vitest";
import { aTask, someFacts } from "../../test/facts.ts";
import { evaluate } from "./evaluate.ts";
import type { Facts } from "./facts.ts";
import { parseExpression } from "./parse.ts";
import { type Param, patternsOf, referencesOf, roots, type Shape } from "./vocabulary.ts";

/** Facts of which every single one has a value. */
const full: Facts = someFacts({
  tasks: [aTask({ error: { type: "E", message: "m" }, eta: 5 })],
  redis: { get: () => "v", llen: () => 1, exists: () => true, keys: () => 1 },
  pane: () => ({ exit: 0, busy: true, command: "sh", saw: () => true }),
  step: () => ({ phase: "done", exit: 0, runs: 1 }),
  file: () => ({ edited: true, loaded: true, has: () => true }),
  http: () => ({ status: 200, json: {} }),
});

const ARGUMENTS: Readonly<Record<Param, string>> = {
  value: '"x"',
  pane: '"worker"',
  step: '"send"',
  file: '"tasks.ts"',
  regex: "/x/",
  url: '"http://localhost:8000/"',
  "task name": '"tasks.add"',
  "task name?": "",
  "number of a task": '"retries"',
  condition: "true",
};

/** Every way through the vocabulary that ends at a value. */
function paths(source: string, shape: Shape, depth = 0): readonly string[] {
  if (depth > 6) return [];
  switch (shape.kind) {
    case "value":
      return [source];
    case "function":
      return paths(`${source}(${ARGUMENTS[shape.param]})`, shape.returns, depth + 1);
    case "object":
      return [...shape.members].flatMap(([name, member]) => paths(`${source}.${name}`, member, depth + 1));
    case "tasks":
      return ["count", "first.id", "last.id", 'max("retries")', 'min("retries")', "where(true).count"].map(
        (end) => `${source}.${end}`,
      );
  }
}

test("given every word of the vocabulary, when it is evaluated over full facts, then the evaluator knows it", () => {
  const sources = [...roots].flatMap(([name, shape]) => paths(name, shape));
  expect(sources.length).toBeGreaterThan(40);
  const silent = sources.filter((source) => evaluate(parseExpression(source), full) === null);
  expect(silent).toEqual([]);
});

test("given steps and files in an expression, when references are asked for, then each is found with its place", () => {
  const { root } = parseExpression(
    'step("send").runs == 1 and not file("tasks.ts").has("x" + step("b").phase)',
  );
  expect(referencesOf(root)).toEqual([
    { kind: "step", name: "send", at: 5 },
    { kind: "file", name: "tasks.ts", at: 36 },
    { kind: "step", name: "b", at: 63 },
  ]);
});

test("given patterns in an expression, when they are asked for, then each is found", () => {
  const { root } = parseExpression('pane("worker").saw(/a/) and (1 == 2 or not pane("broker").saw(/b/i))');
  expect(patternsOf(root)).toEqual([/a/, /b/i]);
});
