package memory_test

import (
	"testing"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/conformance"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Harness{
		Open: func(testing.TB) conformance.Store {
			store := memory.New()
			return conformance.Store{
				Connect: func(testing.TB) backend.Backend { return store },
				Wipe:    func(testing.TB) { store.Flush() },
			}
		},
		InProcess: true,
		Line:      true,
		Synctest:  true,
	})
}
