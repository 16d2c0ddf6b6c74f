import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { queueKeys } from "../redis/keys.ts";
import { purgeScript } from "../redis/scripts/purge.ts";
import { channelNames } from "./destination.ts";
import { NO_RETRY, Publisher } from "./publisher.ts";
import type { Consumer, ConsumerOptions, OutgoingMessage, RetryPolicy, Transport } from "./transport.ts";

export interface TransportOptions {
  /** How a publish is tried again unless it says otherwise. Default: Celery's (3 times, after 0, 0.2, 0.4 s). */
  readonly publishRetry?: RetryPolicy;
  /** Default 4000. */
  readonly connectTimeoutMs?: number;
  /** Silence after which a connection with unanswered commands counts as broken. Default 5000. */
  readonly replyTimeoutMs?: number;
}

const CELERY_RETRY: RetryPolicy = {
  maxRetries: 3,
  intervalStart: 0,
  intervalStep: 0.2,
  intervalMax: 1,
};

/** Opens nothing yet: the first call connects. @throws ImproperlyConfigured for a URL that is none. */
export function openTransport(url: string, options: TransportOptions = {}): Transport {
  return new RedisTransport(url, options);
}

class RedisTransport implements Transport {
  readonly url: string;
  readonly #redis: RedisConnection;
  readonly #publisher: Publisher;
  readonly #policy: RetryPolicy;

  constructor(url: string, options: TransportOptions) {
    this.url = url;
    this.#policy = options.publishRetry ?? CELERY_RETRY;
    this.#redis = openConnection(url, { name: "celery-client", ...timeouts(options) });
    this.#publisher = new Publisher(this.#redis, channelNames(url));
  }

  publish(message: OutgoingMessage, options: { retry?: boolean; policy?: RetryPolicy } = {}): Promise<void> {
    const policy = options.retry === false ? NO_RETRY : (options.policy ?? this.#policy);
    return this.#publisher.publish(message, policy);
  }

  async purge(queues: readonly string[]): Promise<number> {
    const counts = await Promise.all(
      queues.map((queue) => this.#redis.run(purgeScript, queueKeys(queue), [])),
    );
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  async queueLength(queue: string): Promise<number> {
    const lengths = await this.#redis.pipeline(queueKeys(queue).map((key) => ["LLEN", key] as const));
    return lengths.reduce<number>((sum, length) => sum + Number(length), 0);
  }

  async openConsumer(options: ConsumerOptions): Promise<Consumer> {
    // Loaded by workers only: clients and pool children send, and are to start fast.
    const { openRedisConsumer } = await import("./redis-consumer.ts");
    return openRedisConsumer(this.url, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close();
    await this.#redis[Symbol.asyncDispose]();
  }
}

function timeouts(options: TransportOptions): Pick<TransportOptions, "connectTimeoutMs" | "replyTimeoutMs"> {
  const { connectTimeoutMs, replyTimeoutMs } = options;
  return {
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(replyTimeoutMs === undefined ? {} : { replyTimeoutMs }),
  };
}
