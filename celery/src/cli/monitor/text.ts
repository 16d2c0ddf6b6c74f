/** Ranges of characters that take two columns: East Asian ones and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;

/** Text from elsewhere: line ends become spaces, and nothing in it can command the terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[\r\n\t]+/g, " ").replaceAll(/\p{C}/gu, "·");
}

/** Columns that a text takes. */
export function width(text: string): number {
  let columns = 0;
  for (const char of text) columns += charWidth(char);
  return columns;
}

/** Exactly `columns` wide: cut with `…`, or filled with spaces. */
export function fit(text: string, columns: number, align: "left" | "right" = "left"): string {
  const cut = clip(text, columns);
  const fill = " ".repeat(Math.max(0, columns - width(cut)));
  return align === "left" ? cut + fill : fill + cut;
}

/** At most `columns` wide. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (width(text) <= columns) return text;
  let cut = "";
  let used = 0;
  for (const char of text) {
    if (used + charWidth(char) > columns - 1) break;
    cut += char;
    used += charWidth(char);
  }
  return `${cut}…`;
}

/** Breaks a text into lines of at most `columns`, at its own line ends first. */
export function wrap(text: string, columns: number): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const parts: string[] = [];
    let part = "";
    for (const char of plain(line)) {
      if (width(part) + charWidth(char) > columns) {
        parts.push(part);
        part = "";
      }
      part += char;
    }
    return [...parts, part];
  });
}

function charWidth(char: string): number {
  if (/^\p{M}$/u.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}
