import { Script } from "node:vm";

/** What a typed piece of code is to be run as, or what to tell the person who typed it. */
export type ShellInput =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "hint"; readonly text: string };

/** Name of the function, in the shell's scope, that waits for a promise or for a list of promises. */
export const SETTLE = "__settle__";

/**
 * Makes a prompt out of JavaScript: an expression's promise is awaited before it is shown or kept (`r = add.delay(2, 3)` leaves the
 * receipt in `r`), a `const` may be declared again, and what is Python and not JavaScript is answered with its translation.
 */
export function readShellInput(code: string): ShellInput {
  const text = code.trim();
  const hint = importHint(text) ?? keywordHint(text);
  if (hint !== undefined) return { kind: "hint", text: hint };
  return { kind: "code", code: rewrite(text) ?? code };
}

function rewrite(text: string): string | undefined {
  if (/^(?:async\s+)?function\b|^class\b/.test(text)) return undefined; // as an expression it would not be declared
  const body = text.replace(/;\s*$/, "");
  const assignment =
    /^(?:(?:const|let|var)\s+)?(?<name>[A-Za-z_$][\w$]*)\s*=(?![=>])\s*(?<value>[\s\S]+)$/.exec(body)?.groups;
  if (assignment) {
    const { name = "", value = "" } = assignment;
    return isExpression(value) ? `${name} = await ${SETTLE}(${value}\n)` : undefined;
  }
  return body !== "" && isExpression(body) ? `await ${SETTLE}(${body}\n)` : undefined;
}

/** Alone in brackets, so that `1) + (2` is none; and a comma would make two arguments of it. */
function isExpression(text: string): boolean {
  return (
    compiles(`(async () => [(${text}\n)])`) &&
    compiles(`(async () => f(${text}\n))`) &&
    !hasTopLevelComma(text)
  );
}

function compiles(code: string): boolean {
  try {
    new Script(code);
    return true;
  } catch {
    return false; // a syntax error is the answer
  }
}

function hasTopLevelComma(text: string): boolean {
  let depth = 0;
  for (const char of blankStrings(text)) {
    if ("([{".includes(char)) depth += 1;
    else if (")]}".includes(char)) depth -= 1;
    else if (char === "," && depth === 0) return true;
  }
  return false;
}

function importHint(text: string): string | undefined {
  if (/^from\s+[\w.]+\s+import\s/.test(text)) {
    return "No import is needed here: every task is in scope under its short name, and the app is `app`.";
  }
  if (/^import\s+[\w.]+$/.test(text))
    return `That is Python. Here it is: ${text.split(/\s+/)[1]} = await import("…")`;
  const names = /^import\s+(?<what>.+?)\s+from\s+(?<from>["'].+["'])/.exec(text)?.groups;
  if (!names) return undefined;
  const { what = "", from = "" } = names;
  const target = what.startsWith("{") ? what.replaceAll(/\s+as\s+/g, ": ") : what.replace(/^\*\s+as\s+/, "");
  return `A prompt cannot import like a file. Tasks are in scope already; for the rest write: const ${target} = await import(${from})`;
}

/** `r.get(timeout=10)` is legal JavaScript that means something else (a timeout of *something*): better to stop than to hang. */
function keywordHint(text: string): string | undefined {
  const blank = blankStrings(text);
  for (const call of blank.matchAll(/(?<callee>[\w$\])][\w$.\])]*)\s*\(/g)) {
    const open = call.index + call[0].length - 1;
    const close = closingBracket(blank, open);
    const isDefinition =
      /^(?:async|function|if|while|for|switch|catch)$/.test(call.groups?.["callee"] ?? "") ||
      /^\s*(?:=>|\{)/.test(blank.slice(close + 1));
    if (isDefinition || /\bfunction\s*[\w$]*\s*$/.test(blank.slice(0, open))) continue;
    const args = [...splitArguments(text, blank, open, close)];
    if (args.some(({ name }) => name !== undefined)) return keywordText(call.groups?.["callee"] ?? "", args);
  }
  return undefined;
}

interface Argument {
  readonly name: string | undefined;
  readonly value: string;
}

function* splitArguments(text: string, blank: string, open: number, close: number): Generator<Argument> {
  let depth = 0;
  let start = open + 1;
  for (let at = open + 1; at <= close; at++) {
    const char = blank[at] ?? "";
    if (at === close || (char === "," && depth === 0)) {
      const match = /^\s*(?<name>[A-Za-z_]\w*)\s*=(?![=>])\s*(?<value>[\s\S]*)$/.exec(text.slice(start, at));
      yield {
        name: match?.groups?.["name"],
        value: (match?.groups?.["value"] ?? text.slice(start, at)).trim(),
      };
      start = at + 1;
    } else if ("([{".includes(char)) depth += 1;
    else if (")]}".includes(char)) depth -= 1;
  }
}

function keywordText(callee: string, args: readonly Argument[]): string {
  const named = args.filter((arg): arg is Argument & { name: string } => arg.name !== undefined);
  const method = callee.split(".").at(-1) ?? "";
  const written =
    method === "delay" ? args.map(({ value }) => value).join(", ") : withOptions(method, args, named);
  return `TypeScript has no keyword arguments (${named[0]?.name}=…). Write ${camelCase(callee)}(${written}).`;
}

function withOptions(
  method: string,
  args: readonly Argument[],
  named: readonly (Argument & { name: string })[],
): string {
  const isApply = camelCase(method) === "applyAsync";
  const positional = args
    .filter(({ name }) => name === undefined || (isApply && name === "args"))
    .map(({ value }) => value);
  if (isApply && positional.length === 0) positional.push("[]");
  const options = named
    .filter(({ name }) => !(isApply && name === "args"))
    .map(({ name, value }) => `${camelCase(name)}: ${value}`);
  return [...positional, ...(options.length > 0 ? [`{ ${options.join(", ")} }`] : [])].join(", ");
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function closingBracket(blank: string, open: number): number {
  let depth = 0;
  for (let at = open; at < blank.length; at++) {
    if ("([{".includes(blank[at] ?? "")) depth += 1;
    else if (")]}".includes(blank[at] ?? "")) depth -= 1;
    if (depth === 0) return at;
  }
  return blank.length;
}

/** The same text with the insides of strings and comments blanked: every index stays what it was. */
function blankStrings(text: string): string {
  const pattern = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replaceAll(pattern, (match) => " ".repeat(match.length));
}
