package recipe

import (
	"crypto/sha1" //nolint:gosec // the name under which Redis keeps a script
	"encoding/hex"
)

// script is Lua that the server runs in one indivisible step. It is called by
// the hash of its source; the server keeps the source from the first EVAL on.
// SCRIPT LOAD is never used: it would be a third round trip, one more permission,
// and on a cluster it reaches one node of many.
type script struct {
	name string // what it does, for an error's text
	src  any    // a string; kept as any to be boxed once and not per call
	hash any    // likewise
}

var evalsha, eval any = "evalsha", "eval"

func newScript(name, src string) *script {
	sum := sha1.Sum([]byte(src)) //nolint:gosec // see the import
	return &script{name: name, src: src, hash: hex.EncodeToString(sum[:])}
}

// acquire takes KEYS[1] for the token ARGV[1], for ARGV[2] milliseconds, and
// returns the fence, which KEYS[2] counts; or, if another token holds the key,
// that token and PTTL.
//
// Looking comes before changing, so that a key of another type raises an error
// and leaves everything as it was. The fence comes before the lock: if it can not
// be written, nothing has been taken. The owner's own token gets its fence again,
// because its client may never have seen the first answer.
//
// A fence is one more than the last one. But a counter alone starts again below
// when it was evicted, flushed or expired, and after a failover that lost the
// last writes it gives a number twice, just when two clients believe that they
// hold the key. So a counter that has not been set by the server's clock within
// the last 10 ms, as its expiry tells, is set to the microseconds since 1970, if
// that is more. It is not done each time because it costs more than all the rest.
// The order holds as long as a key changes hands less than a million times a
// second, a failover or a restart takes 10 ms, and the clocks do not disagree by
// more than the time between two acquisitions. A clock that is put back is
// outcounted.
//
// Microseconds are exact in Lua's doubles until the year 2255. It is tostring
// that would round them, to 14 digits; hence the format.
var acquire = newScript("acquire", mint+`
if redis.call('EXISTS', KEYS[1]) == 0 then
  local fence = mint()
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return fence
end
local holder = redis.call('GET', KEYS[1])
if holder ~= ARGV[1] then
  return {holder, redis.call('PTTL', KEYS[1])}
end
local fence = tonumber(redis.call('GET', KEYS[2])) or mint()
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return fence
`)

// mint is the part of a script that counts the fence.
const mint = `
local function mint()
  if redis.call('PTTL', KEYS[2]) > 86399990 then
    return redis.call('INCR', KEYS[2])
  end
  local now = redis.call('TIME')
  local last = tonumber(redis.call('GET', KEYS[2])) or 0
  local fence = math.max(last + 1, now[1] * 1000000 + now[2])
  redis.call('SET', KEYS[2], string.format('%.0f', fence), 'PX', '86400000')
  return fence
end
`

// extend makes KEYS[1] end ARGV[2] milliseconds from now if the token ARGV[1]
// holds it, and returns whether it does.
//
// The counter must not be forgotten while its number is that of a lease: a leader may
// hold one for weeks. When little is left of its day it is given a bit more, and never so
// much that mint would take it for one that has just been set. It is not among the KEYS:
// while a cluster moves their slot it refuses a script of which not all keys are in one
// place, and a renewal must not wait for that. So what is said of the counter may be an
// error, and does not matter.
var extend = newScript("extend", `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local counter = KEYS[1] .. '`+fenceSuffix+`'
local life = redis.pcall('PTTL', counter)
if type(life) == 'number' and life > 0 and life < 3600000 then
  redis.pcall('PEXPIRE', counter, '7200000')
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

// confirm writes what replicas have to have before the waiter ARGV[1] is told that
// KEYS[1] is its own, and returns whether it is, by the lease with the fence ARGV[3],
// which KEYS[2] has counted last. It makes the lease last ARGV[2] milliseconds from
// now, and never shorter than it does: it may arrive when the waiter has asked, and has
// a longer one.
var confirm = newScript("confirm", `
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
return redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), ARGV[2]))
`)

// handOver is the part of a script that gives the key, which nobody holds or its
// holder gives up, to the first in line, who has been taken out of it already, or
// the next one in KEYS[3] who is there. It returns the token, or nil if there is
// nobody, or it is the turn of the token me, which takes the key by itself.
//
// Who stands in line is written ID:CLAIM:TOKEN. ID names the channel, after the
// prefix ARGV[2], on which the backend hears for which the token waits. Only a
// backend that is heard of is told; whose channel has no listener is dead, and the next
// one has its turn. That is looked up by PUBSUB NUMSUB rather than taken from the
// answer of PUBLISH, because what is published reaches the replicas, too: somebody
// who listens to one of these would hear of a grant that was not made. Where the
// number says nothing, ARGV[3] is 1: nodes of a cluster know only their own
// listeners. The number may also be forbidden. Then, as with an ID of nothing, which
// is somebody who polls, a waiter that is dead costs its claim.
//
// The message is the fence, the server's time and the token. The time is read
// before anything else: a lease may be counted from when the script began, however
// long it takes.
const handOver = mint + `
local function micros()
  local now = redis.call('TIME')
  return now[1] * 1000000 + now[2]
end
local function listens(channel)
  if ARGV[3] == '1' then return true end
  local count = redis.pcall('PUBSUB', 'NUMSUB', channel)
  return count.err or count[2] > 0
end
local function handOver(first, me)
  local now = micros()
  while first do
    local id, claim, token = string.match(first, '^(.-):(%d+):(.*)$')
    if token == me then return nil end
    local channel = ARGV[2] .. (id or '')
    if id == '' or id and listens(channel) then
      local fence = mint()
      redis.call('SET', KEYS[1], token, 'PX', claim)
      if id ~= '' then
        redis.pcall('PUBLISH', channel, string.format('%.0f %.0f ', fence, now) .. token)
      end
      return token
    end
    first = redis.call('ZPOPMIN', KEYS[3])[1]
  end
  return nil
end
`

// join is acquire for a token, ARGV[1], that is willing to stand in line, as
// ARGV[5], and returns beside the holder and its PTTL the place in line, the
// server's time, and 1 if the place is new. If the key is free and somebody else
// is first in line, it is handed over: its holder has died, and the first in line
// may not have noticed yet.
//
// ARGV[6], if there is one, is how the token may stand in line from before. One
// that polls lines up only behind somebody who listens. Polling alone is faster
// without a line, because any poll can take the key; among listeners it would
// never get it.
var join = newScript("join", handOver+`
local holder = redis.call('GET', KEYS[1])
local first
if not holder then
  first = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
  if first and first ~= ARGV[5] then
    holder = handOver(redis.call('ZPOPMIN', KEYS[3])[1], ARGV[1])
  end
end
if holder and holder ~= ARGV[1] then
  local now, place, new = micros(), -1, 0
  if ARGV[6] then redis.call('ZREM', KEYS[3], ARGV[6]) end
  local head = string.sub(ARGV[5], 1, 1) == ':' and redis.call('ZRANGE', KEYS[3], 0, 0)[1]
  if head == false or head and string.sub(head, 1, 1) ~= ':' then
    new = redis.call('ZADD', KEYS[3], 'NX', string.format('%.0f', now), ARGV[5])
    redis.call('PEXPIRE', KEYS[3], `+lineExpiry+`)
    place = redis.call('ZRANK', KEYS[3], ARGV[5])
  end
  return {holder, redis.call('PTTL', KEYS[1]), place + 1, now, new}
end
local fence = holder and tonumber(redis.call('GET', KEYS[2])) or mint()
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
if first then redis.call('ZREM', KEYS[3], ARGV[5]) end
return fence
`)

// lineExpiry is when a line is forgotten to which nobody has come, in milliseconds.
// Who stands in it asks again ten times within that.
const lineExpiry = "300000"

// release ends the lease of the token ARGV[1] on KEYS[1], and returns whether it
// had one: it hands the key over, or deletes it if nobody waits. A token that
// does not hold it leaves the line, in which it may stand as ARGV[4] or any that
// follow; if the key is free, the line moves on without it.
var release = newScript("release", `
local holder, first = redis.call('GET', KEYS[1]), nil
if holder == ARGV[1] then
  first = redis.call('ZPOPMIN', KEYS[3])[1]
  if not first then
    redis.call('DEL', KEYS[1])
    return 1
  end
end
`+handOver+`
if first then
  if not handOver(first) then redis.call('DEL', KEYS[1]) end
  return 1
end
if ARGV[4] then
  redis.call('ZREM', KEYS[3], unpack(ARGV, 4))
  if not holder then handOver(redis.call('ZPOPMIN', KEYS[3])[1]) end
end
return 0
`)

// free is release for when the line is out of reach: it deletes KEYS[1] if the token
// ARGV[1] holds it. Those who wait find out when they ask.
var free = newScript("release", `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

// hello says ARGV[1] on the channel KEYS[1] and returns how many heard it.
var hello = newScript("hello", `return redis.call('PUBLISH', KEYS[1], ARGV[1])`)
