import { deadLetterKey } from "../keys.ts";
import type { Script } from "../script.ts";
import { DELIVER } from "./deliver.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * Gives back what Python workers took and nobody answered for in time, a page of the index at a time, as a Python worker would.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`
 * - ARGV 1 seconds after which an entry is old, 2 offset from the oldest end of the index, 3 entries to look at
 * - Returns `[given back, put aside, next offset or -1]`
 *
 * From the newest to the oldest of the page, so that the oldest comes to lie at the very head. Entries of ours are left alone: leases
 * decide about them. What cannot be read, or fits no queue any more, goes to the dead letters (of its exchange, or of `unacked`): kombu would stumble
 * over the first at every sweep, and drop the second. What a list refuses is looked at again when it is old a second time.
 *
 * The message is decoded to see whether it is one, and goes back as it came: encoded again it would be another.
 *
 * @see kombu 5.7.0 transport/redis.py, `QoS.restore_visible` and `Channel._do_restore_message`
 */
export const restoreScript: Script = {
  name: "restore",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${DELIVER}${String.raw`
local unacked, index = KEYS[1], KEYS[2]
local offset, limit, time = tonumber(ARGV[2]), tonumber(ARGV[3]), now()
local back, aside = 0, 0

local function forget(id)
  redis.call('HDEL', unacked, id)
  redis.call('ZREM', index, id)
end

-- Text of the message, message, exchange and routing key; nothing when the value is not kombu's.
local function read(value)
  local readable, entry = pcall(cjson.decode, value)
  if not readable or type(entry) ~= 'table' then return nil end
  local message, exchange, key = entry[1], entry[2], entry[3]
  if type(message) ~= 'table' or type(exchange) ~= 'string' or type(key) ~= 'string' then return nil end
  local raw = string.match(value, '^%s*%[%s*({.*})%s*,%s*"[^"]*"%s*,%s*"[^"]*"%s*%]%s*$')
  if not raw then return nil end
  return raw, message, exchange, key
end

local function suffix_of(message)
  local properties = message.properties
  local priority = type(properties) == 'table' and tonumber(properties.priority) or 0
  local step = math.floor(math.max(0, math.min(9, priority)) / 3) * 3
  return step > 0 and '\6\22' .. string.format('%d', step) or ''
end

local function give_back(value)
  local raw, message, exchange, key = read(value)
  if not raw then return {err = 'UNREADABLE'}, 'unacked', value end
  raw = redelivered(raw)
  local suffix = suffix_of(message)
  if exchange ~= '' then
    return deliver('route', '_kombu.binding.' .. exchange, key, suffix, raw, 'RPUSH'), exchange, raw
  end
  if key == '' then return {err = 'UNROUTABLE the message names no queue'}, 'unacked', raw end
  return deliver('push', key .. suffix, '', '', raw, 'RPUSH'), key, raw
end

local function put_aside(id, reason, queue, raw)
  local letter = '{"reason": ' .. cjson.encode('A Python worker held it and did not answer for it. ' .. reason)
    .. ', "time": ' .. string.format('%.3f', time) .. ', "queue": ' .. cjson.encode(queue) .. ', "raw": ' .. cjson.encode(raw) .. '}'
  if failed(redis.pcall('LPUSH', PREFIX .. '${deadLetterKey("")}' .. queue, letter)) then return false end
  forget(id)
  aside = aside + 1
  return true
end

local function restore(id)
  local value = redis.call('HGET', unacked, id)
  -- Acknowledged, or given back by a Python worker.
  if not value then return redis.call('ZREM', index, id) end
  local done, queue, raw = give_back(value)
  local err = failed(done)
  if not err then
    forget(id)
    back = back + 1
  elseif not string.find(err, '^UNR') or not put_aside(id, err, queue, raw) then
    redis.call('ZADD', index, string.format('%.6f', time), id)
  end
end

local old = string.format('%.6f', time - tonumber(ARGV[1]))
local page = redis.call('ZRANGEBYSCORE', index, '-inf', old, 'LIMIT', offset, limit)
local ours = 0
for i = #page, 1, -1 do
  if string.sub(page[i], 1, 4) == 'ts1|' then ours = ours + 1 else restore(page[i]) end
end
if #page < limit then return {back, aside, -1} end
return {back, aside, offset + ours}
`}`,
};
