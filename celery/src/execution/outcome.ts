import type { ResultTuple } from "../protocol/result-tuple.ts";
import type { WireError } from "../protocol/wire-error.ts";

/** How a run ended, as data: it crosses from a pool child to the worker. */
export type Outcome =
  | {
      readonly state: "SUCCESS";
      /** The return value as JSON text, in Celery's encoding. */
      readonly resultJson: string;
      /** The return value as Python's `repr` would show it, cut as Celery cuts it. */
      readonly resultRepr: string;
      readonly runtimeSeconds: number;
      /** `self.retry({ throw: false })`: to be run again all the same. */
      readonly retriedToo?: readonly RetryPlan[];
      /** What the task has sent. */
      readonly children?: readonly ResultTuple[];
    }
  | {
      readonly state: "FAILURE";
      readonly error: WireError;
      /** The exception as Python's `repr` would show it, e.g. `ValueError('boom')`. */
      readonly errorRepr: string;
      readonly traceback: string;
      /** The task names this error in `throws`: logged at INFO, without a traceback. */
      readonly expected: boolean;
      readonly runtimeSeconds: number;
      readonly retriedToo?: readonly RetryPlan[];
      readonly children?: readonly ResultTuple[];
    }
  | {
      readonly state: "RETRY";
      readonly retry: RetryPlan;
      /** What went wrong, null for a retry without a cause. */
      readonly error: WireError | null;
      readonly errorRepr: string | null;
      readonly traceback: string;
      readonly runtimeSeconds: number;
    }
  | {
      readonly state: "IGNORED";
      readonly runtimeSeconds: number;
      /** `self.replace`: the signature that takes the task's place, as JSON. */
      readonly replacedBy?: string;
    }
  | {
      readonly state: "REJECTED";
      readonly requeue: boolean;
      readonly reason: string;
      readonly traceback: string;
      readonly runtimeSeconds: number;
    };

/** When and how the task is to be run again. */
export interface RetryPlan {
  readonly etaEpochSeconds: number;
  /** `Retry in 1s: KeyError('missing')`: text of the log line and of the traceback. */
  readonly message: string;
  /** Null = as they were. */
  readonly args: readonly unknown[] | null;
  readonly kwargs: Readonly<Record<string, unknown>> | null;
  /** Null = the queue the task came from. */
  readonly queue: string | null;
  /** Null = as they were. With `exchange`, `routingKey` is the key; otherwise it means nothing. */
  readonly exchange: string | null;
  readonly routingKey: string | null;
  readonly priority: number | null;
  /** What else is different in the next message. */
  readonly changes: RetryChanges;
}

/** Of the message's headers; what is not given stays. Limits in seconds. */
export interface RetryChanges {
  readonly timeLimit?: number;
  readonly softTimeLimit?: number;
  readonly expiresEpochSeconds?: number;
  readonly ignoreResult?: boolean;
  readonly shadow?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
}
