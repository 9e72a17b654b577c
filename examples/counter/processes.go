package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"
)

// workerVariable makes this program a worker process instead of the show.
const workerVariable = "DISLOCK_COUNTER_WORKER"

// patience is how long a worker process has to end by itself.
const patience = 5 * time.Second

// A job is what a worker process reads from its standard input, which stays open
// for as long as the parent lives. The URL with its password is not among the
// arguments or in the environment, where others could see it.
type job struct {
	Worker   int
	Key      string
	Locked   bool
	Settings settings
}

// processes is a crew of processes that run this same program.
func processes(s settings, key string) crew {
	return func(ctx context.Context, locked bool, events chan<- event) {
		var wg sync.WaitGroup
		for id := 1; id <= s.Workers; id++ {
			wg.Go(func() {
				last := runProcess(ctx, job{Worker: id, Key: key, Locked: locked, Settings: s}, events)
				if last != nil && ctx.Err() == nil {
					events <- *last
				}
			})
		}
		wg.Wait()
	}
}

// runProcess runs one worker process to its end and passes on what it tells. It
// returns what is to be told about the end, if the worker could not do that.
func runProcess(ctx context.Context, j job, events chan<- event) *event {
	end := func(w what, text string) *event {
		return &event{What: w, Worker: j.Worker, At: time.Now(), Text: text}
	}
	self, err := os.Executable()
	if err != nil {
		return end(failed, err.Error())
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), workerVariable+"=1")
	cmd.Stderr = os.Stderr // only a panic would write there
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return end(failed, err.Error())
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return end(failed, err.Error())
	}
	// The end of its standard input asks a worker to unlock and end. Only if it
	// does not is it killed.
	cmd.Cancel = stdin.Close
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return end(failed, err.Error())
	}
	events <- event{What: started, Worker: j.Worker, At: time.Now(), PID: cmd.Process.Pid}

	// If this fails the worker is dead, which is noticed below in any case.
	_ = json.NewEncoder(stdin).Encode(j)
	hadItsSay := false
	reports := json.NewDecoder(stdout)
	for {
		var e event
		// A worker that is killed while it writes leaves half a line behind.
		if reports.Decode(&e) != nil {
			break
		}
		hadItsSay = e.What == failed
		events <- e
	}
	last := end(killed, "")
	err = cmd.Wait()
	switch {
	case err == nil || hadItsSay:
		return nil
	case cmd.ProcessState.Exited():
		return end(failed, err.Error())
	default:
		return last
	}
}

// runWorkerProcess is main for a worker process.
func runWorkerProcess() int {
	// Ctrl-C reaches all processes of a terminal. The parent decides what it means.
	signal.Ignore(os.Interrupt)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stdin := json.NewDecoder(os.Stdin)
	var j job
	if err := stdin.Decode(&j); err != nil {
		return exitUsage
	}
	go func() {
		// Nothing more will come: what this waits for is the end of the parent.
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()

	reports := json.NewEncoder(os.Stdout)
	tell := func(e event) {
		if reports.Encode(e) != nil {
			cancel() // nobody listens any more
		}
	}
	if err := j.do(ctx, tell); err != nil && ctx.Err() == nil {
		tell(event{What: failed, Worker: j.Worker, At: time.Now(), Text: oneLine(err)})
		return exitWrong
	}
	return exitOK
}

func (j job) do(ctx context.Context, tell func(event)) error {
	s := j.Settings
	server, err := openServer(s.Redis, s.driverOf(j.Worker))
	if err != nil {
		return err
	}
	defer server.close()
	w := &worker{
		id:     j.Worker,
		count:  s.Count,
		pause:  s.Pause,
		number: &redisNumber{server: server, key: j.Key, workers: s.Workers},
		mu:     newMutex(server.store, j.Key, label(j.Worker), s.TTL),
		tell:   tell,
	}
	return w.run(ctx, j.Locked)
}
