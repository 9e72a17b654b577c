//go:build unix

package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
)

const (
	ttl   = 2 * time.Second
	claim = time.Second
	key   = "k"
)

// A job is what a worker process is to do.
type job struct {
	Addr   string
	Driver string
	Loops  bool  // until it is told to stop; otherwise it locks once and holds the lock until then
	Load   *load // if it has one, it does neither
}

// An event is what a worker tells, in a line.
type event struct {
	What    string // got, wrote, lost, wrong, failed, ended; under load: believed, measured
	At      time.Time
	Fence   uint64
	Text    string
	Spell   *spell   `json:",omitempty"`
	Figures *figures `json:",omitempty"`
}

// runWorker is main for a worker process. It ends with its standard input.
func runWorker(text string) int {
	signal.Ignore(os.Interrupt)
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return 2
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		cancel()
	}()
	if j.Load != nil {
		starve(ctx, j)
		return 0
	}
	w := &worker{number: newNumber(j.Addr), mu: dislock.New(open(j.Driver, j.Addr), key,
		dislock.WithTTL(ttl), dislock.WithLogger(slog.New(slog.DiscardHandler)))}
	if j.Loops {
		for ctx.Err() == nil {
			w.add(ctx, 2*time.Millisecond)
			time.Sleep(5 * time.Millisecond)
		}
	} else {
		w.once(ctx)
	}
	time.Sleep(100 * time.Millisecond) // for what is given back in the background
	tell(event{What: "ended"})
	return 0
}

func open(driver, addr string) backend.Backend {
	if driver == "redigo" {
		return redigo.New(&redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", addr)
		}})
	}
	return goredis.New(goredisclient.NewClient(&goredisclient.Options{Addr: addr, ContextTimeoutEnabled: true}))
}

func tell(e event) {
	e.At = time.Now()
	_ = json.NewEncoder(os.Stdout).Encode(e)
}

type worker struct {
	mu     *dislock.Mutex
	number *number
}

// once locks, and holds the lock until ctx ends or it is lost.
func (w *worker) once(ctx context.Context) {
	lease, err := w.mu.LockContext(ctx)
	if err != nil {
		tell(event{What: "failed", Text: err.Error()})
		return
	}
	tell(event{What: "got", Fence: lease.Fence()})
	n, err := w.number.enter(lease)
	select {
	case <-ctx.Done():
	case <-lease.Done():
	}
	if err == nil {
		err = w.number.write(lease, n+1)
	}
	w.end(lease, err)
}

// add adds 1 to the number.
func (w *worker) add(ctx context.Context, pause time.Duration) {
	lease, err := w.mu.LockContext(ctx)
	if err != nil {
		return
	}
	n, err := w.number.enter(lease)
	if err == nil {
		time.Sleep(pause)
		err = w.number.write(lease, n+1)
	}
	w.end(lease, err)
}

func (w *worker) end(lease *dislock.Lease, err error) {
	unlock := lease.Unlock(context.Background())
	e := event{What: "wrote", Fence: lease.Fence()}
	switch {
	case errors.Is(err, errTwo):
		e.What, e.Text = "wrong", err.Error()
	case err != nil:
		e.What, e.Text = "lost", err.Error()
	case unlock != nil:
		e.Text = unlock.Error()
	}
	tell(e)
}

// A number is what the lock guards, in a hash on the server. It refuses those
// whose fence is not the latest that it has seen, and so knows without doubt of
// any two that hold the lock at once: the one of them that is refused believes to
// hold it.
type number struct{ pool *redis.Pool }

func newNumber(addr string) *number {
	return &number{&redis.Pool{MaxIdle: 2, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr) }}}
}

const numberKey = "number"

var (
	errTwo  = errors.New("two hold the lock")
	errLost = errors.New("refused, and the lease is lost")

	// enterScript returns the number, or -1 if the fence was seen or passed already.
	enterScript = redis.NewScript(1, `
local last = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
if tonumber(ARGV[1]) <= last then return -1 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1])
redis.call('PEXPIRE', KEYS[1], 600000)
return tonumber(redis.call('HGET', KEYS[1], 'number') or '0')`)

	writeScript = redis.NewScript(1, `
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return -1 end
redis.call('HSET', KEYS[1], 'number', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'writes', 1)`)
)

func (n *number) enter(lease *dislock.Lease) (int, error) { return n.run(lease, enterScript) }

func (n *number) write(lease *dislock.Lease, to int) error {
	if err := lease.Err(); err != nil {
		return err
	}
	_, err := n.run(lease, writeScript, to)
	return err
}

func (n *number) run(lease *dislock.Lease, s *redis.Script, args ...any) (int, error) {
	conn := n.pool.Get()
	defer conn.Close()
	got, err := redis.Int(s.Do(conn, append([]any{numberKey, lease.Fence()}, args...)...))
	if err != nil {
		return 0, err
	}
	if got >= 0 {
		return got, nil
	}
	if err := lease.Err(); err != nil {
		return 0, fmt.Errorf("%w: %w", errLost, err)
	}
	last, _ := redis.Strings(conn.Do("HMGET", numberKey, "fence", "number"))
	return 0, fmt.Errorf("%w: fence %d is refused, the last one was %s", errTwo, lease.Fence(), strings.Join(last, ", number "))
}
