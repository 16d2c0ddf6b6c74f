import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import { IMPORT, readShellInput } from "./shell-input.ts";

/** What came of one input. */
export type Evaluation =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "nothing" }
  | { readonly kind: "incomplete" }
  | { readonly kind: "fault"; readonly text: string }
  | { readonly kind: "thrown"; readonly error: unknown };

/** Where a pattern's value waits for being taken apart. */
const PENDING_VALUE = "__celery_shell_value__";

/**
 * Puts names into the shell's scope, which is the process's own global one: values made at the prompt are of the same classes as
 * everywhere else. What is there already (`fetch`, `URL`) stays.
 *
 * @returns the names that were left out.
 */
export function fillScope(names: Readonly<Record<string, unknown>>): readonly string[] {
  const taken = Object.keys(names).filter((name) => name in globalThis);
  setGlobal(IMPORT, importFromHere);
  for (const [name, value] of Object.entries(names)) if (!taken.includes(name)) setGlobal(name, value);
  return taken;
}

/** Runs what was typed, and waits for promises: one, or a list of them. */
export async function evaluate(text: string): Promise<Evaluation> {
  const input = readShellInput(text);
  try {
    switch (input.kind) {
      case "nothing":
      case "incomplete":
      case "fault":
        return input;
      case "statements":
        await run(input.code);
        return { kind: "nothing" };
      case "expression": {
        const value = await settle(((await run(input.code)) as [unknown])[0]);
        if (input.target !== null) assign(input.target, value);
        return input.isShown && value !== undefined ? { kind: "value", value } : { kind: "nothing" };
      }
    }
  } catch (error) {
    return { kind: "thrown", error };
  }
}

function run(code: string): unknown {
  return runInThisContext(code, { filename: "shell" });
}

/** `import("./tasks.ts")` at the prompt means the folder that the shell was started in. */
function importFromHere(specifier: string): Promise<unknown> {
  return import(/^\.{0,2}\//.test(specifier) ? pathToFileURL(resolve(specifier)).href : specifier);
}

async function settle(value: unknown): Promise<unknown> {
  if (Array.isArray(value) && value.some((item) => item instanceof Promise))
    return Promise.all(value as unknown[]);
  return value;
}

function assign(target: string, value: unknown): void {
  if (/^[\w$]+$/.test(target)) {
    setGlobal(target, value);
    return;
  }
  setGlobal(PENDING_VALUE, value);
  run(`(${target} = ${PENDING_VALUE})`);
  setGlobal(PENDING_VALUE, undefined);
}

function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

/** Completions of the word before the cursor: names in scope, or members of what a dotted name stands for. */
export function complete(line: string): [candidates: string[], word: string] {
  const word = /[\w$.]*$/.exec(line)?.[0] ?? "";
  const path = word.split(".");
  const stem = path.pop() ?? "";
  const owner = lookUp(path);
  if (owner === undefined || owner === null) return [[], word];
  const prefix = path.map((step) => `${step}.`).join("");
  const names = memberNames(owner).filter((name) => name.startsWith(stem) && /^[A-Za-z$][\w$]*$/.test(name));
  return [names.map((name) => prefix + name).sort(), word];
}

function lookUp(path: readonly string[]): unknown {
  try {
    return path.reduce<unknown>(
      (owner, step) => (Object(owner) as Record<string, unknown>)[step],
      globalThis,
    );
  } catch {
    return undefined; // a getter that throws has nothing to offer
  }
}

function memberNames(owner: unknown): readonly string[] {
  const names = new Set<string>();
  for (
    let object = Object(owner) as object | null;
    object && object !== Object.prototype;
    object = Object.getPrototypeOf(object) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(object)) names.add(name);
  }
  return [...names];
}
