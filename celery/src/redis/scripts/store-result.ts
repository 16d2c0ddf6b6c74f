import type { Script } from "../script.ts";
import { STORE_RESULT } from "./shared.ts";

/**
 * Writes one result and tells who waits for it.
 *
 * - KEYS 1 the result's key, which is also its channel
 * - ARGV 1 payload, 2 seconds to keep it, or empty
 *
 * Why Lua: between Celery's look and its write, another worker's SUCCESS could be overwritten.
 */
export const storeResultScript: Script = {
  name: "store-result",
  allowOom: true,
  lua: `${STORE_RESULT}
store_result(KEYS[1], ARGV[1], ARGV[2])
return 1
`,
};
