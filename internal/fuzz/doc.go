// Package fuzz holds the fuzz targets that need both Redis adapters, and what such
// targets need in any package: one server and a few clients for the whole process.
// The seeds of a target run as ordinary tests.
package fuzz
