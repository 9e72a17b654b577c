//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

// run needs process groups and signals to keep its promises, so it refuses where there
// are none, rather than keep fewer.
func run(e env, _ []string) int {
	return e.misuse("dislock run does not work on this system; status, watch and break do")
}

func guard(e env, _ []string) int { return run(e, nil) }
