package dislock_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
)

func TestNewPanicsOnWhatCanNotBeRight(t *testing.T) {
	store := memory.New()
	for _, tt := range []struct {
		name    string
		backend backend.Backend
		key     string
		opts    []dislock.Option
		want    string // in the panic: what is wrong, and the value
	}{
		{"nil backend", nil, "jobs", nil, `the backend for key "jobs" is nil`},
		{"empty key", store, "", nil, "the key is empty"},
		{"ttl of 0", store, "jobs", []dislock.Option{dislock.WithTTL(0)}, "ttl 0s is below the minimum of 100ms"},
		{"negative ttl", store, "jobs", []dislock.Option{dislock.WithTTL(-time.Second)}, "ttl -1s is below"},
		{"ttl under the minimum", store, "jobs", []dislock.Option{dislock.WithTTL(dislock.MinTTL - 1)}, "ttl 99.999999ms is below"},
		{"renewal at the ttl", store, "jobs", []dislock.Option{dislock.WithTTL(time.Second), dislock.WithRenewEvery(time.Second)},
			"renewal interval 1s is not below the ttl 1s"},
		{"renewal above the default ttl", store, "jobs", []dislock.Option{dislock.WithRenewEvery(time.Minute)},
			"renewal interval 1m0s is not below the ttl 30s"},
		{"renewal within the margin", store, "jobs", []dislock.Option{dislock.WithTTL(time.Second), dislock.WithRenewEvery(990 * time.Millisecond)},
			"less its safety margin of 12ms"},
		{"renewal of 0", store, "jobs", []dislock.Option{dislock.WithRenewEvery(0)}, "renewal interval 0s"},
		{"negative renewal", store, "jobs", []dislock.Option{dislock.WithRenewEvery(-1)}, "renewal interval -1ns"},
		{"maximum hold of 0", store, "jobs", []dislock.Option{dislock.WithMaxHold(0)}, "maximum hold 0s"},
		{"negative maximum hold", store, "jobs", []dislock.Option{dislock.WithMaxHold(-time.Hour)}, "maximum hold -1h0m0s"},
		{"backoff of 0", store, "jobs", []dislock.Option{dislock.WithBackoff(0, time.Second)}, "backoff from 0s to 1s"},
		{"backoff upside down", store, "jobs", []dislock.Option{dislock.WithBackoff(2, 1)}, "backoff from 2ns to 1ns"},
		{"endless owner", store, "jobs", []dislock.Option{dislock.WithOwner(strings.Repeat("o", 256))}, "owner label of 256 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) || !strings.HasPrefix(got, "dislock: ") {
					t.Errorf("New panicked with %q, want it to say %q", got, tt.want)
				}
			}()
			dislock.New(tt.backend, tt.key, tt.opts...)
		})
	}
}

func TestNewAcceptsTheLimits(t *testing.T) {
	store := memory.New()
	dislock.New(store, "k", dislock.WithTTL(dislock.MinTTL))
	dislock.New(store, "k", dislock.WithTTL(time.Second), dislock.WithRenewEvery(987*time.Millisecond))
	dislock.New(store, "k", dislock.WithTTL(dislock.MinTTL), dislock.WithRenewEvery(time.Hour), dislock.WithoutRenewal())
	dislock.New(store, "\x00\xff", dislock.WithOwner(""))
}
