package topology

import (
	"flag"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"

	"github.com/dislock/dislock/internal/redistest"
)

const (
	ttl   = 2 * time.Second
	claim = time.Second

	// generous is what a busy machine may take beyond a bound.
	generous = 2 * time.Second
)

// failovers is how many of them [TestHowOften] makes for each of its rows.
var failovers = flag.Int("failovers", 2, "how many failovers to measure per lag")

var discard = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) {
	flag.Parse()
	logging.Disable() // go-redis tells of each connection that it can not make
	// Those of go-redis that dial a dead server look once a second whether their pool is
	// closed.
	redistest.RunWithoutLeaks(m, 3*time.Second)
}
