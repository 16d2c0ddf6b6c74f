import type { ResultBackend, StoredResult } from "../backend/backend.ts";
import { mayChange } from "../protocol/json.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { verbatimBody } from "../protocol/message-decode.ts";
import type { ExtendedMeta, ResultMeta } from "../protocol/result-meta.ts";
import { isReady } from "../protocol/states.ts";
import { isoFromMs } from "../protocol/time.ts";
import type { Clock } from "../runtime/clock.ts";
import type { NewState } from "./conclude.ts";

export interface ResultWriterDeps {
  /** Undefined: the app keeps no results, and nothing is written. */
  readonly backend: ResultBackend | undefined;
  readonly clock: Clock;
  readonly nodeName: string;
  /** `result_extended`. */
  readonly extended: boolean;
}

/** Turns a task's new state into what the result backend keeps. */
export interface ResultWriter {
  /** For whoever writes it in one step with other things; undefined when nothing is to be written. */
  encode(message: TaskMessage, state: NewState | null): StoredResult | undefined;
  /** Writes it at once. Without a backend it does nothing, as Celery's `disabled` backend. */
  store(message: TaskMessage, state: NewState): Promise<void>;
}

export function makeResultWriter(deps: ResultWriterDeps): ResultWriter {
  const { backend } = deps;
  const now = makeIsoClock(deps.clock);
  return {
    encode: (message, state) =>
      backend && state ? backend.encode(makeMeta(message, state, now, deps)) : undefined,
    store: async (message, state) => backend?.store(makeMeta(message, state, now, deps)),
  };
}

/** Many tasks end in one millisecond: its text is made once. */
function makeIsoClock(clock: Clock): () => string {
  let atMs = Number.NaN;
  let text = "";
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs !== atMs) text = isoFromMs(nowMs);
    atMs = nowMs;
    return text;
  };
}

function makeMeta(
  message: TaskMessage,
  state: NewState,
  now: () => string,
  deps: ResultWriterDeps,
): ResultMeta {
  const { headers } = message;
  return {
    taskId: headers.id,
    status: state.status,
    result: state.result,
    traceback: state.traceback,
    children: state.children ?? [],
    dateDone: isReady(state.status) ? now() : null,
    ...(headers.group !== null && { groupId: headers.group }),
    ...(headers.parentId !== null && { parentId: headers.parentId }),
    ...(deps.extended && { extended: extendedMeta(message, deps.nodeName) }),
  };
}

function extendedMeta(message: TaskMessage, nodeName: string): NonNullable<ResultMeta["extended"]> {
  const { bodyText } = message;
  const [args, kwargs] = mayChange(bodyText) ? verbatimBody(message) : [message.args, message.kwargs];
  return {
    name: message.headers.task,
    args,
    kwargs,
    worker: nodeName,
    retries: message.headers.retries,
    queue: message.properties.deliveryInfo.routingKey,
    ...stampsOf(message),
  };
}

/** @see celery 5.7.0 backends/base.py, `_get_result_meta` */
function stampsOf({ headers }: TaskMessage): Pick<ExtendedMeta, "stamped_headers"> {
  const { stampedHeaders, stamps } = headers;
  if (stampedHeaders === null || Object.keys(stamps).length === 0) return {};
  const named = Object.entries(stamps).filter(([name]) => stampedHeaders.includes(name));
  return { stamped_headers: stampedHeaders, ...Object.fromEntries(named) };
}
