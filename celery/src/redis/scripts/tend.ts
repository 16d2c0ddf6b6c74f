import { heartbeatKey } from "../keys.ts";
import type { Script } from "../script.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * What any worker does for all, about once a second: brings back parked messages that are due, and looks for dead workers.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`, 3 `ts1:eta`, 4 `ts1:workers`
 * - ARGV 1 most messages to bring back in one call
 * - Returns `[brought back, milliseconds until the next is due or -1, dead worker id, …]`.
 *
 * The latest goes first, so that the one due longest is at the very head of its list.
 */
export const tendScript: Script = {
  name: "tend",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${String.raw`
local unacked, index, etas, workers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = now()
local due = redis.call('ZRANGEBYSCORE', etas, '-inf', string.format('%.6f', time), 'LIMIT', 0, ARGV[1])
local back = 0
for i = #due, 1, -1 do
  local id = due[i]
  -- Gone when a Python worker restored it: then it is in its queue already.
  local value = redis.call('HGET', unacked, id)
  local pushed
  if value then
    local raw, list = unwrap(value)
    pushed = redis.pcall('RPUSH', PREFIX .. list, raw)
  end
  if not failed(pushed) then
    redis.call('HDEL', unacked, id)
    redis.call('ZREM', index, id)
    redis.call('ZREM', etas, id)
    if value then back = back + 1 end
  end
end

local following = redis.call('ZRANGEBYSCORE', etas, '(' .. string.format('%.6f', time), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local wait = -1
if following[2] then wait = math.ceil((tonumber(following[2]) - time) * 1000) end

local reply = {back, wait}
for _, worker in ipairs(redis.call('SMEMBERS', workers)) do
  if redis.call('EXISTS', PREFIX .. '${heartbeatKey("")}' .. worker) == 0 then reply[#reply + 1] = worker end
end
return reply
`}`,
};
