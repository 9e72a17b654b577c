package backend

import (
	"crypto/rand"
	"strings"
)

// A token is the owner's label, a colon, and the secret that makes it unique:
// what rand.Text returns, 26 characters of base32 with at least 128 random bits.
const (
	secretLen      = 26
	secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// NewToken returns a token that nobody else has, with owner as its readable
// label. The label may be any bytes: it stands in front and is only ever read
// from there, so it can not make one token look like another.
func NewToken(owner string) string {
	return owner + ":" + rand.Text()
}

// Owner returns the readable label of a token that [NewToken] made, and "" for
// any other: a foreign token has no part that is safe to show.
func Owner(token string) string {
	n := len(token) - secretLen - 1
	if n < 0 || token[n] != ':' || strings.Trim(token[n+1:], secretAlphabet) != "" {
		return ""
	}
	return token[:n]
}
