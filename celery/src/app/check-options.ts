import { InvalidArgument } from "../protocol/errors.ts";
import { isRate } from "./rate.ts";
import { nearest } from "./setting-names.ts";
import type { ApplyOptions, TaskOptions } from "./types.ts";

/** Every name there is; the compiler sees to it that none is missing. */
const TASK_OPTIONS: Readonly<Record<keyof TaskOptions, true>> = {
  bind: true,
  parameters: true,
  typing: true,
  beforeStart: true,
  onSuccess: true,
  onFailure: true,
  onRetry: true,
  afterReturn: true,
  maxRetries: true,
  defaultRetryDelay: true,
  autoretryFor: true,
  dontAutoretryFor: true,
  retryKwargs: true,
  retryBackoff: true,
  retryBackoffMax: true,
  retryJitter: true,
  acksLate: true,
  acksOnFailureOrTimeout: true,
  acksOnFailure: true,
  acksOnTimeout: true,
  rateLimit: true,
  rejectOnWorkerLost: true,
  ignoreResult: true,
  trackStarted: true,
  timeLimit: true,
  softTimeLimit: true,
  expires: true,
  queue: true,
  priority: true,
  serializer: true,
  throws: true,
};

const APPLY_OPTIONS: Readonly<Record<keyof ApplyOptions, true>> = {
  kwargs: true,
  countdown: true,
  eta: true,
  expires: true,
  queue: true,
  priority: true,
  taskId: true,
  ignoreResult: true,
  timeLimit: true,
  softTimeLimit: true,
  shadow: true,
  headers: true,
  retry: true,
};

/** @throws InvalidArgument for an option that does not exist: it would be ignored in silence. */
export function checkTaskOptions(task: string, options: TaskOptions): void {
  check(`app.task("${task}", …)`, options, Object.keys(TASK_OPTIONS));
  const { rateLimit } = options;
  if (rateLimit === undefined || rateLimit === null || isRate(rateLimit)) return;
  throw new InvalidArgument(
    `app.task("${task}", …): rateLimit ${JSON.stringify(rateLimit)} is not a rate such as "10/s", "10/m", "10/h", or a number per second.`,
  );
}

/** @throws InvalidArgument as `checkTaskOptions`. */
export function checkApplyOptions(task: string, options: ApplyOptions): void {
  check(`sending ${task}`, options, Object.keys(APPLY_OPTIONS));
}

function check(where: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? ` There are: ${known.join(", ")}.` : ` Did you mean "${near}"?`;
    throw new InvalidArgument(`${where}: there is no option "${name}".${hint}`);
  }
}
