import type { TaskHeaders } from "../protocol/message.ts";
import type { Clock } from "../runtime/clock.ts";

export interface RevokesOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** More ids than this, and the oldest are forgotten. Default 50 000. */
  readonly maxIds?: number;
  /** How long an id is remembered. Default 10 800. */
  readonly expiresSeconds?: number;
}

/** Why a message is not to be run. `stamp`: the stamp that was revoked; null when its id was. */
export interface Revocation {
  readonly stamp: { readonly header: string; readonly value: string } | null;
}

const BY_ID: Revocation = { stamp: null };

/**
 * Ids and stamps of tasks that must not run any more: bounded, and forgotten in time.
 *
 * @see celery 5.7.0 worker/state.py, `revoked` and `revoked_stamps`; utils/collections.py, `LimitedSet`
 */
export class Revokes {
  readonly #options: Required<RevokesOptions>;
  /** Id → when it came, oldest first. */
  readonly #ids = new Map<string, number>();
  /** `header` + NUL + `value`, oldest first. */
  readonly #stamps = new Set<string>();

  constructor(options: RevokesOptions) {
    this.#options = { maxIds: 50_000, expiresSeconds: 10_800, ...options };
  }

  /** True as long as nobody has revoked anything: there is nothing to look up. */
  get isEmpty(): boolean {
    return this.#ids.size === 0 && this.#stamps.size === 0;
  }

  /** From now on these ids are revoked; one that was revoked before counts anew. */
  add(ids: Iterable<string>): void {
    const now = this.#options.clock.monotonicMs();
    for (const id of ids) {
      this.#ids.delete(id);
      this.#ids.set(id, now);
    }
    this.#purge(now);
  }

  /** From now on tasks with one of these values as a stamp of that name are revoked. */
  addStamps(headers: Readonly<Record<string, readonly string[]>>): void {
    for (const [header, values] of Object.entries(headers))
      for (const value of values) this.#stamps.add(stampKey(header, value));
    for (const oldest of this.#stamps) {
      if (this.#stamps.size <= this.#options.maxIds) break;
      this.#stamps.delete(oldest);
    }
  }

  /** Undefined: it may run. */
  find(headers: Pick<TaskHeaders, "id" | "stampedHeaders" | "stamps">): Revocation | undefined {
    if (this.#ids.has(headers.id)) return BY_ID;
    if (this.#stamps.size === 0) return undefined;
    const stamp = stampsOf(headers).find(({ header, value }) => this.#stamps.has(stampKey(header, value)));
    return stamp && { stamp };
  }

  /** Oldest first, without those that have expired: what neighbours are told, and what is kept for the next start. */
  ids(): readonly string[] {
    this.#purge(this.#options.clock.monotonicMs());
    return [...this.#ids.keys()];
  }

  #purge(now: number): void {
    const { maxIds, expiresSeconds } = this.#options;
    for (const [id, since] of this.#ids) {
      if (this.#ids.size <= maxIds && since + expiresSeconds * 1000 > now) return;
      this.#ids.delete(id);
    }
  }
}

/** Every stamp of a message; a list of values counts as one stamp each. */
export function stampsOf(
  headers: Pick<TaskHeaders, "stampedHeaders" | "stamps">,
): readonly { readonly header: string; readonly value: string }[] {
  return (headers.stampedHeaders ?? []).flatMap((header) => {
    const given = headers.stamps[header];
    const values: readonly unknown[] = Array.isArray(given) ? given : [given];
    return values.filter((value) => typeof value === "string").map((value) => ({ header, value }));
  });
}

function stampKey(header: string, value: string): string {
  return `${header}\0${value}`;
}
