module github.com/dislock/dislock/examples/fence

go 1.26.0

replace github.com/dislock/dislock => ../../

require (
	github.com/dislock/dislock v0.0.0-00010101000000-000000000000
	github.com/gomodule/redigo v1.9.3
	github.com/ncruces/go-sqlite3 v0.37.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/ncruces/go-sqlite3-wasm/v6 v6.5.35401 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
