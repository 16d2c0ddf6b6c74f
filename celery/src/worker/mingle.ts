import * as z from "zod";
import { lazySchema } from "../protocol/lazy-schema.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Revokes } from "./revokes.ts";

export interface MingleDeps {
  readonly nodeName: string;
  /** Asks every other node, ours and Python's; returns what they say, by node name. */
  readonly ask: (args: Readonly<Record<string, unknown>>) => Promise<ReadonlyMap<string, unknown>>;
  readonly revokes: Revokes;
  readonly lamport: LamportClock;
  readonly log: Log;
}

/** Celery 5.7 answers with a list of ids, older ones with an object whose keys they are. */
const answerShape = lazySchema(() =>
  z.object({
    clock: z.number().nullish(),
    revoked: z
      .union([z.array(z.string()), z.record(z.string(), z.unknown()).transform((byId) => Object.keys(byId))])
      .nullish(),
  }),
);

/**
 * Tells the neighbours what is revoked here and hears what they know: a worker that was not there when a task was revoked
 * must not run it either. A broker that goes away meanwhile costs no more than this knowledge.
 *
 * @see celery 5.7.0 worker/consumer/mingle.py
 */
export async function mingle({ nodeName, ask, revokes, lamport, log }: MingleDeps): Promise<void> {
  log.info({}, "mingle: searching for neighbors");
  let answers: ReadonlyMap<string, unknown>;
  try {
    answers = await ask({ from_node: nodeName, revoked: revokes.ids() });
  } catch (error) {
    log.warn({ error }, "mingle: the neighbors could not be asked");
    return;
  }
  const others = [...answers].filter(([node, answer]) => node !== nodeName && Boolean(answer));
  if (others.length === 0) return log.info({}, "mingle: all alone");
  log.info({}, `mingle: sync with ${others.length} nodes`);
  for (const [node, answer] of others) {
    const parsed = answerShape().safeParse(answer);
    if (!parsed.success) {
      log.error({}, `mingle: sync with ${node} failed: ${z.prettifyError(parsed.error)}`);
      continue;
    }
    if (parsed.data.clock) lamport.adjust(parsed.data.clock);
    else lamport.forward();
    revokes.add(parsed.data.revoked ?? []);
  }
  log.info({}, "mingle: sync complete");
}
