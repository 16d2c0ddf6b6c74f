import type { ResultBackend } from "../../backend/backend.ts";
import type { ChordState } from "../../backend/chords.ts";
import { NoResultBackend, OperationalError } from "../../protocol/errors.ts";
import { encodeJson } from "../../protocol/json.ts";
import { plainOf } from "../../protocol/raw-json.ts";
import { type ResultNode, readTuple, toTuple } from "../../protocol/result-tuple.ts";
import { isReady } from "../../protocol/states.ts";
import { Retry } from "../../protocol/task-signals.ts";
import { celeryError, encodeWireError, formatWireError, toWireError } from "../../protocol/wire-error.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { AnyTask, CeleryApp, CurrentTask, RetryOptions, TaskContext, TaskOptions } from "../types.ts";
import type { Aftermath } from "./aftermath.ts";
import { type ChordEndRequest, endChord, failChord, hasFailedPart } from "./chord-end.ts";
import { asError, callErrbacks } from "./errbacks.ts";
import { chunksOf } from "./primitives.ts";
import { makeChord, makeGroup, type Sig } from "./sig.ts";
import { Signature } from "./signature.ts";
import { toSig } from "./to-sig.ts";

type Run = (...args: never[]) => unknown;

/** A task that every app has, and how it is made. */
export interface Builtin {
  readonly options: TaskOptions;
  readonly run: Run;
}

/**
 * Celery's own tasks: what Python's workers know by these names, ours know, too.
 *
 * @see celery 5.7.0 app/builtins.py
 */
export const BUILTIN_TASKS: Readonly<Record<string, (app: CeleryApp) => Builtin>> = {
  "celery.map": (app) => ({ options: { parameters: ["task", "it"] }, run: mapper(app, false) }),
  "celery.starmap": (app) => ({ options: { parameters: ["task", "it"] }, run: mapper(app, true) }),
  "celery.chunks": (app) => ({ options: { parameters: ["task", "it", "n"] }, run: chunker(app) }),
  "celery.accumulate": () => ({ options: { parameters: ["...args", "**kwargs"] }, run: accumulate }),
  "celery.backend_cleanup": () => ({ options: {}, run: cleanUp }),
  "celery.chord_unlock": (app) => ({ options: unlockOptions(app), run: unlockChord }),
  "celery.group": (app) => ({ options: { parameters: [...GROUP] }, run: groupRunner(app) }),
  "celery.chain": () => ({ options: {}, run: notATask }),
  "celery.chord": (app) => ({ options: { parameters: [...CHORD] }, run: chordRunner(app) }),
};

const GROUP = ["tasks", "result", "group_id", "partial_args", "add_to_parent?"] as const;
const CHORD = ["header", "body", "partial_args?", "**kwargs"] as const;

type Direct = (...args: readonly unknown[]) => Promise<unknown>;

/** One item after the other, in this process. */
function mapper(app: CeleryApp, spread: boolean): Run {
  return async (task: unknown, items: readonly unknown[]): Promise<unknown[]> => {
    const name = toSig(task as Sig).task;
    const call = app.tasks.get(name) as (AnyTask & Direct) | undefined;
    if (call === undefined) throw new Error(`celery.map: no task is registered as ${name}`);
    const results: unknown[] = [];
    for (const item of items) {
      results.push(await call(...(spread ? (item as readonly unknown[]) : [item])));
    }
    return results;
  };
}

/** Sends the chunks; Celery's own returns a result that its backend cannot store. */
function chunker(app: CeleryApp): Run {
  return (task: unknown, it: readonly unknown[], n: number): Promise<unknown> =>
    chunksOf(app, toSig(task as Sig).task, it, n).applyAsync();
}

function accumulate(...args: unknown[]): unknown {
  const kwargs = args.pop() as { index?: number };
  return typeof kwargs.index === "number" ? args[kwargs.index] : args;
}

/** Redis lets results expire by itself. */
function cleanUp(): null {
  return null;
}

function notATask(): never {
  const error = new Error("chain is not a real task");
  error.name = "NotImplementedError";
  throw error;
}

/** Not sent by any Celery since 3; kept for those that are still under way. */
function groupRunner(app: CeleryApp): Run {
  return async (tasks: Sig[], result: unknown, groupId: string, partialArgs: unknown[]): Promise<unknown> => {
    const group = new Signature(makeGroup(tasks.map(toSig), { task_id: groupId }), app);
    await group.applyAsync(partialArgs);
    return result;
  };
}

function chordRunner(app: CeleryApp): Run {
  return async (header: Sig | Sig[], body: Sig, partialArgs: unknown[] = []): Promise<unknown> => {
    const members = Array.isArray(header) ? header.map(toSig) : toSig(header);
    const result = await new Signature(makeChord(members, toSig(body)), app).applyAsync(partialArgs ?? []);
    return result;
  };
}

function unlockOptions(app: CeleryApp): TaskOptions {
  return {
    bind: true,
    maxRetries: null,
    defaultRetryDelay: app.conf.result_chord_retry_interval,
    ignoreResult: true,
    autoretryFor: [OperationalError],
    // Until the body is sent there is nothing else that remembers it.
    acksLate: true,
    parameters: ["group_id", "callback", "interval?", "max_retries?", "result?", "**kwargs?"],
  };
}

/**
 * Ends a chord whose parts are all there: one of a backend that cannot count (Python's), or one whose worker died before it had sent the
 * body.
 */
async function unlockChord(
  self: TaskContext,
  groupId: string,
  callback: unknown,
  interval?: number | null,
  maxRetries?: number | null,
  result?: readonly unknown[] | null,
): Promise<null> {
  const backend = self.app.backend();
  if (backend === undefined) throw new NoResultBackend();
  const { id, rootId, deliveryInfo } = self.request;
  const parent: CurrentTask = { id: self.request.parentId ?? id, rootId, priority: deliveryInfo.priority };
  const request = (): ChordEndRequest => {
    return { groupId, body: toSig(callback as Sig), parent, nowMs: systemClock.nowMs() };
  };
  const retry = {
    ...(interval && { countdown: plainOf(interval) }),
    ...(isGiven(maxRetries) && { maxRetries }),
  };
  const again = (): Promise<never> => retryOrFail(self, retry, backend, request());
  const counted = await backend.chords.read(groupId);
  if (counted.claim === "done") return null;
  const isCounted = counted.members.length > 0 || counted.trouble !== null;
  const hasFailed = isCounted && hasFailedPart(counted);
  if (isCounted && !hasFailed && counted.expected === null) return null;
  if (isCounted && !hasFailed && counted.expected !== counted.members.length) return again();
  const state = isCounted ? counted : await joinResults(backend, (result ?? []).map(readTuple));
  if (state === undefined || !(await backend.chords.claim(groupId))) return again();
  const { after, error } = endChord(self.app, state, request());
  await carryOut(self.app, backend, after);
  await backend.chords.end(groupId, { failed: error !== null });
  return null;
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** Looks again later; when that was the last time, nobody will: the body fails then, and whoever waits for it is told. */
async function retryOrFail(
  self: TaskContext,
  options: RetryOptions & { readonly throw?: true },
  backend: ResultBackend,
  request: ChordEndRequest,
): Promise<never> {
  try {
    return self.retry(options);
  } catch (thrown) {
    if (thrown instanceof Retry) throw thrown;
    const text = `chord_unlock could not be retried: ${formatWireError(toWireError(thrown))}`;
    await carryOut(self.app, backend, failChord(self.app, request, celeryError("ChordError", text)).after);
    throw thrown;
  }
}

/** Parts that were not counted, from the results that they have stored; undefined when not all have ended. */
async function joinResults(
  backend: ResultBackend,
  header: readonly ResultNode[],
): Promise<ChordState | undefined> {
  const leaves = (node: ResultNode): ResultNode[] =>
    node.nodes === null ? [node] : node.nodes.flatMap(leaves);
  const metas = await Promise.all(
    header.flatMap(leaves).map(({ id }) => backend.get(id, { isSentOn: true })),
  );
  const members: string[] = [];
  for (const meta of metas) {
    if (meta === undefined || !isReady(meta.status)) return undefined;
    const value = meta.status === "SUCCESS" ? meta.result : encodeWireError(meta.result as never);
    members.push(encodeJson([1, meta.taskId, meta.status, value]));
  }
  const shape = header.some(({ nodes }) => nodes !== null)
    ? ([["", null], header.map(toTuple)] as const)
    : null;
  return { claim: null, expected: members.length, members, shape, trouble: null };
}

/** Stores and sends what the end of a chord sets off, one after the other. */
async function carryOut(app: CeleryApp, backend: ResultBackend, after: Aftermath): Promise<void> {
  if (after.chords.length > 0) await backend.chords.announce(after.chords);
  await Promise.all(after.calls.map((call) => app.publish(call)));
  await Promise.all(after.results.map((meta) => backend.store(meta)));
  for (const part of after.parts) if (await backend.chords.count(part)) await endOuter(app, backend, part);
  const report = (text: string): void => void process.stderr.write(`${text}\n`);
  after.untold.forEach(report);
  for (const { errbacks, taskId, error } of after.inline) {
    const failure = { request: { id: taskId }, error: asError(taskId, error, null), traceback: null };
    await callErrbacks(app, errbacks, failure, report);
  }
}

async function endOuter(
  app: CeleryApp,
  backend: ResultBackend,
  { groupId, body, parent }: Aftermath["parts"][number],
): Promise<void> {
  const state = await backend.chords.read(groupId);
  const { after, error } = endChord(app, state, { groupId, body, parent, nowMs: systemClock.nowMs() });
  await carryOut(app, backend, after);
  await backend.chords.end(groupId, { failed: error !== null });
}
