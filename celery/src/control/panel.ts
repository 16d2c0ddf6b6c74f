/** One task that a worker holds, as `inspect active` and its neighbours show it. @see celery 5.7.0 worker/request.py, `Request.info` */
export interface TaskInfo {
  readonly id: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** As Python's `repr` would show them, for `safe=true`. */
  readonly argsRepr: string;
  readonly kwargsRepr: string;
  readonly hostname: string;
  /** Epoch seconds; null before it runs. */
  readonly timeStart: number | null;
  readonly acknowledged: boolean;
  readonly deliveryInfo: {
    readonly exchange: string;
    readonly routingKey: string;
    readonly priority: number;
    readonly redelivered: boolean;
  };
  /** Process that runs it; null before it runs. */
  readonly workerPid: number | null;
}

/** A task that waits for its time. */
export interface ScheduledInfo {
  /** ISO 8601. */
  readonly eta: string;
  readonly request: TaskInfo;
}

/** A queue that is consumed. `exchangeType` as kombu names it: direct, topic, fanout. */
export interface QueueInfo {
  readonly name: string;
  readonly exchange: string;
  readonly exchangeType: string;
  readonly routingKey: string;
}

/** What `inspect stats` tells, without what the mailbox knows itself (clock, broker). */
export interface WorkerStats {
  /** Tasks started, by name. */
  readonly total: Readonly<Record<string, number>>;
  readonly uptimeSeconds: number;
  readonly prefetchCount: number;
  readonly pool: {
    /** `prefork`, `async`, `solo`. */
    readonly kind: string;
    readonly maxConcurrency: number;
    readonly processes: readonly number[];
    readonly maxTasksPerChild: number | null;
    /** Seconds: hard, soft. 0 is none. */
    readonly timeouts: readonly [soft: number, hard: number];
    /** Tasks given to each process. */
    readonly writes: readonly number[];
  };
  readonly autoscaler: { readonly max: number; readonly min: number; readonly current: number } | null;
}

export interface TerminateOptions {
  readonly terminate: boolean;
  /** `SIGTERM`, `SIGKILL`, …: what a running task's process gets. */
  readonly signal: NodeJS.Signals;
}

/** A command that cannot be carried out; its message is the answer's `error`. */
export class ControlError extends Error {
  readonly code = "CONTROL";

  constructor(message: string) {
    super(message);
    this.name = "ControlError";
  }
}

/**
 * A running worker as remote control sees it: `commands.ts` turns commands into calls of this, the worker implements it.
 * A method that cannot do what it is asked throws a `ControlError` in Celery's words.
 */
export interface WorkerPanel {
  active(): readonly TaskInfo[];
  /** Received, and waiting for a slot. */
  reserved(): readonly TaskInfo[];
  /** Received, and waiting for their time. */
  scheduled(): readonly ScheduledInfo[];
  /** Ids, newest last. */
  revoked(): readonly string[];
  /** Registered tasks with their attributes, by Celery's names (`rate_limit`, `max_retries`, …). */
  registered(): readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  stats(): WorkerStats;
  /** Settings by Celery's names; only those that differ from the default, unless asked for all. Secrets are masked. */
  conf(withDefaults: boolean): Readonly<Record<string, unknown>>;
  activeQueues(): readonly QueueInfo[];
  report(): string;

  /** Settles when the results say REVOKED; what runs is ended if `terminate` says so. */
  revoke(ids: readonly string[], options: TerminateOptions): Promise<void>;
  /** @returns the ids that matched and run or wait here. */
  revokeByStampedHeaders(
    headers: Readonly<Record<string, readonly string[]>>,
    options: TerminateOptions,
  ): Promise<readonly string[]>;
  /** Another node's revoked ids, told when it or we started. */
  adoptRevoked(ids: readonly string[]): void;
  /** `"10/m"`, a number per second, or null for none. */
  setRateLimit(task: string, limit: string | number | null): void;
  /** Seconds; undefined leaves it as it is, null removes it. */
  setTimeLimit(
    task: string,
    limits: { soft: number | null | undefined; hard: number | null | undefined },
  ): void;
  growPool(n: number): void;
  shrinkPool(n: number): void;
  restartPool(): void;
  autoscale(max: number | null, min: number | null): { readonly max: number; readonly min: number };
  addConsumer(queue: {
    readonly queue: string;
    readonly exchange: string | null;
    readonly exchangeType: string | null;
    readonly routingKey: string | null;
  }): Promise<void>;
  cancelConsumer(queue: string): Promise<void>;
  /** @returns whether it changed anything. */
  enableEvents(): boolean;
  disableEvents(): boolean;
  /** Sends a `worker-heartbeat` now. */
  heartbeat(): void;
  /** Warm: running tasks end first. */
  shutdown(): void;
}
