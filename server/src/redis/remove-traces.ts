import type { Redis } from "ioredis";

/** What the playground's own tasks may have left in a Redis that is not ours to empty. */
export interface Traces {
  /** Names of the queues that were seen. */
  readonly queues: readonly string[];
  /** Ids of the tasks that were seen. */
  readonly taskIds: readonly string[];
}

/** kombu keeps one list per priority step: the queue's name, then this separator and the step. */
const PRIORITY_SUFFIXES = ["", "\x06\x163", "\x06\x166", "\x06\x169"];

/** More than a lesson ever sends; a longer foreign queue is looked at only so far. */
const LONGEST = 5_000;

/**
 * Removes results and waiting messages of the tasks named, and nothing else: a queue may also hold the work of
 * somebody who shares that Redis.
 *
 * @see celery 5.7.0 backends/base.py (`celery-task-meta-`), kombu 5.7.0 transport/redis.py (`_q_for_pri`, `unacked`)
 */
export async function removeTraces(redis: Redis, traces: Traces): Promise<void> {
  const ids = new Set(traces.taskIds);
  if (ids.size === 0) return;
  await redis.del(...[...ids].map((id) => `celery-task-meta-${id}`));
  for (const queue of traces.queues) {
    for (const suffix of PRIORITY_SUFFIXES) await removeMessages(redis, queue + suffix, ids);
  }
  await removeUnacked(redis, ids);
}

async function removeMessages(redis: Redis, list: string, ids: ReadonlySet<string>): Promise<void> {
  const messages = await redis.lrange(list, 0, LONGEST - 1);
  for (const raw of messages) {
    if (ids.has(taskIdOf(raw) ?? "")) await redis.lrem(list, 1, raw);
  }
}

async function removeUnacked(redis: Redis, ids: ReadonlySet<string>): Promise<void> {
  const entries = Object.entries(await redis.hgetall("unacked"));
  for (const [tag, value] of entries) {
    if (!ids.has(taskIdOf(value) ?? "")) continue;
    await redis.hdel("unacked", tag);
    await redis.zrem("unacked_index", tag);
  }
}

/** The id in a message, or in the first element of an `unacked` entry; `undefined` for anything else. */
function taskIdOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const message = (Array.isArray(value) ? value[0] : value) as { headers?: { id?: unknown } } | null;
    const id = message?.headers?.id;
    return typeof id === "string" ? id : undefined;
  } catch {
    // Not JSON, so not ours.
    return undefined;
  }
}
