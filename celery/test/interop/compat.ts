import { TestRunner } from "vitest";

/** The parts of Celery, in the order of `docs/compatibility.md`. */
export type Area =
  | "Values"
  | "Calling"
  | "Running"
  | "Results"
  | "Canvas"
  | "Routing"
  | "Beat"
  | "Remote control"
  | "Events"
  | "Command line"
  | "Flower"
  | "Connections"
  | "One fleet";

/**
 * Who asks whom. `python → ours`: the real Celery sends, asks or watches, and our side answers; `ours → python` the other
 * way round; `mixed`: both kinds do the same work beside each other.
 */
export type Direction = "python → ours" | "ours → python" | "mixed";

/** What one interop test shows, once it has passed. */
export interface Proof {
  readonly area: Area;
  /** A row of the table, in a few words that a user of Celery would look for: `"chord"`, `"countdown and eta"`. */
  readonly feature: string;
  readonly direction: Direction;
}

declare module "vitest" {
  interface TaskMeta {
    proofs?: Proof[];
    /** Versions that the run was compared with, by package name. */
    versions?: Readonly<Record<string, string>>;
  }
}

/**
 * First line of an interop test: says what it proves, for `docs/compatibility.md`. A ✓ there needs that every test naming the
 * same row and direction passed; call it more than once if a test shows more than one thing.
 *
 * ```ts
 * test("given a chord of Python's, when …, then …", async () => {
 *   proves("Canvas", "chord", "python → ours");
 * ```
 *
 * `npm run compat` runs the suite and writes the table; `npm test` fails when the committed table says something else.
 */
export function proves(area: Area, feature: string, direction: Direction): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error("proves() belongs into a test, on its first line.");
  (test.meta.proofs ??= []).push({ area, feature, direction });
}
