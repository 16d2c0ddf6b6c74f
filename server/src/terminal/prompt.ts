import type { EventEmitter } from "node:events";
import { pasteKeys, plainKeys } from "./keys.ts";
import type { PaneOutput } from "./pane-output.ts";
import type { Pty } from "./pty.ts";
import type { ShellHome } from "./shell.ts";
import { quoted } from "./shell-scripts.ts";
import { bounded, whenEmitted } from "./waiting.ts";

const FRESH_PROMPT = { presses: 4, withinMs: 300, settleMs: 100 } as const;

export interface PromptDeps {
  readonly pty: Pty;
  readonly output: PaneOutput;
  readonly home: ShellHome;
  /** Tells `prompt` whenever one is drawn. */
  readonly events: Pick<EventEmitter, "on" | "off">;
}

/** Hands a prepared command to the shell: runs it, or only puts it at the prompt. */
export type Send = (enter: boolean) => void;

/** The shell's prompt, as the place where commands are typed. */
export class Prompt {
  readonly #deps: PromptDeps;
  /** Something may stand there that is not ours. */
  #touched = false;

  constructor(deps: PromptDeps) {
    this.#deps = deps;
    deps.events.on("prompt", () => {
      this.#touched = false;
    });
  }

  touch(): void {
    this.#touched = true;
  }

  /**
   * Makes the prompt ready for a command. What was typed there before (half a word, an open quote, a search) is given up.
   * The caller then sends at once, before anyone else types.
   */
  async prepare(command: string): Promise<Send> {
    const { pty, output, home } = this.#deps;
    if (pty.submit !== undefined) {
      const script = await home.writeCommand(command);
      return (enter) => (enter ? pty.submit?.(script) : output.say(`${command}\r\n`));
    }
    if (this.#touched) await this.#refresh();
    const keys = await this.#keysFor(command);
    return (enter) => {
      if (!enter) this.#touched = true;
      output.hurry();
      pty.write(enter ? `${keys}\r` : keys);
    };
  }

  /** A shell that takes several lines only as several commands is given them in a file. */
  async #keysFor(command: string): Promise<string> {
    const { output, home } = this.#deps;
    if (await output.screen.bracketedPaste()) return pasteKeys(command);
    if (!command.trim().includes("\n")) return plainKeys(command);
    return plainKeys(`. ${quoted(await home.writeCommand(command))}`);
  }

  /**
   * Ctrl-C at the prompt, again when no new prompt comes: bash 5.2 that is caught while it draws a line may take it and
   * draw none. After a second one, the answer to the first may still be on its way.
   */
  async #refresh(): Promise<void> {
    for (let presses = 1; presses <= FRESH_PROMPT.presses; presses += 1) {
      this.#deps.pty.write("\x03");
      if (!(await this.#drawnWithin(FRESH_PROMPT.withinMs))) continue;
      if (presses > 1) await this.#drawnWithin(FRESH_PROMPT.settleMs);
      return;
    }
  }

  async #drawnWithin(ms: number): Promise<boolean> {
    const wait = bounded(ms);
    return whenEmitted(this.#deps.events, "prompt", () => true, wait.signal).then(
      () => true,
      (error: unknown) => {
        wait.rethrowUnlessTimeout(error);
        return false;
      },
    );
  }
}
