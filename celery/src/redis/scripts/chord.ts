import { PARKED_PREFIX } from "../keys.ts";
import type { Script } from "../script.ts";
import { CLAIMED_MESSAGE } from "./shared.ts";

/**
 * Shared Lua: counts one finished part of a chord. The keys and their meaning are Celery's, so that parts may end on workers of both kinds:
 * `.s` size, `.t` correction of the size, `.j` the parts, `.d` which parts are counted, `.c` who completes the chord (`done` afterwards).
 *
 * A part that failed decides the chord at once when its size is known: `.s` goes, so that no later part completes it a second time.
 *
 * Returns nil (nothing to do), `ours` (the caller is to send the body) or the milliseconds after which somebody else's claim lapses.
 *
 * Keys of these names that are nobody's chord (of another type, a size that is no number) cannot be counted, now or later: the chord is the
 * caller's to end at once, and reading it says why its body fails.
 *
 * Needs `CLAIMED_MESSAGE`.
 *
 * @see celery 5.7.0 backends/redis.py, `CHORD_PART_RETURN_LUA`
 */
export const CHORD_PART: string = String.raw`
local function count_part(base, token, tid, value, ordered, score, expires, group_expires, claim_expires, bad)
  local claim = redis.pcall('GET', base .. '.c')
  if failed(claim) then claim = nil end -- nobody's: it is written over
  if claim == 'done' then return nil end
  if redis.call('SADD', base .. '.d', tid .. ':' .. score) == 1 then
    if ordered == '1' then redis.call('ZADD', base .. '.j', score, value)
    else redis.call('RPUSH', base .. '.j', value) end
  end
  if tonumber(expires) > 0 then
    for _, suffix in ipairs({'.j', '.t', '.s', '.d'}) do redis.call('EXPIRE', base .. suffix, expires) end
    if tonumber(group_expires) > 0 then redis.call('EXPIRE', base, group_expires) end
  end
  local size = redis.call('GET', base .. '.s')
  if not size then return nil end
  local count = redis.call(ordered == '1' and 'ZCARD' or 'LLEN', base .. '.j')
  local total = (tonumber(size) or error('WRONGTYPE no size', 0))
    + (tonumber(redis.call('GET', base .. '.t') or 0) or error('WRONGTYPE no size', 0))
  if count ~= total and bad ~= '1' then return nil end
  if claim then
    if claim == token then return nil end
    return redis.call('PTTL', base .. '.c')
  end
  redis.call('SET', base .. '.c', token, 'EX', claim_expires)
  if count ~= total then redis.call('DEL', base .. '.s') end
  return 'ours'
end

local function chord_part(base, token, tid, value, ordered, score, expires, group_expires, claim_expires, bad)
  local ok, next = pcall(count_part, base, token, tid, value, ordered, score, expires, group_expires, claim_expires, bad)
  if ok then return next end
  if not string.find(failed(next) or tostring(next), 'WRONGTYPE', 1, true) then error(next, 0) end
  local claim = redis.pcall('GET', base .. '.c')
  if claim == token then return nil end
  if type(claim) == 'string' then return redis.call('PTTL', base .. '.c') end
  redis.call('SET', base .. '.c', token, 'EX', claim_expires)
  return 'ours'
end

-- What is left of a chord whose body was sent, or failed: its parts stay for whoever wants to look, as in Celery.
local function chord_done(base, failed_too, seconds)
  if failed_too == '1' then redis.call('DEL', base .. '.s')
  else redis.call('DEL', base .. '.j', base .. '.t', base .. '.s', base .. '.d') end
  redis.call('SET', base .. '.c', 'done', 'EX', seconds)
end
`;

/**
 * Shared Lua: parks a message that ends the chord, in case the worker that is to do it dies first. It is a real `celery.chord_unlock`, whose
 * list of results is known only here; Python's workers can run it, too.
 *
 * Needs `CLAIMED_MESSAGE`.
 */
export const PARK_RESCUE: string = String.raw`
local function park_rescue(unacked, index, etas, base, rescue_id, ordered, queue, head, middle, tail, seconds)
  local members = redis.pcall(ordered == '1' and 'ZRANGE' or 'LRANGE', base .. '.j', 0, -1)
  local results = {}
  for _, member in ipairs(members) do
    local id = string.match(member, '^%[1, (".-"), "%u+"')
    if id then results[#results + 1] = '[[' .. id .. ', null], null]' end
  end
  local body = middle .. table.concat(results, ', ') .. tail
  local raw = '{"body": ' .. cjson.encode(body) .. head
  local due = string.format('%.6f', now() + seconds)
  redis.call('HSET', unacked, rescue_id, '[' .. raw .. ', "", ' .. queue .. ']')
  redis.call('ZADD', index, due, rescue_id)
  redis.call('ZADD', etas, due, rescue_id)
end
`;

/** Whether an id is one of a parked message, which is in one more key than a claim. */
export const IS_PARKED: string = String.raw`
local function is_parked(id)
  return string.sub(id, 1, ${PARKED_PREFIX.length}) == '${PARKED_PREFIX}'
end
`;

/**
 * Counts a part where results live in another database than messages.
 *
 * - KEYS 1 the group's key
 * - ARGV as `chord_part` takes them after its first
 * - Returns 1 when the caller is to send the body, else 0. A part that comes a second time while the chord is ours, but not done, comes from a
 *   worker that died before it had sent the body, or had no answer: the caller is to send it then.
 */
export const chordPartScript: Script = {
  name: "chord-part",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${CHORD_PART}${String.raw`
local counted = redis.pcall('SISMEMBER', KEYS[1] .. '.d', ARGV[2] .. ':' .. ARGV[5]) ~= 0
if counted and redis.pcall('GET', KEYS[1] .. '.c') == ARGV[1] then return 1 end
return chord_part(KEYS[1], unpack(ARGV)) == 'ours' and 1 or 0
`}`,
};

/**
 * Takes a chord over: nobody else completes it then.
 *
 * - KEYS 1 the group's key; ARGV 1 the new holder, 2 seconds
 * - Returns 1; 0 when it is done, or somebody else is at it.
 */
export const claimChordScript: Script = {
  name: "claim-chord",
  allowOom: true,
  lua: String.raw`
local claim = redis.pcall('GET', KEYS[1] .. '.c')
if type(claim) == 'string' and claim ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1] .. '.c', ARGV[1], 'EX', ARGV[2])
return 1
`,
};

/** KEYS 1 the group's key; ARGV 1 `1` when it failed, 2 seconds for which late parts are ignored. */
export const endChordScript: Script = {
  name: "end-chord",
  allowOom: true,
  lua: `${CLAIMED_MESSAGE}${CHORD_PART}chord_done(KEYS[1], ARGV[1], ARGV[2])\nreturn 1\n`,
};
