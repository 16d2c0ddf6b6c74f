import { checkTaskOptions } from "./check-options.ts";
import type { TaskOptions } from "./types.ts";

/** Options of tasks, in our spelling or in Celery's (`rate_limit`). */
export type Annotation = TaskOptions & Readonly<Record<string, unknown>>;

/** By the task's full name; `"*"` is every task. */
export type AnnotationTable = Readonly<Record<string, Annotation>>;

/** Options decided by code; nothing for tasks that it has none for. */
export type AnnotationFunction = (task: { readonly name: string }) => Annotation | null | undefined;

/** Celery's `task_annotations`: a table, a function, or a list of these of which the first answer counts. */
export type TaskAnnotations =
  | AnnotationTable
  | AnnotationFunction
  | readonly (AnnotationTable | AnnotationFunction)[];

/**
 * A task's options with what the configuration says about it: options that were written with the task are replaced. As in Celery,
 * `"*"` comes last and replaces what was said for the task by name.
 *
 * @throws InvalidArgument for an option that does not exist.
 * @see celery 5.7.0 app/annotations.py, `resolve_all`; app/task.py, `Task.annotate`
 */
export function annotate(
  name: string,
  options: TaskOptions,
  annotations: TaskAnnotations | null,
): TaskOptions {
  if (annotations === null) return options;
  const sources = Array.isArray(annotations) ? annotations : [annotations];
  const named = firstOf(sources, name, (table) => (Object.hasOwn(table, name) ? table[name] : undefined));
  const general = firstOf(sources, name, (table) => table["*"], false);
  return { ...options, ...checked(name, named), ...checked("*", general) };
}

function firstOf(
  sources: readonly (AnnotationTable | AnnotationFunction)[],
  name: string,
  lookUp: (table: AnnotationTable) => Annotation | undefined,
  asksFunctions = true,
): Annotation | undefined {
  for (const source of sources) {
    const found =
      typeof source === "function" ? (asksFunctions ? source({ name }) : undefined) : lookUp(source);
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

function checked(name: string, annotation: Annotation | undefined): TaskOptions {
  if (annotation === undefined) return {};
  const options = Object.fromEntries(
    Object.entries(annotation).map(([key, value]) => [inOurSpelling(key), value]),
  );
  checkTaskOptions(name, options);
  return options;
}

function inOurSpelling(key: string): string {
  return key.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}
