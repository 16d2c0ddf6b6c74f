import type { Script } from "../script.ts";

/**
 * Takes messages out of a queue's list, to carry them to another broker.
 *
 * - KEYS 1 the list, 2 the list of what is on its way
 * - ARGV the messages
 * - Returns the numbers, from 1, of those that were still there; the others a worker has taken.
 *
 * Why Lua: between leaving the queue and lying among what is on its way, a message would be nowhere.
 */
export const migrateScript: Script = {
  name: "migrate",
  allowOom: true,
  lua: String.raw`
local taken = {}
for i, message in ipairs(ARGV) do
  if redis.call('LREM', KEYS[1], -1, message) == 1 then
    redis.call('LPUSH', KEYS[2], message)
    taken[#taken + 1] = i
  end
end
return taken
`,
};
