// Command diagrams draws each *.txt of its folder as an SVG of the same name.
//
//	go run ./docs/diagrams
//
// A diagram is lanes, from the left to the right in time. Each line of its text is one
// thing in it; an empty line and one that begins with # is none. LANE is the letter of
// a lane, whose colour is that of the letter, AT a time.
//
//	title TEXT, caption TEXT
//	time FROM TO EVERY UNIT    the axis, and how often it has a number
//	ttl LENGTH                 of a lease, which fills the height of the store's lane
//	lane LANE TEXT             a process; the store is the lane R
//	wait LANE AT AT TEXT       waits for the lock
//	hold LANE AT AT TEXT       has it, and believes so
//	away LANE AT AT TEXT       something is out of reach or out of order
//	key LANE AT=LEFT … AT      the key on the store, whose it is: at each AT it is made
//	                           to last for LEFT, and at the last one it ends
//	send LANE LANE AT AT TEXT  a message, from when to when
//	fail LANE LANE AT AT TEXT  one that does not arrive
//	mark LANE AT TEXT          a moment that matters
//	note LANE AT TEXT          words under a lane
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := drawAll("docs/diagrams"); err != nil {
		fmt.Fprintln(os.Stderr, "diagrams:", err)
		os.Exit(1)
	}
}

func drawAll(dir string) error {
	texts, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return fmt.Errorf("no texts in %s: run it from the folder of go.mod", dir)
	}
	for _, path := range texts {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		svg, err := draw(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := os.WriteFile(strings.TrimSuffix(path, ".txt")+".svg", []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}
