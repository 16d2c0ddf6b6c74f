import { heartbeatKey } from "../keys.ts";
import type { Script } from "../script.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * What any worker does for all, every few seconds: brings back parked messages that are due, and looks for dead workers.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`, 3 `ts1:eta`, 4 `ts1:workers`
 * - ARGV 1 most messages to bring back in one call, 2 id of the worker that asks: it does not look for itself
 * - Returns `[brought back, milliseconds until the next is due or -1, when the first heartbeat of another ends or '', Redis's time or '', dead worker
 *   id, …]`.
 *   That moment is by the other's clock: a hint.
 *
 * The latest goes first, so that the one due longest is at the very head of its list.
 */
export const tendScript: Script = {
  name: "tend",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${String.raw`
local unacked, index, etas, workers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local back, wait, seen = 0, -1, ''

local function bring_back(id)
  -- Gone when a Python worker restored it: then it is in its queue already.
  local value = redis.call('HGET', unacked, id)
  local pushed
  if value then
    local raw, list = unwrap(value)
    pushed = redis.pcall('RPUSH', PREFIX .. list, raw)
  end
  if failed(pushed) then return end
  redis.call('HDEL', unacked, id)
  redis.call('ZREM', index, id)
  redis.call('ZREM', etas, id)
  if value then back = back + 1 end
end

local function tend_parked()
  local time = now()
  seen = string.format('%.6f', time)
  local due = redis.call('ZRANGEBYSCORE', etas, '-inf', string.format('%.6f', time), 'LIMIT', 0, ARGV[1])
  for i = #due, 1, -1 do bring_back(due[i]) end
  local following = redis.call('ZRANGEBYSCORE', etas, '(' .. string.format('%.6f', time), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if following[2] then wait = math.ceil((tonumber(following[2]) - time) * 1000) end
end

if redis.call('EXISTS', etas) == 1 then tend_parked() end

local ids, keys = {}, {}
for _, worker in ipairs(redis.call('SMEMBERS', workers)) do
  if worker ~= ARGV[2] then
    ids[#ids + 1] = worker
    keys[#keys + 1] = PREFIX .. '${heartbeatKey("")}' .. worker
  end
end
local reply = {back, wait, '', seen}
if #ids == 0 then return reply end
local first
for i, ends in ipairs(redis.call('MGET', unpack(keys))) do
  if not ends then reply[#reply + 1] = ids[i]
  elseif tonumber(ends) and tonumber(ends) < (first or math.huge) then first = tonumber(ends) end
end
if first then reply[3] = string.format('%d', first) end
return reply
`}`,
};
