STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: test check bench fuzz

# Everything, on real servers that the tests start themselves.
test: deps
	DISLOCK_TEST_SERVERS=required go test -race -count=1 -parallel=16 -timeout=175s ./...

check:
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed:"; gofmt -l .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

# An uncontended Lock and Unlock beside the bare two commands, per driver.
bench: deps
	go test -run='^$$' -bench=. -benchtime=20000x -count=3 ./internal/crossing

# The peers, side by side; see benchmarks/README.md.
.PHONY: peers
peers: deps
	cd benchmarks && go run .

# Checks the protocol of the line in every order of events; see docs/model.
.PHONY: model
model:
	@./scripts/deps spin
	./docs/model/check.sh

# Looks for calls on which the memory backend and the contract disagree.
fuzz:
	go test -run='^$$' -fuzz=FuzzMemory -fuzztime=60s -fuzzminimizetime=1s ./conformance

# What the tests need besides Go: a redis-server, and a C compiler for -race.
.PHONY: deps
deps:
	@./scripts/deps
