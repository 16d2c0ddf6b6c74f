/**
 * Whether a module exports a name, by its text: declarations, `export { a as b }` and `export default`. Comments and
 * strings do not count.
 */
export function exportsName(text: string, name: string): boolean {
  const code = withoutComments(text);
  const declared =
    /\bexport\s+(?:declare\s+)?(?:async\s+)?(?:const|let|var|function\*?|class|enum|type|interface)\s+([\p{L}_$][\p{L}\p{N}_$]*)/gu;
  if ([...code.matchAll(declared)].some((match) => match[1] === name)) return true;
  if (name === "default" && /\bexport\s+default\b/.test(code)) return true;
  return [...code.matchAll(/\bexport\s*(?:type\s*)?\{([^}]*)\}/g)].some((match) =>
    listed(match[1] ?? "").includes(name),
  );
}

function listed(list: string): readonly string[] {
  return list.split(",").map((item) =>
    (
      item
        .trim()
        .split(/\s+as\s+/)
        .at(-1) ?? ""
    ).replace(/^type\s+/, ""),
  );
}

/** Strings become empty and comments vanish; templates keep their code, which exports nothing anyway. */
function withoutComments(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g,
    (part) => (part.startsWith("/") ? " " : '""'),
  );
}
