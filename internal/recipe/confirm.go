package recipe

import (
	"context"
	"time"

	"github.com/dislock/dislock/backend"
)

// confirmTimeout bounds how long it may take to confirm a grant, and so does a quarter
// of the claim, which is what the first renewal has: replicas that are in time for the
// grant have to be in time for that. If they are not, the waiter asks, and what it gets
// then is a lease of the full ttl.
const confirmTimeout = 3 * time.Second

// confirm tells w of the grant in m when enough replicas have it. What says so is a
// write of our own: the grant was made by somebody else's release, and nobody has
// waited for that. If it can not be confirmed, w is to ask, which confirms it, too.
//
// w may have found its lease by asking meanwhile, or have left. Then there is nobody
// to tell, and the write, should it arrive only now, does nothing that matters.
func (l *listener) confirm(life context.Context, w *waiter, m message, began time.Time) {
	l.mu.Lock()
	key, claim := w.key, w.claim
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(life, min(duration(claim)/4, confirmTimeout))
	defer cancel()
	err := l.recipe.confirm(ctx, key, claim, m)

	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.waiters[m.token] != w || w.told == nil:
	case err != nil:
		backend.Tell(w.told, backend.Grant{})
	default:
		l.tell(w, m, began)
	}
}

// confirm makes sure that replicas have the lease that m tells of.
func (r *Recipe) confirm(ctx context.Context, key string, claim int64, m message) error {
	lock, fence := keys(r.prefix, key)
	reply, err := r.run(ctx, confirm, m.token,
		[]any{evalsha, confirm.hash, 2, lock, fence, m.token, claim, int64(m.fence)}) //nolint:gosec // at most maxFence
	if err != nil {
		return err
	}
	return decodeOwner(confirm, reply)
}
