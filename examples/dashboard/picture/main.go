// Command picture draws dashboard.json without Grafana: it scrapes the metrics of a
// running program for a while, has the queries of all panels answered by Prometheus'
// own engine, and writes the panels as an SVG. It is for a page in the docs, and for a
// look where there is no Grafana at hand.
//
//	go run ./picture -for 5m -o dashboard.svg http://127.0.0.1:9464/metrics
//
// Places, titles, units, logarithmic scales and legends are those of the dashboard.
// The rest of what Grafana does is not done.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/dislock/dislock/examples/dashboard/history"
)

func main() {
	file := flag.String("dashboard", "dashboard.json", "the dashboard as `file`")
	out := flag.String("o", "dashboard.svg", "the picture as `file`")
	length := flag.Duration("for", 5*time.Minute, "how long to scrape")
	every := flag.Duration("every", 5*time.Second, "time between two scrapes")
	flag.Parse()
	if flag.NArg() != 1 || *every <= 0 || *length < 2**every {
		fmt.Fprintln(os.Stderr, "picture: give the address of the metrics, and more time than that between two scrapes; -h shows the flags")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), *file, *out, *length, *every); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, file, out string, length, every time.Duration) error {
	board, err := history.ReadBoard(file)
	if err != nil {
		return err
	}
	h := history.New()
	defer h.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	began := time.Now()
	for time.Since(began) < length {
		if err := h.Scrape(ctx, url, "dislock", "example"); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	svg, err := draw(ctx, h, board, shown{began.Add(4 * every), time.Now(), every})
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(svg), 0o644)
}
