import { Celery } from "../../src/app/celery.ts";
import { openConnection, type RedisConnection } from "../../src/redis/connection.ts";
import { UNACKED, UNACKED_INDEX } from "../../src/redis/keys.ts";

/** What is left in Redis of messages. */
export interface Leftovers {
  readonly waiting: number;
  readonly unacked: number;
  readonly unackedIndex: number;
  readonly dead: number;
}

/** A message is always somewhere until it has been answered: so it is when all are. */
export const NOTHING_LEFT: Leftovers = { waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 };

export interface TestBroker extends AsyncDisposable {
  /** With the database number: broker and result backend of `app`. */
  readonly url: string;
  /** A client, for sending tasks and asking for results. */
  readonly app: Celery;
  readonly redis: RedisConnection;
  /** Messages claimed and not answered, or parked. */
  unacked(): Promise<number>;
  /** Of the queue `celery`. */
  leftovers(): Promise<Leftovers>;
}

/** An empty database of the tests' own server, with a client on it. */
export async function openTestBroker(url: string): Promise<TestBroker> {
  const redis = openConnection(url);
  await redis.call("FLUSHDB");
  const app = new Celery("test-client", { broker: url, backend: url });
  const count = async (command: string, key: string): Promise<number> =>
    Number(await redis.call(command, key));
  const unacked = (): Promise<number> => count("HLEN", UNACKED);
  return {
    url,
    app,
    redis,
    unacked,
    leftovers: async () => ({
      waiting: await app.transport().queueLength("celery"),
      unacked: await unacked(),
      unackedIndex: await count("ZCARD", UNACKED_INDEX),
      dead: await count("LLEN", "ts1:dead:celery"),
    }),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}
