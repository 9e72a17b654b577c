// Package security holds the tests of what must stay secret, and of who gets in:
// tokens, TLS, passwords.
package security
