import type { CeleryApp, RequestInfo } from "../types.ts";
import { callErrbacks, type Failure, sortErrbacks } from "./errbacks.ts";
import { type Added, addToChord, checkReplacement } from "./replace.ts";
import type { Sig } from "./sig.ts";
import type { Signature, SignatureInput } from "./signature.ts";

/** What a running task may do to the workflow that it is in: for whoever runs tasks. */
export interface TaskActions {
  /** The signature that is to take a task's place. @throws ImproperlyConfigured for what cannot. */
  replacement(signature: SignatureInput): Sig;
  /** @throws InvalidArgument when the task is a part of no chord. */
  addToChord<R>(request: RequestInfo, signature: Signature<R>): Added<R>;
  /** Calls the errbacks that take the failure itself; the worker sends the others. */
  callErrbacks(errbacks: readonly unknown[], failure: Failure, report: (text: string) => void): Promise<void>;
}

export function makeTaskActions(app: CeleryApp): TaskActions {
  return {
    replacement: checkReplacement,
    addToChord: (request, signature) => addToChord(app, request, signature),
    callErrbacks: (errbacks, failure, report) =>
      callErrbacks(app, sortErrbacks(app, errbacks).inline, failure, report),
  };
}
