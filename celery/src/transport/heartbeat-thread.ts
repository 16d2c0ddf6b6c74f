/**
 * Main module of the heartbeat thread. Beats three times per time to live, and sooner after a beat that failed.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openConnection } from "../redis/connection.ts";
import { heartbeatKey, UNACKED_INDEX, WORKERS } from "../redis/keys.ts";
import { heartbeatScript } from "../redis/scripts/heartbeat.ts";
import { claimIdOf } from "./claim-ids.ts";
import type { FromHeartbeat, HeartbeatData, ToHeartbeat } from "./heartbeat.ts";
import { readHeld } from "./held-table.ts";

/** Claims in one beat: several calls rather than one that holds Redis up. */
const BATCH = 500;

const { url, workerId, ttlMs, idPrefix, ...given } = workerData as HeartbeatData;
let { held } = given;
/** Told already; the main thread takes them out of the table in its own time. */
let reported: ReadonlySet<string> = new Set();
const redis = openConnection(url, { name: "celery-heartbeat", replyTimeoutMs: Math.max(500, ttlMs / 3) });
let stopping = false;

parentPort?.on("message", (message: ToHeartbeat) => {
  if (message.type === "stop") {
    stopping = true;
    return;
  }
  held = message.held;
});
await beat();

async function beat(): Promise<void> {
  let delayMs = ttlMs / 3;
  const sentAt = process.hrtime.bigint();
  try {
    await refresh();
    tell({ type: "beat", sentAt });
  } catch {
    delayMs = Math.min(delayMs, 250); // the main thread's own connection reports what is wrong
  }
  if (!stopping) setTimeout(() => void beat(), delayMs);
}

async function refresh(): Promise<void> {
  const ids = readHeld(held).map((number) => claimIdOf(idPrefix, number));
  // With nothing in hand one command is enough, unless the last sign of life has ended, or Redis is full: the script may write all the same.
  if (ids.length === 0 && (await prolong().catch(() => undefined)) === "OK") return;
  const keys = [heartbeatKey(workerId), WORKERS, UNACKED_INDEX];
  const gone: string[] = [];
  for (let at = 0; at === 0 || at < ids.length; at += BATCH) {
    const args = [workerId, ttlMs, Date.now() + ttlMs, ...ids.slice(at, at + BATCH)];
    gone.push(...((await redis.run(heartbeatScript, keys, args)) as readonly string[]));
  }
  const news = gone.filter((id) => !reported.has(id));
  reported = new Set(gone);
  if (news.length > 0) tell({ type: "lost", claimIds: news });
}

function prolong(): Promise<unknown> {
  return redis.call("SET", heartbeatKey(workerId), Date.now() + ttlMs, "XX", "PX", ttlMs);
}

function tell(message: FromHeartbeat): void {
  parentPort?.postMessage(message);
}
