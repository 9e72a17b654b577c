package conformance

import (
	"testing"
	"testing/synctest"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// FuzzMemory looks for a row of calls in which the memory backend and the model
// of the contract disagree.
func FuzzMemory(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 0, 2, 0})
	f.Add([]byte{0, 0x00, 3, 16, 0, 0x04, 1, 0x00, 2, 0x04})                     // taken over after its end
	f.Add([]byte{0, 0x10, 0, 0x10, 3, 0xff, 1, 0x10, 0, 0x18})                   // asked again, then ended
	f.Add([]byte{0, 0x20, 0, 0x26, 2, 0x26, 2, 0x20, 0, 0x28, 1, 0})             // two keys
	f.Add([]byte{0, 0x20, 4, 0x24, 4, 0x68, 2, 0x20, 2, 0x24, 4, 0x28})          // two in line
	f.Add([]byte{0, 0x00, 4, 0x24, 4, 0x28, 3, 0x20, 4, 0x28, 2, 0x24})          // moved on by the second
	f.Add([]byte{0, 0x20, 4, 0x24, 2, 0x20, 3, 0x20, 4, 0x28, 4, 0x24, 1, 0x24}) // a claim that ends
	f.Fuzz(func(t *testing.T, program []byte) {
		program = program[:min(len(program), 1000)]
		synctest.Test(t, func(t *testing.T) {
			store := memory.New()
			newC(t, Harness{
				Synctest: true,
				Open: func(testing.TB) Store {
					return Store{Connect: func(testing.TB) backend.Backend { return store }}
				},
			}, modelCases[0]).agree(program)
		})
	})
}
