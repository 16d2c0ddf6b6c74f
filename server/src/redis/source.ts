import type { RedisBinary } from "./binary.ts";

/**
 * Where this playground's messages live.
 *
 * - `external`: the learner's own, from `REDIS_URL`; never flushed, never configured, never started.
 * - `server`: a real redis-server or valkey-server that we start in the broker pane.
 * - `emulator`: the emulator from npm, likewise in the broker pane, and labelled as what it is.
 */
export type RedisSource =
  | { readonly kind: "external"; readonly url: string }
  | { readonly kind: "server"; readonly binary: RedisBinary }
  | { readonly kind: "emulator" };

export const EMULATOR_LABEL = "emulated Redis (js-redis-server)";
