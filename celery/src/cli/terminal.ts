import type { CommandContext } from "./command.ts";
import { paint } from "./logging.ts";

/** The process's own voice, which stays its own when tasks' output is captured. */
export interface Terminal {
  readonly color: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  cyan(text: string): string;
}

export function openTerminal({ stdout, stderr, global }: CommandContext): Terminal {
  // A closed terminal or pipe answers with an error event; there is nobody left to tell.
  for (const stream of [stdout, stderr]) stream.on("error", () => undefined);
  const out = stdout.write.bind(stdout);
  const err = stderr.write.bind(stderr);
  const color = global.color && stderr.isTTY === true;
  return {
    color,
    out: (text) => void out(text),
    err: (text) => void err(text),
    cyan: (text) => paint(text, global.color && stdout.isTTY === true ? 36 : undefined),
  };
}
