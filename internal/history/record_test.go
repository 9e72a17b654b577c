package history

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestRecordsSurvive holds that what several processes wrote, each with several
// hands, is read again as it was.
func TestRecordsSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []Record
	for _, process := range []string{"a", "b"} {
		log, err := Create(dir, process)
		if err != nil {
			t.Fatal(err)
		}
		var hands sync.WaitGroup
		for hand := range 4 {
			var mine []Record
			for i := range 50 {
				mine = append(mine, Record{At: Now(), What: Trust, Process: process, Hand: hand, Key: "k\n\"}",
					Fence: 1<<63 + uint64(i), Until: Now(), For: 7, Target: "b", Text: fmt.Sprint(i)})
			}
			want = append(want, mine...)
			hands.Go(func() {
				for _, r := range mine {
					if err := log.Add(r); err != nil {
						t.Error(err)
					}
				}
			})
		}
		hands.Wait()
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	order := func(a, b Record) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		t.Errorf("%d records are read, and not the %d that were written", len(got), len(want))
	}
}

// TestTornRecord holds that a process that was killed while it wrote loses that
// record alone, wherever it was cut, and that damage elsewhere is not passed over.
func TestTornRecord(t *testing.T) {
	t.Parallel()
	const whole = `{"At":1,"What":"asked","Process":"a"}` + "\n"
	for cut := range whole {
		got, err := decode(strings.NewReader(whole + whole + whole[:cut]))
		if err != nil || len(got) != 2 || got[1] != (Record{At: 1, What: Asked, Process: "a"}) {
			t.Errorf("cut after %d bytes: %v, %v", cut, got, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(whole+whole[:9]+"\n"+whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(dir); err == nil || !strings.Contains(err.Error(), "a.jsonl") {
		t.Errorf("a record that is broken in the middle: %v, %v, want an error that names the file", got, err)
	}
}

// TestLogIsNotShared holds that two processes can not write one log.
func TestLogIsNotShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := Create(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if again, err := Create(dir, "a"); err == nil {
		again.Close()
		t.Error("the log of one process was created twice")
	}
}
