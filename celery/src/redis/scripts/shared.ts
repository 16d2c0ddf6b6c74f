/**
 * Shared Lua: the value under which a claimed message lies in `unacked`.
 *
 * The value is kombu's, `[<message as it came>, "<exchange>", "<routing key>"]`, so that a Python worker can
 * restore it when all of ours are gone. The exchange is empty and the routing key is the queue, which needs no
 * binding. kombu has no place for the priority list a message came from; we write it as that many spaces before
 * the closing bracket, which every JSON reader skips. So no script ever has to decode a message.
 */
export const CLAIMED_MESSAGE: string = String.raw`
local function unwrap(value)
  local raw, queue, step = string.match(value, '^%[(.*), "", "(.-)"( *)%]$')
  if not raw then return nil end
  if string.find(queue, '\\', 1, true) then queue = cjson.decode('["' .. queue .. '"]')[1] end
  local list = queue
  if #step > 0 then list = queue .. '\6\22' .. #step end
  return raw, list, queue
end

-- Marks a message as delivered before, in the text: it is never decoded and encoded again, which would change it.
local function redelivered(raw)
  local _, open = string.find(raw, '"delivery_info":%s*{')
  if not open or string.find(raw, '"redelivered":', open, true) then return raw end
  local separator = string.find(raw, '^%s*}', open + 1) and '' or ', '
  return string.sub(raw, 1, open) .. '"redelivered": true' .. separator .. string.sub(raw, open + 1)
end

local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function failed(reply)
  return type(reply) == 'table' and reply.err
end
`;

/** Shared Lua: what is remembered of a lane's last batch, so that saying it twice does it once. */
export const ONCE: string = String.raw`
-- Outcome of this very batch if it was carried out before, 'stale' if a later one was, else nil.
local function remembered(key, number)
  local at, outcome = string.match(redis.call('GET', key) or '', '^(%d+):(.*)$')
  if not at or tonumber(at) < tonumber(number) then return nil end
  if tonumber(at) == tonumber(number) then return outcome end
  return 'stale'
end

local function remember(key, number, outcome)
  redis.call('SET', key, number .. ':' .. outcome, 'EX', 600)
end
`;

/** Shared Lua: writing a result as Celery does. */
export const STORE_RESULT: string = String.raw`
-- A stored SUCCESS is never overwritten. @see celery 5.7.0 backends/base.py, KeyValueStoreBackend._store_result
local function store_result(key, payload, seconds)
  local stored
  if seconds == '' then stored = redis.call('SET', key, payload, 'NX')
  else stored = redis.call('SET', key, payload, 'EX', seconds, 'NX') end
  if not stored then
    local before = redis.pcall('GETRANGE', key, 0, 40)
    if type(before) == 'string' and string.find(before, '^%s*{%s*"status":%s*"SUCCESS"') then return end
    if seconds == '' then redis.call('SET', key, payload)
    else redis.call('SET', key, payload, 'EX', seconds) end
  end
  redis.call('PUBLISH', key, payload)
end
`;
