/** Ranges of characters that take two columns: East Asian ones and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;

/** Nobody reads more on a screen, and a text of megabytes would freeze it. Characters. */
const MOST_IN_LINE = 4_000;
const MOST_WRAPPED = 40_000;

/** Text from elsewhere: line ends become spaces, nothing in it can command the terminal, and it has an end. */
export function plain(text: string): string {
  return shorten(text, MOST_IN_LINE)
    .replaceAll(/[\r\n\t]+/g, " ")
    .replaceAll(/\p{C}/gu, "·");
}

function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
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
  let used = 0;
  let read = 0;
  /** How much of it leaves room for the mark. */
  let kept = 0;
  for (const char of text) {
    used += charWidth(char);
    if (used > columns) return `${text.slice(0, kept)}…`;
    read += char.length;
    if (used < columns) kept = read;
  }
  return text;
}

/** Parts of one line, which are painted differently, cut where the line ends. */
export function clipParts<T extends readonly string[]>(parts: T, columns: number): T {
  let room = columns;
  return parts.map((part) => {
    const cut = clip(part, room);
    room -= width(cut);
    return cut;
  }) as unknown as T;
}

/** The first parts, as many as fit whole: half a figure says something else. */
export function joinWhile(parts: readonly string[], columns: number): string {
  let text = "";
  for (const part of parts) {
    if (width(text) + width(part.trimEnd()) > columns) break;
    text += part;
  }
  return clip(text.trimEnd(), columns);
}

/** A dotted name that is too long loses its beginning, because its end says what it is: `…tasks.add`. */
export function shortName(name: string, columns: number): string {
  if (width(name) <= columns) return name;
  const [, ...rest] = name.replace(/^…/, "").split(".");
  return rest.length === 0 ? clip(name, columns) : shortName(`…${rest.join(".")}`, columns);
}

/** The end of an id: ids of one client begin alike. */
export function shortId(uuid: string): string {
  const id = plain(uuid);
  return id.length > 9 ? `…${id.slice(-8)}` : id;
}

/** Breaks a text into lines of at most `columns`, at its own line ends first. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines = shorten(text, MOST_WRAPPED).split("\n");
  return lines.flatMap((line) => {
    const parts: string[] = [];
    let part = "";
    let used = 0;
    for (const char of plain(line)) {
      const taken = charWidth(char);
      if (used + taken > columns) {
        parts.push(part);
        part = "";
        used = 0;
      }
      part += char;
      used += taken;
    }
    return [...parts, part];
  });
}

/** Breaks a sentence of ours between its words. */
export function wrapWords(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && width(line) + 1 + width(word) <= columns)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function charWidth(char: string): number {
  if (char >= " " && char <= "~") return 1;
  if (/^\p{M}$/u.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}
