import { TaskError } from "../../protocol/errors.ts";
import { plainOf } from "../../protocol/raw-json.ts";
import type { WireError } from "../../protocol/wire-error.ts";
import type { CeleryApp } from "../types.ts";
import { listOf, makeGroup, mergeArgs, type Sig } from "./sig.ts";
import { toSig } from "./to-sig.ts";

/** Errbacks by how they are called. */
export interface SortedErrbacks {
  /** Called here and now with `(request, exc, traceback)`. */
  readonly inline: readonly Sig[];
  /** Sent with the id of the failed task. */
  readonly sent: readonly Sig[];
}

/**
 * A function that takes more than one argument, is known here and not bound is called with the failure itself; any other errback is a task
 * that gets the failed task's id.
 *
 * @see celery 5.7.0 backends/base.py, `_call_task_errbacks`
 */
export function sortErrbacks(app: CeleryApp, errbacks: readonly unknown[] | null): SortedErrbacks {
  const inline: Sig[] = [];
  const sent: Sig[] = [];
  for (const errback of listOf(errbacks)) {
    const sig = toSig(errback as Sig);
    (takesFailure(app, sig) ? inline : sent).push(sig);
  }
  return { inline, sent };
}

function takesFailure(app: CeleryApp, sig: Sig): boolean {
  const task = app.tasks.get(sig.task);
  if (task === undefined || task.options.bind) return false;
  const given = sig.immutable ? 0 : sig.args.length + Object.keys(sig.kwargs).length;
  const { takes } = task;
  const count = takes === null ? task.run.length : takes.parameters.length + (takes.rest ? 2 : 0);
  return count - given > 1;
}

/** What an errback is told. */
export interface Failure {
  readonly request: object;
  readonly error: unknown;
  readonly traceback: string | null;
}

/** Calls them one after the other. What one of them throws is told to `report` and changes nothing. */
export async function callErrbacks(
  app: CeleryApp,
  errbacks: readonly Sig[],
  { request, error, traceback }: Failure,
  report: (text: string) => void,
): Promise<void> {
  for (const sig of errbacks) {
    const { args, kwargs } = mergeArgs(plainOf(sig), [request, error, traceback]);
    const named = Object.keys(kwargs).length > 0 ? [kwargs] : [];
    try {
      await app.tasks.get(sig.task)?.run(...args, ...named);
    } catch (thrown) {
      const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      report(`Errback '${sig.task}' raised an exception: ${text}`);
    }
  }
}

/** The group in which errbacks are sent, with the failed task's id as argument. */
export function errbackGroup(errbacks: readonly Sig[]): Sig {
  return makeGroup([...errbacks]);
}

/** A stored failure as an error that can be thrown. */
export function asError(taskId: string, error: WireError, traceback: string | null): TaskError {
  return new TaskError(taskId, error, traceback);
}
