package main

import "testing"

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		kind kind
		of   float64
		want string
	}{
		{rate, 0, "0"}, {rate, 999.4, "999"}, {rate, 1234567, "1,234,567"}, {rate, 100000, "100,000"},
		{duration, 47_300, "47 µs"}, {duration, 330_000, "330 µs"}, {duration, 2.5e6, "2.50 ms"}, {duration, 118e6, "118 ms"}, {duration, 1.5e9, "1.50 s"},
		{count, 2.004, "2.00"}, {count, 28.66, "28.7"}, {count, 1234, "1,234"},
		{share, 0.974, "0.97"}, {share, 1.0 / 753, "1 : 753"}, {share, 0, "0 : all"},
		{bytes, 932, "932 B"}, {bytes, 4309, "4,309 B"}, {bytes, 20480, "20.0 KiB"},
	} {
		if got := c.kind.format(c.of); got != c.want {
			t.Errorf("%s %v is written %q, want %q", c.kind, c.of, got, c.want)
		}
	}
	for of, want := range map[float64]string{0.004: "×0.004", 0.5: "×0.50", 1.236: "×1.24", 12.34: "×12.3", 753.2: "×753"} {
		if got := formatRatio(of); got != want {
			t.Errorf("ratio %v is written %q, want %q", of, got, want)
		}
	}
}
