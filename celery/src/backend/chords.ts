import type { ResultTuple } from "../protocol/result-tuple.ts";

/** What Redis is to know of a chord before its last part is sent. */
export type ChordFact =
  | { readonly kind: "size"; readonly groupId: string; readonly size: number }
  /** The header's results, when there are groups among them: the body gets them in that shape. */
  | { readonly kind: "shape"; readonly groupId: string; readonly header: ResultTuple };

/** One finished part of a chord. */
export interface ChordPart {
  readonly groupId: string;
  readonly taskId: string;
  readonly groupIndex: number | null;
  /** `[1, task id, state, result]` as JSON. */
  readonly member: string;
  /** It failed, and so will the chord. */
  readonly failed: boolean;
}

/** What is known of a chord. */
export interface ChordState {
  /** Who completes it: one of ours, of Python's, `done`, or null. */
  readonly claim: string | null;
  /** How many parts there will be; null when that is not known yet, or not any more. */
  readonly expected: number | null;
  /** As they were counted, in the order of the header. */
  readonly members: readonly string[];
  readonly shape: ResultTuple | null;
  /** Why it cannot be read: something else is in its keys, now and later. */
  readonly trouble: string | null;
}

/** Seconds; 0 is for ever. */
export interface ChordTimes {
  readonly expires: number;
  /** Of the saved shape of the header, which users read too. */
  readonly shapeExpires: number;
  /** How long a completion may take before somebody else may do it. */
  readonly claim: number;
  /** How long parts that come late are ignored. */
  readonly done: number;
}

/** Chords and saved groups, in the keys of Celery. Methods reject with `OperationalError` when the store is away. */
export interface ChordStore {
  readonly times: ChordTimes;
  /** `result_chord_ordered`: results in the order of the header, not of completion. */
  readonly ordered: boolean;
  /** Who completes a chord on behalf of our workers. */
  token(groupId: string): string;
  announce(facts: readonly ChordFact[]): Promise<void>;
  /** A part as the scripts take it. */
  partArguments(part: ChordPart): readonly (string | number)[];
  /** Counts a part. `true`: the caller is to send the body. For stores that the worker's own script cannot reach. */
  count(part: ChordPart): Promise<boolean>;
  /** One more part than the header has: `addToChord`. */
  grow(groupId: string): Promise<void>;
  read(groupId: string): Promise<ChordState>;
  /** `false`: it is done, or somebody else is at it. */
  claim(groupId: string): Promise<boolean>;
  end(groupId: string, how: { readonly failed: boolean }): Promise<void>;

  saveGroup(result: ResultTuple): Promise<void>;
  /** `undefined` when it was not saved, or has expired. */
  restoreGroup(groupId: string): Promise<ResultTuple | undefined>;
  deleteGroup(groupId: string): Promise<void>;
}
