/**
 * Splits a typed line into words as redis-cli does: spaces part them, single and double quotes hold them
 * together, and within double quotes `\n`, `\t`, `\"`, `\\` and `\xHH` are escapes.
 *
 * @returns `undefined` where a quote is not closed.
 */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== "") {
    const found = takeWord(rest);
    if (found === undefined) return undefined;
    words.push(found.word);
    rest = found.rest.trimStart();
  }
  return words;
}

function takeWord(text: string): { word: string; rest: string } | undefined {
  const quote = text[0];
  if (quote === '"' || quote === "'") return takeQuoted(text, quote);
  const end = text.search(/\s/);
  return end < 0 ? { word: text, rest: "" } : { word: text.slice(0, end), rest: text.slice(end) };
}

function takeQuoted(text: string, quote: string): { word: string; rest: string } | undefined {
  for (let end = 1; end < text.length; end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === quote) {
      const inside = text.slice(1, end);
      const word = quote === '"' ? unescape(inside) : inside.replaceAll("\\'", "'");
      return { word, rest: text.slice(end + 1) };
    }
  }
  return undefined;
}

const NAMED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\x07", b: "\b" };

function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (NAMED[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
