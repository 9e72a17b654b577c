// Package fleet holds the tests in which processes share a lock, and are killed or
// frozen while they hold it or wait for it.
package fleet
