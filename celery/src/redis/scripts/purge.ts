import type { Script } from "../script.ts";

/**
 * Deletes what waits in lists, and nothing else: a key that is no list is an error, and stays.
 *
 * - KEYS the lists
 * - Returns how many messages there were.
 */
export const purgeScript: Script = {
  name: "purge",
  allowOom: true,
  lua: String.raw`
local count = 0
for _, list in ipairs(KEYS) do count = count + redis.call('LLEN', list) end
redis.call('DEL', unpack(KEYS))
return count
`,
};
