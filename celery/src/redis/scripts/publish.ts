import type { Script } from "../script.ts";
import { ONCE } from "./shared.ts";

/**
 * Pushes a batch of messages, once. Not `allow-oom`: at the memory limit producers are refused, workers drain.
 *
 * - KEYS 1 the publisher's lane
 * - ARGV 1 number of the batch, then per item `bind, key, member` (an entry of a binding set) or `push, list, message`
 * - Returns `[outcomes, item, error, …]`: per push a letter, `d`one or `e`rror. `stale` when a later batch was carried out: this
 *   one will never be.
 *
 * Why Lua: a push whose answer was lost must be repeatable without doubling the task.
 */
export const publishScript: Script = {
  name: "publish",
  allowOom: false,
  lua: `${ONCE}${String.raw`
local before = remembered(KEYS[1], ARGV[1])
if before then return {before} end
-- The first write: at the memory limit Redis refuses here, before anything is pushed.
remember(KEYS[1], ARGV[1], '')

local outcomes, reply = {}, {''}
for at = 2, #ARGV, 3 do
  local verb, key, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local done = redis.pcall(verb == 'bind' and 'SADD' or 'LPUSH', PREFIX .. key, value)
  if verb == 'push' then
    local err = type(done) == 'table' and done.err
    if err then
      reply[#reply + 1] = #outcomes
      reply[#reply + 1] = err
    end
    outcomes[#outcomes + 1] = err and 'e' or 'd'
  end
end
reply[1] = table.concat(outcomes)
remember(KEYS[1], ARGV[1], reply[1])
return reply
`}`,
};
