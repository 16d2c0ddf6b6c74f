/**
 * Main module of the heartbeat thread. Beats three times per time to live, and sooner after a beat that failed.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openConnection } from "../redis/connection.ts";
import { heartbeatKey, UNACKED_INDEX, WORKERS } from "../redis/keys.ts";
import { heartbeatScript } from "../redis/scripts/heartbeat.ts";
import type { FromHeartbeat, HeartbeatData, ToHeartbeat } from "./heartbeat.ts";

/** Claims in one beat: several calls rather than one that holds Redis up. */
const BATCH = 500;

const { url, workerId, ttlMs } = workerData as HeartbeatData;
const held = new Set<string>();
const redis = openConnection(url, { name: "celery-heartbeat", replyTimeoutMs: Math.max(500, ttlMs / 3) });
let stopping = false;

parentPort?.on("message", (message: ToHeartbeat) => {
  if (message.type === "stop") {
    stopping = true;
    return;
  }
  for (const id of message.removed) held.delete(id);
  for (const id of message.added) held.add(id);
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
  const ids = [...held];
  const keys = [heartbeatKey(workerId), WORKERS, UNACKED_INDEX];
  for (let at = 0; at === 0 || at < ids.length; at += BATCH) {
    const args = [workerId, ttlMs, ...ids.slice(at, at + BATCH)];
    const gone = (await redis.run(heartbeatScript, keys, args)) as readonly string[];
    for (const id of gone) held.delete(id);
    if (gone.length > 0) tell({ type: "lost", claimIds: gone });
  }
}

function tell(message: FromHeartbeat): void {
  parentPort?.postMessage(message);
}
