import type { Script } from "../script.ts";

/**
 * The claims that Redis has under a prefix: to find those that their worker does not know of. What is parked for later is not looked at:
 * there may be a million of it, and none of it is a claim. Claims are dated by Redis's clock, with a minute's grace for its corrections.
 *
 * - KEYS 1 `unacked_index`
 * - ARGV 1 prefix, 2 offset, 3 entries to look at
 * - Returns `[next offset or -1, id, …]`.
 */
export const ownClaimsScript: Script = {
  name: "own-claims",
  allowOom: true,
  lua: String.raw`
local offset, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local latest = tonumber(redis.call('TIME')[1]) + 60
local last = redis.call('ZCOUNT', KEYS[1], '-inf', latest) - 1
local page = offset > last and {} or redis.call('ZRANGE', KEYS[1], offset, math.min(offset + limit - 1, last))
local reply = {#page < limit and -1 or offset + limit}
for _, id in ipairs(page) do
  if string.sub(id, 1, #ARGV[1]) == ARGV[1] then reply[#reply + 1] = id end
end
return reply
`,
};
