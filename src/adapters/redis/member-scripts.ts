import { Script } from './script.ts';

/*
 * Who shares the limits. One value says which run of the server it belongs to, and of each replica: the part of every limit, from
 * `from` to `to` of one, that it may use without asking; the run it has told of all that it had admitted; and until when it counts
 * as alive. No two parts overlap, so together they are never more than the limit.
 *
 * A part is made smaller by its holder alone, who says so afterwards; it is made larger here, where it is free. So whatever answer is
 * lost, what is set aside here is at least what a replica believes to have.
 */

/** A place that became free is not given to those that stay before what was used from it has left every window. */
const vacantMs = 65_000;
/** After so long nothing is in a window that was admitted before the server forgot, but what replicas admitted within their parts. */
const learnedMs = 61_000;
const keptMs = 600_000;

/**
 * A sign of life. KEYS[1] = the members. ARGV[1], the time in milliseconds or empty; ARGV[2], this replica; ARGV[3], milliseconds it
 * lasts; ARGV[4], the run that it has told everything to; ARGV[5] and [6], the part that it holds, empty for none; ARGV[7], how many
 * ids follow that the store knows to be alive; behind them the ids of those that were there in the last minute.
 *
 * Answers a state (0: tell first; 1: others have yet to tell; 2: the limits can be asked for), the run, the part to be held from
 * now on, whether nobody else can have used anything in the last minute, and the ids of all replicas.
 */
export const memberScript = new Script(`
local now = tonumber(ARGV[1])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end
local me, life, told = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local heldFrom, heldTo = tonumber(ARGV[5]), tonumber(ARGV[6])
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'unknown'
local packed = redis.call('GET', KEYS[1])
local state = packed and cmsgpack.unpack(packed) or { list = {}, left = {}, places = 0, vacated = 0 }
-- Also a server that was emptied has forgotten.
if not state.run or string.sub(state.run, 1, #server) ~= server then
  state.run, state.since, state.ready = server .. ':' .. now, now, false
end
local run = state.run

local list, byId = {}, {}
for _, member in ipairs(state.list) do
  if member.until_ > now or member.id == me then
    list[#list + 1] = member
    byId[member.id] = member
  else
    state.vacated = now
  end
end
for id, at in pairs(state.left) do if now - at > ${vacantMs} then state.left[id] = nil end end
local function freePlace()
  local taken = {}
  for _, member in ipairs(list) do if member.place then taken[member.place] = true end end
  local place = 0
  while taken[place] do place = place + 1 end
  return place
end
local function find(id)
  if not byId[id] then
    byId[id] = { id = id, until_ = 0, place = freePlace() }
    list[#list + 1] = byId[id]
  end
  return byId[id]
end
state.left[me] = nil
local alive = tonumber(ARGV[7])
for index = 8, #ARGV do
  local id = ARGV[index]
  -- Who is known to the store, or may still have something to tell.
  if id ~= me and not state.left[id] and (index < 8 + alive or not state.ready) then
    local member = find(id)
    member.until_ = math.max(member.until_, now + life)
  end
end

local places = #list + (byId[me] and 0 or 1)
if state.places > places and now - state.vacated < ${vacantMs} then places = state.places end
state.places = places
local mine = byId[me]
if not mine then
  mine = find(me)
  -- Who comes back to a server that forgot goes where it was.
  if heldFrom then
    local before = math.floor(heldFrom * places + 0.5)
    for _, member in ipairs(list) do if member.place == before then member.place = mine.place end end
    mine.place = before
  end
end
mine.until_, mine.told, mine.from, mine.to = now + life, told, heldFrom, heldTo
if not state.ready then
  local hasAll = true
  for _, member in ipairs(list) do if member.told ~= run then hasAll = false end end
  if hasAll or now - state.since > ${learnedMs} then state.ready = true end
end
if mine.place >= places then
  mine.place = nil
  mine.place = freePlace()
end
-- Before all have told there is nothing to be given, and what is unknown is not given away.
local from, to = heldFrom, heldTo
if told == run and state.ready then
  from, to = mine.place / places, (mine.place + 1) / places
  if heldFrom and (heldFrom < from or heldTo > to) then
    from, to = math.max(from, heldFrom), math.min(to, heldTo)
  else
    local isFree = true
    for _, member in ipairs(list) do
      if member ~= mine then
        if member.from and member.from < to and from < member.to then isFree = false end
        if not member.from and member.told ~= run then isFree = false end
      end
    end
    if isFree then mine.from, mine.to = from, to else from, to = heldFrom, heldTo end
  end
end
local isAlone = #list == 1 and now - state.vacated > ${vacantMs}
state.list = list
redis.call('SET', KEYS[1], cmsgpack.pack(state), 'PX', ${keptMs})

local function text(number) return number and string.format('%.17g', number) or '' end
if from and from >= to then from, to = nil, nil end
local answer = { told ~= run and 0 or (state.ready and 2 or 1), run, text(from), text(to), isAlone and 1 or 0 }
for _, member in ipairs(list) do answer[#answer + 1] = member.id end
return answer
`);

/** The replica is gone for good and in order. KEYS[1] = the members, ARGV[1], the replica. */
export const leaveScript = new Script(`
local packed = redis.call('GET', KEYS[1])
if not packed then return 0 end
local state = cmsgpack.unpack(packed)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local list = {}
for _, member in ipairs(state.list) do if member.id ~= ARGV[1] then list[#list + 1] = member end end
state.list, state.vacated, state.left[ARGV[1]] = list, now, now
redis.call('SET', KEYS[1], cmsgpack.pack(state), 'PX', ${keptMs})
return 1
`);
