/** Counts of one moment, as the observer takes them. */
export interface Counts {
  readonly queues: Readonly<Record<string, number>>;
  readonly unacked: number;
  readonly scheduled: number;
  readonly dead: number;
  /** Queues that Redis knows, asked for or not. */
  readonly knownQueues: readonly string[];
}

/** Queues that Celery keeps for itself: remote control and events. */
const INTERNAL = /celery\.pidbox$|^celeryev/;
const DEFAULT_QUEUE = "celery";

/** The newest counts, and the highest since the last reset. */
export class QueueLog {
  #counts: Counts | undefined;
  #peaks = new Map<string, number>();
  #names: readonly string[] = [DEFAULT_QUEUE];

  /** The queues to count next: what the lesson named, what messages were sent to, what Redis knows. */
  names(sentTo: readonly string[]): readonly string[] {
    const all = [...this.#names, ...sentTo, ...(this.#counts?.knownQueues ?? [])];
    return [...new Set(all)].filter((name) => !INTERNAL.test(name));
  }

  expect(names: readonly string[]): void {
    this.#names = [...new Set([DEFAULT_QUEUE, ...names])];
  }

  /** @returns whether anything is another than before. */
  onCounts(counts: Counts): boolean {
    const changed = JSON.stringify(counts) !== JSON.stringify(this.#counts);
    this.#counts = counts;
    for (const [name, length] of Object.entries(counts.queues)) {
      this.#peaks.set(name, Math.max(length, this.#peaks.get(name) ?? 0));
    }
    return changed;
  }

  get counts(): Counts | undefined {
    return this.#counts;
  }

  queue(name: string): { readonly length: number | null; readonly peak: number } {
    const length = this.#counts === undefined ? null : (this.#counts.queues[name] ?? 0);
    return { length, peak: this.#peaks.get(name) ?? 0 };
  }

  reset(): void {
    this.#counts = undefined;
    this.#peaks = new Map();
  }
}
