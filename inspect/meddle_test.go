package inspect_test

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// meddle has fn called once, before client sends the named command for the first
// time, alone or with others. It returns whether it was.
func meddle(client *redis.Client, name string, fn func()) *atomic.Bool {
	m := &meddler{name: name, fn: fn}
	client.AddHook(m)
	return &m.met
}

type meddler struct {
	name string
	fn   func()
	met  atomic.Bool
}

func (m *meddler) before(cmds ...redis.Cmder) {
	for _, cmd := range cmds {
		if cmd.Name() == m.name && !m.met.Swap(true) {
			m.fn()
		}
	}
}

func (m *meddler) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *meddler) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { m.before(cmd); return next(ctx, cmd) }
}

func (m *meddler) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { m.before(cmds...); return next(ctx, cmds) }
}
