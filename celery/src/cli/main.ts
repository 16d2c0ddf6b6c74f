import { resolve } from "node:path";
import { Celery } from "../app/celery.ts";
import { loadApp } from "../app/load-app.ts";
import { AppLoadError, CeleryError } from "../protocol/errors.ts";
import { type Command, type CommandContext, NOBODY_READS, UsageError } from "./command.ts";
import { commandLoaders } from "./commands.ts";
import { GLOBAL_OPTIONS, readGlobalOptions, wordsFromEnvironment } from "./global-options.ts";
import { nearest, type ParsedOptions, parseOptions, renderHelp } from "./options.ts";
import { VERSION_BANNER } from "./version.ts";

/**
 * Runs `celery …` and returns the exit status. The only reader and writer of the environment in this process:
 * `-b` and `--result-backend` go there, because that is where they win over the code, here and in pool children.
 */
export async function runCommandLine(self: NodeJS.Process): Promise<number> {
  let usage = "celery [OPTIONS] COMMAND [ARGS]...";
  let path = "celery";
  try {
    const globals = parseOptions(GLOBAL_OPTIONS, self.argv.slice(2), { stopAtPositional: true });
    const [name, ...args] = globals.rest;
    if (globals.values["version"]) return say(self, `${VERSION_BANNER}\n`);
    if (globals.values["help"]) return say(self, await mainHelp());
    if (name === undefined) return say(self, await mainHelp());
    const command = await findCommand(name);
    refuseMisplaced(name, args);
    usage = `celery ${name} [OPTIONS]`;
    path = `celery ${name}`;
    if (args.includes("--help")) return say(self, command.help);
    const words = wordsFromEnvironment(name, command.options ?? [], self.env);
    const reader = watchReader(self, command);
    const status = await command.run([...words, ...args], makeContext(self, globals, reader));
    return reader.aborted ? 1 : status;
  } catch (error) {
    return report(self, error, usage, path);
  }
}

async function findCommand(name: string): Promise<Command> {
  const load = commandLoaders[name];
  if (load) return load();
  const near = nearest(name, Object.keys(commandLoaders));
  const hint =
    near.length === 0 ? "" : `\n\nDid you mean one of these?\n${near.map((n) => `    ${n}`).join("\n")}`;
  throw new UsageError(`No such command '${name}'.${hint}`);
}

/** @see celery 5.7.0 bin/celery.py, `UNABLE_TO_LOAD_APP…` neighbours: the global options stand first since Celery 5 */
function refuseMisplaced(name: string, args: readonly string[]): void {
  const misplaced = args.find((word) => word === "-A" || word === "--app" || word.startsWith("--app="));
  // `celery multi` passes it on to the workers.
  if (misplaced === undefined || name === "multi") return;
  throw new UsageError(
    `You are using '${misplaced}' as an option of the ${name} sub-command:\n` +
      `    celery ${name} ${misplaced} celeryapp <...>\n\n` +
      `It is a global option and stands before the sub-command:\n` +
      `    celery -A celeryapp ${name} <...>`,
  );
}

function makeContext(self: NodeJS.Process, parsed: ParsedOptions, reader: AbortSignal): CommandContext {
  const { workdir } = parsed.values;
  if (typeof workdir === "string") enter(self, workdir);
  const global = readGlobalOptions(parsed, self.env);
  if (global.broker !== undefined) self.env["CELERY_BROKER_URL"] = global.broker;
  if (global.resultBackend !== undefined) self.env["CELERY_RESULT_BACKEND"] = global.resultBackend;
  return {
    global,
    cwd: self.cwd(),
    env: self.env,
    stdin: self.stdin,
    stdout: self.stdout,
    stderr: self.stderr,
    loadApp: async (include) =>
      global.app === undefined ? new Celery("default") : loadApp(global.app, self.cwd(), include),
    interrupted: () => AbortSignal.any([interruptSignal(self), reader]),
  };
}

function enter(self: NodeJS.Process, workdir: string): void {
  try {
    self.chdir(workdir);
  } catch {
    throw new UsageError(
      `Invalid value for '--workdir': '${resolve(workdir)}' is no directory that can be entered.`,
    );
  }
}

function interruptSignal(self: NodeJS.Process): AbortSignal {
  const control = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) self.once(signal, () => control.abort());
  return control.signal;
}

/**
 * Aborts when nobody reads any more (`… | head -1`): that ends a command as an interrupt does, and without a word. Its status is 1 then, as
 * click's.
 */
function watchReader(self: NodeJS.Process, { outlivesReader }: Command): AbortSignal {
  const gone = new AbortController();
  if (outlivesReader) return gone.signal;
  for (const stream of [self.stdout, self.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      const isFirst = !gone.signal.aborted;
      gone.abort(NOBODY_READS);
      if (isFirst && error.code !== "EPIPE" && stream === self.stdout)
        self.stderr.write(`Error: The output cannot be written: ${error.message}\n`);
    });
  }
  return gone.signal;
}

async function mainHelp(): Promise<string> {
  const commands = await Promise.all(Object.values(commandLoaders).map((load) => load()));
  return renderHelp({
    usage: "celery [OPTIONS] COMMAND [ARGS]...",
    about: "Run workers, send tasks to them and ask for results.",
    examples: ["celery -A tasks worker --loglevel=info", "celery -A tasks call tasks.add -a '[2, 3]'"],
    options: GLOBAL_OPTIONS,
    lists: [{ title: "Commands", rows: commands.map(({ name, summary }) => [name, summary]) }],
  });
}

function say(self: NodeJS.Process, text: string): number {
  self.stdout.write(text);
  return 0;
}

function report(self: NodeJS.Process, error: unknown, usage: string, path: string): number {
  if (error instanceof UsageError) {
    self.stderr.write(`Usage: ${usage}\nTry '${path} --help' for help.\n\nError: ${error.message}\n`);
    return 2;
  }
  if (error instanceof AppLoadError) {
    // click's status for an option whose value cannot be.
    self.stderr.write(`Error: ${error.message}\n`);
    return 2;
  }
  if (error instanceof CeleryError) self.stderr.write(`Error: ${error.message}\n`);
  else
    self.stderr.write(`A fault in celery itself:\n${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}
