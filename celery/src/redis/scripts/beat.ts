import type { Script } from "../script.ts";
import { DELIVER } from "./deliver.ts";

/**
 * Takes the lock, or holds it longer.
 *
 * KEYS[1] string  `ts1:beat:lock`: the name of the Beat that has it
 * ARGV[1] our name   ARGV[2] milliseconds until it lapses
 * Returns [1] when it is ours, else [0, name of the holder, milliseconds until it lapses].
 * Why Lua: between a GET and a SET somebody else could take it.
 */
export const acquireBeatLock: Script = {
  name: "acquire-beat-lock",
  allowOom: true,
  lua: `
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
  return {0, holder, redis.call("PTTL", KEYS[1])}
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return {1}
`,
};

/**
 * Gives the lock up.
 *
 * KEYS[1] string  `ts1:beat:lock`
 * ARGV[1] our name
 * Returns 1, or 0 when it was not ours.
 * Why Lua: what is deleted must be what was compared.
 */
export const releaseBeatLock: Script = {
  name: "release-beat-lock",
  allowOom: true,
  lua: `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call("DEL", KEYS[1])
`,
};

/**
 * Puts one due task into its queue, unless somebody else leads or has sent it.
 *
 * KEYS[1] string  `ts1:beat:lock`
 * KEYS[2] hash    `ts1:beat:sent`: entry → when it was last sent (epoch milliseconds)
 * ARGV[1] our name  ARGV[2] milliseconds until the lock lapses  ARGV[3] entry  ARGV[4] due time  ARGV[5] now
 * ARGV[6…10] where the message goes, and the message: see `DELIVER`  ARGV[11…] per binding: set, member
 * Returns ["sent"], ["fenced", name of the holder], ["duplicate", when it was sent] or ["refused", why]: then its turn has passed all the same.
 * Why Lua: a Beat that was asleep when its lock lapsed must not send, and one that was cut off after sending must not send again.
 *
 * A note from more than a day ahead is not believed: some clock was wrong, and the entry would never run again.
 */
export const publishDue: Script = {
  name: "publish-due",
  allowOom: false,
  lua: `${DELIVER}${String.raw`
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
  return {"fenced", holder}
end
local sent = redis.call("HGET", KEYS[2], ARGV[3])
if sent and tonumber(sent) >= tonumber(ARGV[4]) and tonumber(sent) <= tonumber(ARGV[5]) + 86400000 then
  return {"duplicate", sent}
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
for at = 11, #ARGV, 2 do redis.call("SADD", PREFIX .. ARGV[at], ARGV[at + 1]) end
redis.call("HSET", KEYS[2], ARGV[3], ARGV[5])
local done = deliver(ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10])
if type(done) == "table" then return {"refused", done.err} end
return {"sent"}
`}`,
};
