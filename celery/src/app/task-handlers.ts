type Args = readonly unknown[];
type Kwargs = Readonly<Record<string, unknown>>;

/**
 * Functions of a task that are called around its runs, in the process that runs it, and waited for. They are options of
 * `app.task`; in Celery they are methods. What fails in them is logged and does not change the result, except
 * in `beforeStart`, which counts as part of the run.
 *
 * @see celery 5.7.0 app/task.py, `Task.on_success` and its neighbours
 */
export interface TaskHandlers {
  /** Right before the function is called. */
  readonly beforeStart?: ((id: string, args: Args, kwargs: Kwargs) => unknown) | undefined;
  readonly onSuccess?: ((retval: unknown, id: string, args: Args, kwargs: Kwargs) => unknown) | undefined;
  /** `traceback` in Python's form, as it is stored. */
  readonly onFailure?:
    | ((exc: unknown, id: string, args: Args, kwargs: Kwargs, traceback: string) => unknown)
    | undefined;
  /** `exc` is what went wrong, `undefined` for a retry without a cause. */
  readonly onRetry?:
    | ((exc: unknown, id: string, args: Args, kwargs: Kwargs, traceback: string) => unknown)
    | undefined;
  /** After success and failure; not after a retry, `Ignore` or `Reject`. */
  readonly afterReturn?:
    | ((
        state: string,
        retval: unknown,
        id: string,
        args: Args,
        kwargs: Kwargs,
        traceback: string | null,
      ) => unknown)
    | undefined;
}

export interface ResolvedHandlers extends TaskHandlers {
  /** Whether there is one to be called after a run. */
  readonly any: boolean;
}

/** The handlers among a task's options. */
export function pickHandlers(options: TaskHandlers): ResolvedHandlers {
  const { beforeStart, onSuccess, onFailure, onRetry, afterReturn } = options;
  const any = [onSuccess, onFailure, onRetry, afterReturn].some((handler) => handler !== undefined);
  return { beforeStart, onSuccess, onFailure, onRetry, afterReturn, any };
}
