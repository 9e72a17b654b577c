package backend_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		parent, end := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
		ctx, cancel := backend.Bounded(parent, time.Second)
		defer cancel()
		if ctx.Value(key{}) != "value" {
			t.Error("the values of the parent are gone")
		}
		end()
		start := time.Now()
		if at, ok := ctx.Deadline(); !ok || at != start.Add(time.Second) || ctx.Err() != nil {
			t.Errorf("deadline %v %v, error %v after the end of the parent; want a second and nil", at, ok, ctx.Err())
		}
		<-ctx.Done()
		if took := time.Since(start); took != time.Second || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Errorf("ended after %v with %v", took, ctx.Err())
		}
	})
}

func TestBoundedIsCancelled(t *testing.T) {
	for name, early := range map[string]bool{"with a ctx derived before": true, "and after": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := backend.Bounded(context.Background(), time.Second)
				if !early {
					cancel()
				}
				derived, cancelDerived := context.WithCancel(ctx)
				defer cancelDerived()
				cancel()
				<-ctx.Done()
				<-derived.Done()
				time.Sleep(2 * time.Second) // its time comes, and changes nothing
				if !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(derived.Err(), context.Canceled) {
					t.Errorf("errors %v and %v, want context.Canceled", ctx.Err(), derived.Err())
				}
			})
		})
	}
}

// Nobody has asked for Done, so no timer says that it has ended.
func TestBoundedEndsUnwatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := backend.Bounded(context.Background(), time.Second)
		defer cancel()
		time.Sleep(time.Second)
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err at the deadline: %v, want context.DeadlineExceeded", err)
		}
		select {
		case <-ctx.Done():
		default:
			t.Error("Done is open though Err says that it has ended")
		}
		cancel()
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Err after cancel: %v, want it as before", err)
		}
	})
}

func TestEndsAtDeadline(t *testing.T) {
	type key struct{}
	bounded, cancel := backend.Bounded(context.Background(), time.Minute)
	defer cancel()
	cancelable, cancelIt := context.WithCancel(bounded)
	defer cancelIt()
	earlier, cancelEarlier := context.WithTimeout(bounded, time.Second)
	defer cancelEarlier()
	timeout, cancelTimeout := context.WithTimeout(context.Background(), time.Minute)
	defer cancelTimeout()
	for name, tt := range map[string]struct {
		ctx  context.Context
		want bool
	}{
		"bounded":                 {bounded, true},
		"bounded, with a value":   {context.WithValue(bounded, key{}, 1), true},
		"bounded, and cancelable": {cancelable, false},
		"bounded, and earlier":    {earlier, false},
		"any other timeout":       {timeout, false},
		"endless":                 {context.Background(), false},
		"bounded, cut loose":      {context.WithoutCancel(bounded), false},
	} {
		if got := backend.EndsAtDeadline(tt.ctx); got != tt.want {
			t.Errorf("EndsAtDeadline of a ctx that is %s: %v, want %v", name, got, tt.want)
		}
	}
}
