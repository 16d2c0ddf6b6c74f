import type { Logger } from "pino";
import type { CheckBoard } from "../checks/check-board.ts";
import type { Facts } from "../checks/facts.ts";
import { openCheckBoard } from "../checks/open-check-board.ts";
import type { Lesson } from "../lessons/lesson.ts";
import type { FileView, ServerMessage } from "../protocol/index.ts";
import type { Workspace } from "../workspace/workspace.ts";

export interface ActiveLessonDeps {
  readonly lesson: Lesson;
  readonly workspace: Workspace;
  readonly facts: () => Facts;
  readonly tell: (message: ServerMessage) => void;
  readonly log: Logger;
}

/** The open lesson: its files and its checks, and what browsers are told of them. Owns the workspace. */
export class ActiveLesson implements AsyncDisposable {
  readonly lesson: Lesson;
  readonly workspace: Workspace;
  readonly board: CheckBoard;
  readonly #deps: ActiveLessonDeps;

  /** The facts must be this lesson's already: what they say makes checks green for good. */
  constructor(deps: ActiveLessonDeps) {
    this.lesson = deps.lesson;
    this.workspace = deps.workspace;
    this.#deps = deps;
    const { lesson, workspace, facts } = deps;
    this.board = openCheckBoard({ checks: lesson.checks, facts, earlier: workspace.progress.load() });
    this.board.events.on("changed", this.#onChecks);
    this.workspace.events.on("changed", this.#onFile);
  }

  get slug(): string {
    return this.lesson.view.slug;
  }

  /** Everything a page needs to show the lesson. The order matters: `lesson` makes it forget the one before. */
  messages(): readonly ServerMessage[] {
    return [
      { type: "lesson", lesson: this.lesson.view, files: this.workspace.files() },
      { type: "edits", edits: this.workspace.editStates() },
      { type: "checks", checks: this.board.states() },
    ];
  }

  /** Lets go of the workspace, for a successor to take. */
  release(): Workspace {
    this.board.events.off("changed", this.#onChecks);
    this.workspace.events.off("changed", this.#onFile);
    return this.workspace;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()[Symbol.asyncDispose]();
  }

  readonly #onChecks = (): void => {
    const checks = this.board.states();
    this.#deps.tell({ type: "checks", checks });
    this.workspace.progress.save(checks).catch((error: unknown) => {
      // The page is right all the same; only a restart of the server would show them red again.
      this.#deps.log.warn({ err: error }, "could not keep the checks");
    });
  };

  readonly #onFile = (file: FileView): void => {
    this.#deps.tell({ type: "file", file });
    this.#deps.tell({ type: "edits", edits: this.workspace.editStates() });
  };
}
