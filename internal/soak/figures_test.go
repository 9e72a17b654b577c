package soak

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// figures are what there is at one moment at which nobody works.
type figures struct {
	elapsed  time.Duration
	sections int64 // so far

	counts
	heap    int // bytes in use
	objects int // they are
	memory  int // bytes that the server uses
}

// counts are those of which it is known how many there may be.
type counts struct {
	goroutines int
	files      int // open; 0 where nobody knows
	clients    int // of the server, the one that asks included
	keys       int
}

// late is how long a look waits for what has been given up and is still on its way out,
// on a machine that is short of processors; and for a key that nobody knows to own,
// which ends after its ttl.
const late = ttl + 2*time.Second

// look counts what there is. As long as that is more than most it looks again: what
// is leaked stays.
func look(t *testing.T, server *redistest.Server, most counts) (f figures) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		f.counts = count(t, server)
		if f.over(most) == "" || time.Since(start) > late {
			break
		}
	}
	f.memory = number(t, server, "memory", "used_memory:")
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // empties the pools of package sync
	runtime.ReadMemStats(&stats)
	f.heap, f.objects = int(stats.HeapAlloc), int(stats.HeapObjects)
	return f
}

func count(t *testing.T, server *redistest.Server) counts {
	t.Helper()
	c := counts{
		clients:    number(t, server, "clients", "connected_clients:"),
		keys:       int(server.Do(t, "DBSIZE").(int64)),
		goroutines: runtime.NumGoroutine(),
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		c.files = len(files) - 1 // the folder itself
	}
	return c
}

// number returns the number behind name in the server's INFO on section.
func number(t *testing.T, server *redistest.Server, section, name string) int {
	t.Helper()
	_, rest, _ := strings.Cut(string(server.Do(t, "INFO", section).([]byte)), "\n"+name)
	digits, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatalf("INFO %s, %s %v", section, name, err)
	}
	return n
}

func (f figures) String() string {
	return fmt.Sprintf("%v: %d sections, %.0f/s; %d goroutines, heap %s in %d objects, %d files; server: %s, %d keys, %d clients",
		f.elapsed.Round(100*time.Millisecond), f.sections, float64(f.sections)/f.elapsed.Seconds(),
		f.goroutines, kib(f.heap), f.objects, f.files, kib(f.memory), f.keys, f.clients)
}

func kib(bytes int) string { return fmt.Sprintf("%d KiB", bytes>>10) }
