// Package topology tests locks on a Redis that changes under them: that fails over,
// by itself or by hand, or moves a slot to another node. It has no code but tests.
//
// How often a failover grants a lock twice is measured by
//
//	go test -run TestHowOften -timeout 0 ./internal/topology -v -args -failovers=200
package topology
