import type { Script } from "../script.ts";

/**
 * A worker's sign of life. Also refreshes the time of its claims, so that kombu's visibility sweep never takes a live one.
 *
 * - KEYS 1 the worker's heartbeat, 2 `ts1:workers`, 3 `unacked_index`
 * - ARGV 1 worker id, 2 life of the heartbeat (ms), 3 when it ends by the worker's own clock (epoch ms; a hint to others when to look),
 *   4… claim ids
 * - Returns the ids that are no longer claimed.
 */
export const heartbeatScript: Script = {
  name: "heartbeat",
  allowOom: true,
  lua: String.raw`
if not redis.call('SET', KEYS[1], ARGV[3], 'XX', 'PX', ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
  redis.call('SADD', KEYS[2], ARGV[1])
end
local gone = {}
if not ARGV[4] then return gone end
local time = redis.call('TIME')
local now = string.format('%.6f', tonumber(time[1]) + tonumber(time[2]) / 1000000)
for i = 4, #ARGV do
  if redis.call('ZSCORE', KEYS[3], ARGV[i]) then redis.call('ZADD', KEYS[3], 'XX', now, ARGV[i])
  else gone[#gone + 1] = ARGV[i] end
end
return gone
`,
};
