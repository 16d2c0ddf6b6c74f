import type { PaneId, StepState } from "../protocol/index.ts";

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One task id as it was observed. Times are epoch milliseconds, durations are seconds. */
export interface TaskFacts {
  readonly id: string;
  /** Null for a task of which only the result was seen. */
  readonly name: string | null;
  readonly state: string;
  /** Null when the arguments were not seen or are not plain literals. */
  readonly args: readonly Json[] | null;
  readonly result: Json;
  readonly error: { readonly type: string; readonly message: string } | null;
  readonly retries: number;
  readonly worker: string | null;
  readonly pid: number | null;
  readonly runtime: number | null;
  /** Executions begun: 1 + retries + redeliveries. */
  readonly starts: number;
  readonly queue: string | null;
  readonly sentAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly eta: number | null;
}

export interface PaneFacts {
  readonly exit: number | null;
  readonly busy: boolean;
  readonly command: string | null;
  /** Whether a line of output matched since the lesson was opened or reset. */
  saw(pattern: RegExp): boolean;
}

export interface StepFacts {
  readonly phase: StepState["phase"];
  readonly exit: number | null;
  readonly runs: number;
}

export interface FileFacts {
  readonly edited: boolean;
  /** A worker is online that started after the file's last change. */
  readonly loaded: boolean;
  /** Whether the file exports the name. */
  has(name: string): boolean;
}

export interface HttpFacts {
  /** 0 when nothing answered; null when it was not asked yet. */
  readonly status: number | null;
  readonly json: Json;
}

/**
 * The one observed state that checks speak about. Reading never waits: what has to be asked for (`redis.*`, `http`)
 * answers with what is known, null at first, and is asked for in the background because it was read.
 */
export interface Facts {
  readonly workers: { readonly online: number; readonly oldCode: number; readonly seen: number };
  /** Counts are null until Redis was asked after the reset. */
  readonly unacked: { readonly count: number | null };
  readonly scheduled: { readonly count: number | null };
  readonly dead: { readonly count: number | null };
  /** Results of tasks seen that are still stored. */
  readonly results: { readonly count: number | null };
  /** In the order in which they were first seen. */
  readonly tasks: readonly TaskFacts[];
  readonly redis: {
    get(key: string): string | null;
    llen(key: string): number | null;
    exists(key: string): boolean | null;
    /** How many keys match. */
    keys(pattern: string): number | null;
  };
  queue(name: string): { readonly length: number | null; readonly peak: number };
  pane(id: PaneId): PaneFacts;
  step(id: string): StepFacts;
  file(path: string): FileFacts;
  http(url: string): HttpFacts;
}
