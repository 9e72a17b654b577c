//go:build unix

package fleet

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"go.uber.org/goleak"

	"github.com/dislock/dislock/internal/crew"
	"github.com/dislock/dislock/internal/redistest"
)

// workerVariable makes the test binary a worker.
const workerVariable = "DISLOCK_FLEET_WORKER"

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		os.Exit(runWorker(text))
	}
	goleak.VerifyTestMain(m)
}

// generous is what a busy machine may take beyond a bound, and less than a claim.
const generous = 700 * time.Millisecond

// A fleet is processes that share a lock on one server.
type fleet struct {
	*testing.T
	server *redistest.Server
	crew   *crew.Crew
	driver string
	mu     sync.Mutex // of what follows
	admin  redis.Conn
	size   int
}

// eachDriver runs f with a fleet of either driver, and with one of both.
func eachDriver(t *testing.T, f func(f *fleet)) {
	t.Parallel()
	for _, driver := range []string{"redigo", "goredis", "mixed"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			f(newFleet(t, driver))
		})
	}
}

func newFleet(t *testing.T, driver string) *fleet {
	f := &fleet{T: t, driver: driver, server: redistest.Start(t), crew: crew.New(t)}
	var err error
	if f.admin, err = redis.Dial("tcp", f.server.Addr(), redis.DialReadTimeout(10*time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.admin.Close() })
	return f
}

func (f *fleet) do(cmd string, args ...any) any {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	reply, err := f.admin.Do(cmd, args...)
	if err != nil {
		f.Fatalf("%s: %v", cmd, err)
	}
	return reply
}

func (f *fleet) eventually(what string, d time.Duration, ok func() bool) {
	f.Helper()
	for start := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(start) > d {
			f.Fatalf("after %v still not: %s", d, what)
		}
	}
}

const (
	lockKey = "dislock:{" + key + "}"
	lineKey = lockKey + ":line"
)

// holder starts one who has the lock.
func (f *fleet) holder() *process {
	p := f.start(false)
	p.await("got", 10*time.Second)
	return p
}

// line starts n processes which stand in line one behind the other.
func (f *fleet) line(n int) []*process {
	f.Helper()
	var all []*process
	before := f.do("ZCARD", lineKey).(int64)
	for i := range n {
		all = append(all, f.start(false))
		f.eventually("it stands in line", 10*time.Second, func() bool { return f.do("ZCARD", lineKey) == before+int64(i)+1 })
	}
	return all
}

// exact checks that no two held the lock at once, and that nothing stays behind.
func (f *fleet) exact() {
	f.Helper()
	f.eventually("the key is free and the line is empty", ttl+generous, func() bool {
		return f.do("EXISTS", lockKey, lineKey) == int64(0)
	})
	state, err := redis.Strings(f.do("HMGET", numberKey, "number", "writes"), nil)
	if err != nil || state[0] != state[1] {
		f.Errorf("the number is %s, %v; want what was added", strings.Join(state, " after additions of "), err)
	}
	for name, left := range f.server.Keys(f) {
		if left <= 0 {
			f.Errorf("%s never expires", name)
		}
	}
}
