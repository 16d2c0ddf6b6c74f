import type { AnyTask } from "../app/types.ts";

/** Seconds; null is none. */
export interface Limits {
  readonly hard: number | null;
  readonly soft: number | null;
}

/**
 * The time limits of tasks, as remote control has set them; the message's own win over these.
 *
 * @see celery 5.7.0 worker/control.py, `time_limit`
 */
export class TimeLimits {
  readonly #changed = new Map<string, Limits>();

  of(task: AnyTask): Limits {
    const changed = this.#changed.size > 0 ? this.#changed.get(task.name) : undefined;
    return changed ?? { hard: task.options.timeLimit, soft: task.options.softTimeLimit };
  }

  /** For executions from now on. Undefined leaves a limit as it is; null leaves the worker's own, `task_time_limit`. */
  set(task: AnyTask, limits: { hard: number | null | undefined; soft: number | null | undefined }): void {
    const now = this.of(task);
    const { conf } = task.app;
    this.#changed.set(task.name, {
      hard: limits.hard === undefined ? now.hard : (limits.hard ?? conf.task_time_limit),
      soft: limits.soft === undefined ? now.soft : (limits.soft ?? conf.task_soft_time_limit),
    });
  }
}
