/** Shapes of the server's state as the page sees it. Times are epoch milliseconds, durations are seconds. */

export type PaneId = "broker" | "worker" | "producer";

/** What a pane's shell is doing. `exit` is the status of the last command (130 after Ctrl-C), null before any. */
export type PaneState =
  | { readonly phase: "starting"; readonly epoch: number }
  | {
      readonly phase: "idle";
      readonly epoch: number;
      readonly exit: number | null;
      readonly seconds: number | null;
    }
  | { readonly phase: "busy"; readonly epoch: number; readonly command: string; readonly since: number }
  | { readonly phase: "closed"; readonly epoch: number; readonly reason: string };

/** How the panes are run, best first; `pipes` means that panes are read-only logs. */
export type PtyRung = "native" | "python" | "script" | "pipes";

/**
 * The life of one step. `ready` is a long-running command whose `until=` pattern was seen; it goes on running.
 * `failed` carries what the learner should do.
 */
export type StepState =
  | { readonly phase: "idle" }
  | { readonly phase: "queued"; readonly because: string }
  | { readonly phase: "running"; readonly since: number }
  | { readonly phase: "ready"; readonly seconds: number }
  | { readonly phase: "done"; readonly exit: number; readonly seconds: number }
  | {
      readonly phase: "failed";
      readonly exit: number | null;
      readonly seconds: number;
      readonly message: string;
    };

/** One live check. `message` says why it is red and what to do, or what was seen when it turned green. */
export interface CheckState {
  readonly id: string;
  readonly state: "red" | "green";
  readonly message: string;
}

export interface WorkerView {
  /** Celery's node name, `celery@host`. */
  readonly hostname: string;
  readonly pid: number;
  /** A task file of the workspace changed after this worker started: it still runs what it loaded. */
  readonly oldCode: boolean;
  /** Tasks running now. */
  readonly active: number;
}

/** The strip of counts, and what the checks see in numbers. */
export interface QueueView {
  readonly queues: readonly { readonly name: string; readonly length: number }[];
  /** Messages taken by a worker and not acknowledged yet (running late-ack, prefetched, waiting for an ETA). */
  readonly unacked: number;
  /** Of these, the ones that wait for their ETA. */
  readonly scheduled: number;
  readonly dead: number;
  readonly results: { readonly success: number; readonly failure: number; readonly retry: number };
  readonly workers: readonly WorkerView[];
}

/** Where the messages live. `error` is what to tell the learner when Redis does not answer. */
export interface RedisView {
  readonly kind: "external" | "server" | "emulator";
  /** For people: "Redis 7.0.15", "Valkey 8.0.1", "emulated Redis (js-redis-server)". */
  readonly label: string;
  readonly url: string;
  readonly up: boolean;
  readonly error: string | null;
}

/** A file of the learner's workspace. `hash` is the SHA-256 of its bytes in hex, for conflict-free saves. */
export interface FileView {
  readonly path: string;
  readonly text: string;
  readonly hash: string;
  /** The file differs from the lesson's starting file. */
  readonly edited: boolean;
}

/** An edit block's state: `applied` when every change of the diff is in the file already. */
export type EditState = "open" | "applied" | "conflict";
