/** What can be in a `Bag`. */
export interface BagMember {
  /** The bag's own: where it is in there. */
  place: number;
}

/**
 * A set for objects that come and go thousands of times a second. A `Set` or `Map` that is filled and emptied all the time leaves its old
 * tables behind, each with its members and a pointer to the next one: once one of them has grown old, all that follow are kept,
 * and moved, until the next full garbage collection. That cost more than running the tasks.
 */
export class Bag<T extends BagMember> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** An object can be in one bag only, and once. */
  add(member: T): void {
    member.place = this.#members.push(member) - 1;
  }

  has(member: T): boolean {
    return this.#members[member.place] === member;
  }

  delete(member: T): void {
    if (!this.has(member)) return;
    const last = this.#members.pop() as T;
    if (last === member) return;
    this.#members[member.place] = last;
    last.place = member.place;
  }

  /** The members now, for whoever takes some out on the way. */
  snapshot(): readonly T[] {
    return [...this.#members];
  }

  /** In no particular order. None may be taken out meanwhile. */
  [Symbol.iterator](): ArrayIterator<T> {
    return this.#members[Symbol.iterator]();
  }
}
