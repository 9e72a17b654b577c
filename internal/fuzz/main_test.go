package fuzz_test

import (
	"context"
	"testing"

	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/internal/fuzz"
)

func TestMain(m *testing.M) {
	goredisclient.SetLogger(silent{})
	fuzz.Main(m)
}

// silent keeps go-redis from saying that a server that lies is not to be trusted.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
