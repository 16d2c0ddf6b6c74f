import { pickHandlers } from "../../src/app/task-handlers.ts";
import type { ResolvedTaskOptions } from "../../src/app/types.ts";
import { NO_WORKFLOW } from "../../src/app/workflow-info.ts";
import type { TaskRequest } from "../../src/execution/request.ts";
import type { TaskHeaders, TaskMessage } from "../../src/protocol/message.ts";

/** A task's options as they are when nobody has set any. */
export function taskOptions(changes: Partial<ResolvedTaskOptions> = {}): ResolvedTaskOptions {
  return {
    bind: false,
    typing: true,
    handlers: pickHandlers({}),
    maxRetries: 3,
    defaultRetryDelay: 180,
    autoretryFor: [],
    dontAutoretryFor: [],
    retryKwargs: {},
    retryBackoff: false,
    retryBackoffMax: 600,
    retryJitter: true,
    acksLate: false,
    acksOnFailure: true,
    acksOnTimeout: true,
    rateLimit: null,
    rejectOnWorkerLost: false,
    ignoreResult: false,
    storeErrorsEvenIfIgnored: false,
    trackStarted: false,
    timeLimit: null,
    softTimeLimit: null,
    expires: null,
    queue: null,
    exchange: null,
    routingKey: null,
    priority: null,
    compression: null,
    serializer: "json",
    throws: [],
    ...changes,
  };
}

/** A request to run `tasks.add`. */
export function aRequest(changes: Partial<TaskRequest> = {}): TaskRequest {
  const id = changes.id ?? "344f95ea-a5f2-4867-b74a-8f2ff0b9e624";
  return {
    id,
    task: "tasks.add",
    args: [],
    kwargs: {},
    retries: 0,
    rootId: id,
    parentId: null,
    eta: null,
    expires: null,
    origin: "gen1@test",
    hostname: "w1@test",
    deliveryInfo: { exchange: "", routingKey: "celery", redelivered: false, priority: 0 },
    redelivered: false,
    timeLimit: [null, null],
    ignoreResult: false,
    headers: {},
    calledDirectly: false,
    ...NO_WORKFLOW,
    hardLimitSeconds: null,
    softLimitSeconds: null,
    ...changes,
  };
}

/** A message for `tasks.add`, as read from its queue. */
export function aMessage(headers: Partial<TaskHeaders> = {}): TaskMessage {
  const id = headers.id ?? "344f95ea-a5f2-4867-b74a-8f2ff0b9e624";
  return {
    headers: {
      lang: "py",
      task: "tasks.add",
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      groupIndex: null,
      retries: 0,
      timeLimit: null,
      softTimeLimit: null,
      rootId: id,
      parentId: null,
      argsRepr: "(2, 3)",
      kwargsRepr: "{}",
      origin: "gen1@test",
      ignoreResult: false,
      replacedTaskNesting: 0,
      stampedHeaders: null,
      stamps: {},
      custom: {},
      ...headers,
    },
    properties: {
      correlationId: id,
      replyTo: "",
      deliveryMode: 2,
      deliveryInfo: { exchange: "", routingKey: "celery", redelivered: false },
      priority: 0,
      deliveryTag: "1",
      expiration: null,
      custom: {},
    },
    args: [2, 3],
    kwargs: {},
    embed: { callbacks: null, errbacks: null, chain: null, chord: null },
    bodyText: '[[2, 3], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
  };
}
