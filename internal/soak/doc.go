// Package soak holds the test that locks and unlocks for as long as it is told, and
// looks again and again whether anything has become more: goroutines, memory, files,
// what the server keeps.
package soak
