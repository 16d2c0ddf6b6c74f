import { BUILTIN_TASKS } from "./canvas/builtins.ts";
import type { AnyTask, CeleryApp, TaskOptions } from "./types.ts";

type MakeTask = (name: string, options: TaskOptions, run: (...args: never[]) => unknown) => AnyTask;

/**
 * An app's tasks by name. Celery's own (`celery.map`, …) are found by `get` and `has`, and made when they are asked for; lists of tasks do
 * not show them.
 */
export class TaskRegistry extends Map<string, AnyTask> {
  readonly #app: CeleryApp;
  readonly #make: MakeTask;
  readonly #builtins = new Map<string, AnyTask>();

  constructor(app: CeleryApp, make: MakeTask) {
    super();
    this.#app = app;
    this.#make = make;
  }

  override get(name: string): AnyTask | undefined {
    return super.get(name) ?? (name.startsWith("celery.") ? this.#builtin(name) : undefined);
  }

  override has(name: string): boolean {
    return super.has(name) || Object.hasOwn(BUILTIN_TASKS, name);
  }

  /** Whether the app has made a task of this name; one of Celery's may be made anew. */
  isTaken(name: string): boolean {
    return super.has(name);
  }

  #builtin(name: string): AnyTask | undefined {
    const known = this.#builtins.get(name);
    const make = Object.hasOwn(BUILTIN_TASKS, name) ? BUILTIN_TASKS[name] : undefined;
    if (known || !make) return known;
    const { options, run } = make(this.#app);
    const task = this.#make(name, options, run);
    this.#builtins.set(name, task);
    return task;
  }
}
