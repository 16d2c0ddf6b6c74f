/** Headers of protocol 2, in our spelling. @see celery 5.7.0 app/amqp.py, `as_task_v2` */
export interface TaskHeaders {
  readonly lang: string;
  readonly task: string;
  readonly id: string;
  /** Another name, for logs only. */
  readonly shadow: string | null;
  /** Earliest start, ISO 8601. Without an offset it is read in the worker's timezone. */
  readonly eta: string | null;
  /** Not to be run after this, ISO 8601. */
  readonly expires: string | null;
  readonly group: string | null;
  readonly groupIndex: number | null;
  readonly retries: number;
  /** Seconds. On the wire the hard limit comes first. */
  readonly timeLimit: number | null;
  readonly softTimeLimit: number | null;
  readonly rootId: string;
  readonly parentId: string | null;
  /** As Python's `repr` would show them; for logs and events only. */
  readonly argsRepr: string;
  readonly kwargsRepr: string;
  /** `gen<pid>@<host>` of the sender. */
  readonly origin: string;
  readonly ignoreResult: boolean;
  readonly replacedTaskNesting: number;
  readonly stampedHeaders: readonly string[] | null;
  readonly stamps: Readonly<Record<string, unknown>>;
  /** Every header that the protocol does not define, as it came. */
  readonly custom: Readonly<Record<string, unknown>>;
}

export interface DeliveryInfo {
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
}

export interface TaskProperties {
  readonly correlationId: string;
  readonly replyTo: string;
  readonly deliveryMode: number;
  readonly deliveryInfo: DeliveryInfo;
  /** 0 to 9, 0 first. */
  readonly priority: number;
  readonly deliveryTag: string;
  /** Milliseconds as text, when the message has `expires`. */
  readonly expiration: string | null;
  readonly custom: Readonly<Record<string, unknown>>;
}

/** The third element of the body: what is to happen afterwards. Signatures, as they came. */
export interface TaskEmbed {
  readonly callbacks: readonly unknown[] | null;
  readonly errbacks: readonly unknown[] | null;
  /** Remaining steps, reversed: the last element is the next step. */
  readonly chain: readonly unknown[] | null;
  readonly chord: unknown;
}

export interface TaskMessage {
  readonly headers: TaskHeaders;
  readonly properties: TaskProperties;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly embed: TaskEmbed;
  /**
   * The body's JSON text, verbatim. A retry sends it again untouched, so that types which JavaScript cannot
   * tell apart (1.0 and 1, a decimal and a string) survive.
   */
  readonly bodyText: string;
}

/** Why a message cannot be run. `reason` is for people and names what was found. */
export interface DecodeFailure {
  readonly ok: false;
  readonly kind: "malformed" | "too-deep" | "too-large" | "refused-content";
  readonly reason: string;
  /** When the envelope could be read that far. */
  readonly taskId?: string;
  readonly taskName?: string;
}

export type Decoded = { readonly ok: true; readonly message: TaskMessage } | DecodeFailure;
