package conformance

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/internal/fuzz"
)

func TestMain(m *testing.M) { fuzz.Main(m) }

// programs are those that every backend starts from.
var programs = [][]byte{
	random(1), random(2), random(3), random(4),
	{0, 0, 0, 1, 1, 0, 2, 0},
	{0, 0x00, 3, 16, 0, 0x04, 1, 0x00, 2, 0x04},                     // taken over after its end
	{0, 0x10, 0, 0x10, 3, 0xff, 1, 0x10, 0, 0x18},                   // asked again, then ended
	{0, 0x20, 0, 0x26, 2, 0x26, 2, 0x20, 0, 0x28, 1, 0},             // two keys
	{0, 0x20, 4, 0x24, 4, 0x28, 2, 0x20, 2, 0x24, 4, 0x28},          // two in line
	{0, 0x00, 4, 0x24, 4, 0x28, 3, 0x20, 4, 0x28, 2, 0x24},          // moved on by the second
	{0, 0x24, 4, 0x20, 2, 0x24, 3, 0x20, 4, 0x28, 4, 0x24, 1, 0x20}, // a claim that ends
	{0, 0x20, 4, 0x24, 3, 0xff, 1, 0xc0, 2, 0xc4},                   // a stranger's token
	{0, 0x10, 3, 0x48, 0, 0x14, 4, 0x28, 1, 0x00, 0, 0x14},          // refused after half its time
	{0, 0x00, 4, 0x24, 4, 0x28, 3, 0x20, 2, 0x24, 2, 0x28, 4, 0x20}, // moved on by one who leaves
	{0, 0x02, 4, 0x26, 0, 0x20, 4, 0x24, 2, 0x02, 2, 0x20, 3, 0xff}, // two lines
	{0, 0x00, 4, 0x24, 3, 0x20, 0, 0x01, 4, 0x24, 4, 0x28, 2, 0x00}, // taken past the line
	{0, 0x20, 4, 0x24, 4, 0x24, 0, 0x25, 2, 0x21, 0, 0x25, 2, 0x24}, // finds its lease when it asks
}

// random returns a program that is long enough for lines to form and to dissolve.
func random(seed uint64) []byte {
	code := make([]byte, 200)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range code {
		code[i] = byte(r.Uint32())
	}
	return code
}

// FuzzMemory looks for a program on which the memory backend and the model of the
// contract disagree.
func FuzzMemory(f *testing.F) {
	for _, code := range programs {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		w := bubble
		w.knows = true
		synctest.Test(t, func(t *testing.T) {
			store := memory.New()
			newC(t, Harness{Open: func(testing.TB) Store {
				return Store{Connect: func(testing.TB) backend.Backend { return store }}
			}}, modelCases[0]).agree(code[:min(len(code), 1000)], w)
		})
	})
}

// FuzzRedigo is FuzzMemory on a server.
func FuzzRedigo(f *testing.F) { fuzzServer(f, fuzz.Redigo) }

// FuzzGoRedis is FuzzMemory on a server.
func FuzzGoRedis(f *testing.F) { fuzzServer(f, fuzz.GoRedis) }

func fuzzServer(f *testing.F, client func(addr string, inline bool) fuzz.Client) {
	for _, code := range programs {
		f.Add(code)
	}
	var r *rig // the process's, once there is an input
	f.Fuzz(func(t *testing.T, code []byte) {
		if r == nil {
			r = newRig(t, client)
		}
		r.run(t, code[:min(len(code), 200)])
	})
}
