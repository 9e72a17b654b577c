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
var acquire = newScript("acquire", `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return {holder, redis.call('PTTL', KEYS[1])}
end
local fence = holder and tonumber(redis.call('GET', KEYS[2]))
if not fence then
  if redis.call('PTTL', KEYS[2]) > 86399990 then
    fence = redis.call('INCR', KEYS[2])
  else
    local now = redis.call('TIME')
    local last = tonumber(redis.call('GET', KEYS[2])) or 0
    fence = math.max(last + 1, now[1] * 1000000 + now[2])
    redis.call('SET', KEYS[2], string.format('%.0f', fence), 'PX', '86400000')
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return fence
`)

// extend makes KEYS[1] end ARGV[2] milliseconds from now if the token ARGV[1]
// holds it, and returns whether it does.
var extend = newScript("extend", `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

// release deletes KEYS[1] if the token ARGV[1] holds it, and returns whether it
// did.
var release = newScript("release", `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)
