package soak

import (
	"flag"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dislock/dislock/internal/redistest"
)

var lasts = flag.Duration("for", 800*time.Millisecond, "for how long TestSoak runs")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSoak holds that nothing grows with use: 200 goroutines lock and unlock 50 keys
// in all ways, through both drivers, and are disturbed now and then. Each minute, or
// each tenth of a shorter time, they stand still while what there is gets counted.
//
// It is no proof of exclusion, for which the faults are too gentle; but it has a
// witness of it at each key.
func TestSoak(t *testing.T) {
	every := min(max(*lasts/10, 400*time.Millisecond), time.Minute)
	server := redistest.Start(t)
	server.CheckBounded(t)
	before := look(t, server, most)
	c := start(t, server.Addr())

	var looks []figures
	for from := time.Now(); len(looks) < 2 || time.Since(from) < *lasts; {
		disturb(t, server, every)
		c.pause(min(every/10, settled), func() {
			c.fill(t)
			f := look(t, server, before.withCrew())
			f.elapsed, f.sections = time.Since(from), c.entered.Load()
			looks = append(looks, f)
			t.Log(f)
		})
	}
	checkGrowth(t, before, looks)
	c.end()
	checkAtRest(t, server, before)
	c.checkVariety(t)
	t.Log(summary(looks), c)
}

// disturb passes the time, and has the server forget its scripts after the first
// third of it and cut all connections after the second. So each look comes as long
// after that as the one before.
func disturb(t *testing.T, server *redistest.Server, d time.Duration) {
	time.Sleep(d / 3)
	server.Do(t, "SCRIPT", "FLUSH")
	time.Sleep(d / 3)
	server.Do(t, "CLIENT", "KILL", "TYPE", "normal")
	server.Do(t, "CLIENT", "KILL", "TYPE", "pubsub")
	time.Sleep(d / 3)
}
