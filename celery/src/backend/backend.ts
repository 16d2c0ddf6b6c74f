import type { ResultMeta } from "../protocol/result-meta.ts";
import type { ChordStore } from "./chords.ts";

/** A result ready to be written: `SET key payload [EX]` and `PUBLISH key payload`. */
export interface StoredResult {
  readonly key: string;
  readonly payload: string;
  /** `null` keeps it for ever. */
  readonly expiresSeconds: number | null;
}

/** A moment in the order of what one backend hears: for one id, and for its first wait. */
export interface ResultMark {
  readonly of: object;
  readonly order: number;
  isUsed: boolean;
}

export interface WaitOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Of a moment before the id was made: what has come since then need not be read. Without it the stored result is. */
  readonly mark?: ResultMark | undefined;
  /** Called with every state on the way. */
  readonly onUpdate?: ((meta: ResultMeta) => void) | undefined;
}

/**
 * Where results are kept. Writes follow Celery: a stored SUCCESS is never overwritten, and every write is also
 * published on a channel of the key's name.
 *
 * Every method rejects with `OperationalError` when the store is away.
 */
export interface ResultBackend extends AsyncDisposable {
  readonly url: string;
  /** Chords and saved groups. */
  readonly chords: ChordStore;
  /** The bytes of a result, for whoever writes it in one step with other things. */
  encode(meta: ResultMeta): StoredResult;
  store(meta: ResultMeta): Promise<void>;
  /** What `encode` gave: the end of a task that has run, so an outage is waited out for as long as patience lasts. */
  write(result: StoredResult): Promise<void>;
  /** `undefined` when nothing is stored: the task is PENDING, unknown, or its result has expired. */
  get(
    taskId: string,
    how?: { /** See `decodeResultMeta`. */ readonly isSentOn?: boolean },
  ): Promise<ResultMeta | undefined>;
  /** Now: taken before an id is made, it spares the first who waits for the id's result a read. Costs nothing. */
  mark(): ResultMark;
  /**
   * The result in its final state. Told by pub/sub, never polled; survives reconnects by reading the key again.
   *
   * @throws `signal.reason` when `signal` aborts; no channel stays subscribed then.
   */
  wait(taskId: string, options?: WaitOptions): Promise<ResultMeta>;
  /** Deletes the stored result. */
  forget(taskId: string): Promise<void>;
  /** Whether one Redis database holds both, so that one script can write the result and drop the claim. */
  sharesDatabaseWith(brokerUrl: string): boolean;
}
