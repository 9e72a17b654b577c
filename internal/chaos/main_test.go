//go:build unix

package chaos

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	flagFor    = flag.Duration("for", 20*time.Second, "for how long faults are drawn")
	flagDriver = flag.String("driver", "mixed", "redigo, goredis or mixed")
	flagSeed   = flag.Uint64("seed", 0, "from which the faults are drawn; 0: a new one")
	flagKeep   = flag.String("keep", "", "where to leave the history: a directory that does not exist")
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// buildWorker builds the worker and returns its path. With an overlay, some of the
// library's files are replaced, as in go build -overlay.
func buildWorker(t *testing.T, overlay string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "worker")
	args := []string{"build", "-o", path}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, "./worker")...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(fmt.Errorf("building the worker: %w", err))
	}
	return path
}
