package crossing

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

const (
	lockKey = "dislock:{k}"
	lineKey = "dislock:{k}:line"

	// ttl makes claims of a second, and a test that waits for one notice that.
	ttl   = 8 * time.Second
	claim = time.Second

	// soon is less than a claim, and more than a busy machine takes for anything else.
	soon = 700 * time.Millisecond
)

// A scene is a server and those who lock the key "k" on it.
type scene struct {
	*testing.T
	server *redistest.Server
	admin  redis.Conn
	inside atomic.Int32 // how many hold the lock
	holds  atomic.Int32 // how often it was held
}

// eachDriver runs f on a server of its own with either driver.
func eachDriver(t *testing.T, f func(s *scene, open func(tb testing.TB, n *network) line)) {
	t.Parallel()
	alone(t, f)
}

// alone is eachDriver for tests that keep the machine busy, or mind if others do: they
// run before those that are parallel.
func alone(t *testing.T, f func(s *scene, open func(testing.TB, *network) line)) {
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(newScene(t), open)
		})
	}
}

func newScene(t *testing.T) *scene {
	s := &scene{T: t, server: redistest.Start(t, "--enable-debug-command", "yes")}
	if err := s.again(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.admin.Close() })
	return s
}

// again makes the test's own connection anew.
func (s *scene) again() (err error) {
	s.admin, err = redis.Dial("tcp", s.server.Addr(), redis.DialReadTimeout(10*time.Second))
	return err
}

// do sends a command on the test's own connection.
func (s *scene) do(cmd string, args ...any) any {
	s.Helper()
	reply, err := s.admin.Do(cmd, args...)
	if err != nil {
		s.Fatalf("%s: %v", cmd, err)
	}
	return reply
}

func (s *scene) inLine() int {
	s.Helper()
	return int(s.do("ZCARD", lineKey).(int64))
}

// channels returns on which channels somebody listens.
func (s *scene) channels() []string {
	s.Helper()
	names, err := redis.Strings(s.do("PUBSUB", "CHANNELS"), nil)
	if err != nil {
		s.Fatal(err)
	}
	return names
}

// eventually waits until f, and fails the test if that takes longer than d.
func (s *scene) eventually(what string, d time.Duration, f func() bool) {
	s.Helper()
	start := time.Now()
	for pause := 100 * time.Microsecond; !f(); pause = min(2*pause, 5*time.Millisecond) {
		if time.Since(start) > d {
			s.Fatalf("after %v still not: %s", d, what)
		}
		time.Sleep(pause)
	}
}

func (s *scene) mutex(b backend.Backend, opts ...dislock.Option) *dislock.Mutex {
	return dislock.New(b, "k", append([]dislock.Option{dislock.WithTTL(ttl)}, opts...)...)
}

// hold locks mu for d, and checks that nobody else does so.
func (s *scene) hold(ctx context.Context, mu *dislock.Mutex, d time.Duration) error {
	lease, err := mu.LockContext(ctx)
	if err != nil {
		return err
	}
	if n := s.inside.Add(1); n != 1 {
		s.Errorf("%d hold the lock", n)
	}
	s.holds.Add(1)
	time.Sleep(d)
	err = lease.Err()
	s.inside.Add(-1)
	if unlock := lease.Unlock(ctx); err == nil {
		err = unlock
	}
	return err
}

// A queue is some who stand in line.
type queue struct {
	*scene
	wg     sync.WaitGroup
	mu     sync.Mutex
	served []int // in the order in which they had the lock
	times  []time.Time
}

// queue puts one who waits for each of the backends in line, one behind the other.
func (s *scene) queue(ctx context.Context, backends ...line) *queue {
	s.Helper()
	q := &queue{scene: s}
	for i, b := range backends {
		q.join(ctx, i, b)
		s.eventually("they stand in line", 5*time.Second, func() bool { return s.inLine() == i+1 })
	}
	s.checkExpiries()
	return q
}

// join lets number i wait.
func (q *queue) join(ctx context.Context, i int, b line) {
	mu := q.mutex(b)
	q.wg.Go(func() {
		lease, err := mu.LockContext(ctx)
		if err != nil {
			q.Errorf("number %d: %v", i, err)
			return
		}
		if n := q.inside.Add(1); n != 1 {
			q.Errorf("%d hold the lock", n)
		}
		q.mu.Lock()
		q.served, q.times = append(q.served, i), append(q.times, time.Now())
		q.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		err = lease.Err()
		q.inside.Add(-1)
		if unlock := lease.Unlock(ctx); err != nil || unlock != nil {
			q.Errorf("number %d: %v, %v", i, err, unlock)
		}
	})
}

// within checks that all have been served not later than d after start.
func (q *queue) within(d time.Duration, start time.Time, inOrder bool) {
	q.Helper()
	q.wg.Wait()
	var late []string
	for i, at := range q.times {
		late = append(late, fmt.Sprintf("%d after %v", q.served[i], at.Sub(start).Round(time.Millisecond)))
		if at.Sub(start) > d {
			q.Errorf("number %d was served after %v, want no later than %v", q.served[i], at.Sub(start), d)
		}
	}
	if inOrder && !slices.IsSorted(q.served) {
		q.Errorf("served in the order %v", q.served)
	}
	q.Logf("served: %v", late)
}

// empty checks that nothing stays behind: no line when nobody waits, no lock, and
// no key for ever.
func (s *scene) empty() {
	s.Helper()
	s.eventually("the key is free and the line is empty", soon, func() bool {
		return s.do("EXISTS", lockKey, lineKey).(int64) == 0
	})
	s.checkExpiries()
}

func (s *scene) checkExpiries() {
	s.Helper()
	for name, left := range s.server.Keys(s) {
		if left <= 0 {
			s.Errorf("%s never expires", name)
		}
	}
}

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
