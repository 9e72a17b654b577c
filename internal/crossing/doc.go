// Package crossing holds the tests that need both Redis adapters.
package crossing
