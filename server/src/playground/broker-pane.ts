import { once } from "node:events";
import { type Broker, listensAt } from "../redis/index.ts";
import type { Pane } from "../terminal/index.ts";
import { PlaygroundRefusal } from "./playground.ts";

/** How long a Redis may take from its command to its first answer, in milliseconds. */
const START_MS = 10_000;

const COMMAND = "redis-server";

export interface BrokerPaneDeps {
  readonly pane: Pane;
  readonly broker: Broker;
}

/**
 * Types `redis-server` into the broker pane and resolves when Redis answers. Does nothing when it answers already.
 *
 * @param signal ends the wait.
 * @throws PlaygroundRefusal when the pane is busy with something else, when Redis is not ours to start, or when it
 * does not come up.
 */
export async function startRedis({ pane, broker }: BrokerPaneDeps, signal: AbortSignal): Promise<void> {
  if (broker.view.up) return;
  if (broker.source.kind === "external") {
    throw new PlaygroundRefusal(
      "redis-down",
      `This playground uses the Redis at ${broker.view.url} (REDIS_URL). Start it where it runs; all here reconnects by itself.`,
    );
  }
  if (pane.state.phase === "closed") await pane.restart();
  if (pane.state.phase === "busy" && !isServer(pane.state.command)) {
    throw new PlaygroundRefusal(
      "busy",
      `The broker pane is running ${pane.state.command}. Stop it there with Ctrl-C, then press Start Redis again.`,
    );
  }
  const waiting = new AbortController();
  const until = AbortSignal.any([signal, waiting.signal, AbortSignal.timeout(START_MS)]);
  try {
    const up = broker.whenUp(until).then(() => "up" as const);
    const first = await Promise.race([up, runServer(pane, until)]).catch(() => "late" as const);
    up.catch(() => undefined);
    if (first !== "up" && !broker.view.up)
      throw new PlaygroundRefusal("redis-down", await explain(first, broker));
  } finally {
    waiting.abort();
  }
}

/** Resolves when the server has ended. One that is still ending, after Ctrl-C, is waited for and started again. */
async function runServer(pane: Pane, signal: AbortSignal): Promise<"ended"> {
  while (pane.state.phase === "busy") await once(pane.events, "state", { signal });
  // However it ends, the pane shows it, and the broker's view says that it is down.
  await pane.run(COMMAND, { signal }).catch(() => signal.throwIfAborted());
  return "ended";
}

function isServer(command: string): boolean {
  return /^\s*redis-server\b/.test(command);
}

async function explain(how: "ended" | "late", broker: Broker): Promise<string> {
  if (broker.view.error?.startsWith("Another program")) return broker.view.error;
  if (how === "ended" && (await listensAt(broker.view.url))) {
    return "Redis is still there, but stopped by Ctrl-Z. Type fg in the broker pane and press Enter: it goes on where it was.";
  }
  return how === "ended"
    ? "redis-server ended at once. Its last lines in the broker pane say why."
    : `redis-server does not answer after ${START_MS / 1000} seconds. Look at the broker pane, or stop it there with Ctrl-C and start it again.`;
}
