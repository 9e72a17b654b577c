// Package history records what processes that share locks believed, and when, and
// checks afterwards that no two of them were right to believe what excludes each
// other.
package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// What a record says. Those from [Asked] to [GaveUp] are of the hands that use a
// lock, the others of whoever works against them.
const (
	Asked   = "asked"   // begins to wait for the lock
	Entered = "entered" // has the lock, and Err was nil just after At
	Holds   = "holds"   // still has it: Err was nil just after At
	Trust   = "trust"   // the store has granted or renewed: the lease may be trusted until Until, at the very latest
	Left    = "left"    // unlocked; Err was nil just after At, and Unlock came after that
	Told    = "told"    // was told of a loss, at At
	Refused = "refused" // the resource refused its write, because it had seen a larger fence
	GaveUp  = "gave up" // no longer waits

	Fault  = "fault"  // something was done to Target, from At for For; Text says what
	Forgot = "forgot" // the store forgot what it knew of Key ("": of all), at some moment from At for For
)

// A Record is one line of a history. An instant is in nanoseconds on the machine's
// monotonic clock, which all its processes share.
type Record struct {
	At      int64  // the instant
	What    string // one of the constants above
	Process string `json:",omitempty"` // whose record it is
	Hand    int    `json:",omitempty"` // which goroutine of the process
	Key     string `json:",omitempty"`
	Fence   uint64 `json:",omitempty"`
	Until   int64  `json:",omitempty"` // of [Trust]: an instant
	For     int64  `json:",omitempty"` // of [Fault] and [Forgot]: how long it lasted
	Target  string `json:",omitempty"` // of [Fault]: the process that was hit; "" for the store, and so for all
	Stops   bool   `json:",omitempty"` // of [Fault]: the target did not run meanwhile
	Text    string `json:",omitempty"`
}

// A Log is a file to which one process appends. What was written stays when the
// process is killed: each record is one write to the kernel.
type Log struct {
	mu   sync.Mutex
	file *os.File
}

// Create creates the log of a process in a directory.
func Create(dir, process string) (*Log, error) {
	f, err := os.OpenFile(filepath.Join(dir, process+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Log{file: f}, nil
}

// Add appends a record.
func (l *Log) Add(r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.file.Write(append(line, '\n'))
	return err
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Read returns the records of all logs in a directory, in no particular order.
func Read(dir string) ([]Record, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		records, err := decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, records...)
	}
	return all, nil
}

// decode reads records, the last of which may be torn: its process was killed while
// it wrote.
func decode(r io.Reader) ([]Record, error) {
	var all []Record
	for in := bufio.NewReader(r); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var record Record
		if err := json.Unmarshal(line, &record); err != nil {
			return nil, fmt.Errorf("%w in %q", err, line)
		}
		all = append(all, record)
	}
}
