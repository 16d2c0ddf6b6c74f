/**
 * Where an applied diff's first run of added lines stands in the text, counted from 1; `undefined` for a diff that adds nothing
 * or whose lines are not there.
 */
export function findAddedLines(text: string, diff: string): { from: number; to: number } | undefined {
  const lines = diff.split("\n");
  const first = lines.findIndex((line) => line.startsWith("+") && line.trim() !== "+");
  if (first < 0) return undefined;
  const rest = lines.slice(first).findIndex((line) => !line.startsWith("+"));
  const added = lines.slice(first, rest < 0 ? undefined : first + rest).map((line) => line.slice(1));
  const present = text.split("\n");
  const at = present.findIndex((_, index) => added.every((line, offset) => present[index + offset] === line));
  return at < 0 ? undefined : { from: at + 1, to: at + added.length };
}
