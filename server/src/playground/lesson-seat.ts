import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { Course, Lesson } from "../lessons/lesson.ts";
import type { Live } from "../live/live.ts";
import type { ServerMessage } from "../protocol/index.ts";
import type { Broker } from "../redis/index.ts";
import type { StepRunner } from "../steps/step-runner.ts";
import { openWorkspace } from "../workspace/open-workspace.ts";
import { makeFolder } from "../workspace/paths.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { ActiveLesson } from "./active-lesson.ts";
import { PlaygroundRefusal } from "./playground.ts";
import { moveTo, type Panes } from "./session-panes.ts";

export interface LessonSeatDeps {
  readonly workspaceRoot: string;
  readonly broker: Broker;
  readonly panes: Panes;
  readonly steps: StepRunner;
  readonly live: Live;
  readonly log: Logger;
  readonly tell: (message: ServerMessage) => void;
  /** Panes and queues start from nothing: what was wrong before is not any more. */
  readonly onFreshStart: () => void;
}

/** The place of the one open lesson: opens, renews, resets. One such thing happens at a time. */
export class LessonSeat implements AsyncDisposable {
  readonly #deps: LessonSeatDeps;
  #active: ActiveLesson | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: LessonSeatDeps) {
    this.#deps = deps;
  }

  get active(): ActiveLesson | undefined {
    return this.#active;
  }

  /** @throws PlaygroundRefusal while no lesson is open. */
  current(): ActiveLesson {
    if (this.#active === undefined) throw new PlaygroundRefusal("no-lesson", "Open a lesson first.");
    return this.#active;
  }

  /** @throws PlaygroundRefusal for a lesson that is not there, or not there yet. */
  open(course: Course, slug: string): Promise<void> {
    return this.#inTurn(async () => {
      const lesson = course.lessons.get(slug);
      if (lesson === undefined) throw new PlaygroundRefusal("not-found", missing(course, slug));
      if (this.#active?.slug !== slug) await this.#change(lesson);
      this.#announce();
    });
  }

  /** The same lesson in its author's new words: shells and queues go on. */
  renew(lesson: Lesson): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#active;
      if (before?.slug !== lesson.view.slug || isDeepStrictEqual(before.lesson, lesson)) return;
      // What was seen so far is kept, unless it is about files that are others now.
      if (hasSameFiles(before.lesson, lesson)) this.#active = this.#activate(lesson, before.release());
      else await this.#sit(lesson, await this.#openWorkspace(lesson));
      this.#announce();
    });
  }

  /** Everything from the start; the learner's files go to the workspace's history. */
  reset(): Promise<void> {
    return this.#inTurn(async () => {
      const { workspace, board } = this.current();
      // Shells cannot start in a folder that the learner removed.
      await makeFolder(workspace.dir);
      await this.#startFresh(workspace.dir, () => workspace.reset());
      this.#deps.live.reset();
      board.reset();
      this.#announce();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    await this.#active?.[Symbol.asyncDispose]();
    this.#active = undefined;
  }

  async #change(lesson: Lesson): Promise<void> {
    const workspace = await this.#openWorkspace(lesson);
    try {
      await this.#startFresh(workspace.dir);
    } catch (error) {
      await workspace[Symbol.asyncDispose]();
      throw error;
    }
    await this.#sit(lesson, workspace);
  }

  async #sit(lesson: Lesson, workspace: Workspace): Promise<void> {
    const before = this.#active;
    this.#deps.live.enter({ files: workspace });
    this.#active = this.#activate(lesson, workspace);
    await before?.[Symbol.asyncDispose]();
  }

  #activate(lesson: Lesson, workspace: Workspace): ActiveLesson {
    const { live, log, tell } = this.#deps;
    return new ActiveLesson({ lesson, workspace, log, tell, facts: () => live.facts() });
  }

  /**
   * Worker and producer get new shells and Redis is emptied, in this order: a worker that still ran would put back what
   * it holds.
   */
  async #startFresh(dir: string, meanwhile?: () => Promise<void>): Promise<void> {
    const { steps, panes, broker, live, log, onFreshStart } = this.#deps;
    steps.reset();
    await Promise.all([moveTo(panes.worker, dir), moveTo(panes.producer, dir)]);
    await meanwhile?.();
    await broker.clear(live.seen()).catch((error: unknown) => {
      // Redis went away just now. Ours comes back empty; in a foreign one only what we sent is left.
      log.warn({ err: error }, "could not clear Redis");
    });
    onFreshStart();
  }

  #openWorkspace(lesson: Lesson): Promise<Workspace> {
    return openWorkspace({ root: this.#deps.workspaceRoot, lesson, log: this.#deps.log });
  }

  #announce(): void {
    for (const message of this.#active?.messages() ?? []) this.#deps.tell(message);
    this.#deps.tell({ type: "steps", steps: this.#deps.steps.states });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined); // Whoever asked gets the error; the next in turn must not.
    return result;
  }
}

/** What a workspace is made from. */
function hasSameFiles(a: Lesson, b: Lesson): boolean {
  const files = ({ files, edits, view }: Lesson): unknown => [files, edits, view.files];
  return isDeepStrictEqual(files(a), files(b));
}

function missing({ course }: Course, slug: string): string {
  const planned = course.parts.flatMap((part) => part.lessons).find((lesson) => lesson.slug === slug);
  return planned === undefined
    ? "There is no lesson of this name. Choose one from the list of lessons."
    : `Lesson ${planned.number}, ${planned.title}, is still to come. Choose another one from the list of lessons.`;
}
