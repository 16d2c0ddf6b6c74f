import { Script } from "node:vm";

/** What a typed piece of code is to be run as, or what to tell the person who typed it. */
export type ShellInput =
  | { readonly kind: "nothing" }
  /** Its value, once awaited, is shown or kept. `code` is a promise of a list of one: the value as it was before awaiting. */
  | {
      readonly kind: "expression";
      readonly code: string;
      readonly target: string | null;
      readonly isShown: boolean;
    }
  /** `code` is to be run, and awaited if it is a promise. */
  | { readonly kind: "statements"; readonly code: string }
  /** More lines are needed. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "fault"; readonly text: string };

/** Stands for `import` in `import("…")`: code that is compiled at run time has none of its own. */
export const IMPORT = "__celery_shell_import__";

/**
 * Makes a prompt out of JavaScript: an expression's promise is awaited before it is shown or kept (`r = add.delay(2, 3)` leaves the
 * receipt in `r`), a `const` may be declared again, `await` works everywhere, and what is Python and not JavaScript is answered with
 * its translation.
 */
export function readShellInput(code: string): ShellInput {
  const text = code.trim();
  if (text === "" || text === ";") return { kind: "nothing" };
  const hint = importHint(text) ?? keywordHint(text);
  if (hint !== undefined) return { kind: "fault", text: hint };
  const runnable = replaceImports(text);
  return readAssignment(runnable) ?? readExpression(runnable, null, true) ?? readStatements(runnable);
}

function replaceImports(text: string): string {
  const places = [...blankStrings(text).matchAll(/(?<![\w$.])import(?=\s*\()/g)].reverse();
  return places.reduce(
    (code, { index }) => code.slice(0, index) + IMPORT + code.slice(index + "import".length),
    text,
  );
}

/** `r = …`, `const r = …`, `let { a, b } = …`. Declarations become assignments, so that they can be typed again. */
function readAssignment(text: string): ShellInput | undefined {
  const pattern =
    /^(?<declare>(?:const|let|var)\s+)?(?<target>[A-Za-z_$][\w$]*|(?:\{[^=]*\}|\[[^=]*\]))\s*=(?![=>])\s*(?<value>[\s\S]+)$/;
  const { declare, target = "", value = "" } = pattern.exec(text)?.groups ?? {};
  if (target === "" || (declare === undefined && target.startsWith("{"))) return undefined;
  return compiles(`(${target} = 0)`) ? readExpression(value, target, declare === undefined) : undefined;
}

function readExpression(text: string, target: string | null, isShown: boolean): ShellInput | undefined {
  if (/^(?:async\s+)?function\b|^class\b/.test(text) && target === null) return undefined; // as an expression it would not be declared
  const body = text.replace(/;\s*$/, "");
  const code = `(async () => [(${body}\n)])()`;
  // Also as a list's only element, so that `a = 1, b = 2` and `1) + (2` are none.
  return compiles(code) && compiles(`(async () => [${body}\n])()`) && !hasTopLevelComma(body)
    ? { kind: "expression", code, target, isShown }
    : undefined;
}

function readStatements(text: string): ShellInput {
  const fault = syntaxError(text);
  if (fault === undefined) return { kind: "statements", code: text };
  const inAsync = `(async () => {\n${text.replace(/^(?:const|let|var)\s+(?=[\w$]+\s*=)/, "")}\n})()`;
  if (compiles(inAsync)) return { kind: "statements", code: inAsync };
  return isUnfinished(text, fault)
    ? { kind: "incomplete" }
    : { kind: "fault", text: `SyntaxError: ${fault}` };
}

function compiles(code: string): boolean {
  return syntaxError(code) === undefined;
}

function syntaxError(code: string): string | undefined {
  try {
    new Script(code);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function isUnfinished(text: string, fault: string): boolean {
  if (fault === "Unexpected end of input" || fault === "Unterminated template literal") return true;
  return depthAtEnd(blankStrings(text)) > 0;
}

function depthAtEnd(blank: string): number {
  let depth = 0;
  for (const char of blank) depth += "([{".includes(char) ? 1 : ")]}".includes(char) ? -1 : 0;
  return depth;
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
