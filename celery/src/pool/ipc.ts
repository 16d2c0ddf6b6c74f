import type { Outcome } from "../execution/outcome.ts";
import type { TaskRequest } from "../execution/request.ts";

/*
 * Messages cross as structured clones (`serialization: "advanced"`): dates, big integers and bytes among the
 * arguments arrive as what they were, without another encoding and its limits.
 */

/** What the worker tells a pool child. */
export type ToChild =
  | { readonly type: "run"; readonly request: TaskRequest }
  /** Answer to `state`: stored, or why not. */
  | { readonly type: "stored"; readonly seq: number; readonly error: string | null }
  /** What runs has had its time: Celery's SIGUSR1. */
  | { readonly type: "softLimit" }
  /** End by this signal, whatever runs. */
  | { readonly type: "end"; readonly signal: NodeJS.Signals }
  | { readonly type: "exit" };

/** What a pool child tells the worker. */
export type FromChild =
  | { readonly type: "ready" }
  /** The app could not be loaded; the child ends. */
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "started" }
  /** `metaJson` is in Celery's encoding. */
  | { readonly type: "state"; readonly seq: number; readonly state: string; readonly metaJson: string }
  | { readonly type: "softLimit"; readonly limitSeconds: number }
  /** `self.sendEvent`; the fields in Celery's JSON. */
  | { readonly type: "event"; readonly name: string; readonly fieldsJson: string }
  | {
      readonly type: "done";
      readonly outcome: Outcome;
      readonly written: Written;
      readonly tainted: boolean;
      readonly residentKib: number;
    };

/** Bytes that the child has written so far: the worker reads that far before it logs how the task ended. */
export interface Written {
  readonly stdout: number;
  readonly stderr: number;
}

/** A learner's code may use `process.send` too: what is ours says so. */
const OURS = "celery-pool";

export function envelope<M extends ToChild | FromChild>(message: M): { [OURS]: M } {
  return { [OURS]: message };
}

/** Both ends are the same version of this file, so the shape needs no second look. */
export function openEnvelope(received: unknown): ToChild | FromChild | undefined {
  if (typeof received !== "object" || received === null || !(OURS in received)) return undefined;
  return received[OURS] as ToChild | FromChild;
}
