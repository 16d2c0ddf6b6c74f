/**
 * The keys that put a command at a prompt which takes bracketed paste: all of it, newlines too, is text of one input.
 * Ctrl-E and Ctrl-U clear the line before.
 */
export function pasteKeys(command: string): string {
  return `\x05\x15\x1b[200~${withoutControls(command.trim())}\x1b[201~`;
}

/** The same for one line at any prompt. Where the terminal itself edits the line, only Ctrl-U is known; a tab would complete. */
export function plainKeys(command: string): string {
  return `\x15${withoutControls(command.trim()).replaceAll(/[\t\n]+/g, " ")}`;
}

/** A control character would be a key to the shell; an escape could end the paste. */
function withoutControls(text: string): string {
  return Array.from(text.replaceAll("\r\n", "\n"))
    .filter((char) => char === "\n" || char === "\t" || !isControl(char))
    .join("");
}

function isControl(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
