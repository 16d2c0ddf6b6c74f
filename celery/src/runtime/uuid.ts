import { randomFillSync } from "node:crypto";

const DIGITS = Buffer.from("0123456789abcdef");
/** Where each byte's first digit stands in the text. */
const PLACES: readonly number[] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const POOL_BYTES = 4096;
/** What the UUIDs of a family share: six bytes, which are "xxxxxxxx-xxxx-" with the dash behind them. */
const FAMILY_BYTES = 6;
const FAMILY_LENGTH = 14;

/** Random UUIDs of version 4 that begin alike, so that one pattern stands for all of them and for hardly any other. */
export interface UuidFamily {
  /** 48 random bits: `xxxxxxxx-xxxx-`. */
  readonly prefix: string;
  /** The other 74 random bits are each UUID's own: who knows one can't guess another. */
  next(): string;
}

/**
 * Made in one piece: `crypto.randomUUID`'s texts consist of twenty small ones each, which shows when a program sends tens of thousands
 * of tasks a second.
 */
export function makeUuidFamily(): UuidFamily {
  const pool = Buffer.alloc(POOL_BYTES);
  const text = Buffer.from("00000000-0000-4000-8000-000000000000");
  writeDigits(text, randomFillSync(Buffer.alloc(16)), 0, 0);
  const prefix = text.toString("latin1", 0, FAMILY_LENGTH);
  let used = POOL_BYTES;
  return {
    prefix,
    next: () => {
      if (used === POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      writeDigits(text, pool, used, FAMILY_BYTES);
      text[14] = 0x34; // "4": the version
      text[19] = DIGITS[8 | ((pool[used + 8] as number) >> 6)] as number; // the variant
      used += 16;
      return text.toString("latin1");
    },
  };
}

/** Sixteen bytes from `at` on, without the first ones. */
function writeDigits(text: Buffer, bytes: Buffer, at: number, first: number): void {
  for (let index = first; index < 16; index += 1) {
    const byte = bytes[at + index] as number;
    const place = PLACES[index] as number;
    text[place] = DIGITS[byte >> 4] as number;
    text[place + 1] = DIGITS[byte & 15] as number;
  }
}
