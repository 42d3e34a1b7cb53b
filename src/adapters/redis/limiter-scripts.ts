import { Script } from './script.ts';

/*
 * Counters in Redis, the same arithmetic as in memory: what was counted stays for at least 60 s and at most one slot more. Every
 * counter knows how much of it each replica has counted, for a replica that cannot ask keeps to its own part of a limit.
 *
 * Window counter (requests, tokens): a hash with `u`, the sums by replica, the slot `s` up to which they are true, and one field
 * for each slot and replica. Parallel counter: a sorted set of the open requests, each with the time at which it counts as dead,
 * and beside it a hash with their number by replica. In both hashes `g` says which replicas gave up a part of their right, and
 * until when.
 *
 * Every script starts with ARGV[1] = milliseconds a slot is long and ARGV[2] = the time in milliseconds, empty for the
 * server's own, which is the one that counts: replicas may disagree about the time. ARGV[3] = the replica that asks.
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
local me = ARGV[3]
`;

/**
 * `advance(key)` forgets what has left the window; returns the sums by replica and the slot to count in. `save` keeps what was
 * changed. `sumOf` adds up. `openIn(key, beside)` does the same for parallel requests; its numbers are kept as they change.
 */
const counters = `
local function sumOf(by)
  local sum = 0
  for _, amount in pairs(by) do sum = sum + amount end
  return sum
end
local function save(key, by, slot)
  redis.call('HSET', key, 'u', cmsgpack.pack(by), 's', slot)
end
local function advance(key)
  local state = redis.call('HMGET', key, 'u', 's')
  if not state[1] then return {}, present end
  local by, last = cmsgpack.unpack(state[1]), tonumber(state[2])
  if present == last then return by, last end
  if present < last then
    if last - present <= window then return by, last end
    -- The clock was set back by more than a window: everything counts as of now.
    redis.call('DEL', key)
    save(key, by, present)
    for replica, amount in pairs(by) do redis.call('HSET', key, present .. ':' .. replica, amount) end
    redis.call('PEXPIRE', key, (window + 2) * slotMs)
    return by, present
  end
  local newestGone = math.min(present - window - 1, last)
  if newestGone == last then
    redis.call('DEL', key)
    return {}, present
  end
  if newestGone >= last - window then
    for replica, sum in pairs(by) do
      local names = {}
      for slot = last - window, newestGone do names[#names + 1] = slot .. ':' .. replica end
      local gone = {}
      for index, amount in ipairs(redis.call('HMGET', key, unpack(names))) do
        if amount then
          sum = sum - tonumber(amount)
          gone[#gone + 1] = names[index]
        end
      end
      by[replica] = sum > 0 and sum or nil
      if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
    end
  end
  save(key, by, present)
  return by, present
end
local function openIn(key, beside)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now)) do
    redis.call('ZREM', key, member)
    redis.call('HINCRBY', beside, string.match(member, '^[^:]*'), -1)
  end
  local by = {}
  if redis.call('ZCARD', key) == 0 then return by end
  local flat = redis.call('HGETALL', beside)
  for index = 1, #flat, 2 do
    if flat[index] ~= 'g' and tonumber(flat[index + 1]) > 0 then by[flat[index]] = tonumber(flat[index + 1]) end
  end
  return by
end
`;

/**
 * All claims or none. KEYS[1] = the members, then the counters: one key for a window, two for parallel requests. ARGV[4] = name of
 * the reservation, ARGV[5] = milliseconds an unrenewed parallel slot lives, ARGV[6] = `1` when the replica is a member and the
 * rights of the others bind it, then for each counter: kind (`w` or `p`), limit, amount.
 *
 * Answers 1, the first claim for which there is little room beside what others have a right to (or 0), and for each claim the
 * slot, what is left, the milliseconds until the window is empty, and what is left beside the rights of others; or 0, the place of the claim that does not fit, what is used
 * and the milliseconds until it would fit; or 2, the same and for each claim how much is lacking, when all would fit if others gave up what they have not
 * used; or 3 when the members do not know the replica.
 */
export const reserveScript = new Script(`${time}${counters}
local name, life = ARGV[4], tonumber(ARGV[5])
local others, isPartial, myFrom, myTo = {}, false, 0, 0
if ARGV[6] == '1' then
  local packed = redis.call('GET', KEYS[1])
  local state = packed and cmsgpack.unpack(packed)
  if not state or not state.ready then return { 3 } end
  local isKnown = false
  for _, member in ipairs(state.list) do
    if member.id == me then
      isKnown = member.told == state.run
      myFrom, myTo = member.from or 0, member.to or 0
    else
      others[#others + 1] = member
      if member.told ~= state.run and not member.from then isPartial = true end
    end
  end
  if not isKnown then return { 3 } end
end
local function shareOf(limit, from, to)
  return math.floor(limit * to + 1e-6) - math.floor(limit * from + 1e-6)
end
-- What others may still use without asking.
local function asideOf(limit, by, holder)
  if #others == 0 then return 0 end
  local packed = redis.call('HGET', holder, 'g')
  local given = packed and cmsgpack.unpack(packed) or {}
  local aside, shares = 0, shareOf(limit, myFrom, myTo)
  for _, member in ipairs(others) do
    if member.from then
      local share = shareOf(limit, member.from, member.to)
      shares = shares + share
      local part = given[member.id]
      if part and part[2] > now then share = math.min(share, part[1]) end
      aside = aside + math.max(0, share - (by[member.id] or 0))
    end
  end
  if isPartial then aside = aside + math.max(0, limit - shares) end
  return aside
end
-- Milliseconds until so much has left the window.
local function waitOf(kind, key, by, slot, excess)
  if kind == 'p' then return 0 end
  local wait, free = window * slotMs, 0
  local names, slots = {}, {}
  for past = slot - window, slot do
    for replica in pairs(by) do
      names[#names + 1] = past .. ':' .. replica
      slots[#slots + 1] = past
    end
  end
  for start = 1, #names, 1000 do
    for offset, part in ipairs(redis.call('HMGET', key, unpack(names, start, math.min(start + 999, #names)))) do
      if part and free < excess then
        free = free + tonumber(part)
        if free >= excess then wait = (slots[start + offset - 1] + window + 1) * slotMs - now end
      end
    end
    if free >= excess then break end
  end
  return math.max(0, math.ceil(wait))
end
local counted, pending, sums, lacking, contested = {}, {}, {}, {}, nil
local place, tight = 1, 0
for index = 1, (#ARGV - 6) / 3 do
  local at = 4 + index * 3
  local kind, limit, amount = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  place = place + 1
  local key, holder = KEYS[place], KEYS[place]
  local by, slot
  if kind == 'p' then
    place = place + 1
    holder = KEYS[place]
    by, slot = openIn(key, holder), present
  else
    by, slot = advance(key)
    by = sums[key] or by
    sums[key] = by
  end
  local used = sumOf(by) + (pending[key] or 0)
  local aside = asideOf(limit, by, holder)
  local lacks = used + aside + amount - limit
  lacking[index] = math.max(0, lacks)
  if used + amount > limit then return { 0, index, used, waitOf(kind, key, by, slot, lacks) } end
  if lacks > 0 and not contested then contested = { 2, index, used, waitOf(kind, key, by, slot, lacks) } end
  pending[key] = (pending[key] or 0) + amount
  if tight == 0 and aside > 0 then
    local room = limit - used - aside - amount
    if room < math.max(amount, math.floor(shareOf(limit, myFrom, myTo) / 4)) then tight = index end
  end
  counted[index] = { kind, amount, key, holder, by, slot, limit - used - amount, limit - used - aside - amount }
end
if contested then
  for index, lacks in ipairs(lacking) do contested[4 + index] = lacks end
  return contested
end
local answer = { 1, tight }
for index, claim in ipairs(counted) do
  local kind, amount, key, holder, by, slot, left, room = unpack(claim)
  local wait = 0
  if kind == 'p' then
    for number = 1, amount do redis.call('ZADD', key, now + life, name .. '#' .. number) end
    redis.call('HINCRBY', holder, me, amount)
    redis.call('PEXPIRE', key, life * 2)
    redis.call('PEXPIRE', holder, life * 2)
  elseif amount > 0 then
    by[me] = (by[me] or 0) + amount
    local first = redis.call('HINCRBY', key, slot .. ':' .. me, amount) == amount
    save(key, by, slot)
    if first then redis.call('PEXPIRE', key, (window + 2) * slotMs) end
    wait = (slot + window + 1) * slotMs - now
  end
  answer[#answer + 1] = slot
  answer[#answer + 1] = left
  answer[#answer + 1] = math.max(0, math.ceil(wait))
  answer[#answer + 1] = room
end
return answer
`);

/**
 * Corrects what a reservation counted. ARGV[4] = its name, then for each counter: kind, slot, and the difference (`w`) or the
 * number of parallel slots to free (`p`).
 */
export const settleScript = new Script(`${time}${counters}
local place = 0
for index = 1, (#ARGV - 4) / 3 do
  local at = 2 + index * 3
  local kind, slot, amount = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  place = place + 1
  local key = KEYS[place]
  if kind == 'p' then
    place = place + 1
    for number = 1, amount do
      if redis.call('ZREM', key, ARGV[4] .. '#' .. number) == 1 then redis.call('HINCRBY', KEYS[place], me, -1) end
    end
  else
    local by, last = advance(key)
    local counted = redis.call('HGET', key, slot .. ':' .. me)
    if counted then
      local correct = math.max(0, counted + amount)
      redis.call('HSET', key, slot .. ':' .. me, correct)
      by[me] = math.max(0, (by[me] or 0) + correct - counted)
      save(key, by, last)
    end
  end
end
return 1
`);

/**
 * Counts what was admitted without asking. For each key in ARGV from 4: how many milliseconds ago, and the amount.
 */
export const addScript = new Script(`${time}${counters}
for index, key in ipairs(KEYS) do
  local age, amount = tonumber(ARGV[2 + index * 2]), tonumber(ARGV[3 + index * 2])
  local by, last = advance(key)
  local slot = math.min(last, math.floor((now - age) / slotMs))
  if amount > 0 and slot >= last - window then
    redis.call('HINCRBY', key, slot .. ':' .. me, amount)
    by[me] = (by[me] or 0) + amount
    save(key, by, last)
    redis.call('PEXPIRE', key, (window + 2) * slotMs)
  end
end
return 1
`);

/** Says that parallel requests are still open. ARGV[4] = milliseconds until they count as dead, then for each two keys a member. */
export const renewScript = new Script(`${time}
local life = tonumber(ARGV[4])
for index = 1, #KEYS / 2 do
  local key, beside = KEYS[index * 2 - 1], KEYS[index * 2]
  if redis.call('ZADD', key, now + life, ARGV[4 + index]) == 1 then redis.call('HINCRBY', beside, me, 1) end
  redis.call('PEXPIRE', key, life * 2)
  redis.call('PEXPIRE', beside, life * 2)
end
return 1
`);

/** Frees parallel slots of requests that are over. For each two keys a member in ARGV from 4. */
export const freeScript = new Script(`${time}
for index = 1, #KEYS / 2 do
  if redis.call('ZREM', KEYS[index * 2 - 1], ARGV[3 + index]) == 1 then redis.call('HINCRBY', KEYS[index * 2], me, -1) end
end
return 1
`);

/**
 * The replica has given up its right to more than ARGV[4] of a limit, and others may use it for ARGV[5] milliseconds. KEYS[1] = the
 * hash of the counter.
 */
export const giveBackScript = new Script(`${time}
local isNew = redis.call('EXISTS', KEYS[1]) == 0
local packed = redis.call('HGET', KEYS[1], 'g')
local given = packed and cmsgpack.unpack(packed) or {}
for replica, part in pairs(given) do if part[2] <= now then given[replica] = nil end end
given[me] = { tonumber(ARGV[4]), now + tonumber(ARGV[5]) }
redis.call('HSET', KEYS[1], 'g', cmsgpack.pack(given))
if isNew then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return 1
`);
