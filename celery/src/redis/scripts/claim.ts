import type { Script } from "../script.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * Takes the oldest messages of the first lists that have any, and records who owes an answer for them.
 *
 * Recorded first, popped last: an error in between repeats a message and never loses one.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`, 3 heartbeat of the worker, 4 `ts1:workers`, 5 the worker's claim lane, 6… lists,
 *   most urgent first
 * - ARGV 1 worker id, 2 life of the heartbeat (ms), 3 number of the call, 4 `again` when the answer to the call before was
 *   lost, 5 number of claim ids, then the ids, then per list the text that closes its entries in `unacked`
 * - Returns `[claims, faults]`: claims as `id, list, message` each, `list` being the position among the lists, or its
 *   name when the claim is older than this call; faults as `list, error` each.
 *
 * Repeatable: a call whose answer was lost is said again with the same ids and the next number. It gets the same claims, and
 * should the lost call only now arrive, it does nothing.
 */
export const claimScript: Script = {
  name: "claim",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${String.raw`
local unacked, index, heartbeat, workers, lane = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local number, again, count = tonumber(ARGV[3]), ARGV[4] == 'again', tonumber(ARGV[5])
local claims, faults = {}, {}

if number <= tonumber(redis.call('GET', lane) or 0) then return {claims, faults} end

local ids = {}
for i = 1, count do ids[i] = ARGV[5 + i] end
if again then
  redis.call('SET', lane, number, 'EX', 600)
  local known = redis.call('HMGET', unacked, unpack(ids))
  for i = 1, count do
    if known[i] then
      local raw, _, queue = unwrap(known[i])
      claims[#claims + 1] = ids[i]
      claims[#claims + 1] = queue
      claims[#claims + 1] = raw
    end
  end
  if #claims > 0 then return {claims, faults} end
end

local used = 0
local function take(list, closing, position)
  local messages = redis.pcall('LRANGE', list, used - count, -1)
  if failed(messages) then
    faults[#faults + 1] = position
    faults[#faults + 1] = messages.err
    return
  end
  if #messages == 0 then return end
  if used == 0 and redis.call('EXISTS', heartbeat) == 0 then
    redis.call('SADD', workers, ARGV[1])
    redis.call('SET', heartbeat, '1', 'PX', ARGV[2])
  end
  redis.call('ZCARD', index) -- an index of another type is found out here, before anything is written
  local fields, scores, time = {}, {}, string.format('%.6f', now())
  for i = #messages, 1, -1 do
    used = used + 1
    local id = ids[used]
    fields[#fields + 1] = id
    fields[#fields + 1] = '[' .. messages[i] .. closing
    scores[#scores + 1] = time
    scores[#scores + 1] = id
    claims[#claims + 1] = id
    claims[#claims + 1] = position
    claims[#claims + 1] = messages[i]
  end
  redis.call('HSET', unacked, unpack(fields))
  redis.call('ZADD', index, unpack(scores))
  redis.call('LTRIM', list, 0, -1 - #messages)
end

for position = 1, #KEYS - 5 do
  if used < count then take(KEYS[5 + position], ARGV[5 + count + position], position) end
end
if used > 0 then redis.call('SET', lane, number, 'EX', 600) end
return {claims, faults}
`}`,
};
