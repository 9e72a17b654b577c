package main

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A witness is a page of memory that the processes of one turn share, and that
// has nothing to do with Redis. Whoever holds the lock enters it.
type witness struct {
	page   []byte
	inside *int32 // how many hold the lock right now
	sum    *int64 // counted in two steps, for which the lock has to keep others out
	late   *int64 // when somebody entered last after the end of the turn
}

func createWitness(path string) error {
	return os.WriteFile(path, make([]byte, os.Getpagesize()), 0o600)
}

func openWitness(path string) (*witness, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	// The numbers are on cache lines of their own.
	at := func(i int) unsafe.Pointer { return unsafe.Pointer(&page[i]) }
	return &witness{page, (*int32)(at(0)), (*int64)(at(128)), (*int64)(at(256))}, nil
}

// enter says whether somebody was inside already, who was then let in wrongly, or is.
func (w *witness) enter() (overlap bool) {
	overlap = atomic.AddInt32(w.inside, 1) != 1
	atomic.StoreInt64(w.sum, atomic.LoadInt64(w.sum)+1)
	return overlap
}

func (w *witness) leave() { atomic.AddInt32(w.inside, -1) }

// counted is how many have entered, as far as they kept out of each other's way.
func (w *witness) counted() int64 { return atomic.LoadInt64(w.sum) }

// isLate remembers that somebody entered after the end of the turn.
func (w *witness) isLate(held int64) { atomic.StoreInt64(w.late, held) }

// latest is when somebody last did.
func (w *witness) latest() int64 { return atomic.LoadInt64(w.late) }

func (w *witness) close() { _ = unix.Munmap(w.page) }
