import type { PaneId } from "./state.ts";

/** A lesson as the page shows it: parsed, linted markdown. All `html` is made by the server from allow-listed markdown. */
export interface LessonView {
  readonly slug: string;
  /** 1 to 18. */
  readonly number: number;
  readonly title: string;
  readonly summary: string;
  /** Reading and doing, in minutes. */
  readonly minutes: number;
  /** File opened in the editor first; null shows only the tab bar. */
  readonly open: string | null;
  /** Editable files of the workspace, in tab order. */
  readonly files: readonly string[];
  readonly blocks: readonly LessonBlock[];
}

export type LessonBlock =
  | HtmlBlock
  | CodeBlock
  | RunBlock
  | EditBlock
  | CheckBlock
  | HintBlock
  | QuizBlock
  | PredictBlock;

export interface HtmlBlock {
  readonly kind: "html";
  /**
   * Paragraphs, lists, headings (with ids). Links to files carry
   * `<a class="file-link" href="?file=tasks.ts#L3-L5" data-file="tasks.ts" data-from="3" data-to="5">`.
   */
  readonly html: string;
}

/** A fence without `run`, `edit` or `check`: shown with a Copy button. */
export interface CodeBlock {
  readonly kind: "code";
  readonly lang: string;
  readonly code: string;
}

export interface RunBlock {
  readonly kind: "run";
  readonly id: string;
  readonly pane: PaneId;
  readonly command: string;
  /** Other words for the button; the accessible name stays `Run in <pane>: <command>`. */
  readonly label: string | null;
  /** A question to confirm first, or null. */
  readonly confirm: string | null;
}

export interface EditBlock {
  readonly kind: "edit";
  readonly id: string;
  readonly file: string;
  /** Unified-diff body (lines that start with space, + or -), shown red and green. */
  readonly diff: string;
  /** Hidden behind "Show the solution" until asked for. */
  readonly solution: boolean;
}

export interface CheckBlock {
  readonly kind: "check";
  readonly id: string;
  readonly title: string;
  readonly required: boolean;
  /** How long after the step before it the check may take to turn green, in seconds. */
  readonly withinSeconds: number;
}

export interface HintBlock {
  readonly kind: "hint";
  readonly id: string;
  readonly summary: string;
  readonly html: string;
}

export interface QuizBlock {
  readonly kind: "quiz";
  readonly id: string;
  readonly question: string;
  readonly options: readonly { readonly letter: string; readonly html: string }[];
  /** Letter of the right option. */
  readonly answer: string;
  /** Why, shown after the right answer or after a second wrong one. */
  readonly html: string;
}

/** A question to answer *before* running `locks`; choosing is optional, the answer shows once that step has run. */
export interface PredictBlock {
  readonly kind: "predict";
  readonly id: string;
  readonly question: string;
  readonly options: readonly { readonly letter: string; readonly html: string }[];
  readonly answer: string;
  readonly html: string;
  /** Id of the run step that locks the prediction. */
  readonly locks: string;
}

/** The course as the navigation lists it. `ready: false` are the lessons to come. */
export interface CourseView {
  readonly title: string;
  readonly parts: readonly {
    readonly title: string;
    readonly lessons: readonly {
      readonly number: number;
      readonly slug: string;
      readonly title: string;
      readonly summary: string;
      readonly minutes: number | null;
      readonly ready: boolean;
    }[];
  }[];
}
