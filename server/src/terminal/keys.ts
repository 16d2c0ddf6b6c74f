/** Ctrl-E, Ctrl-U: to the end of the line, then delete it. A terminal that edits lines itself knows the second. */
const CLEAR_LINE = "\x05\x15";

/**
 * The keys that put a command at a shell's prompt.
 *
 * With bracketed paste the shell takes everything, newlines too, as text of one input. Without, several lines are
 * put in braces, so that the shell runs them as one command and says once how it ended.
 */
export function keysFor(
  command: string,
  options: { readonly paste: boolean; readonly enter: boolean },
): string {
  const text = withoutControls(command.trim());
  const enter = options.enter ? "\r" : "";
  if (options.paste) return `${CLEAR_LINE}\x1b[200~${text}\x1b[201~${enter}`;
  const lines = text.split("\n");
  const grouped = lines.length > 1 ? ["{", ...lines, "}"].join("\r") : text;
  return `\x15${grouped.replaceAll("\t", " ")}${enter}`;
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
