import type { ServerMessage } from "../protocol/index.ts";

export interface Notice {
  readonly level: "info" | "warning" | "error";
  readonly text: string;
}

/** What each notice is about; one of a kind at a time. */
export type NoticeId =
  | "redis"
  | "emulator"
  | "panes"
  | "worker-stopped"
  | "producer-failed"
  | "unknown-task"
  | "task-failed";

/** What the learner should know now. A notice stays until its reason is gone. */
export class NoticeBoard {
  readonly #notices = new Map<NoticeId, Notice>();
  readonly #tell: (message: ServerMessage) => void;

  /** @param tell is called with every change. */
  constructor(tell: (message: ServerMessage) => void) {
    this.#tell = tell;
  }

  /** @param notice undefined takes the notice away. */
  put(id: NoticeId, notice: Notice | undefined): void {
    const before = this.#notices.get(id);
    if (before?.text === notice?.text && before?.level === notice?.level) return;
    if (notice === undefined) this.#notices.delete(id);
    else this.#notices.set(id, notice);
    this.#tell(notice === undefined ? { type: "notice-gone", id } : { type: "notice", id, ...notice });
  }

  messages(): readonly ServerMessage[] {
    return [...this.#notices].map(([id, notice]) => ({ type: "notice", id, ...notice }));
  }
}
