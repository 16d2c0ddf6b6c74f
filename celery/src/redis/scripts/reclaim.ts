import type { Script } from "../script.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * Gives back what a dead worker held, a page of the index at a time, to the heads of the queues it came from.
 *
 * - KEYS 1 `unacked`, 2 `unacked_index`, 3 the worker's heartbeat, 4 `ts1:workers`, 5 who is at it
 * - ARGV 1 prefix of its claim ids, 2 offset from the newest end of the index, 3 entries to look at, 4 `last` to forget the worker
 *   when this page ends the index and nothing of the worker was found, 5 worker id, 6 id of the worker that asks, 7 how long it is at it (ms)
 * - Returns `[given back, next offset or -1]`; `[0, -1]` when the worker shows signs of life after all, or when another one is at it: the
 *   index may be long, and once is enough.
 *
 * From the newest to the oldest, so that the oldest comes to lie at the very head. Entries of Python workers are left alone.
 */
export const reclaimScript: Script = {
  name: "reclaim",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${String.raw`
local unacked, index, heartbeat, workers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if redis.call('EXISTS', heartbeat) == 1 then return {0, -1} end
if not redis.call('SET', KEYS[5], ARGV[6], 'NX', 'PX', ARGV[7]) then
  if redis.call('GET', KEYS[5]) ~= ARGV[6] then return {0, -1} end
  redis.call('PEXPIRE', KEYS[5], ARGV[7])
end
local prefix, offset, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local page = redis.call('ZREVRANGE', index, offset, offset + limit - 1)
local back, kept = 0, 0
for _, id in ipairs(page) do
  if string.sub(id, 1, #prefix) == prefix then
    local value = redis.call('HGET', unacked, id)
    local pushed
    if value then
      local raw, list = unwrap(value)
      pushed = redis.pcall('RPUSH', PREFIX .. list, redelivered(raw))
    end
    if failed(pushed) then
      kept = kept + 1
    else
      redis.call('HDEL', unacked, id)
      redis.call('ZREM', index, id)
      back = back + 1
    end
  end
end
if #page < limit then
  if ARGV[4] == 'last' and back + kept == 0 then redis.call('SREM', workers, ARGV[5]) end
  return {back, -1}
end
return {back, offset + #page - back}
`}`,
};
