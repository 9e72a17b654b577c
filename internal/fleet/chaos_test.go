//go:build unix

package fleet

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestChaos kills and freezes whoever it hits.
func TestChaos(t *testing.T) {
	eachDriver(t, func(f *fleet) {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		f.Logf("seed %d", seed)
		const size, lasts = 8, 5 * time.Second
		var crew []*process
		var all []*process
		for range size {
			p := f.start(true)
			crew, all = append(crew, p), append(all, p)
		}
		kills, freezes := 0, 0
		thaw := make(map[*process]time.Time)
		for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond) {
			i := random.IntN(size)
			p := crew[i]
			for p, at := range thaw {
				if time.Now().After(at) {
					p.thaw()
					delete(thaw, p)
				}
			}
			switch {
			case random.IntN(3) == 0:
				kills++
				p.kill()
				delete(thaw, p)
				crew[i] = f.start(true)
				all = append(all, crew[i])
			case !p.frozen:
				freezes++
				p.freeze()
				thaw[p] = time.Now().Add(time.Duration(random.IntN(2500)) * time.Millisecond)
			}
		}
		for p := range thaw {
			p.thaw()
		}
		// Whoever lives is served again, at the latest when those have been waited
		// for who were given the lock when they died.
		start := time.Now()
		for _, p := range crew {
			served := false
			for !served {
				select {
				case e, ok := <-p.events:
					if !ok {
						f.Fatalf("%s has ended", p.name)
					}
					served = e.What == "wrote" && e.At.After(start)
					f.judge(p, e)
				case <-time.After(ttl + 2*claim + generous):
					f.Fatalf("%s is not served", p.name)
				}
			}
		}
		f.Logf("%d killed, %d frozen, all served again after %v", kills, freezes, time.Since(start))
		for _, p := range crew {
			p.release()
		}
		wrote := 0
		for _, p := range all {
			select {
			case <-p.gone:
			case <-time.After(ttl + generous):
				f.Errorf("%s does not end", p.name)
				p.kill()
			}
			for e := range p.events {
				f.judge(p, e)
				if e.What == "wrote" {
					wrote++
				}
			}
		}
		f.exact()
		f.Logf("the number is %s, from at least %d additions", f.do("HGET", numberKey, "number"), wrote)
	})
}

// judge fails the test if an event says that two held the lock at once.
func (f *fleet) judge(p *process, e event) {
	f.Helper()
	if e.What == "wrong" {
		f.Errorf("%s: %s", p.name, e.Text)
	}
}
