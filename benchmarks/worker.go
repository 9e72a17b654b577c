package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// An order is what the benchmark asks a worker process to do. One field besides
// Key is set.
type order struct {
	Key    string
	Open   *openOrder
	Laps   *lapsOrder
	Loop   *loopOrder
	Lock   *lockOrder
	Unlock *unlockOrder
	Hold   *holdOrder
}

// openOrder is the first order.
type openOrder struct {
	Contender, Addr string
	TTL             time.Duration
}

// A reply is the answer to one order, and to the order that it answers belongs
// the field that is set.
type reply struct {
	Err   string
	Began int64 // when Lock was called
	At    int64 // when Lock had returned, or when Unlock was called
	Laps  *lapsResult
	Loop  *loopResult
	Hold  *holdResult
}

// A worker is one process that wants locks.
type worker struct {
	client client
	slots  map[string]*slot // by key
}

// work carries out the orders that in has, until it ends. Then the process ends
// whatever it is doing: nobody is left to be told.
func work(in io.Reader, out io.Writer) (code int) {
	orders := make(chan order)
	go func() {
		d := json.NewDecoder(in)
		for {
			var o order
			if err := d.Decode(&o); err != nil {
				os.Exit(0)
			}
			orders <- o
		}
	}()
	w := &worker{slots: map[string]*slot{}}
	e := json.NewEncoder(out)
	for o := range orders {
		r, err := w.do(o)
		if err != nil {
			r.Err = err.Error()
		}
		if err := e.Encode(r); err != nil {
			return 1
		}
	}
	return 0
}

func (w *worker) do(o order) (r reply, err error) {
	switch {
	case o.Open != nil:
		return reply{}, w.open(*o.Open)
	case w.client == nil:
		return reply{}, errors.New("not open")
	case o.Laps != nil:
		r.Laps, err = laps(w.slot(o.Key), *o.Laps)
	case o.Loop != nil:
		r.Loop, err = loop(w.client, o.Key, *o.Loop)
	case o.Lock != nil:
		r.Began, r.At, err = o.Lock.do(w.slot(o.Key))
	case o.Unlock != nil:
		r.At, err = o.Unlock.do(w.slot(o.Key))
	case o.Hold != nil:
		r.Hold, err = hold(w.client, o.Key, *o.Hold)
	}
	return r, err
}

// open makes the client and uses it once, so that connections are made and
// scripts loaded before anything is measured.
func (w *worker) open(o openOrder) error {
	c, ok := findContender(o.Contender)
	if !ok {
		return fmt.Errorf("no contender %q", o.Contender)
	}
	client, err := c.open(o.Addr, o.TTL)
	if err != nil {
		return err
	}
	w.client = client
	ctx, cancel := until(now() + int64(openTimeout))
	defer cancel()
	l := client.locks(fmt.Sprint("warm up ", os.Getpid()), 1)[0]
	for range 5 {
		if err := l.Lock(ctx); err != nil {
			return err
		}
		if err := l.Unlock(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openTimeout bounds how long a client may take to lock for the first time.
const openTimeout = 5 * time.Second

// slot is where this process keeps the lock of key.
func (w *worker) slot(key string) *slot {
	s := w.slots[key]
	if s == nil {
		s = &slot{lock: w.client.locks(key, 1)[0]}
		w.slots[key] = s
	}
	return s
}
