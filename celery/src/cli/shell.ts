import { Celery } from "../app/celery.ts";
import type { CeleryApp } from "../app/types.ts";
import { AsyncResult } from "../backend/async-result.ts";
import { crontab } from "../beat/crontab.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { OptionValues } from "./option-values.ts";
import { type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { type Response, ShellPrompt } from "./shell-prompt.ts";
import { evaluate, fillScope } from "./shell-session.ts";
import { showError, showValue } from "./shell-view.ts";
import { VERSION } from "./version.ts";
import { withApp } from "./with-app.ts";

const FOREIGN = "This shell is Node's own.";
const OPTIONS: readonly OptionSpec[] = [
  { name: "without-tasks", short: "T", help: "Leave the tasks' short names out of scope." },
  { name: "ipython", short: "I", help: `Refused. ${FOREIGN}` },
  { name: "bpython", short: "B", help: `Refused. ${FOREIGN}` },
  { name: "python", help: `Refused. ${FOREIGN}` },
  { name: "eventlet", help: "Refused. Promises need no eventlet." },
  { name: "gevent", help: "Refused. Promises need no gevent." },
];
const REFUSED: readonly string[] = ["ipython", "bpython", "python", "eventlet", "gevent"];

export const command: Command = {
  name: "shell",
  summary: "Start shell session with convenient access to celery symbols.",
  help: renderHelp({
    usage: "celery -A MODULE shell [OPTIONS]",
    about:
      "Start shell session with convenient access to celery symbols: app, Celery, AsyncResult, crontab, and every task under its short name. " +
      "A promise is awaited before it is shown, so r = add.delay(2, 3) and r.get() work as they stand. Reads from a pipe, too.",
    examples: ["celery -A tasks shell", "echo 'add.delay(2, 3)' | celery -A tasks shell"],
    options: OPTIONS,
  }),
  options: OPTIONS,
  run: (args, context) => {
    const values = new OptionValues(OPTIONS, parseOptions(OPTIONS, args));
    const foreign = REFUSED.find((name) => values.flag(name));
    if (foreign !== undefined)
      throw new UsageError(`'--${foreign}' chooses a shell of Python's. This one is Node's: leave it out.`);
    return withApp(context, async (app) => {
      await openShell(app, values.flag("without-tasks"), context);
      return 0;
    });
  },
};

async function openShell(app: CeleryApp, withoutTasks: boolean, context: CommandContext): Promise<void> {
  const { stdout } = context;
  const scope = scopeOf(app, withoutTasks);
  const taken = fillScope(scope);
  const names = Object.keys(scope).filter((name) => !taken.includes(name));
  if (context.stdin.isTTY && !context.global.quiet) stdout.write(welcome(app, names));
  const prompt = new ShellPrompt(context);
  const forget = catchStrays(prompt, stdout);
  try {
    await prompt.each(async (text, interrupted) => {
      if (/^\.(?:help|exit)$/.test(text.trim()))
        return text.trim() === ".exit" ? "end" : say(stdout, help(app, names));
      return respond(text, interrupted, context);
    });
  } finally {
    forget();
  }
}

/** A promise that nobody awaited must not end the session. */
function catchStrays(prompt: ShellPrompt, stdout: NodeJS.WriteStream): () => void {
  const onStray = (error: unknown): void => {
    stdout.write(`\nUncaught ${showError(error)}`);
    prompt.show();
  };
  process.on("unhandledRejection", onStray);
  process.on("uncaughtException", onStray);
  return () => {
    process.off("unhandledRejection", onStray);
    process.off("uncaughtException", onStray);
  };
}

/** Short names of tasks; two tasks with one short name are both left to `app.tasks`. */
function scopeOf(app: CeleryApp, withoutTasks: boolean): Readonly<Record<string, unknown>> {
  const tasks = (withoutTasks ? [] : [...app.tasks]).map(
    ([name, task]) => [name.split(".").at(-1) ?? name, task] as const,
  );
  const unique = tasks.filter(([short]) => tasks.filter(([other]) => other === short).length === 1);
  return {
    app,
    Celery,
    AsyncResult: (id: string): AsyncResult<unknown> => app.AsyncResult(id),
    crontab,
    ...Object.fromEntries(unique),
  };
}

function welcome(app: CeleryApp, names: readonly string[]): string {
  return (
    `celery ${VERSION} shell on Node ${process.versions.node}, app "${app.main}"\n` +
    `In scope: ${names.join(", ")}\n` +
    "Promises are awaited for you. .help helps, Ctrl-D ends.\n"
  );
}

function help(app: CeleryApp, names: readonly string[]): string {
  const example = names.find((name) => !["app", "Celery", "AsyncResult", "crontab"].includes(name)) ?? "add";
  return `
In scope: ${names.join(", ")}
Tasks:    ${[...app.tasks.keys()].sort().join(", ") || "none"}

  r = ${example}.delay(…)           send the task; r is the receipt
  r.state()  r.ready()       ask how it is
  r.get({ timeout: 10 })     wait for the result, 10 seconds at most
  ${example}(…)                     run the function here and now
  app.AsyncResult("id")      the receipt of any task

  .exit or Ctrl-D ends, Ctrl-C stops waiting (the task goes on).
`;
}

function say(stdout: NodeJS.WriteStream, text: string): "next" {
  stdout.write(text);
  return "next";
}

async function respond(
  text: string,
  interrupted: Promise<void>,
  { stdout, global }: CommandContext,
): Promise<Response> {
  const result = await Promise.race([evaluate(text), interrupted]);
  if (result === undefined) return say(stdout, "\nNot waiting any more; what was sent goes on.\n");
  switch (result.kind) {
    case "incomplete":
      return "more";
    case "nothing":
      return "next";
    case "value":
      return say(stdout, showValue(result.value, global.color && stdout.isTTY === true));
    case "fault":
      return say(stdout, `${result.text}\n`);
    case "thrown":
      return say(stdout, showError(result.error));
  }
}
