import type { ResultBackend, StoredResult } from "../backend/backend.ts";
import type { ChordFact, ChordPart, ChordStore } from "../backend/chords.ts";
import { encodeJson } from "../protocol/json.ts";
import { groupKey } from "../redis/keys.ts";
import type { Completion, OutgoingMessage } from "./transport.ts";

/** What the end of a task in a workflow leaves behind, besides its result and messages. */
export interface FlowParts {
  /** Of later steps that will never run. */
  readonly results?: readonly StoredResult[];
  /** What must be known of the chords whose parts are among the messages. */
  readonly chords?: readonly ChordFact[];
  /** The task was a part of these chords. */
  readonly parts?: readonly RescuedPart[];
  /** This chord's body is among the messages, or it has failed. */
  readonly ended?: { readonly groupId: string; readonly failed: boolean };
  /** Ends the chords among `parts` that are complete now. Asked where results lie in another database; elsewhere the outcome says so. */
  readonly join?: () => Promise<readonly Completion[]>;
}

/** A finished part, and the message that ends its chord if nobody else does. */
export interface RescuedPart extends ChordPart {
  readonly rescue: Rescue;
}

/** A `celery.chord_unlock`, cut where its list of results goes: only Redis knows them when the chord is complete. */
export interface Rescue {
  readonly queue: string;
  /** The body's JSON before and after the list. */
  readonly bodyStart: string;
  readonly bodyEnd: string;
  /** The envelope's JSON after the body. */
  readonly envelopeEnd: string;
}

/**
 * As `settle.lua` reads them, when results lie beside the messages.
 *
 * @param rescueSeconds how long a completed chord may be without its body before another worker sends it.
 */
export function flowArguments(flow: FlowParts, chords: ChordStore, rescueSeconds: number): string[] {
  const { expires, done } = chords.times;
  const parts: string[] = [];
  for (const { key, payload, expiresSeconds } of flow.results ?? []) {
    parts.push("result", key, payload, expiresSeconds === null ? "" : String(Math.ceil(expiresSeconds)));
  }
  for (const fact of flow.chords ?? []) {
    const value = fact.kind === "size" ? String(fact.size) : encodeJson({ result: fact.header });
    parts.push(fact.kind, groupKey(fact.groupId), value, String(expires));
  }
  for (const part of flow.parts ?? []) parts.push(...partArguments(part, chords, rescueSeconds));
  if (flow.ended) {
    parts.push("ended", groupKey(flow.ended.groupId), flow.ended.failed ? "1" : "0", String(done));
  }
  return parts;
}

function partArguments(part: RescuedPart, chords: ChordStore, rescueSeconds: number): string[] {
  const { rescue } = part;
  const { queue, bodyStart, bodyEnd, envelopeEnd } = rescue;
  const counted = chords.partArguments(part).map(String);
  return [
    "part",
    groupKey(part.groupId),
    ...counted,
    encodeJson(queue),
    envelopeEnd,
    bodyStart,
    bodyEnd,
    String(rescueSeconds),
  ];
}

/** How a worker's answer is spread over two databases. */
export interface SplitCompletion {
  /** What goes out with the answer to the message. */
  readonly publish: readonly OutgoingMessage[];
  /** To be done when that is out. */
  readonly afterwards: () => Promise<void>;
}

/**
 * Where results lie in another database, they are written before the message is answered, and a chord that is complete is ended in the same
 * go. A worker that dies in between does it again with the redelivered message; one that had acknowledged early loses a body then, as in
 * Celery.
 */
export async function storeElsewhere(
  { result, publish = [], flow }: Completion,
  backend: ResultBackend,
): Promise<SplitCompletion> {
  const { chords } = backend;
  if (result !== undefined) await backend.write(result);
  if (flow === undefined) return { publish, afterwards: () => Promise.resolve() };
  await Promise.all((flow.results ?? []).map((later) => backend.write(later)));
  if (flow.chords?.length) await chords.announce(flow.chords);
  const counted = await Promise.all((flow.parts ?? []).map((part) => chords.count(part)));
  const joined = counted.includes(true) && flow.join ? await flow.join() : [];
  const rest = await Promise.all(joined.map((completion) => storeElsewhere(completion, backend)));
  return {
    publish: [...publish, ...rest.flatMap((split) => split.publish)],
    afterwards: async () => {
      if (flow.ended) await chords.end(flow.ended.groupId, flow.ended);
      for (const split of rest) await split.afterwards();
    },
  };
}
