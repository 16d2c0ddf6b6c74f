import type { CeleryApp } from "../app/types.ts";
import type { OptionSpec } from "./options.ts";

/** What came before the sub-command: `celery -A tasks -b redis://… worker`. */
export interface GlobalOptions {
  /** `-A`: the module that holds the app, e.g. `tasks` or `tasks:app`. */
  readonly app: string | undefined;
  readonly broker: string | undefined;
  readonly resultBackend: string | undefined;
  readonly color: boolean;
  readonly quiet: boolean;
}

/** What a sub-command may use of the process it runs in. */
export interface CommandContext {
  readonly global: GlobalOptions;
  /** After `--workdir`. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /**
   * The app that `-A` names, with `-b` and `--result-backend` applied; without `-A` an app without tasks that
   * talks to `-b` or Celery's environment variables. The caller closes it.
   *
   * @param include modules to load besides it.
   *
   * @throws AppLoadError that says what is wrong and what to do, with file and line where the fault is the module's.
   */
  loadApp(include?: readonly string[]): Promise<CeleryApp>;
  /**
   * A signal that aborts at the first SIGINT, SIGTERM or SIGHUP, and when nobody reads any more (`NOBODY_READS`); until it is asked
   * for, those signals end the process.
   */
  interrupted(): AbortSignal;
}

/** One sub-command of `celery`: one file of this folder, exported as `command`. */
export interface Command {
  readonly name: string;
  /** One line for `celery --help`. */
  readonly summary: string;
  /** The whole text of `celery NAME --help`; make it with `renderHelp`. */
  readonly help: string;
  /** Those that the environment may give, too: `CELERY_WORKER_CONCURRENCY`. */
  readonly options?: readonly OptionSpec[];
  /** It has more to do than to print: it goes on when nobody reads what it says any more. */
  readonly outlivesReader?: true;
  /**
   * @param args what followed the sub-command's name.
   * @returns the exit status: 0 well, 1 failed, 2 wrong usage, 69 when no node replied.
   * @throws UsageError to have usage, hint and message printed and 2 returned; CeleryError to have its message
   *   printed and 1 returned (2 for an app that cannot be loaded). Anything else is a bug and printed with its stack.
   */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}

/** Why `interrupted()` aborts when it was no signal: there is no word to be said about it. */
export const NOBODY_READS = "nobody reads what is written";

/** The person at the prompt asked for something that cannot be; `message` says what and what to do. */
export class UsageError extends Error {
  readonly code = "USAGE";

  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
