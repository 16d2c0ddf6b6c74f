import { askWorkers, type ControlTeller, openControlTeller, type TellOptions } from "../control/client.ts";
import type { Transport } from "../transport/transport.ts";
import { Inspect, type InspectOptions } from "./inspect.ts";

/** Whom a command is for, and whether to wait for what they say. Times in seconds. */
export interface BroadcastOptions {
  /** Node names, e.g. `"celery@web1"`. Default: every worker. */
  readonly destination?: string | readonly string[];
  /** Workers whose names fit, instead of `destination`. */
  readonly pattern?: string;
  /** How `pattern` is read. Default `glob`. */
  readonly matcher?: "glob" | "pcre";
  /** Wait for the answers. Default false: the promise settles when the broker has passed the command on. */
  readonly reply?: boolean;
  /** Longest wait for answers; it ends when all workers that are there have answered. Default 1. */
  readonly timeout?: number;
  /** Enough answers. Default: as many as nodes are named in `destination`. */
  readonly limit?: number;
  /** Called with each answer as it comes. */
  readonly callback?: (node: string, answer: unknown) => void;
  /** Ends the wait for answers, within a second; what has come by then counts. */
  readonly until?: AbortSignal;
}

/** By node name; empty without `reply`, or when nobody answered in time. */
export type Replies<T = ControlAnswer> = Readonly<Record<string, T>>;

/** `ok` says what was done, `error` what was wrong. */
export interface ControlAnswer {
  readonly ok?: unknown;
  readonly error?: string;
}

/** How tasks are revoked. */
export interface RevokeOptions extends BroadcastOptions {
  /** End it too if it runs. Default false. */
  readonly terminate?: boolean;
  /** What its process gets then. Default `SIGTERM`. */
  readonly signal?: string;
}

/** What workers are to hang a queue on. Default: an exchange and a key of its own name. */
export interface ConsumerOptions extends BroadcastOptions {
  /** Default: the queue's name. */
  readonly exchange?: string;
  readonly exchangeType?: "direct" | "topic" | "fanout";
  /** Default: the queue's name. */
  readonly routingKey?: string;
}

export interface ControlDeps {
  readonly brokerUrl: () => string;
  readonly transport: () => Transport;
  /** The queues of the configuration: what `purge` empties. */
  readonly knownQueues: () => readonly string[];
}

/**
 * Remote control of all workers, Python's and ours: `app.control`. Every method rejects with `OperationalError` when the broker is away.
 *
 * @see celery 5.7.0 app/control.py, `Control`
 */
export class Control implements AsyncDisposable {
  readonly #deps: ControlDeps;
  #teller: ControlTeller | undefined;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  /** Asks workers about themselves. `app.control.inspect().active()`. */
  inspect(options: InspectOptions = {}): Inspect {
    return new Inspect((command, args) => this.broadcast(command, args, { ...options, reply: true }));
  }

  /** Sends any command, with arguments by Celery's names. */
  async broadcast<T = ControlAnswer>(
    command: string,
    args: Readonly<Record<string, unknown>> = {},
    options: BroadcastOptions = {},
  ): Promise<Replies<T>> {
    const { reply = false, timeout = 1, limit, callback, until } = options;
    const told: TellOptions = { ...pickAddress(options), arguments: args };
    if (!reply) {
      this.#teller ??= openControlTeller(this.#deps.brokerUrl());
      await this.#teller.tell(command, told);
      return {};
    }
    const answers = await askWorkers(this.#deps.brokerUrl(), command, {
      ...told,
      timeoutSeconds: timeout,
      ...(limit !== undefined && { limit }),
      ...(until && { signal: until }),
      ...(callback && { onReply: ({ node, answer }) => callback(node, answer) }),
    });
    return Object.fromEntries(answers) as Replies<T>;
  }

  /** Which workers are there. */
  ping(options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("ping", {}, { ...options, reply: true });
  }

  /**
   * Has workers not run these tasks. They remember it (50,000 ids, three hours); a worker that starts later learns it from the others.
   * A task that runs already goes on, unless `terminate` is set.
   */
  revoke(taskId: string | readonly string[], options: RevokeOptions = {}): Promise<Replies> {
    return this.broadcast("revoke", { task_id: taskId, ...ending(options) }, options);
  }

  /** As `revoke` with `terminate`. */
  terminate(
    taskId: string | readonly string[],
    options: Omit<RevokeOptions, "terminate"> = {},
  ): Promise<Replies> {
    return this.revoke(taskId, { ...options, terminate: true });
  }

  /** Revokes every task that carries one of these stamps, e.g. `{ tenant: ["acme"] }`. */
  revokeByStampedHeaders(
    headers: Readonly<Record<string, string | readonly string[]>>,
    options: RevokeOptions = {},
  ): Promise<Replies> {
    return this.broadcast("revoke_by_stamped_headers", { headers, ...ending(options) }, options);
  }

  /** At most so many starts per worker: `"10/m"`, a number per second; 0 or null for no limit. */
  rateLimit(task: string, limit: string | number | null, options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("rate_limit", { task_name: task, rate_limit: limit }, options);
  }

  /** Limits in seconds for runs that have not begun. What is not given is no limit. */
  timeLimit(
    task: string,
    {
      soft = null,
      hard = null,
      ...options
    }: BroadcastOptions & { readonly soft?: number | null; readonly hard?: number | null },
  ): Promise<Replies> {
    return this.broadcast("time_limit", { task_name: task, soft, hard }, options);
  }

  poolGrow(n = 1, options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("pool_grow", { n }, options);
  }

  poolShrink(n = 1, options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("pool_shrink", { n }, options);
  }

  /** New processes with the code of now. Needs `worker_pool_restarts`. */
  poolRestart(options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("pool_restart", { modules: null, reload: false, reloader: null }, options);
  }

  /** Needs a worker started with `--autoscale`. */
  autoscale(max: number, min: number, options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("autoscale", { max, min }, options);
  }

  addConsumer(
    queue: string,
    { exchange, exchangeType = "direct", routingKey, ...options }: ConsumerOptions = {},
  ): Promise<Replies> {
    const args = {
      queue,
      exchange: exchange ?? null,
      exchange_type: exchangeType,
      routing_key: routingKey ?? null,
    };
    return this.broadcast("add_consumer", args, options);
  }

  cancelConsumer(queue: string, options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("cancel_consumer", { queue }, options);
  }

  enableEvents(options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("enable_events", {}, options);
  }

  disableEvents(options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("disable_events", {}, options);
  }

  /** Has workers send a heartbeat event now. */
  heartbeat(options: BroadcastOptions = {}): Promise<Replies> {
    return this.broadcast("heartbeat", {}, options);
  }

  /** Ends workers when what they run has ended. Nobody answers. */
  shutdown(options: Omit<BroadcastOptions, "reply"> = {}): Promise<Replies> {
    return this.broadcast("shutdown", {}, options);
  }

  /** Deletes every message that waits in the queues the app knows. There is no undo. @returns how many. */
  purge(): Promise<number> {
    return this.#deps.transport().purge(this.#deps.knownQueues());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const teller = this.#teller;
    this.#teller = undefined;
    await teller?.[Symbol.asyncDispose]();
  }
}

function pickAddress({ destination, pattern, matcher }: BroadcastOptions): TellOptions {
  return {
    ...(destination && { destination: typeof destination === "string" ? [destination] : destination }),
    ...(pattern !== undefined && { pattern }),
    ...(matcher && { matcher }),
  };
}

function ending({ terminate = false, signal = "SIGTERM" }: RevokeOptions): Readonly<Record<string, unknown>> {
  return { terminate, signal };
}
