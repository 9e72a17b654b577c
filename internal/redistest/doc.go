// Package redistest gives tests real Redis servers, each on its own port and in
// its own directory, and a proxy in front of them that fails on command.
//
// It needs a redis-server in the PATH; 7.0 is known to do. Where there is none, the
// tests are skipped, unless the environment says DISLOCK_TEST_SERVERS=required:
// then they fail, so that a run that has to prove something cannot pass empty.
//
// What Start and its siblings begin ends with the test: the processes are dead
// and reaped, the goroutines joined, the directories gone. If the test binary
// itself dies, without a chance to clean up, its servers die with it.
package redistest
