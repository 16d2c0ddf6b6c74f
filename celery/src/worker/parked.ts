import type { ScheduledInfo } from "../control/index.ts";
import type { TaskMessage } from "../protocol/message.ts";
import { taskInfo } from "./task-info.ts";

export interface ParkedLimits {
  /** Ids that are remembered at most. Default 10 000. */
  readonly maxIds?: number;
  /** Bytes of messages that are remembered whole at most. Default 4 MiB. */
  readonly maxBytes?: number;
}

interface Entry {
  readonly etaEpochSeconds: number;
  readonly bytes: number;
  /** Null: no room for it; only the id is known. */
  message: TaskMessage | null;
}

/**
 * What this worker has received and put back until its time, for `inspect scheduled` and so that a reception is told only once.
 * A message waits in Redis, not here: whatever is forgotten here runs all the same.
 */
export class Parked {
  readonly #maxIds: number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor({ maxIds = 10_000, maxBytes = 4 * 1024 * 1024 }: ParkedLimits = {}) {
    this.#maxIds = maxIds;
    this.#maxBytes = maxBytes;
  }

  /** @param bytes of the message as it lay in Redis. */
  add(message: TaskMessage, etaEpochSeconds: number, bytes: number): void {
    this.delete(message.headers.id);
    const fits = bytes <= this.#maxBytes / 16;
    this.#entries.set(message.headers.id, { etaEpochSeconds, bytes, message: fits ? message : null });
    if (fits) this.#bytes += bytes;
    this.#shrink();
  }

  /** @returns whether it was known. */
  delete(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    if (entry.message) this.#bytes -= entry.bytes;
    return this.#entries.delete(id);
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Those whose time is still to come, soonest first: any worker may have run the others by now. */
  list(nowMs: number, nodeName: string): readonly ScheduledInfo[] {
    const waiting = [...this.#entries.values()].filter((entry) => entry.etaEpochSeconds * 1000 > nowMs);
    return waiting
      .toSorted((a, b) => a.etaEpochSeconds - b.etaEpochSeconds)
      .flatMap(({ message }) =>
        message ? [{ eta: message.headers.eta ?? "", request: taskInfo(message, nodeName) }] : [],
      );
  }

  #shrink(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size > this.#maxIds) this.delete(id);
      else if (this.#bytes <= this.#maxBytes) return;
      else if (entry.message) {
        this.#bytes -= entry.bytes;
        entry.message = null;
      }
    }
  }
}
