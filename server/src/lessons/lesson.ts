import type { Expression } from "../checks/expression.ts";
import type { CourseView, LessonView, PaneId } from "../protocol/index.ts";

/** A fence with `run=<pane>`: one command for one pane. Times are seconds. */
export interface StepSpec {
  readonly id: string;
  readonly pane: PaneId;
  readonly command: string;
  /** A long-running command is ready when a line of its output matches. Never matches the command's own echo. */
  readonly until: RegExp | null;
  /** A line that the output must have when the command ends. */
  readonly expect: RegExp | null;
  readonly exit: number | "any";
  readonly timeoutSeconds: number;
  /** Ctrl-C first. */
  readonly interrupt: boolean;
  /** Stop what the pane runs, then start this. */
  readonly restart: boolean;
  /** Id of the step that has to have run before this one. */
  readonly after: string | null;
  /** Put the command at the prompt and leave Enter to the learner. */
  readonly type: boolean;
  readonly confirm: string | null;
  readonly label: string | null;
}

/** A fence with `edit=<file>`. How it is applied: `edit.ts`. */
export interface EditSpec {
  readonly id: string;
  /** Path in the workspace, `tasks.ts`. */
  readonly file: string;
  /** Unified-diff body: lines that start with space, + or -; `@@` lines between separate places. */
  readonly diff: string;
  /** Name of the `#region` whose lines are replaced, or null for a diff. */
  readonly region: string | null;
  /** The region's new lines, each ended by a newline; null for a diff. */
  readonly replacement: string | null;
  readonly solution: boolean;
}

/** A fence with `check=<id>`. */
export interface CheckSpec {
  readonly id: string;
  readonly title: string;
  readonly that: Expression;
  /** What was seen (the key `then`), as a sentence with `{expression}` parts; null shows the title. */
  readonly because: string | null;
  /** Why it is red and what to do (the key `else`), with `{expression}` parts. */
  readonly otherwise: string;
  /** How long after the step before it the check may stay red, in seconds. */
  readonly withinSeconds: number;
  readonly required: boolean;
  /** Id of the step before it in the text. */
  readonly after: string | null;
}

export interface Lesson {
  readonly view: LessonView;
  /** Folder of the lesson, absolute. */
  readonly dir: string;
  readonly steps: readonly StepSpec[];
  readonly edits: readonly EditSpec[];
  readonly checks: readonly CheckSpec[];
  /** Every starting file by its path in the workspace; `view.files` lists those that get a tab. */
  readonly files: ReadonlyMap<string, string>;
}

/** What is wrong with a lesson, for its author. `file` is relative to the lessons folder; lines count from 1. */
export interface LessonProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Course {
  readonly course: CourseView;
  /** The ready lessons, by slug. A lesson with problems is there as far as it could be read. */
  readonly lessons: ReadonlyMap<string, Lesson>;
  readonly problems: readonly LessonProblem[];
}
