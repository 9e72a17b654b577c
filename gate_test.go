package dislock

import (
	"context"
	"errors"
	"testing"
)

// turnWhileDone is a ctx that has ended, and the turn comes at that very moment.
type turnWhileDone struct {
	context.Context
	gate *gate
	done chan struct{} // nil: the end is not seen in time, only by Err
}

func (c turnWhileDone) Done() <-chan struct{} {
	c.gate.leave(nil)
	return c.done
}

func (c turnWhileDone) Err() error { return context.Canceled }

// The turn and the end of ctx come together, and select takes either: nobody may
// come through, and the gate must be open for the next.
func TestGateWhenTurnAndEndCross(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	for name, done := range map[string]chan struct{}{"both ready": closed, "turn first": nil} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				g := new(gate)
				g.tryEnter()
				if _, err := g.enter(turnWhileDone{context.Background(), g, done}); !errors.Is(err, context.Canceled) {
					t.Fatalf("enter with a ctx that has ended: %v, want context.Canceled", err)
				}
				if !g.tryEnter() {
					t.Fatal("the turn was lost")
				}
			}
		})
	}
}

func TestGateForgetsWhoGaveUp(t *testing.T) {
	g := new(gate)
	g.tryEnter()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("enter with a ctx that has ended: %v, want context.Canceled", err)
	}
	if n := g.waiters.Len(); n != 0 {
		t.Errorf("%d waiters are in line, want none", n)
	}
}
