import type { Logger } from "pino";
import type { Facts } from "../checks/facts.ts";
import type { PaneId, PaneState } from "../protocol/index.ts";
import type { NoticeBoard, NoticeId } from "./notice-board.ts";
import { failedTaskNotice, producerNotice, unknownTaskNotice, workerNotice } from "./notices.ts";
import type { Panes } from "./session-panes.ts";

/** The end of a program's output that is searched for its reason, in lines. */
const LAST_WORDS = 60;

/** Notices about what the learner runs; a fresh start takes them all away. */
const OF_LESSON: readonly NoticeId[] = ["worker-stopped", "producer-failed", "unknown-task", "task-failed"];

export interface TroubleDeps {
  readonly panes: Panes;
  readonly notices: NoticeBoard;
  /** Names of the open lesson's files. */
  readonly files: () => ReadonlySet<string>;
  readonly log: Logger;
}

/** Sees when something of the learner's went wrong, and puts up what happened and what to do. */
export class TroubleWatch {
  readonly #deps: TroubleDeps;

  constructor(deps: TroubleDeps) {
    this.#deps = deps;
    for (const id of ["worker", "producer"] as const) {
      deps.panes[id].events.on("state", (state) => this.#onPane(id, state));
    }
  }

  /** Looks at what tasks came to. */
  onFacts(facts: Facts): void {
    this.#deps.notices.put("unknown-task", unknownTaskNotice(facts));
    this.#deps.notices.put("task-failed", failedTaskNotice(facts));
  }

  forget(): void {
    for (const id of OF_LESSON) this.#deps.notices.put(id, undefined);
  }

  #onPane(id: Exclude<PaneId, "broker">, state: PaneState): void {
    const { notices, log } = this.#deps;
    if (state.phase === "busy") notices.put(noticeOf(id), undefined);
    if (state.phase !== "idle" || state.exit === null || state.exit === 0) return;
    this.#explain(id, state.exit).catch((error: unknown) =>
      log.warn({ err: error, pane: id }, "could not look for the reason of a program's end"),
    );
  }

  async #explain(id: Exclude<PaneId, "broker">, exit: number): Promise<void> {
    const pane = this.#deps.panes[id];
    const { epoch } = pane.state;
    const text = await pane.text(LAST_WORDS);
    // The learner may have started something meanwhile, or left the lesson.
    if (pane.state.phase !== "idle" || pane.state.epoch !== epoch) return;
    const command = pane.lastCommand ?? "";
    const ending = { command, exit, lines: linesSince(command, text), files: this.#deps.files() };
    this.#deps.notices.put(noticeOf(id), id === "worker" ? workerNotice(ending) : producerNotice(ending));
  }
}

function noticeOf(id: Exclude<PaneId, "broker">): NoticeId {
  return id === "worker" ? "worker-stopped" : "producer-failed";
}

/** Without the output of earlier commands: their mistakes may be corrected by now. */
function linesSince(command: string, text: string): readonly string[] {
  const lines = text.split("\n");
  const typed = lines.findLastIndex((line) => command !== "" && line.includes(command));
  return lines.slice(typed + 1);
}
