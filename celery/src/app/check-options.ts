import { InvalidArgument } from "../protocol/errors.ts";
import { COMPRESSIONS, type Compression, type SendOptions } from "./call-options.ts";
import { isRate } from "./rate.ts";
import { nearest } from "./setting-names.ts";
import type { ApplyOptions, TaskOptions } from "./types.ts";

/** Every name there is; the compiler sees to it that none is missing. */
const TASK_OPTIONS: Readonly<Record<keyof TaskOptions, true>> = {
  bind: true,
  parameters: true,
  typing: true,
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
  exchange: true,
  routingKey: true,
  priority: true,
  serializer: true,
  compression: true,
  throws: true,
  beforeStart: true,
  onSuccess: true,
  onFailure: true,
  onRetry: true,
  afterReturn: true,
};

const APPLY_OPTIONS: Readonly<Record<keyof ApplyOptions, true>> = {
  kwargs: true,
  countdown: true,
  eta: true,
  expires: true,
  queue: true,
  exchange: true,
  exchangeType: true,
  routingKey: true,
  priority: true,
  serializer: true,
  compression: true,
  deliveryMode: true,
  taskId: true,
  ignoreResult: true,
  timeLimit: true,
  softTimeLimit: true,
  shadow: true,
  headers: true,
  link: true,
  linkError: true,
  argsRepr: true,
  kwargsRepr: true,
  replyTo: true,
  retry: true,
  retryPolicy: true,
  groupId: true,
  groupIndex: true,
  chord: true,
  chain: true,
  rootId: true,
  parentId: true,
  retries: true,
  replacedTaskNesting: true,
  stampedHeaders: true,
  stamps: true,
  addToParent: true,
  properties: true,
};

/** @throws InvalidArgument for an option that does not exist: it would be ignored in silence. */
export function checkTaskOptions(task: string, options: TaskOptions): void {
  check(`app.task("${task}", …)`, options, TASK_OPTIONS);
  checkSendOptions(`app.task("${task}", …)`, options);
  const { rateLimit } = options;
  if (rateLimit === undefined || rateLimit === null || isRate(rateLimit)) return;
  throw new InvalidArgument(
    `app.task("${task}", …): rateLimit ${JSON.stringify(rateLimit)} is not a rate such as "10/s", "10/m", "10/h", or a number per second.`,
  );
}

/** @throws InvalidArgument as `checkTaskOptions`. */
export function checkApplyOptions(task: string, options: ApplyOptions): void {
  check(`sending ${task}`, options, APPLY_OPTIONS);
  checkSendOptions(`sending ${task}`, options);
}

/** @throws InvalidArgument for ways to send that are not there, with the reason. */
function checkSendOptions(where: string, { serializer, compression }: SendOptions): void {
  if (serializer !== undefined && serializer !== "json") {
    throw new InvalidArgument(
      `${where}: serializer = ${JSON.stringify(serializer)} is not supported, only "json": reading pickle or yaml can run code.`,
    );
  }
  if (compression === undefined || compression === null || isCompression(compression)) return;
  throw new InvalidArgument(
    `${where}: compression = ${JSON.stringify(compression)} is not supported, only ${COMPRESSIONS.map((name) => `"${name}"`).join(", ")}.`,
  );
}

function isCompression(name: string): name is Compression {
  return (COMPRESSIONS as readonly string[]).includes(name);
}

function check(where: string, options: object, there: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(there, name)) continue;
    const known = Object.keys(there);
    const near = nearest(name, known);
    const hint = near === undefined ? ` There are: ${known.join(", ")}.` : ` Did you mean "${near}"?`;
    throw new InvalidArgument(`${where}: there is no option "${name}".${hint}`);
  }
}
