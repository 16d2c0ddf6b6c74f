import type { EventEmitter } from "node:events";
import type { ResultBackend, StoredResult } from "../backend/backend.ts";
import type { Log } from "../runtime/log.ts";
import type { Binding, OutgoingMessage } from "./destination.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { QueueOrder } from "./queue-order.ts";

export type { Binding, ExchangeTarget, ExchangeType, OutgoingMessage } from "./destination.ts";
export type { FlowParts, Rescue, RescuedPart } from "./flow-parts.ts";

/** A message that this consumer owes an answer for. */
export interface Claim {
  /** `ts1|<workerId>|<uuid>`: unique per delivery, and the owner can be read from it. */
  readonly id: string;
  readonly queue: string;
  /** As it lay in the queue. */
  readonly raw: string;
}

/** What the end of a task leaves behind, in one step. */
export interface Completion {
  readonly result?: StoredResult;
  readonly publish?: readonly OutgoingMessage[];
  /** What a workflow adds. */
  readonly flow?: FlowParts;
  /** The message is put to the dead letters, not forgotten: for `finish` only. */
  readonly dead?: DeadLetter;
}

/** Why a message will not be run any more. */
export interface DeadLetter {
  readonly reason: string;
  /** Of its task: what was counted for it is forgotten. */
  readonly taskId: string;
}

/** `fenced`: the claim is no longer ours (somebody else runs the message now), and nothing was written. */
export type ClaimOutcome = "done" | "fenced";

/** `chord`: done, and a chord of which the task was a part is complete (or failed): the caller is to end it. */
export type FinishOutcome = ClaimOutcome | "chord";

/** How often and how long a publish is tried again. Seconds. Celery's `task_publish_retry_policy`. */
export interface RetryPolicy {
  /** Tries after the first. `null` never gives up. */
  readonly maxRetries: number | null;
  readonly intervalStart: number;
  readonly intervalStep: number;
  readonly intervalMax: number;
}

export interface Transport extends AsyncDisposable {
  readonly url: string;
  /**
   * Settles when Redis has the message. A try whose answer was lost is repeated without doubling the message.
   *
   * @param retry `false`: one try only.
   * @throws OperationalError when all tries failed, with the last failure as `cause`.
   */
  publish(message: OutgoingMessage, options?: { retry?: boolean; policy?: RetryPolicy }): Promise<void>;
  /** Deletes waiting messages (not claimed ones); returns how many. */
  purge(queues: readonly string[]): Promise<number>;
  /** Waiting messages, all priorities. */
  queueLength(queue: string): Promise<number>;
  openConsumer(options: ConsumerOptions): Promise<Consumer>;
}

export interface ConsumerOptions {
  readonly nodeName: string;
  /** A name is a queue bound under its own name. One on a fanout exchange is listened to: each such consumer gets every message. */
  readonly queues: readonly (string | Binding)[];
  /** Default `round_robin`. */
  readonly queueOrder?: QueueOrder;
  /** How long after its last sign of life a worker's claims are given to others. Default 10 000. */
  readonly heartbeatTtlMs?: number;
  /** How long after taking it a message that a Python worker holds is given to others. Default 3 600 000, kombu's. */
  readonly visibilityTimeoutMs?: number;
  readonly backend?: ResultBackend;
  readonly log: Log;
}

export type OnEnded = (outcome: FinishOutcome | Error) => void;

export type EndPace = "prompt" | "patient";

/** An `end` on its way, for `withdraw`. */
export interface PendingEnd {
  readonly isGone: boolean;
}

export interface ConsumerEvents {
  /** These claims are somebody else's now: stop their tasks, their results will be refused. */
  lost: [claimIds: readonly string[]];
  disconnected: [error: Error];
  reconnecting: [delaySeconds: number, attempt: number, error: Error];
  connected: [];
}

/**
 * One worker's hold on the queues. Nothing is ever only in this process's memory: a message is recorded as
 * claimed before it leaves its queue, and comes back by itself when the worker dies.
 *
 * While Redis is away the methods wait for the reconnect, except `claim` and `claimNext`, which return nothing.
 * Closing releases what is still claimed.
 */
export interface Consumer extends AsyncDisposable {
  readonly workerId: string;
  /** Ids of the claims not yet answered. */
  readonly held: ReadonlySet<string>;
  readonly events: EventEmitter<ConsumerEvents>;
  /** Redis's clock, epoch milliseconds: what decides whether a task is due or has expired. */
  nowMs(): number;
  /** Up to `max` messages at once, most urgent first; empty when there are none. */
  claim(max: number): Promise<readonly Claim[]>;
  /** Names of the queues that `claim` looks into now. */
  readonly queues: readonly string[];
  /** From the next `claim` on, this queue too. One that is consumed already changes nothing. */
  addQueue(queue: string | Binding): Promise<void>;
  /** From the next `claim` on, not this one. What was claimed from it stays claimed. */
  removeQueue(queue: string): Promise<void>;
  /**
   * As `claim`, but waits until there is something. Nothing means: ask `claim` what there is, then wait again. It comes to that when a
   * message was urgent or another worker was faster, and after at most 20 s. When `signal` aborts, it settles with what had been taken by then.
   */
  claimNext(max: number, signal: AbortSignal): Promise<readonly Claim[]>;
  /**
   * Whether the claim is still ours, to be asked right before its task starts. Known without asking Redis as long as
   * the worker's signs of life arrive.
   */
  confirm(claimId: string): ClaimOutcome | Promise<ClaimOutcome>;
  /**
   * `ack` (an empty completion), `finish` and `complete` (an empty claim id) without a promise, for whoever runs thousands a
   * second. What is asked for in one turn of the event loop leaves together at its end; while other claims are held, about a millisecond
   * after what left before.
   *
   * @param onEnded is told the outcome, or the error with which the others reject. Must not throw.
   * @param pace `patient`: it can wait, about a millisecond, to be withdrawn.
   */
  end(claimId: string, completion: Completion, onEnded: OnEnded, pace?: EndPace): PendingEnd;
  /** Takes an `end` back that has not left yet; its `onEnded` is not called then. Returns false when it has left. */
  withdraw(pending: PendingEnd): boolean;
  /** Early ack: the message is forgotten. `fenced` means: do not run it. */
  ack(claimId: string): Promise<ClaimOutcome>;
  /** Result, follow-ups and ack, or nothing of it. */
  finish(claimId: string, completion: Completion): Promise<FinishOutcome>;
  /** Result and follow-ups of a task that was acked early. */
  complete(completion: Completion): Promise<FinishOutcome>;
  /** Back to the head of their queues, marked as redelivered. Ids that are not ours any more are skipped. */
  release(claimIds: readonly string[]): Promise<void>;
  /**
   * As `release`, but counts. `over`: it was counted more than `limit` times, and the claim is still ours, to be ended with `dead`; a
   * worker that dies before it has done so leaves that to the next.
   */
  releaseCounted(claimId: string, taskId: string, limit: number): Promise<"released" | "over" | "fenced">;
  /** Keeps a message for later without owner and without memory. Due messages come back to the head of their queue. */
  park(claimId: string, etaEpochSeconds: number): Promise<ClaimOutcome>;
  /** Takes a message that cannot be run out of the way, with the reason and its bytes. */
  deadLetter(claimId: string, reason: string): Promise<ClaimOutcome>;
}
