import { PANE_IDS } from "../protocol/index.ts";
import type { Node } from "./expression.ts";
import { isLoopbackUrl } from "./loopback.ts";
import { ExpressionError } from "./tokens.ts";

/**
 * The words of the check language, as data: what an expression may name, and what follows a dot. The evaluator
 * answers exactly these words; `vocabulary.test.ts` holds the two together.
 */
export type Shape =
  /** A JSON value: any property, any index. */
  | { readonly kind: "value" }
  | { readonly kind: "object"; readonly title: string; readonly members: ReadonlyMap<string, Shape> }
  | { readonly kind: "function"; readonly title: string; readonly param: Param; readonly returns: Shape }
  | { readonly kind: "tasks" };

/** What a function's argument has to be. `task name?` may be left out. */
export type Param =
  | "value"
  | "pane"
  | "step"
  | "file"
  | "regex"
  | "url"
  | "task name"
  | "task name?"
  | "number of a task"
  | "condition";

const value: Shape = { kind: "value" };
const object = (title: string, members: Readonly<Record<string, Shape>>): Shape => ({
  kind: "object",
  title,
  members: new Map(Object.entries(members)),
});
const values = (title: string, ...names: readonly string[]): Shape =>
  object(title, Object.fromEntries(names.map((name) => [name, value])));
const fn = (title: string, param: Param, returns: Shape): Shape => ({
  kind: "function",
  title,
  param,
  returns,
});

const NUMBERS_OF_A_TASK = [
  "retries",
  "runtime",
  "starts",
  "pid",
  "sentAt",
  "startedAt",
  "finishedAt",
  "eta",
] as const;

const taskMembers: Readonly<Record<string, Shape>> = {
  id: value,
  name: value,
  state: value,
  args: value,
  result: value,
  error: values("error", "type", "message"),
  worker: value,
  queue: value,
  ...Object.fromEntries(NUMBERS_OF_A_TASK.map((name) => [name, value])),
};
const task: Shape = object("a task", taskMembers);
const tasks: Shape = { kind: "tasks" };

const tasksMembers: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ["count", value],
  ["first", task],
  ["last", task],
  ["where", fn("where", "condition", tasks)],
  ["max", fn("max", "number of a task", value)],
  ["min", fn("min", "number of a task", value)],
]);

export const roots: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ["workers", values("workers", "online", "oldCode", "seen")],
  ["queue", fn("queue", "value", values("queue(…)", "length", "peak"))],
  ["unacked", values("unacked", "count")],
  ["scheduled", values("scheduled", "count")],
  ["dead", values("dead", "count")],
  ["results", values("results", "count")],
  ["task", fn("task", "task name", task)],
  ["tasks", fn("tasks", "task name?", tasks)],
  [
    "redis",
    object("redis", {
      get: fn("redis.get", "value", value),
      llen: fn("redis.llen", "value", value),
      exists: fn("redis.exists", "value", value),
      keys: fn("redis.keys", "value", value),
    }),
  ],
  [
    "pane",
    fn(
      "pane",
      "pane",
      object("pane(…)", { exit: value, busy: value, command: value, saw: fn("saw", "regex", value) }),
    ),
  ],
  ["step", fn("step", "step", values("step(…)", "phase", "exit", "runs"))],
  [
    "file",
    fn("file", "file", object("file(…)", { edited: value, loaded: value, has: fn("has", "value", value) })),
  ],
  ["http", fn("http", "url", values("http(…)", "status", "json"))],
]);

type Names = ReadonlyMap<string, Shape>;
const namesInWhere: Names = new Map([...roots, ...Object.entries(taskMembers)]);

/**
 * @throws ExpressionError at the first name that does not exist, with those that do, and for an expression that is
 * not a value in the end (`tasks()` without `.count`).
 */
export function checkShape(root: Node): void {
  expectValue(root, roots);
}

function expectValue(node: Node, names: Names): void {
  const shape = shapeOf(node, names);
  if (shape.kind === "value") return;
  if (shape.kind === "function") {
    throw new ExpressionError(`"${shape.title}" is called with a value in parentheses`, node.at);
  }
  throw new ExpressionError(`this is not a value yet: add ${options(membersOf(shape))} after a dot`, node.at);
}

function shapeOf(node: Node, names: Names): Shape {
  switch (node.kind) {
    case "literal":
      return value;
    case "regex":
      throw new ExpressionError("a pattern stands only in saw(/…/)", node.at);
    case "name":
      return lookUp(names, node.name, "", node.at);
    case "member":
      return memberShape(node, names);
    case "call":
      return callShape(node, names);
    case "list":
    case "index":
    case "unary":
    case "binary":
      for (const part of partsOf(node)) expectValue(part, names);
      return value;
  }
}

function partsOf(node: Extract<Node, { kind: "list" | "index" | "unary" | "binary" }>): readonly Node[] {
  switch (node.kind) {
    case "list":
      return node.items;
    case "index":
      return [node.target, node.index];
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
  }
}

function memberShape(node: Extract<Node, { kind: "member" }>, names: Names): Shape {
  const target = shapeOf(node.target, names);
  if (target.kind === "value") return value;
  if (target.kind === "function") {
    throw new ExpressionError(`"${target.title}" needs a value in parentheses before the dot`, node.at);
  }
  const title = target.kind === "tasks" ? "tasks(…)" : target.title;
  return lookUp(membersOf(target), node.name, ` of ${title}`, node.at);
}

function membersOf(shape: Shape): Names {
  if (shape.kind === "tasks") return tasksMembers;
  return shape.kind === "object" ? shape.members : new Map();
}

function lookUp(names: Names, name: string, of: string, at: number): Shape {
  const shape = names.get(name);
  if (shape !== undefined) return shape;
  throw new ExpressionError(`"${name}" is not a word${of} (known: ${options(names)})`, at);
}

function options(names: Names): string {
  return [...names.keys()].join(", ");
}

function callShape(node: Extract<Node, { kind: "call" }>, names: Names): Shape {
  const target = shapeOf(node.target, names);
  if (target.kind !== "function") throw new ExpressionError("this can not be called", node.at);
  const [argument, second] = node.args;
  if (second !== undefined) throw new ExpressionError(`"${target.title}" takes one value`, second.at);
  if (argument === undefined) {
    if (target.param === "task name?") return target.returns;
    throw new ExpressionError(`"${target.title}" needs ${wanted(target.param)} in parentheses`, node.at);
  }
  checkArgument(argument, target.param, names);
  return target.returns;
}

function checkArgument(node: Node, param: Param, names: Names): void {
  const text = node.kind === "literal" && typeof node.value === "string" ? node.value : undefined;
  const refuse = (): never => {
    throw new ExpressionError(`expected ${wanted(param)} here`, node.at);
  };
  switch (param) {
    case "value":
      return expectValue(node, names);
    case "condition":
      return expectValue(node, namesInWhere);
    case "regex":
      return node.kind === "regex" ? undefined : refuse();
    case "url":
      return text === undefined ? expectValue(node, names) : isLoopbackUrl(text) ? undefined : refuse();
    case "pane":
      return (PANE_IDS as readonly (string | undefined)[]).includes(text) ? undefined : refuse();
    case "number of a task":
      return (NUMBERS_OF_A_TASK as readonly (string | undefined)[]).includes(text) ? undefined : refuse();
    case "step":
    case "file":
    case "task name":
    case "task name?":
      return text === undefined ? refuse() : undefined;
  }
}

function wanted(param: Param): string {
  switch (param) {
    case "pane":
      return PANE_IDS.map((id) => `"${id}"`).join(" or ");
    case "step":
      return 'the id of a step, "send"';
    case "file":
      return 'the name of a file, "tasks.ts"';
    case "regex":
      return "a pattern, /ready/";
    case "url":
      return 'an address of this machine, "http://127.0.0.1:8000/x"';
    case "task name":
    case "task name?":
      return 'the name of a task, "tasks.add"';
    case "number of a task":
      return NUMBERS_OF_A_TASK.map((name) => `"${name}"`).join(" or ");
    case "condition":
      return 'a condition, state == "SUCCESS"';
    case "value":
      return "a value";
  }
}

export interface Reference {
  readonly kind: "step" | "file";
  readonly name: string;
  readonly at: number;
}

/** The steps and files that an expression speaks of, for the linter. */
export function referencesOf(root: Node): readonly Reference[] {
  return [...ownReference(root), ...childrenOf(root).flatMap(referencesOf)];
}

/** Every pattern in an expression, for the linter. */
export function patternsOf(root: Node): readonly RegExp[] {
  return [...(root.kind === "regex" ? [root.value] : []), ...childrenOf(root).flatMap(patternsOf)];
}

function ownReference(node: Node): readonly Reference[] {
  if (node.kind !== "call" || node.target.kind !== "name") return [];
  const { name: kind } = node.target;
  const [argument] = node.args;
  if ((kind !== "step" && kind !== "file") || argument?.kind !== "literal") return [];
  return [{ kind, name: String(argument.value), at: argument.at }];
}

function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "regex":
    case "name":
      return [];
    case "member":
      return [node.target];
    case "call":
      return [node.target, ...node.args];
    case "list":
    case "index":
    case "unary":
    case "binary":
      return partsOf(node);
  }
}
