import { randomBytes } from "node:crypto";
import { claimId } from "../redis/keys.ts";

/** Ids by their numbers: the first one, and how many. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Claim ids of one worker: UUIDs that count. They sort in the order they were made, so that claims of one moment keep
 * their order in the index; and a number is enough to name one within the worker.
 */
export class ClaimIds {
  readonly prefix: string;
  #last = 0;

  constructor(workerId: string) {
    const head = randomBytes(8).toString("hex");
    this.prefix = claimId(workerId, `${head.slice(0, 8)}-${head.slice(8, 12)}-4${head.slice(12, 15)}-8000-`);
  }

  /** The next ids, which are used in this order. */
  take(count: number): IdRange {
    const first = this.#last + 1;
    this.#last += count;
    return { first, count };
  }

  at(number: number): string {
    return claimIdOf(this.prefix, number);
  }

  /** `undefined` for an id that is not of this worker's making. */
  numberOf(id: string): number | undefined {
    return id.startsWith(this.prefix) ? Number.parseInt(id.slice(this.prefix.length), 16) : undefined;
  }
}

export function claimIdOf(prefix: string, number: number): string {
  return prefix + number.toString(16).padStart(12, "0");
}
