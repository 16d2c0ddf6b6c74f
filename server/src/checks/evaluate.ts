import type { PaneId } from "../protocol/index.ts";
import type { Expression, Node } from "./expression.ts";
import type { Facts, Json, TaskFacts } from "./facts.ts";
import { combine, isScalar, isTrue, itemOf, propertyOf } from "./values.ts";

/** Node visits that one evaluation may take, some 100 ms: a dozen parts over every task that is remembered. */
const MAX_VISITS = 200_000;

/** The expression took too many steps; `where` inside `where` over very many tasks. */
class EvaluationTooLong extends Error {}

/**
 * The value of a checked expression. Pure: the same facts give the same value. A property of nothing is null, and so
 * is arithmetic with something that is no number; comparing unlike things is false.
 *
 * @throws EvaluationTooLong
 */
export function evaluate(expression: Expression, facts: Facts): Json {
  return evaluateNode(expression.root, facts);
}

/** The same for a node of a sentence. */
export function evaluateNode(root: Node, facts: Facts): Json {
  return new Evaluation(facts).json(root, undefined);
}

/** What a node stands for on the way: a JSON value, a list of tasks, an object of the facts, or something to call. */
type Thing =
  | { readonly kind: "json"; readonly json: Json }
  | { readonly kind: "tasks"; readonly tasks: readonly TaskFacts[] }
  | { readonly kind: "object"; readonly members: ReadonlyMap<string, () => Thing> }
  | { readonly kind: "call"; readonly call: (argument: Node | undefined) => Thing }
  /** A call whose argument is looked at once per task, not once. */
  | { readonly kind: "where"; readonly filter: (test: Node) => Thing };

const json = (value: Json): Thing => ({ kind: "json", json: value });
const NOTHING: Thing = json(null);

class Evaluation {
  readonly #facts: Facts;
  readonly #roots: ReadonlyMap<string, () => Thing>;
  #visits = 0;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#roots = this.#makeRoots();
  }

  json(node: Node, task: TaskFacts | undefined): Json {
    const thing = this.#thing(node, task);
    return thing.kind === "json" ? thing.json : null;
  }

  #thing(node: Node, task: TaskFacts | undefined): Thing {
    this.#visits += 1;
    if (this.#visits > MAX_VISITS) throw new EvaluationTooLong("this check takes too many steps");
    switch (node.kind) {
      case "literal":
        return json(node.value);
      case "regex":
        return NOTHING;
      case "list":
        return json(node.items.map((item) => this.json(item, task)));
      case "name":
        return this.#name(node.name, task);
      case "member":
        return this.#member(this.#thing(node.target, task), node.name);
      case "index":
        return json(itemOf(this.json(node.target, task), this.json(node.index, task)));
      case "call":
        return this.#call(this.#thing(node.target, task), node.args[0], task);
      case "unary":
        return json(this.#unary(node, task));
      case "binary":
        return json(this.#binary(node, task));
    }
  }

  #name(name: string, task: TaskFacts | undefined): Thing {
    if (task !== undefined && Object.hasOwn(task, name)) return json(task[name as keyof TaskFacts]);
    return this.#roots.get(name)?.() ?? NOTHING;
  }

  #member(target: Thing, name: string): Thing {
    switch (target.kind) {
      case "json":
        return json(propertyOf(target.json, name));
      case "object":
        return target.members.get(name)?.() ?? NOTHING;
      case "tasks":
        return this.#tasksMember(target.tasks, name);
      case "call":
      case "where":
        return NOTHING;
    }
  }

  #call(target: Thing, argument: Node | undefined, task: TaskFacts | undefined): Thing {
    if (target.kind === "where") return argument === undefined ? NOTHING : target.filter(argument);
    if (target.kind !== "call") return NOTHING;
    if (argument === undefined || argument.kind === "regex") return target.call(argument);
    // The argument may speak of the task at hand, so it is turned into a literal while that is known.
    const value = this.json(argument, task);
    return target.call({ kind: "literal", at: argument.at, value: isScalar(value) ? value : null });
  }

  #unary(node: Extract<Node, { kind: "unary" }>, task: TaskFacts | undefined): Json {
    const value = this.json(node.operand, task);
    if (node.operator === "not") return !isTrue(value);
    return typeof value === "number" ? -value : null;
  }

  #binary(node: Extract<Node, { kind: "binary" }>, task: TaskFacts | undefined): Json {
    const left = this.json(node.left, task);
    if (node.operator === "and") return isTrue(left) ? this.json(node.right, task) : left;
    if (node.operator === "or") return isTrue(left) ? left : this.json(node.right, task);
    return combine(node.operator, left, this.json(node.right, task));
  }

  #tasksMember(tasks: readonly TaskFacts[], name: string): Thing {
    switch (name) {
      case "count":
        return json(tasks.length);
      case "first":
        return taskThing(tasks[0]);
      case "last":
        return taskThing(tasks.at(-1));
      case "where":
        return { kind: "where", filter: (test) => this.#where(tasks, test) };
      case "max":
        return withText((property) => json(extreme(tasks, property, (a, b) => (b > a ? b : a))));
      case "min":
        return withText((property) => json(extreme(tasks, property, (a, b) => (b < a ? b : a))));
      default:
        return NOTHING;
    }
  }

  #where(tasks: readonly TaskFacts[], test: Node): Thing {
    return { kind: "tasks", tasks: tasks.filter((task) => isTrue(this.json(test, task))) };
  }

  #makeRoots(): ReadonlyMap<string, () => Thing> {
    const facts = this.#facts;
    const named = (name: string): readonly TaskFacts[] => facts.tasks.filter((task) => task.name === name);
    return new Map<string, () => Thing>([
      ["workers", () => plain(facts.workers)],
      ["unacked", () => plain(facts.unacked)],
      ["scheduled", () => plain(facts.scheduled)],
      ["dead", () => plain(facts.dead)],
      ["results", () => plain(facts.results)],
      ["queue", () => withText((name) => plain(facts.queue(name)))],
      ["task", () => withText((name) => taskThing(named(name).at(-1)))],
      ["tasks", () => tasksCall(facts.tasks, named)],
      ["redis", () => redisThing(facts.redis)],
      ["pane", () => withText((id) => paneThing(facts.pane(id as PaneId)))],
      ["step", () => withText((id) => plain(facts.step(id)))],
      ["file", () => withText((path) => fileThing(facts.file(path)))],
      ["http", () => withText((url) => plain(facts.http(url)))],
    ]);
  }
}

function withText(call: (text: string) => Thing): Thing {
  return {
    kind: "call",
    call: (argument) =>
      argument?.kind === "literal" && argument.value !== null ? call(String(argument.value)) : NOTHING,
  };
}

function plain(members: object): Thing {
  return {
    kind: "object",
    members: new Map(Object.entries(members).map(([name, value]) => [name, () => json(value as Json)])),
  };
}

function taskThing(task: TaskFacts | undefined): Thing {
  return task === undefined ? NOTHING : plain(task);
}

function tasksCall(all: readonly TaskFacts[], named: (name: string) => readonly TaskFacts[]): Thing {
  return {
    kind: "call",
    call: (argument) => ({
      kind: "tasks",
      tasks: argument?.kind === "literal" ? named(String(argument.value)) : all,
    }),
  };
}

function redisThing(redis: Facts["redis"]): Thing {
  return {
    kind: "object",
    members: new Map<string, () => Thing>([
      ["get", () => withText((key) => json(redis.get(key)))],
      ["llen", () => withText((key) => json(redis.llen(key)))],
      ["exists", () => withText((key) => json(redis.exists(key)))],
      ["keys", () => withText((pattern) => json(redis.keys(pattern)))],
    ]),
  };
}

function paneThing(pane: ReturnType<Facts["pane"]>): Thing {
  return {
    kind: "object",
    members: new Map<string, () => Thing>([
      ["exit", () => json(pane.exit)],
      ["busy", () => json(pane.busy)],
      ["command", () => json(pane.command)],
      [
        "saw",
        () => ({
          kind: "call",
          call: (pattern) => json(pattern?.kind === "regex" && pane.saw(pattern.value)),
        }),
      ],
    ]),
  };
}

function fileThing(file: ReturnType<Facts["file"]>): Thing {
  return {
    kind: "object",
    members: new Map<string, () => Thing>([
      ["edited", () => json(file.edited)],
      ["loaded", () => json(file.loaded)],
      ["has", () => withText((name) => json(file.has(name)))],
    ]),
  };
}

function extreme(
  tasks: readonly TaskFacts[],
  property: string,
  pick: (a: number, b: number) => number,
): number | null {
  const numbers = tasks
    .map((task) => task[property as keyof TaskFacts])
    .filter((each) => typeof each === "number");
  return numbers.length === 0 ? null : numbers.reduce(pick);
}
