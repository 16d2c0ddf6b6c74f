import type { Script } from "../script.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * Takes the oldest messages of the first lists that have any, and records who owes an answer for them.
 *
 * Recorded first, popped last: an error in between repeats a message and never loses one.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`, 3 heartbeat of the worker, 4 `ts1:workers`, 5 the worker's claim lane, 6… lists,
 *   most urgent first
 * - ARGV 1 worker id, 2 life of the heartbeat (ms), 3 number of the call, 4 `again` to ask what an earlier call with these ids got,
 *   whose answer was lost; `standing` when it was sent before there was anything to take, 5 number of claim ids, 6 what the ids begin with, 7 number of the first one, then per list the text that closes its
 *   entries in `unacked`. An id is the beginning and its number in hexadecimal.
 * - Returns `[messages, runs, faults, known]`: `messages` belong to the ids in their order; `runs` say how many of them came from
 *   which list, as `list, count` each, `list` being the position among the lists; `faults` are `list, error` each; `known` are claims of
 *   an earlier call, as `id, name of the list, message` each. Nothing at all when it did not look into the lists.
 *
 * Repeatable: what a call got whose answer was lost is asked with its ids and the next number, and should the lost call only now
 * arrive, it does nothing. Nor does any call after one of a higher number that got something: a standing call is void then, so
 * that a worker never gets more than it last asked for.
 *
 * A standing call takes nothing for a worker that is not heard of any more: its line may be up, and nobody at the other end.
 */
export const claimScript: Script = {
  name: "claim",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${String.raw`
local unacked, index, heartbeat, workers, lane = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local number, mode, count = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local prefix, first = ARGV[6], tonumber(ARGV[7])
local claims, runs, faults, known = {}, {}, {}, {}

if number <= tonumber(redis.call('GET', lane) or 0) then return false end

local function id_of(i)
  return prefix .. string.format('%012x', first + i - 1)
end

if mode == 'standing' and redis.call('EXISTS', heartbeat) == 0 then return false end

if mode == 'again' then
  redis.call('SET', lane, number, 'EX', 600)
  local ids = {}
  for i = 1, count do ids[i] = id_of(i) end
  local values = redis.call('HMGET', unacked, unpack(ids))
  for i = 1, count do
    if values[i] then
      local raw, _, queue = unwrap(values[i])
      known[#known + 1] = ids[i]
      known[#known + 1] = queue
      known[#known + 1] = raw
    end
  end
  return {claims, runs, faults, known}
end

local used = 0
local function take(list, closing, position)
  local messages = redis.pcall('LRANGE', list, used - count, -1)
  if failed(messages) then
    faults[#faults + 1] = position
    faults[#faults + 1] = messages.err
    return
  end
  local taken = #messages
  if taken == 0 then return end
  if used == 0 and redis.call('EXISTS', heartbeat) == 0 then
    redis.call('SADD', workers, ARGV[1])
    redis.call('SET', heartbeat, '1', 'PX', ARGV[2])
  end
  redis.call('ZCARD', index) -- an index of another type is found out here, before anything is written
  local fields, scores, time = {}, {}, string.format('%.6f', now())
  for i = 1, taken do
    local message, id = messages[taken + 1 - i], id_of(used + i)
    fields[2 * i - 1] = id
    fields[2 * i] = '[' .. message .. closing
    scores[2 * i - 1] = time
    scores[2 * i] = id
    claims[used + i] = message
  end
  redis.call('HSET', unacked, unpack(fields))
  redis.call('ZADD', index, unpack(scores))
  redis.call('LTRIM', list, 0, -1 - taken)
  used = used + taken
  runs[#runs + 1] = position
  runs[#runs + 1] = taken
end

for position = 1, #KEYS - 5 do
  if used < count then take(KEYS[5 + position], ARGV[7 + position], position) end
end
if used > 0 then redis.call('SET', lane, number, 'EX', 600) end
return {claims, runs, faults, known}
`}`,
};
