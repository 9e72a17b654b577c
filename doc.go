// Package dislock is a mutex that processes share.
package dislock
