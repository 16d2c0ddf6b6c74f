/**
 * Shared Lua: hands a message over to where `deliveryArguments` of the transport says.
 *
 * - `push, list`: to one list
 * - `cast, channel`: to everybody who listens there now
 * - `route, binding set, key`: to the list of every queue that hangs on the exchange by a fitting key. Whether a binding is a topic's
 *   is seen from the pattern that it carries, so senders need not know the exchange's type.
 *
 * A sixth argument `RPUSH` puts it to the heads of the lists: what comes back goes before what is new.
 *
 * Returns Redis's reply or `{err = …}`; `UNROUTABLE` where kombu would drop the message without a word.
 *
 * @see kombu 5.7.0 transport/virtual/exchange.py; transport/redis.py, `Channel._put` and `_put_fanout`
 */
export const DELIVER: string = String.raw`
-- kombu keeps a topic's pattern as a regular expression of few forms; Lua's patterns can say the same.
local function lua_pattern(regex)
  local text = string.gsub(string.sub(regex, 2, -2), '%.%*%?', '\1')
  text = string.gsub(text, '%[%^\\%.%]', '\2')
  text = string.gsub(text, '\\(.)', function(char) return string.find(char, '%p') and '%' .. char or char end)
  text = string.gsub(text, '\1', '.-')
  text = string.gsub(text, '\2', '[^%%.]')
  return '^' .. text .. '$'
end

local function fits(bound, pattern, key)
  if pattern == '' then return bound == key end
  local readable, found = pcall(string.find, key, lua_pattern(pattern))
  return readable and found ~= nil
end

-- A queue of kombu's Broadcast: nobody pops its list.
local function is_broadcast(queue)
  return string.find(queue, '^bcast%.%x+%-%x+%-%x+%-%x+%-%x+$') ~= nil
end

local function unroutable(set, key, broadcast)
  local exchange = string.gsub(set, '^_kombu%.binding%.', '')
  if broadcast then return {err = 'UNROUTABLE the exchange "' .. exchange .. '" is a fanout, and the sender took it for another type'} end
  return {err = 'UNROUTABLE no queue is bound to the exchange "' .. exchange .. '" by a key that fits "' .. key .. '"'}
end

local function deliver(verb, where, key, suffix, message, side)
  if verb == 'push' then return redis.pcall(side or 'LPUSH', PREFIX .. where, message) end
  if verb == 'cast' then return redis.pcall('PUBLISH', PREFIX .. where, message) end
  local members = redis.pcall('SMEMBERS', PREFIX .. where)
  if members.err then return members end
  local done, count, broadcast = {}, 0, false
  for _, member in ipairs(members) do
    local bound, pattern, queue = string.match(member, '^(.-)\6\22(.-)\6\22(.+)$')
    if queue and not done[queue] and fits(bound, pattern, key) then
      if is_broadcast(queue) then
        broadcast = true
      else
        done[queue] = true
        local pushed = redis.pcall(side or 'LPUSH', PREFIX .. queue .. suffix, message)
        if type(pushed) == 'table' then return pushed end
        count = count + 1
      end
    end
  end
  if count == 0 then return unroutable(where, key, broadcast) end
  return count
end
`;
