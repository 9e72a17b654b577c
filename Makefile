STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What needs more than the library does is a module of its own.
MODULES = examples/fence metrics/prometheus metrics/otel

.PHONY: test check bench fuzz

# Everything, on real servers that the tests start themselves. Most of it sleeps, so three
# packages share two cores.
test: deps
	DISLOCK_TEST_SERVERS=required go test -race -count=1 -p=3 -parallel=16 -timeout=175s ./...
	for d in $(MODULES); do (cd $$d && DISLOCK_TEST_SERVERS=required go test -race -count=1 -parallel=16 -timeout=60s ./...) || exit 1; done

# Real processes against real servers, while faults are drawn at random: how long,
# of which driver (redigo, goredis or mixed), and which draw (0: a new one).
.PHONY: chaos
DRIVER = mixed
SEED = 0
chaos: deps
	DISLOCK_TEST_SERVERS=required go test -v -count=1 -timeout=0 -run='^TestChaos$$' ./internal/chaos \
		-args -for=$(or $(FOR),30s) -driver=$(DRIVER) -seed=$(SEED)

# 200 goroutines over 50 keys, and what they leave behind.
.PHONY: soak
soak: deps
	DISLOCK_TEST_SERVERS=required go test -v -count=1 -timeout=0 -run='^TestSoak$$' ./internal/soak \
		-args -for=$(or $(FOR),30m)

check:
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed:"; gofmt -l .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	for d in $(MODULES); do (cd $$d && go vet ./... && go run $(STATICCHECK) ./...) || exit 1; done

# An uncontended Lock and Unlock beside the bare two commands, per driver.
bench: deps
	go test -run='^$$' -bench=. -benchtime=20000x -count=3 ./internal/crossing

# The peers, side by side; see benchmarks/README.md.
.PHONY: peers
peers: deps
	cd benchmarks && go run .

# Asks every query of the dashboard, and every alert, of the running example, by
# Prometheus' own engine; the first time that takes some minutes to build.
.PHONY: dashboard
dashboard: deps
	cd examples/dashboard && go vet ./... && DISLOCK_TEST_SERVERS=required go test -race -count=1 -parallel=16 -timeout=60s ./...

# Does what README.md and the guides say, command by command.
.PHONY: docs
docs: deps
	./scripts/docs $(DOCS)

# Draws docs/diagrams from their texts.
.PHONY: diagrams
diagrams:
	go run ./docs/diagrams

# Checks the protocol of the line in every order of events; see docs/model.
.PHONY: model
model:
	@./scripts/deps spin
	./docs/model/check.sh

# Looks for inputs that break a promise: every fuzz target, one after the other, each
# for the time given.
fuzz: deps
	DISLOCK_TEST_SERVERS=required ./scripts/fuzz $(or $(FOR),60s)

# What the tests need besides Go: a redis-server, and a C compiler for -race.
.PHONY: deps
deps:
	@./scripts/deps
