import { createInterface, type Interface } from "node:readline";
import { makeDeferred } from "../runtime/deferred.ts";
import type { CommandContext } from "./command.ts";
import { readHistory, writeHistory } from "./shell-history.ts";
import { complete } from "./shell-session.ts";

/** What an input led to: the next one, more lines of the same, or the end. */
export type Response = "next" | "more" | "end";

const PROMPT = ">>> ";
const MORE_PROMPT = "... ";
const HISTORY_SIZE = 1000;

/**
 * Reads what is typed, or piped in, one input after the other: lines that come while one is being worked on (a pipe is faster than
 * any task) wait their turn.
 */
export class ShellPrompt {
  readonly #context: CommandContext;
  readonly #isTerminal: boolean;
  readonly #lines: Interface;
  #buffer = "";
  #interrupt: (() => void) | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#isTerminal = context.stdin.isTTY === true && context.stdout.isTTY === true;
    this.#lines = this.#isTerminal
      ? openTerminalLines(context)
      : createInterface({ input: context.stdin, terminal: false });
    this.#lines.on("SIGINT", () => this.#onInterrupt());
  }

  /** @param work gets a promise that settles when Ctrl-C is pressed meanwhile. */
  async each(work: (text: string, interrupted: Promise<void>) => Promise<Response>): Promise<void> {
    this.show();
    for await (const line of this.#lines) {
      if ((await this.#take(line, work)) === "end") break;
      this.show();
    }
    this.#lines.close();
    if (this.#buffer !== "") this.#say("SyntaxError: the input is not complete\n");
    else if (this.#isTerminal) this.#say("\n");
  }

  show(): void {
    if (!this.#isTerminal) return;
    this.#lines.setPrompt(this.#buffer === "" ? PROMPT : MORE_PROMPT);
    this.#lines.prompt();
  }

  async #take(
    line: string,
    work: (text: string, interrupted: Promise<void>) => Promise<Response>,
  ): Promise<Response> {
    const text = this.#buffer === "" ? line : `${this.#buffer}\n${line}`;
    const stopped = makeDeferred<void>();
    this.#interrupt = () => stopped.resolve();
    const response = await work(text, stopped.promise);
    this.#interrupt = undefined;
    // An empty line ends an input that would ask for more for ever.
    const givesUp = response === "more" && line.trim() === "";
    if (givesUp) this.#say("SyntaxError: the input is not complete\n");
    this.#buffer = response === "more" && !givesUp ? text : "";
    return response;
  }

  /** Stops waiting; with nothing to wait for, throws away what is typed. */
  #onInterrupt(): void {
    if (this.#interrupt) return this.#interrupt();
    const isEmpty = this.#lines.line === "" && this.#buffer === "";
    this.#say(isEmpty ? "\n(To exit, press Ctrl-D or type .exit)\n" : "\n");
    this.#buffer = "";
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    this.show();
  }

  #say(text: string): void {
    this.#context.stdout.write(text);
  }
}

function openTerminalLines(context: CommandContext): Interface {
  const lines = createInterface({
    input: context.stdin,
    output: context.stdout,
    terminal: true,
    history: readHistory(context.env),
    historySize: HISTORY_SIZE,
    removeHistoryDuplicates: true,
    completer: complete,
  });
  lines.on("history", (newestFirst: string[]) => writeHistory(context.env, newestFirst));
  return lines;
}
