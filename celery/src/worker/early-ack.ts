import type { Consumer, EndPace, FinishOutcome, PendingEnd } from "../transport/transport.ts";

/** `failed`: Redis refused, and the message is still ours to answer. `withdrawn`: the task's end answers for it. */
export type AckOutcome = "done" | "fenced" | "failed" | "withdrawn";

/**
 * An early ack, asked for when its task has begun. It leaves at the end of the event loop's turn, or a moment later; when the task is over by
 * then, it is taken back, and the task's end says both in one step.
 */
export class EarlyAck {
  /** Undefined as long as it is under way. */
  outcome: AckOutcome | undefined;
  readonly #consumer: Consumer;
  readonly #pending: PendingEnd;
  #next: (() => void) | undefined;

  /**
   * @param pace `patient` for a task that cannot keep this event loop from what it has to say.
   * @param onTrouble is told that the claim is somebody else's, or what Redis said. Must not throw.
   */
  constructor(
    consumer: Consumer,
    claimId: string,
    pace: EndPace,
    onTrouble: (trouble: "fenced" | Error) => void,
  ) {
    this.#consumer = consumer;
    const onEnded = (outcome: FinishOutcome | Error): void => {
      this.outcome = outcome instanceof Error ? "failed" : outcome === "fenced" ? "fenced" : "done";
      if (outcome instanceof Error || outcome === "fenced") onTrouble(outcome);
      this.#next?.();
    };
    this.#pending = consumer.end(claimId, {}, onEnded, pace);
  }

  /** The task is over: calls `next` once it is known what has become of the ack. */
  atEnd(next: () => void): void {
    if (this.outcome === undefined && this.#consumer.withdraw(this.#pending)) this.outcome = "withdrawn";
    if (this.outcome === undefined) this.#next = next;
    else next();
  }
}
