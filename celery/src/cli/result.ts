import type { CeleryApp } from "../app/types.ts";
import type { AsyncResult } from "../backend/async-result.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { TaskError, TaskNotRegistered, TimeoutError } from "../protocol/errors.ts";
import { encodeJson } from "../protocol/json.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues, plural, requiredArgument } from "./option-values.ts";
import { type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

const DEFAULT_TIMEOUT_SECONDS = 10;
const OPTIONS: readonly OptionSpec[] = [
  { name: "task", short: "t", value: "NAME", help: "Name of the task, to check that the app has it." },
  { name: "traceback", help: "Show the traceback that is stored, if any, instead of the value." },
  {
    name: "timeout",
    value: "SECONDS",
    help: `How long to wait for the result; 0 is for ever. Default: ${DEFAULT_TIMEOUT_SECONDS}.`,
  },
];

export const command: Command = {
  name: "result",
  summary: "Print the return value for a given task id.",
  help: renderHelp({
    usage: "celery [-A MODULE] result [OPTIONS] TASK_ID",
    about:
      "Print the return value for a given task id. Waits for it if need be; exits with 1 if the task failed or did not end in time.",
    examples: ["celery -A tasks result 7e16ceca-63d2-4951-bcc6-7a6c0f319ce6"],
    options: OPTIONS,
  }),
  options: OPTIONS,
  run: (args, context) => {
    const parsed = parseOptions(OPTIONS, args, { maxPositionals: 1 });
    const id = requiredArgument(parsed, "TASK_ID");
    const values = new OptionValues(OPTIONS, parsed);
    return withApp(context, (app) =>
      showResult(findResult(app, id, values.text("task")), app, values, context),
    );
  },
};

function findResult(app: CeleryApp, id: string, task: string | undefined): AsyncResult<unknown> {
  if (task !== undefined && !app.tasks.has(task)) throw new TaskNotRegistered(task, [...app.tasks.keys()]);
  return app.AsyncResult(id);
}

async function showResult(
  result: AsyncResult<unknown>,
  app: CeleryApp,
  values: OptionValues,
  context: CommandContext,
): Promise<number> {
  const { stdout, stderr } = context;
  if (values.flag("traceback")) {
    stdout.write(`${(await result.traceback()) ?? "No traceback is stored for this task."}\n`);
    return 0;
  }
  const timeout = values.number("timeout", { min: 0 }) ?? DEFAULT_TIMEOUT_SECONDS;
  try {
    const value = await result.get({ ...(timeout > 0 && { timeout }), signal: context.interrupted() });
    stdout.write(`${typeof value === "string" ? value : encodeJson(value)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof TaskError)
      stderr.write(`${error.traceback ?? error.message}\n`.replace(/\n\n$/, "\n"));
    else if (error instanceof TimeoutError)
      stderr.write(`Error: ${await explainSilence(result, app, timeout, context)}\n`);
    else if (!isAbort(error)) throw error;
    return 1;
  }
}

/** Celery waits for ever here, which teaches nobody anything. */
async function explainSilence(
  result: AsyncResult<unknown>,
  app: CeleryApp,
  timeout: number,
  context: CommandContext,
): Promise<string> {
  const state = await result.state();
  const waited = `${timeout} ${plural(timeout, "second")}`;
  if (state !== "PENDING")
    return `The task is in state ${state} and has not ended after ${waited}. Wait longer with --timeout 60.`;
  const celery = context.global.app === undefined ? "celery" : `celery -A ${context.global.app}`;
  return [
    `No result for ${result.id} after ${waited}. The task is waiting or running, or nobody knows this id: PENDING means both.`,
    "Check that",
    `  - the id is complete: ${result.id}`,
    `  - a worker runs and takes the task's queue: ${celery} status`,
    `  - the worker stores results where they are looked for: ${maskUrl(app.resultBackendUrl ?? "nowhere")}`,
    "  - the task does not ignore its result, and the result is not older than result_expires",
    "Wait longer with --timeout 60, or for ever with --timeout 0.",
  ].join("\n");
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
