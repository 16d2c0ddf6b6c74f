/**
 * In which order a consumer looks into its queues. `round_robin`: another one first each time, so that a busy queue leaves room for
 * the others; `sorted`: by name; `priority`: as given. With the last two a queue is looked into only when those before it are empty.
 *
 * @see kombu 5.7.0 utils/scheduling.py
 */
export type QueueOrder = "round_robin" | "sorted" | "priority";

/** The lists of a consumer, in the order of the next look. */
export class QueueCycle {
  readonly #order: QueueOrder;
  readonly #lists: string[];

  constructor(lists: readonly string[], order: QueueOrder) {
    this.#order = order;
    this.#lists = [...lists];
    this.#sort();
  }

  get lists(): readonly string[] {
    return this.#lists;
  }

  add(list: string): void {
    if (!this.#lists.includes(list)) this.#lists.push(list);
    this.#sort();
  }

  remove(list: string): void {
    const at = this.#lists.indexOf(list);
    if (at >= 0) this.#lists.splice(at, 1);
  }

  /** For the next look. */
  turn(): readonly string[] {
    const first = this.#order === "round_robin" ? this.#lists.shift() : undefined;
    if (first !== undefined) this.#lists.push(first);
    return this.#lists;
  }

  #sort(): void {
    if (this.#order === "sorted") this.#lists.sort();
  }
}
