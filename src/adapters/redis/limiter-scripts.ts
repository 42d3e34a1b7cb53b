import { Script } from './script.ts';

/*
 * Counters in Redis, the same arithmetic as in memory: what was counted stays for at least 60 s and at most one slot more.
 *
 * Window counter (requests, tokens): a hash with the sum `t`, the slot `s` up to which it is true, and one field a slot.
 * Parallel counter: a sorted set of the open requests, each with the time at which it counts as dead.
 *
 * Every script starts with ARGV[1] = milliseconds a slot is long and ARGV[2] = the time in milliseconds, empty for the
 * server's own, which is the one that counts: replicas may disagree about the time.
 */
const time = `
local slotMs = tonumber(ARGV[1])
local now
if ARGV[2] == '' then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
else
  now = tonumber(ARGV[2])
end
local present = math.floor(now / slotMs)
local window = 240
`;

/** `advance(key)` forgets what has left the window; returns the sum and the slot to count in. */
const advance = `
local function advance(key)
  local state = redis.call('HMGET', key, 't', 's')
  if not state[1] then return 0, present end
  local total, last = tonumber(state[1]), tonumber(state[2])
  if present == last then return total, last end
  if present < last then
    if last - present <= window then return total, last end
    -- The clock was set back by more than a window: everything counts as of now.
    redis.call('DEL', key)
    redis.call('HSET', key, 't', total, 's', present, present, total)
    redis.call('PEXPIRE', key, (window + 2) * slotMs)
    return total, present
  end
  local newestGone = math.min(present - window - 1, last)
  if newestGone == last then
    redis.call('DEL', key)
    return 0, present
  end
  local names = {}
  for slot = last - window, newestGone do names[#names + 1] = slot end
  local gone = {}
  if #names > 0 then
    local amounts = redis.call('HMGET', key, unpack(names))
    for index, amount in ipairs(amounts) do
      if amount then
        total = total - tonumber(amount)
        gone[#gone + 1] = names[index]
      end
    end
  end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  redis.call('HSET', key, 't', total, 's', present)
  return total, present
end
`;

/**
 * All claims or none. KEYS[1] = the set of replicas, then the counters. ARGV[3] = name of the reservation, ARGV[4] = milliseconds
 * an unrenewed parallel slot lives, ARGV[5] = how many replicas there are by the caller's knowledge, then for each counter: kind
 * (`w` or `p`), limit, amount. Replicas that are out of reach keep to their shares, which are left to them. Answers 1 and for each claim the slot, what is left and the milliseconds until
 * the window is empty; or 0, the place of the claim that does not fit, what is used and the milliseconds until it would fit.
 */
export const reserveScript = new Script(`${time}${advance}
local member, life = ARGV[3], tonumber(ARGV[4])
local replicas = tonumber(ARGV[5])
local missing = 0
if replicas > 1 then missing = math.max(0, replicas - math.max(1, redis.call('ZCOUNT', KEYS[1], now, '+inf'))) end
local counters = {}
for index = 2, #KEYS do counters[index - 1] = KEYS[index] end
local function bound(limit)
  if missing == 0 then return limit end
  return math.max(0, limit - missing * math.max(1, math.floor(limit / replicas)))
end
local totals, slots, pending = {}, {}, {}
for index, key in ipairs(counters) do
  local at = 3 + index * 3
  local kind, limit, amount = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local used, slot
  if kind == 'p' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    used, slot = redis.call('ZCARD', key), present
  else
    used, slot = advance(key)
  end
  used = used + (pending[key] or 0)
  if used + amount > bound(limit) then
    local wait = 0
    if kind == 'w' then
      wait = window * slotMs
      local names = {}
      for past = slot - window, slot do names[#names + 1] = past end
      local free = 0
      for place, counted in ipairs(redis.call('HMGET', key, unpack(names))) do
        if counted then
          free = free + tonumber(counted)
          if free >= used + amount - bound(limit) then
            wait = (names[place] + window + 1) * slotMs - now
            break
          end
        end
      end
    end
    return { 0, index, used, math.max(0, math.ceil(wait)) }
  end
  pending[key] = (pending[key] or 0) + amount
  totals[index], slots[index] = used + amount, slot
end
local answer = { 1 }
for index, key in ipairs(counters) do
  local at = 3 + index * 3
  local kind, limit, amount = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local slot = slots[index]
  local wait = 0
  if kind == 'p' then
    for place = 1, amount do redis.call('ZADD', key, now + life, member .. '#' .. place) end
    redis.call('PEXPIRE', key, life * 2)
  elseif amount > 0 then
    local counted = redis.call('HINCRBY', key, slot, amount)
    redis.call('HSET', key, 't', totals[index], 's', slot)
    if counted == amount then redis.call('PEXPIRE', key, (window + 2) * slotMs) end
    wait = (slot + window + 1) * slotMs - now
  end
  answer[#answer + 1] = slot
  answer[#answer + 1] = limit - totals[index]
  answer[#answer + 1] = math.max(0, math.ceil(wait))
end
return answer
`);

/**
 * Corrects what a reservation counted. ARGV[3] = its name, then for each key: kind, slot, and the difference (`w`) or the
 * number of parallel slots to free (`p`).
 */
export const settleScript = new Script(`${time}${advance}
for index, key in ipairs(KEYS) do
  local at = 1 + index * 3
  local kind, slot, amount = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if kind == 'p' then
    for place = 1, amount do redis.call('ZREM', key, ARGV[3] .. '#' .. place) end
  else
    local total, last = advance(key)
    local counted = redis.call('HGET', key, slot)
    if counted then
      local correct = math.max(0, counted + amount)
      redis.call('HSET', key, slot, correct, 't', math.max(0, total + correct - counted), 's', last)
    end
  end
end
return 1
`);

/**
 * Counts what was admitted without asking. For each key in ARGV from 3: how many milliseconds ago, and the amount.
 */
export const addScript = new Script(`${time}${advance}
for index, key in ipairs(KEYS) do
  local age, amount = tonumber(ARGV[1 + index * 2]), tonumber(ARGV[2 + index * 2])
  local total, last = advance(key)
  local slot = math.min(last, math.floor((now - age) / slotMs))
  if amount > 0 and slot >= last - window then
    redis.call('HINCRBY', key, slot, amount)
    redis.call('HSET', key, 't', total + amount, 's', last)
    redis.call('PEXPIRE', key, (window + 2) * slotMs)
  end
end
return 1
`);

/** Says that parallel requests are still open. ARGV[3] = milliseconds until they count as dead, then for each key a member. */
export const renewScript = new Script(`${time}
local life = tonumber(ARGV[3])
for index, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + life, ARGV[3 + index])
  redis.call('PEXPIRE', key, life * 2)
end
return 1
`);

/** A sign of life. KEYS[1] = the set of replicas, ARGV[3] = this one, ARGV[4] = milliseconds it lasts. Answers how many live. */
export const beatScript = new Script(`${time}
local life = tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + life, ARGV[3])
redis.call('PEXPIRE', KEYS[1], life * 2)
return redis.call('ZCARD', KEYS[1])
`);

/** Which run of the server this is: another one may have forgotten what an earlier one had counted. */
export const runScript = new Script(`return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''`);
