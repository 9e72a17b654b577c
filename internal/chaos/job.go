package chaos

import (
	"encoding/json"
	"os"
	"time"
)

// A Job is what a worker is to do.
type Job struct {
	Name     string // of the process, in its history and as its owner label
	Driver   string // redigo or goredis
	Addr     string // of the server that keeps the locks
	Resource string // of the server that keeps what they guard
	Dir      string // where its history goes
	Keys     []string
	Hands    int           // how many goroutines lock and unlock at a time
	TTL      time.Duration // of the locks
	Claim    time.Duration // that goes with it
	Pause    time.Duration // between two sections of a hand, on average; a section takes about half of it
	Long     int           // one section in so many is long, and needs renewals:
	LongFor  time.Duration // at most
}

// Stalled is the text of a fault that nobody did on purpose: for a while the machine
// did not let a process run, or the server.
const Stalled = "stalled"

// Stall is from when on it counts as that.
const Stall = 200 * time.Millisecond

// jobVariable is where the job is handed to the worker.
const jobVariable = "DISLOCK_CHAOS_JOB"

// Env returns the environment of a worker with this job.
func (j Job) Env() []string {
	text, err := json.Marshal(j)
	if err != nil {
		panic(err) // there is nothing in it that can not be written
	}
	return append(os.Environ(), jobVariable+"="+string(text))
}

// JobFromEnv returns the job of this process.
func JobFromEnv() (j Job, err error) {
	err = json.Unmarshal([]byte(os.Getenv(jobVariable)), &j)
	return j, err
}
