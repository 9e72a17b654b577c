package dislock

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// MinTTL is the shortest ttl that [WithTTL] takes. Below it a lease could end
// between two turns of a busy scheduler.
const MinTTL = 100 * time.Millisecond

const (
	defaultTTL        = 30 * time.Second
	defaultMinBackoff = 5 * time.Millisecond
	defaultMaxBackoff = 250 * time.Millisecond
	defaultPassing    = 10 * time.Millisecond

	// maxRequestTimeout bounds one request to the store, however long the ttl is.
	maxRequestTimeout = 3 * time.Second
)

// An Option changes a default of [New].
type Option func(*config)

// config is what the options decide. It does not change after New.
type config struct {
	ttl        time.Duration
	renewEvery time.Duration // 0: a third of ttl
	renews     bool
	maxHold    time.Duration // 0: none
	minHold    time.Duration // 0: none
	minBackoff time.Duration
	maxBackoff time.Duration
	passing    time.Duration // 0: not
	owner      string
	group      *Group // nil: none
	hooks      Hooks
	logger     *slog.Logger // nil: slog.Default() at the time of logging
	now        func() moment
}

// WithTTL sets how long a lease lasts on the store unless it is renewed: 30 s by
// default, at least [MinTTL], in whole milliseconds (a fraction is cut off). It
// is how long the key stays behind when its holder dies, and how long the holder
// can be cut off from the store before it loses the lock.
func WithTTL(ttl time.Duration) Option {
	return func(c *config) {
		if ttl < MinTTL {
			panic(fmt.Sprintf("dislock: ttl %v is below the minimum of %v", ttl, MinTTL))
		}
		c.ttl = ttl.Truncate(time.Millisecond)
	}
}

// WithRenewEvery sets how often a held lease is renewed: a third of the ttl by
// default, and less than the ttl minus its safety margin (1 % of it and 2 ms).
func WithRenewEvery(every time.Duration) Option {
	return func(c *config) {
		mustBePositive("renewal interval", every)
		c.renewEvery, c.renews = every, true
	}
}

// WithoutRenewal lets every lease end after its ttl, unlocked or not; by default
// it is renewed for as long as it is held. The holder is told by [Lease.Done].
func WithoutRenewal() Option {
	return func(c *config) { c.renews = false }
}

// WithMaxHold bounds how long a lease is held; by default nothing does. After d,
// counted from the moment of the acquisition, renewal stops and the lease ends
// with [ErrLost], its cause [ErrMaxHold]. The key becomes free when the holder
// unlocks, and at the latest when the ttl has passed. It is counted anew from an
// adoption ([Mutex.Adopt]).
func WithMaxHold(d time.Duration) Option {
	return func(c *config) {
		mustBePositive("maximum hold", d)
		c.maxHold = d
	}
}

// WithPassing sets for how long the goroutines that share a Mutex may pass the
// lock on among themselves before other processes have their turn: 10 ms by
// default, counted from the moment at which the process got it. Until then Unlock
// gives the living lease to the goroutine that has waited longest, without a word
// to the store, a thousand times faster than by way of it. 0 turns that off. A
// lease that is not renewed ([WithoutRenewal]), or whose last renewal failed, is
// not passed on.
//
// Those who pass the lock on share the token and the fence of the lease. As the
// store is not asked, a loss that the process has not noticed yet is told to the
// next holder, and not by this Unlock.
//
// The idea is lock cohorting: Dice, Marathe, Shavit, PPoPP 2012.
func WithPassing(d time.Duration) Option {
	return func(c *config) {
		if d < 0 {
			panic(fmt.Sprintf("dislock: passing for %v is below 0", d))
		}
		c.passing = d
	}
}

// WithOwner sets the readable label that stands in front of the lock's token on
// the store, and in the [HeldError] of those who find it held: by default the
// host's name and the process id. It is not a secret and proves nothing. At most
// 255 bytes.
func WithOwner(label string) Option {
	return func(c *config) { c.owner = label }
}

// WithBackoff sets the pauses between two questions to the store while waiting:
// from min, doubled each time up to max, each shortened at random by up to half.
// The default is 5 ms to 250 ms. A waiter never sleeps beyond what the holder's
// lease has left. One that stands in line will be told of its turn; in case the
// word gets lost it asks every max times its place in line, and at least every 30 s.
func WithBackoff(min, max time.Duration) Option {
	return func(c *config) { c.minBackoff, c.maxBackoff = min, max }
}

// WithHooks sets functions that are called when something happens to the lock;
// by default there are none. Of several WithHooks all are called, in that order.
func WithHooks(hooks Hooks) Option {
	return func(c *config) { c.hooks = c.hooks.then(hooks) }
}

// WithLogger sets where losses, failing renewals, failing retries and failed
// releases are logged; by default that is [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) { c.logger = logger }
}

func newConfig(opts []Option) config {
	c := config{
		ttl:        defaultTTL,
		renews:     true,
		minBackoff: defaultMinBackoff,
		maxBackoff: defaultMaxBackoff,
		passing:    defaultPassing,
		owner:      defaultOwner(),
		now:        now,
	}
	for _, opt := range opts {
		opt(&c)
	}
	c.validate()
	if c.renewEvery == 0 {
		c.renewEvery = c.ttl / 3
	}
	return c
}

// validate panics on what no store could make right, and names the value.
func (c *config) validate() {
	switch {
	case c.renews && c.renewEvery >= validity(c.ttl):
		panic(fmt.Sprintf("dislock: renewal interval %v is not below the ttl %v less its safety margin of %v",
			c.renewEvery, c.ttl, c.ttl-validity(c.ttl)))
	case c.maxHold > 0 && c.minHold > c.maxHold:
		panic(fmt.Sprintf("dislock: minimum hold %v is above the maximum hold %v", c.minHold, c.maxHold))
	case c.minBackoff <= 0 || c.maxBackoff < c.minBackoff:
		panic(fmt.Sprintf("dislock: backoff from %v to %v is not a range above 0", c.minBackoff, c.maxBackoff))
	case len(c.owner) > 255:
		panic(fmt.Sprintf("dislock: owner label of %d bytes is longer than 255", len(c.owner)))
	}
}

func mustBePositive(what string, d time.Duration) {
	if d <= 0 {
		panic(fmt.Sprintf("dislock: %s %v is not above 0", what, d))
	}
}

// requestTimeout bounds one request: a quarter of the ttl, so that after a
// renewal that got no answer there is time for another one, and at most 3 s. The
// renewal of a claim has a quarter of that.
func (c *config) requestTimeout() time.Duration {
	return min(c.ttl/4, maxRequestTimeout)
}

// claim is how long the store keeps a key for the waiter that it gave it to, until
// the first renewal makes a full lease of it: short, because a waiter that is
// frozen or out of reach costs the others that long each; but long enough for
// the store to be away for a moment. A lease that is not renewed can not begin short.
func (c *config) claim() time.Duration {
	if !c.renews {
		return c.ttl
	}
	return min(c.ttl, max(time.Second, c.ttl/10)).Truncate(time.Millisecond)
}

func (c *config) log() *slog.Logger {
	if c.logger != nil {
		return c.logger
	}
	return slog.Default()
}

var defaultOwner = sync.OnceValue(func() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.200s:%d", host, os.Getpid())
})
