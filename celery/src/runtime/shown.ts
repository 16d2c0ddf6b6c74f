/** What would move the cursor, colour the screen or turn the text round; a line break and a tab are kept. */
const COMMANDS = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;
const ALL_COMMANDS = new RegExp(COMMANDS, "gu");
const BREAKS = /[\n\t\u2028\u2029]/g;

/** Most characters of a text that stands in a line among others. */
const MOST = 1024;

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

/** A text of others on its way to a terminal: what would command it is shown instead, as Python's `repr` does. */
export function visible(text: string): string {
  return COMMANDS.test(text) ? text.replaceAll(ALL_COMMANDS, escaped) : text;
}

/** The same for a name, an id or a reason: it stays on its line and leaves room for the rest of it. */
export function inOneLine(text: string): string {
  const shown = visible(text).replaceAll(BREAKS, escaped);
  return shown.length > MOST ? `${shown.slice(0, MOST)}...` : shown;
}

function escaped(char: string): string {
  const code = char.charCodeAt(0);
  const hex = code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  return NAMED[char] ?? hex;
}
