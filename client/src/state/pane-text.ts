/** A command of a pane's text with what it printed; `command` is null for what came before the first one. */
export interface TextSection {
  readonly command: string | null;
  readonly output: string;
}

const PROMPT = /^(?:broker|worker|producer) \$ ?(.*)$/;
const MOST_LINES = 500;

/** Cuts a pane's plain text at its prompts, newest lines only, so that each command can be a heading. */
export function paneSections(text: string): TextSection[] {
  const lines = text.replace(/\s+$/, "").split("\n").slice(-MOST_LINES);
  const sections: { command: string | null; lines: string[] }[] = [{ command: null, lines: [] }];
  for (const line of lines) {
    const command = PROMPT.exec(line)?.[1];
    if (command === undefined) sections.at(-1)?.lines.push(line);
    else if (command.trim() !== "") sections.push({ command: command.trim(), lines: [] });
  }
  return sections
    .map((section) => ({ command: section.command, output: section.lines.join("\n").replace(/\s+$/, "") }))
    .filter((section) => section.command !== null || section.output.trim() !== "");
}
