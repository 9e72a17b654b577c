// Package copies does what go vet must flag: it copies a Mutex.
package copies

import "github.com/dislock/dislock"

func copied(mu *dislock.Mutex) {
	other := *mu
	other.Lock()
}

var _ = copied
