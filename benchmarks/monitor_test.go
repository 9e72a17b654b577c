package main

import "testing"

func TestRequest(t *testing.T) {
	for line, want := range map[string]bool{
		`+1700000000.123456 [0 127.0.0.1:40000] "evalsha" "abc" "1" "key"`: true,
		`+1700000000.123456 [0 127.0.0.1:40000] "SET" "a ] lua" "x"`:       true,
		`+1700000000.123456 [0 lua] "SET" "key" "x"`:                       false,
		`+1700000000.123456 [0 127.0.0.1:40000] "hello" "3"`:               false,
		`+1700000000.123456 [0 127.0.0.1:40000] "CLIENT" "SETINFO"`:        false,
		`+OK`: false,
	} {
		at, got := request(line)
		if got != want || got && at != 1700000000123456 {
			t.Errorf("%s: %v at %d, want %v", line, got, at, want)
		}
	}
}
