import { DecodeError } from "../protocol/errors.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { type ResultTuple, readTuple, toTuple } from "../protocol/result-tuple.ts";
import type { RedisCommand, RedisConnection } from "../redis/connection.ts";
import { RedisFault } from "../redis/fault.ts";
import { chordRescueId, groupKey } from "../redis/keys.ts";
import { chordPartScript, claimChordScript, endChordScript } from "../redis/scripts/chord.ts";
import type { ChordFact, ChordPart, ChordState, ChordStore, ChordTimes } from "./chords.ts";
import type { Patience } from "./patience.ts";

export interface ChordOptions {
  /** `result_expires`; `null` for ever. */
  readonly expiresSeconds: number | null;
  /** `result_chord_expires`; `null`: as `result_expires`. */
  readonly chordExpiresSeconds?: number | null;
  /** `result_chord_join_timeout`. Default 3. */
  readonly joinTimeoutSeconds?: number;
  /** `result_backend_transport_options.result_chord_ordered`. Default true. */
  readonly ordered?: boolean;
}

/** A dead worker's chord is taken up by another before its claim lapses, but a live one has time enough. */
const SHORTEST_CLAIM_SECONDS = 60;

/** @see celery 5.7.0 backends/redis.py and backends/base.py */
export class RedisChords implements ChordStore {
  readonly times: ChordTimes;
  readonly ordered: boolean;
  readonly #redis: RedisConnection;
  readonly #patience: Patience;
  readonly #groupSeconds: number;

  /** @param patience for what workers do at the end of tasks that have run. */
  constructor(redis: RedisConnection, options: ChordOptions, patience: Patience) {
    this.#redis = redis;
    this.#patience = patience;
    this.ordered = options.ordered ?? true;
    this.#groupSeconds = Math.ceil(options.expiresSeconds ?? 0);
    this.times = chordTimes(options);
  }

  token(groupId: string): string {
    return chordRescueId(groupId);
  }

  async announce(facts: readonly ChordFact[]): Promise<void> {
    const { expires } = this.times;
    const limit = expires > 0 ? ["EX", String(expires)] : [];
    const commands = facts.flatMap((fact): RedisCommand[] => {
      const base = groupKey(fact.groupId);
      if (fact.kind === "shape") return [["SET", base, encodeJson({ result: fact.header }), ...limit]];
      // The same group again is a new run.
      return [
        ["DEL", `${base}.c`],
        ["SET", `${base}.s`, String(fact.size), ...limit],
      ];
    });
    await this.#redis.pipeline(commands);
  }

  /** As `chord_part` takes them after its first argument. */
  partArguments(part: ChordPart): readonly (string | number)[] {
    const { expires, shapeExpires, claim } = this.times;
    const { groupId, taskId, member, groupIndex, failed } = part;
    const ordered = this.ordered ? "1" : "0";
    const place = groupIndex ?? "+inf";
    return [
      this.token(groupId),
      taskId,
      member,
      ordered,
      place,
      expires,
      shapeExpires,
      claim,
      failed ? "1" : "0",
    ];
  }

  async count(part: ChordPart): Promise<boolean> {
    const args = this.partArguments(part);
    const keys = [groupKey(part.groupId)];
    return (await this.#patience.with(() => this.#redis.run(chordPartScript, keys, args))) === 1;
  }

  async grow(groupId: string): Promise<void> {
    await this.#redis.call("INCRBY", `${groupKey(groupId)}.t`, "1");
  }

  async read(groupId: string): Promise<ChordState> {
    const [claim, counted] = await Promise.all([this.#readClaim(groupId), this.#readCounted(groupId)]);
    return { claim, ...counted };
  }

  async claim(groupId: string): Promise<boolean> {
    const args = [this.token(groupId), this.times.claim];
    return (await this.#redis.run(claimChordScript, [groupKey(groupId)], args)) === 1;
  }

  async end(groupId: string, { failed }: { readonly failed: boolean }): Promise<void> {
    const args = [failed ? "1" : "0", this.times.done];
    await this.#patience.with(() => this.#redis.run(endChordScript, [groupKey(groupId)], args));
  }

  async saveGroup(result: ResultTuple): Promise<void> {
    const key = groupKey(result[0][0]);
    const text = encodeJson({ result });
    const limit = this.#groupSeconds > 0 ? ["EX", String(this.#groupSeconds)] : [];
    await this.#redis.pipeline([
      ["SET", key, text, ...limit],
      ["PUBLISH", key, text],
    ]);
  }

  async restoreGroup(groupId: string): Promise<ResultTuple | undefined> {
    const text = await this.#redis.call("GET", groupKey(groupId));
    return text === null ? undefined : readSaved(text as string);
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#redis.call("DEL", groupKey(groupId));
  }

  async #readClaim(groupId: string): Promise<string | null> {
    try {
      return (await this.#redis.call("GET", `${groupKey(groupId)}.c`)) as string | null;
    } catch (error) {
      if (isForeign(error)) return null; // nobody's
      throw error;
    }
  }

  async #readCounted(groupId: string): Promise<Omit<ChordState, "claim">> {
    const base = groupKey(groupId);
    try {
      const [size, more, shape, members] = await this.#redis.pipeline([
        ["GET", `${base}.s`],
        ["GET", `${base}.t`],
        ["GET", base],
        [this.ordered ? "ZRANGE" : "LRANGE", `${base}.j`, "0", "-1"],
      ]);
      return {
        expected: size === null ? null : readNumber(size as string) + readNumber((more ?? "0") as string),
        members: members as readonly string[],
        shape: shape === null ? null : readSaved(shape as string),
        trouble: null,
      };
    } catch (error) {
      if (!isForeign(error)) throw error;
      return {
        expected: null,
        members: [],
        shape: null,
        trouble: `something else is in its keys, ${base}*: ${reason(error)}`,
      };
    }
  }
}

/** Of what others have put there, not of Redis. */
function isForeign(error: unknown): error is Error {
  return error instanceof DecodeError || (error instanceof RedisFault && error.replyCode === "WRONGTYPE");
}

function reason(error: Error): string {
  return error instanceof RedisFault ? error.replyCode : error.message;
}

function readNumber(text: string): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(number)) throw new DecodeError(`"${text.slice(0, 100)}" is no number`);
  return number;
}

function chordTimes(options: ChordOptions): ChordTimes {
  const results = Math.ceil(options.expiresSeconds ?? 0);
  const expires = Math.ceil(options.chordExpiresSeconds ?? results);
  const claim = Math.max(SHORTEST_CLAIM_SECONDS, Math.ceil((options.joinTimeoutSeconds ?? 3) * 2));
  return {
    expires,
    shapeExpires: expires === 0 || results === 0 ? 0 : Math.max(expires, results),
    claim,
    done: Math.max(claim * 2, 300),
  };
}

function readSaved(text: string): ResultTuple {
  const saved = decodeJson(text);
  const result = typeof saved === "object" && saved !== null && "result" in saved ? saved.result : saved;
  return toTuple(readTuple(result));
}
