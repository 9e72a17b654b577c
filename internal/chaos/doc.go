// Package chaos has processes share locks while their world breaks: they are killed
// and frozen, their connections cut, delayed and silenced, their server stopped,
// restarted and emptied. Afterwards package history checks what each of them believed.
//
//	go test -v -run TestChaos ./internal/chaos -args -for=10m -driver=redigo -seed=1
//
// What is in this package besides the tests is what the worker, the program in the
// folder below, has in common with them.
package chaos
