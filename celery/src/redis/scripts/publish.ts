import type { Script } from "../script.ts";
import { DELIVER } from "./deliver.ts";
import { ONCE } from "./shared.ts";

/**
 * Pushes a batch of messages, once. Not `allow-oom`: at the memory limit producers are refused, workers drain.
 *
 * - KEYS 1 the publisher's lane
 * - ARGV 1 number of the batch, then items:
 *   - `bind, key, member`: an entry of a binding set
 *   - `push, list, lengths, messages`: many for one list, one behind the other; their lengths in bytes with commas between
 *   - `cast, channel, "", "", message` and `route, binding set, key, suffix, message`: see `DELIVER`
 * - Returns `[outcomes, item, error, …]`: per message a letter, `d`one or `e`rror. `stale` when a later batch was carried out: this
 *   one will never be.
 *
 * Why Lua: a push whose answer was lost must be repeatable without doubling the task.
 */
export const publishScript: Script = {
  name: "publish",
  allowOom: false,
  lua: `${ONCE}${DELIVER}${String.raw`
local before = remembered(KEYS[1], ARGV[1])
if before then return {before} end

local outcomes, messages, reply = {}, 0, {''}
local function note(done, count)
  local err = type(done) == 'table' and done.err
  if err then
    for i = 1, count do
      reply[#reply + 1] = messages + i - 1
      reply[#reply + 1] = err
    end
  end
  messages = messages + count
  outcomes[#outcomes + 1] = string.rep(err and 'e' or 'd', count)
end

local at = 2
while ARGV[at] do
  local verb, where = ARGV[at], ARGV[at + 1]
  if verb == 'bind' then
    redis.pcall('SADD', PREFIX .. where, ARGV[at + 2])
    at = at + 3
  elseif verb == 'push' then
    local texts, from = {}, 1
    for length in string.gmatch(ARGV[at + 2], '%d+') do
      texts[#texts + 1] = string.sub(ARGV[at + 3], from, from + length - 1)
      from = from + length
    end
    note(redis.pcall('LPUSH', PREFIX .. where, unpack(texts)), #texts)
    at = at + 4
  else
    note(deliver(verb, where, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]), 1)
    at = at + 5
  end
end
reply[1] = table.concat(outcomes)
-- At the memory limit Redis has refused every push above, and refuses this: then the whole batch is refused.
remember(KEYS[1], ARGV[1], reply[1])
return reply
`}`,
};
