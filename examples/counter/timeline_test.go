package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTimeline(t *testing.T) {
	t.Parallel()
	h, _ := record(3,
		event{What: entered, Worker: 1, At: at(0), Fence: 1},
		event{What: left, Worker: 1, At: at(25)},
		event{What: entered, Worker: 2, At: at(50), Fence: 2},
		event{What: killed, Worker: 2, At: at(200)},
		event{What: entered, Worker: 3, At: at(400), Fence: 3},
		event{What: left, Worker: 3, At: at(490)},
		event{What: entered, Worker: 1, At: at(490), Fence: 4},
		event{What: left, Worker: 1, At: at(550)},
	)
	// 55 cells of 10 ms.
	want := strings.Split(strings.Trim(`
  Who held the lock, and when                                 holds  last fence
   1 ██▌··············································██████      2           4
   2 ·····███████████████×░░░░░░░░░░░░░░░░░░░···············      1           2
   3 ········································█████████······      1           3
     ┴─────────┴─────────┴─────────┴─────────┴─────────┴────
     0s        0.1s      0.2s      0.3s      0.4s      0.5s
     × killed    ░ the lock waits for the lease to run out
`, "\n"), "\n")
	got := h.timeline(&screen{})
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	for _, line := range got {
		if n := utf8.RuneCountInString(line); n > columns {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if painted := strings.Join(h.timeline(&screen{colour: true}), ""); !strings.Contains(painted, "\x1b[1;31m×\x1b[0m") {
		t.Errorf("no red cross in %q", painted)
	}
}

// Two that held the lock at once would be seen above each other.
func TestTimelineHidesNothing(t *testing.T) {
	t.Parallel()
	h, _ := record(2,
		event{What: entered, Worker: 1, At: at(0), Fence: 1},
		event{What: entered, Worker: 2, At: at(100), Fence: 2},
		event{What: left, Worker: 1, At: at(300)},
		event{What: left, Worker: 2, At: at(550)},
	)
	rows := rowsOf(t, strings.Join(h.timeline(&screen{}), "\n"))
	for cell := 10; cell < 30; cell++ {
		if rows[0].cells[cell] != '█' || rows[1].cells[cell] != '█' {
			t.Errorf("cell %d shows %c above %c, want two blocks", cell, rows[0].cells[cell], rows[1].cells[cell])
		}
	}
}
