import type { TaskHeaders } from "../protocol/message.ts";
import type { ExchangeType } from "../transport/destination.ts";
import type { OutgoingMessage, RetryPolicy } from "../transport/transport.ts";
import type { Call } from "./draft.ts";
import type { Exchange, Queue } from "./queues.ts";

/** kombu's names for the one method that every kombu can read. What it calls gzip is a zlib stream. */
export const COMPRESSIONS = ["gzip", "zlib", "application/x-gzip"] as const;
/** How the body of a message is compressed: all of them are zlib. */
export type Compression = (typeof COMPRESSIONS)[number];

/** Where and how a call is sent; what routes may say, too. */
export interface SendOptions {
  /** A queue of `task_queues` by name, or any other: it is made on the spot (`task_create_missing_queues`). */
  readonly queue?: string | Queue;
  /** Sends through this exchange: every queue bound to it with a fitting key gets a copy. Needs `routingKey`, unless it is a fanout. */
  readonly exchange?: string | Exchange;
  /** Of an exchange that `task_queues` does not have. Topic and direct are told apart by their bindings; a fanout must be named. */
  readonly exchangeType?: ExchangeType;
  readonly routingKey?: string;
  /** 0 to 9, 0 first. */
  readonly priority?: number;
  readonly serializer?: "json";
  /** Compresses the body; default `task_compression`. `null` sends it plain. */
  readonly compression?: Compression | null;
  /** 1 transient, 2 persistent: written into the message, without effect on Redis. */
  readonly deliveryMode?: 1 | 2;
}

/** How often and how long a publish is tried again, in seconds. What is missing comes from `task_publish_retry_policy`. */
export type PublishRetry = Partial<RetryPolicy>;

/** A signature, or the object that it is on the wire. */
export type SignatureLike = object;

/** How one call is sent. Times in seconds. */
export interface ApplyOptions extends SendOptions, WorkflowOptions {
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Not before this many seconds from now. */
  readonly countdown?: number;
  /** Not before this moment (a `Date`, or ISO 8601 text). */
  readonly eta?: Date | string;
  /** Discard when later than this: seconds from now, a `Date`, or ISO 8601 text. */
  readonly expires?: number | Date | string | null;
  readonly taskId?: string;
  readonly ignoreResult?: boolean;
  /** Hard limit: a task that runs longer is killed. */
  readonly timeLimit?: number | null;
  /** Soft limit: a task that runs longer is told. */
  readonly softTimeLimit?: number | null;
  /** Another name, for logs and monitors. */
  readonly shadow?: string;
  /** Headers of your own; the task reads them as `self.request.headers`. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Started with the result after success. */
  readonly link?: SignatureLike | readonly SignatureLike[];
  /** Started after failure. */
  readonly linkError?: SignatureLike | readonly SignatureLike[];
  /** What logs and monitors show instead of the arguments, e.g. to hide a secret. */
  readonly argsRepr?: string;
  readonly kwargsRepr?: string;
  /** Default: this client's id. */
  readonly replyTo?: string;
  /** `false`: one try only. Default `task_publish_retry`. */
  readonly retry?: boolean;
  readonly retryPolicy?: PublishRetry;
}

/** A call's place in a workflow. The canvas sets these; rarely anybody else. */
export interface WorkflowOptions {
  readonly groupId?: string | null;
  readonly groupIndex?: number | null;
  /** Body of the chord that the task is a header part of. */
  readonly chord?: SignatureLike | null;
  /** Remaining steps, reversed: the last element is the next one. */
  readonly chain?: readonly SignatureLike[] | null;
  readonly rootId?: string | null;
  readonly parentId?: string | null;
  /** Retries so far. */
  readonly retries?: number;
  readonly replacedTaskNesting?: number;
  readonly stampedHeaders?: readonly string[] | null;
  readonly stamps?: Readonly<Record<string, unknown>>;
  /** `false`: not a child of the task that makes the call. */
  readonly addToParent?: boolean;
  /** More of the message's `properties`, as Celery does with every option that it does not know. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A call that is a message: routed and encoded, not yet sent. */
export interface PreparedCall {
  readonly call: Call;
  readonly headers: TaskHeaders;
  /** As in `delivery_info`: empty when it goes to a queue directly. */
  readonly exchange: string;
  readonly routingKey: string;
  /** For the transport, or for the script that ends the task that makes the call. */
  readonly message: OutgoingMessage;
  readonly retry: boolean;
  readonly policy: RetryPolicy;
}
