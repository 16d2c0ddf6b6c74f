import type { EventEmitter } from "node:events";
import type { Logger } from "pino";
import type { Facts } from "../checks/facts.ts";
import type { FileView, PaneId, PaneState, QueueView, StepState } from "../protocol/index.ts";

/** What the observed state needs of a pane (`terminal/`). */
export interface PaneSource {
  readonly state: PaneState;
  readonly events: PaneSignals;
}

/** The two events of a pane that are listened to; its emitter has more. */
export interface PaneSignals {
  on(name: "line", listener: (text: string) => void): unknown;
  on(name: "state", listener: (state: PaneState) => void): unknown;
  off(name: "line", listener: (text: string) => void): unknown;
  off(name: "state", listener: (state: PaneState) => void): unknown;
}

/** What it needs of the step runner (`steps/`). */
export interface StepSource {
  readonly states: Readonly<Record<string, StepState>>;
  readonly events: EventEmitter<{ changed: [] }>;
}

/** What it needs of the workspace (`workspace/`). */
export interface FileSource {
  file(path: string): FileView | undefined;
  hashes(): ReadonlyMap<string, string>;
  readonly events: EventEmitter<{ changed: [file: FileView] }>;
}

export interface LiveEvents {
  /** Facts or queue view changed; at most about every 50 ms. */
  changed: [];
  /** Redis answers (again). */
  up: [];
  /** Redis went away; observing goes on by itself when it is back. */
  down: [error: Error];
}

/** The one observed state. Never writes to Redis and never takes a message. */
export interface Live extends AsyncDisposable {
  facts(): Facts;
  queueView(): QueueView;
  /**
   * Makes a lesson the one that is observed, with nothing seen yet. `queues` are names worth counting before any
   * message was seen; `celery` always is.
   */
  enter(lesson: { readonly files: FileSource; readonly queues?: readonly string[] } | undefined): void;
  /** Forgets everything seen: tasks, peaks, output, exits. Workers that are online stay known. */
  reset(): void;
  /** Someone looks at the counts: snapshots are taken until the disposer is called. A lesson counts as a watcher. */
  watch(): () => void;
  /** Resolves after a snapshot that began after the call; the answer to "check now". */
  refresh(signal: AbortSignal): Promise<void>;
  /** Ids and queue names seen since the reset: what may be deleted from a Redis that is not ours. */
  seen(): { readonly taskIds: readonly string[]; readonly queues: readonly string[] };
  readonly events: EventEmitter<LiveEvents>;
}

export type PaneSources = (id: PaneId) => PaneSource | undefined;

/** What `openLive` (`open-live.ts`) takes. It returns at once, whether Redis answers or not. */
export interface LiveOptions {
  readonly redisUrl: string;
  readonly panes: PaneSources;
  readonly steps: StepSource;
  readonly log: Logger;
}
