package main

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"
)

// A contender is a library on a driver with a setting.
type contender struct {
	Library, Driver, Setting string

	// open makes the client that a process has. A ttl of 0 is the library's default.
	open func(addr string, ttl time.Duration) (client, error)

	// heldToo is whether it stands for its library where nobody waits, and the
	// setting, which is about waiting, makes no difference.
	heldToo bool
}

// A client is what one process needs to lock with.
type client interface {
	// locks returns n handles of one lock, for n goroutines of this process. They
	// share what the library wants to be shared between goroutines.
	locks(key string, n int) []lock
	close()
}

// A lock is the handle of one goroutine.
type lock interface {
	Lock(ctx context.Context) error
	Unlock(ctx context.Context) error
}

// errGaveUp is a library's decision to wait no longer, though ctx would allow it.
var errGaveUp = errors.New("gave up waiting")

const (
	ours = "dislock"
	bare = "bare commands"
)

// contenders are all that are measured, in the order of the tables.
var contenders = []contender{
	{Library: ours, Driver: "redigo", open: openDislockRedigo, heldToo: true},
	{Library: ours, Driver: "go-redis", open: openDislockGoRedis, heldToo: true},
	{Library: "redsync", Driver: "redigo", Setting: "defaults", open: openRedsyncRedigo},
	{Library: "redsync", Driver: "redigo", Setting: "5 ms", open: openRedsyncRedigoFast, heldToo: true},
	{Library: "redsync", Driver: "go-redis", Setting: "defaults", open: openRedsyncGoRedis},
	{Library: "redsync", Driver: "go-redis", Setting: "5 ms", open: openRedsyncGoRedisFast, heldToo: true},
	{Library: "redislock", Driver: "go-redis", Setting: "100 ms", open: openRedislock},
	{Library: "redislock", Driver: "go-redis", Setting: "5 ms", open: openRedislockFast, heldToo: true},
	{Library: "rueidislock", Driver: "rueidis", Setting: "defaults", open: openRueidislock},
	{Library: "rueidislock", Driver: "rueidis", Setting: "NOLOOP", open: openRueidislockNoLoop, heldToo: true},
	{Library: bare, Driver: "redigo", open: openBareRedigo},
	{Library: bare, Driver: "go-redis", open: openBareGoRedis},
}

// id names a contender on the command line and to worker processes.
func (c contender) id() string {
	id := c.Library + "/" + c.Driver
	if c.Setting != "" {
		id += "/" + c.Setting
	}
	return strings.ReplaceAll(id, " ", "")
}

// how is the driver and the setting, for a label.
func (c contender) how() string {
	if c.Setting == "" {
		return c.Driver
	}
	return c.Driver + ", " + c.Setting
}

// isPeer is whether c is what dislock is compared with.
func (c contender) isPeer() bool { return c.Library != ours && c.Library != bare }

// waits is whether c is able to wait for a lock that somebody else holds.
func (c contender) waits() bool { return c.Library != bare }

func choose(only *regexp.Regexp, filter func(contender) bool) (chosen []contender) {
	for _, c := range contenders {
		if filter(c) && only.MatchString(c.id()) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func findContender(id string) (contender, bool) {
	for _, c := range contenders {
		if c.id() == id {
			return c, true
		}
	}
	return contender{}, false
}
