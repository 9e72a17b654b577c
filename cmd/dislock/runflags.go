//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"math"
	"strings"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/goredis"
)

const runUsage = `dislock run [flags] KEY -- COMMAND ARGS...

Runs COMMAND while holding the lock KEY, and exits as it does. COMMAND finds
DISLOCK_KEY and DISLOCK_FENCE in its environment. If the lock is getting lost,
it is sent SIGTERM, and SIGKILL before anybody else can have the lock.

  -url URL       of the Redis (default: the variable DISLOCK_URL); dislock -h
  -wait 30s      wait so long for the lock, 0: not at all (default: for ever)
  -ttl 30s       how long the lock outlives a dead holder; at least 1s
  -grace 5s      from SIGTERM to SIGKILL (default: ttl/6; at most ttl/3)
  -minhold 1m    keep the lock so long at least, however early COMMAND ends
  -replicas 1    hold it only while so many replicas of Redis know (default: 0)
  -owner LABEL   what others see as the holder (default: host and process id)
  -namespace P   what the names of keys in Redis begin with (default: dislock:)
  -E CODE        exit with CODE instead of 75 when the lock is busy, silently
  -foreground    stay in the terminal's process group, so that COMMAND can read
                 from it (default: if dislock itself could)
  -q, -v         say nothing; say whom it waits for, and what it holds

Exit codes: that of COMMAND, or 128+n if signal n ended it, or 64 bad usage,
69 Redis gave no answer or refuses us, 71 no process could be started, 75 busy,
79 the lock was lost, 126 and 127 COMMAND can not be executed, was not found.
`

// runOptions are what the command line of run says.
type runOptions struct {
	url, namespace, owner string
	wait                  time.Duration // below 0: for ever
	ttl, grace, minHold   time.Duration
	replicas              int
	busy                  int  // what to exit with
	busySilently          bool // because somebody has asked for it
	foreground            bool
	quiet, verbose        bool
	key                   string
	argv                  []string
}

// runOptions reads args. If done is true, code is what to exit with.
func (e env) runOptions(args []string) (o runOptions, code int, done bool) {
	fs := e.flags("run", runUsage)
	fs.StringVar(&o.url, "url", "", "")
	fs.StringVar(&o.namespace, "namespace", "dislock:", "")
	fs.StringVar(&o.owner, "owner", "", "")
	fs.DurationVar(&o.wait, "wait", math.MinInt64, "")
	fs.DurationVar(&o.ttl, "ttl", 30*time.Second, "")
	fs.DurationVar(&o.grace, "grace", math.MinInt64, "")
	fs.DurationVar(&o.minHold, "minhold", 0, "")
	fs.IntVar(&o.replicas, "replicas", 0, "")
	fs.IntVar(&o.busy, "E", math.MinInt, "")
	fs.BoolVar(&o.foreground, "foreground", onTerminal(e.stdin), "")
	fs.BoolVar(&o.quiet, "q", false, "")
	fs.BoolVar(&o.verbose, "v", false, "")
	if code, done := e.parse(fs, args); done {
		return o, code, done
	}
	rest := fs.Args()
	if o.grace == math.MinInt64 {
		o.grace = o.ttl / 6
	}
	if o.busySilently = o.busy != math.MinInt; !o.busySilently {
		o.busy = exitBusy
	}
	switch {
	case len(rest) == 0 || rest[0] == "":
		return o, e.misuse("run: which KEY?"), true
	case len(rest) < 3 || rest[1] != "--":
		return o, e.misuse("run: after KEY and -- there has to be a COMMAND; flags stand before KEY"), true
	case o.wait < 0 && o.wait != math.MinInt64:
		return o, e.misuse("run: -wait %v is below 0", o.wait), true
	case o.ttl < time.Second:
		return o, e.misuse("run: -ttl %v is below a second", o.ttl), true
	case o.grace < 0 || o.grace > o.ttl/3:
		return o, e.misuse("run: -grace %v is not from 0 to a third of the ttl, %v", o.grace, o.ttl/3), true
	case o.minHold < 0:
		return o, e.misuse("run: -minhold %v is below 0", o.minHold), true
	case o.replicas < 0:
		return o, e.misuse("run: -replicas %d is below 0", o.replicas), true
	case strings.ContainsAny(o.namespace, "{}"):
		return o, e.misuse("run: -namespace must not have braces"), true
	case len(o.owner) > 255:
		return o, e.misuse("run: -owner is longer than 255 bytes"), true
	case o.busy < 0 || o.busy > 255:
		return o, e.misuse("run: -E %d is not an exit code", o.busy), true
	}
	o.key, o.argv = rest[0], rest[2:]
	return o, exitOK, false
}

func (o *runOptions) backend() []goredis.Option {
	options := []goredis.Option{goredis.WithPrefix(o.namespace)}
	if o.replicas > 0 {
		options = append(options, goredis.WithReplicas(o.replicas, min(o.ttl/10, 500*time.Millisecond)))
	}
	return options
}

func (o *runOptions) mutex() []dislock.Option {
	options := []dislock.Option{dislock.WithTTL(o.ttl)}
	if o.minHold > 0 {
		options = append(options, dislock.WithMinHold(o.minHold))
	}
	if o.owner != "" {
		options = append(options, dislock.WithOwner(o.owner))
	}
	return options
}
