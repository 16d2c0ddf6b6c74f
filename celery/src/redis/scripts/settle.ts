import { deadLetterKey } from "../keys.ts";
import type { Script } from "../script.ts";
import { CHORD_PART, IS_PARKED, PARK_RESCUE } from "./chord.ts";
import { DELIVER } from "./deliver.ts";
import { CLAIMED_MESSAGE, ONCE, STORE_RESULT } from "./shared.ts";

/**
 * Ends claims, a batch at a time: each item does all of its part or, when the claim is no longer ours, nothing.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`, 3 the worker's settle lane, 4 `ts1:deliveries`, 5 `ts1:eta`
 * - ARGV 1 number of the batch, then items `verb, claim id, number of arguments, arguments`:
 *   - `finish` (empty id: an early-acked task, not fenced): parts `result, key, payload, seconds or ''` and
 *     `push | cast | route, where, key, suffix, message` (see `DELIVER`), and what
 *     workflows add: `part`, `size`, `shape`, `ended`; `dead, reason, task id` puts the message to the dead letters. No parts: an ack.
 *   - `results, seconds, 3 × count, (claim id, key, payload) …`: as many `finish` items that leave a result and nothing else
 *   - `release`: back to the head of its list, marked as redelivered
 *   - `count, task id, limit`: as `release`, but counted; over the limit the claim is kept
 *   - `park, new id, epoch seconds`: kept without owner until then
 *   - `dead, reason`: to the dead letters
 *
 * Lists and result keys among the arguments come without prefix.
 *
 * - Returns `[outcomes, item, error, …]`: per item a letter: `d`one, `c` the same, and a chord is to be
 *   completed, `f`enced, `x` dead-lettered, `o`ver the limit and `e`rror (the claim is kept).
 *
 * Repeatable: a batch whose answer was lost is said again with its number and gets the same outcomes.
 */
export const settleScript: Script = {
  name: "settle",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${ONCE}${STORE_RESULT}${DELIVER}${CHORD_PART}${PARK_RESCUE}${IS_PARKED}${String.raw`
local unacked, index, lane, deliveries, etas = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local before = remembered(lane, ARGV[1])
if before then return {before} end

-- Ids of claims that ended, in a list and by id.
local ended, gone = {}, {}
local outcomes, reply = {}, {''}

local function note(ok, outcome, id)
  if not ok then
    reply[#reply + 1] = #outcomes
    reply[#reply + 1] = failed(outcome) or tostring(outcome)
    outcome = 'e'
  elseif outcome ~= 'f' and outcome ~= 'o' and id ~= '' then
    gone[id] = true
    ended[#ended + 1] = id
  end
  outcomes[#outcomes + 1] = outcome
end

local function forget_ended()
  for first = 1, #ended, 1000 do
    local last = math.min(first + 999, #ended)
    redis.call('HDEL', unacked, unpack(ended, first, last))
    redis.call('ZREM', index, unpack(ended, first, last))
  end
  for _, id in ipairs(ended) do
    if is_parked(id) then redis.call('ZREM', etas, id) end
  end
end

local function push(verb, list, message)
  local pushed = redis.pcall(verb, PREFIX .. list, message)
  if failed(pushed) then error(pushed.err, 0) end
end

local function to_dead_letters(raw, queue, reason)
  local letter = '{"reason": ' .. cjson.encode(reason) .. ', "time": ' .. string.format('%.3f', now())
    .. ', "queue": ' .. cjson.encode(queue) .. ', "raw": ' .. cjson.encode(raw) .. '}'
  push('LPUSH', '${deadLetterKey("")}' .. queue, letter)
end

-- A follow-up that no queue is bound for must not keep its task from being finished: it is kept aside.
local function send(verb, where, key, suffix, message)
  local sent = deliver(verb, where, key, suffix, message)
  if not failed(sent) then return end
  if not string.find(sent.err, 'UNROUTABLE', 1, true) then error(sent.err, 0) end
  local exchange = string.gsub(where, '^_kombu%.binding%.', '')
  to_dead_letters(message, exchange, sent.err)
end

local verbs = {}

-- What workflows add to the end of a task: how many values each has, and what is done with them.
local flow_sizes = {part = 16, size = 4, shape = 4, ended = 4}
local flows = {}

-- part, group's key, what chord_part takes, queue as JSON, end of the envelope, start and end of the body, seconds until the rescue
function flows.part(a, at)
  local base = RESULT_PREFIX .. a[at + 1]
  local rescue = a[at + 2]
  local next = chord_part(base, rescue, a[at + 3], a[at + 4], a[at + 5], a[at + 6], a[at + 7], a[at + 8], a[at + 9], a[at + 10])
  if not next then return false end
  local seconds = tonumber(a[at + 15])
  -- Somebody else is at it, and may be dead: looked after once its claim has lapsed.
  if next ~= 'ours' then seconds = math.max(next, 0) / 1000 + 1 end
  park_rescue(unacked, index, etas, base, rescue, a[at + 5], a[at + 11], a[at + 12], a[at + 13], a[at + 14], seconds)
  return next == 'ours'
end

-- size, group's key, number of parts, seconds: the same group again is a new run
function flows.size(a, at)
  redis.call('DEL', RESULT_PREFIX .. a[at + 1] .. '.c')
  flows.shape({'', a[at + 1] .. '.s', a[at + 2], a[at + 3]}, 1)
end

-- shape, group's key, its results as JSON, seconds
function flows.shape(a, at)
  redis.call('SET', RESULT_PREFIX .. a[at + 1], a[at + 2])
  if tonumber(a[at + 3]) > 0 then redis.call('EXPIRE', RESULT_PREFIX .. a[at + 1], a[at + 3]) end
end

-- ended, group's key, 1 when it failed, seconds
function flows.ended(a, at)
  chord_done(RESULT_PREFIX .. a[at + 1], a[at + 2], a[at + 3])
end

-- Messages before results: a push can be refused, and then nothing else may have happened. The dead letter last: one that is said
-- again would lie there twice.
function verbs.finish(id, args)
  local results, following, dead, at = {}, nil, nil, 1
  while args[at] do
    if flow_sizes[args[at]] then
      following = following or {}
      following[#following + 1] = at
      at = at + flow_sizes[args[at]]
    elseif args[at] == 'dead' then
      dead = at
      at = at + 3
    elseif args[at] ~= 'result' then
      send(args[at], args[at + 1], args[at + 2], args[at + 3], args[at + 4])
      at = at + 5
    else
      results[#results + 1] = at
      at = at + 4
    end
  end
  for _, result in ipairs(results) do store_result(RESULT_PREFIX .. args[result + 1], args[result + 2], args[result + 3]) end
  local outcome = 'd'
  for _, flow in ipairs(following or {}) do
    if flows[args[flow]](args, flow) then outcome = 'c' end
  end
  if dead then
    local raw, _, queue = unwrap(redis.call('HGET', unacked, id))
    to_dead_letters(raw, queue, args[dead + 1])
    redis.call('HDEL', deliveries, args[dead + 2])
  end
  return outcome
end

function verbs.release(id, args, raw, list)
  push('RPUSH', list, redelivered(raw))
  return 'd'
end

function verbs.count(id, args, raw, list)
  local times = redis.call('HINCRBY', deliveries, args[1], 1)
  redis.call('EXPIRE', deliveries, 86400)
  if times <= tonumber(args[2]) then return verbs.release(id, args, raw, list) end
  return 'o'
end

function verbs.park(id, args, raw, list, queue, value)
  -- Never due at once: a worker whose clock is behind would take and park it in a loop.
  local due = string.format('%.6f', math.max(tonumber(args[2]), now() + 0.1))
  redis.call('HSET', unacked, args[1], value)
  redis.call('ZADD', index, due, args[1])
  redis.call('ZADD', etas, due, args[1])
  return 'd'
end

function verbs.dead(id, args, raw, list, queue)
  to_dead_letters(raw, queue, args[1])
  return 'x'
end

local function is_ours(id)
  return not gone[id] and redis.call('HEXISTS', unacked, id) == 1
end

local function settle_result(id, key, payload, seconds)
  if id ~= '' and not is_ours(id) then return 'f' end
  store_result(RESULT_PREFIX .. key, payload, seconds)
  return 'd'
end

local function settle(verb, id, args)
  if id == '' then return verbs.finish(id, args) end
  if gone[id] then return 'f' end
  if verb == 'finish' then
    if not is_ours(id) then return 'f' end
    return verbs.finish(id, args)
  end
  local value = redis.call('HGET', unacked, id)
  if not value then return 'f' end
  local raw, list, queue = unwrap(value)
  return verbs[verb](id, args, raw, list, queue, value)
end

local at = 2
while ARGV[at] do
  local verb, id, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  if verb == 'results' then
    for i = at + 3, at + count, 3 do
      local ok, outcome = pcall(settle_result, ARGV[i], ARGV[i + 1], ARGV[i + 2], id)
      note(ok, outcome, ARGV[i])
    end
  else
    local args = {}
    for i = 1, count do args[i] = ARGV[at + 2 + i] end
    local ok, outcome = pcall(settle, verb, id, args)
    note(ok, outcome, id)
  end
  at = at + 3 + count
end
forget_ended()
reply[1] = table.concat(outcomes)
remember(lane, ARGV[1], reply[1])
return reply
`}`,
};
