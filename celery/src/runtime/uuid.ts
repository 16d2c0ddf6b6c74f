import { randomFillSync } from "node:crypto";

const DIGITS = Buffer.from("0123456789abcdef");
/** Where each byte's first digit stands in the text. */
const PLACES: readonly number[] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const POOL_BYTES = 4096;

/**
 * Random UUIDs (version 4), as `crypto.randomUUID` makes them, but in one piece: that one's texts consist of twenty small ones each,
 * which shows when a program sends tens of thousands of tasks a second.
 */
export function makeUuids(): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  const text = Buffer.from("00000000-0000-4000-8000-000000000000");
  let used = POOL_BYTES;
  return () => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    for (let index = 0; index < 16; index += 1) {
      const byte = pool[used + index] as number;
      const place = PLACES[index] as number;
      text[place] = DIGITS[byte >> 4] as number;
      text[place + 1] = DIGITS[byte & 15] as number;
    }
    text[14] = 0x34; // "4": the version
    text[19] = DIGITS[8 | ((pool[used + 8] as number) >> 6)] as number; // the variant
    used += 16;
    return text.toString("latin1");
  };
}
