package main

import (
	"fmt"
	"strconv"
)

// A kind is how a value is written. Durations are nanoseconds.
type kind string

const (
	rate     kind = "rate"
	duration kind = "duration"
	count    kind = "count"
	share    kind = "share" // of the least to the most
	bytes    kind = "bytes"
)

// missing is written where there is no value.
const missing = "–"

func (k kind) format(v float64) string {
	switch k {
	case rate:
		return thousands(v)
	case duration:
		return formatDuration(v)
	case share:
		return formatShare(v)
	case bytes:
		if v >= 10_000 {
			return fmt.Sprintf("%.1f KiB", v/1024)
		}
		return fmt.Sprintf("%s B", thousands(v))
	default:
		return significant(v)
	}
}

// thousands is a whole number in groups of three digits.
func thousands(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func formatDuration(ns float64) string {
	switch {
	case ns < 999.5e3:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	case ns < 999.5e6:
		return significant(ns/1e6) + " ms"
	default:
		return significant(ns/1e9) + " s"
	}
}

// significant is v with three digits that mean something, or more before the point.
func significant(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return thousands(v)
	}
}

// formatShare is the least in parts of the most, and where that would be nearly
// nothing the other way round.
func formatShare(v float64) string {
	switch {
	case v <= 0:
		return "0 : all"
	case v < 0.1:
		return "1 : " + thousands(1/v)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// formatRatio is how many times as good something is.
func formatRatio(v float64) string {
	switch {
	case v < 0.095:
		return "×" + strconv.FormatFloat(v, 'g', 1, 64)
	case v < 9.995:
		return "×" + strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return "×" + strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return "×" + thousands(v)
	}
}
