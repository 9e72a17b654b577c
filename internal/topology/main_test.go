package topology

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
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
	code := m.Run()
	if err := leaked(3 * time.Second); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// leaked returns the goroutines that are left behind, once patience is over. Those of
// go-redis that dial a dead server look once a second whether their pool is closed,
// which is longer than goleak waits by itself.
func leaked(patience time.Duration) error {
	err := goleak.Find()
	for end := time.Now().Add(patience); err != nil && time.Now().Before(end); {
		err = goleak.Find()
	}
	return err
}
