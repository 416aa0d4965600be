# Everything one types while working on ART for Go. `make` lists the targets: a target with a ## remark is shown.
#
# Go 1.26, git and make suffice. Two targets want more and say so: test-race needs a C compiler, as the race detector
# does, and test-arm64 needs qemu-user on other machines. Tools are built at the versions of tools/go.mod.
#
#   make test PKG=./record ARGS='-run TestCodec'     one package, with flags of go test
#   make bench PKG=./internal/kernel COUNT=10        ten samples for benchstat

GO ?= go
# Packages to work on; empty means all, for tests those of gotestsum.json. For fuzz and golden name a folder.
PKG ?=
# Further flags for go test.
ARGS ?=
# Time for each fuzz target.
FUZZTIME ?= 20s
# Samples of each benchmark; benchstat wants six or more.
COUNT ?= 6

TOOL      := $(GO) tool -modfile=tools/go.mod
GOTESTSUM := $(GO) run ./internal/gotestsum
# Folders with a go.mod of their own.
MODULES   := . tools internal/kernel/gen internal/peers/stock
# Packages with code for one kind of processor.
NATIVE    := ./internal/kernel $(if $(wildcard nn/*.go),./nn)

.DEFAULT_GOAL := help
.PHONY: help quickstart test test-race test-long test-arm64 lint vet tidy-check check bench bench-peers fuzz golden clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

quickstart: ## run a whole recipe on Fisher's iris
	$(GO) test ./examples_test -run TestIris -v

test: ## run the short tests; JUnit and JSON land in reports/
	$(GOTESTSUM) -- $(PKG) $(ARGS)

test-race: ## run the short tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GOTESTSUM) -profile race -- $(PKG) $(ARGS)

test-long: ## run all tests, with the trainings that take minutes
	$(GOTESTSUM) -profile long -- $(PKG) $(ARGS)

test-arm64: QEMU = $(if $(filter arm64,$(shell $(GO) env GOHOSTARCH)),,$(or $(shell command -v qemu-aarch64 || command -v qemu-aarch64-static),$(error test-arm64 needs qemu-aarch64; install the package qemu-user)))
test-arm64: ## run the numeric packages as arm64 code (needs qemu-user on other machines)
	GOARCH=arm64 CGO_ENABLED=0 $(GO) test -short $(if $(QEMU),-exec $(QEMU)) $(or $(PKG),$(NATIVE)) $(ARGS)

lint: ## run the linters of .golangci.yml
	$(TOOL) golangci-lint run $(PKG)

vet: ## run go vet
	$(GO) vet $(or $(PKG),./...)

tidy-check: ## show what go mod tidy would change, in each module; changes nothing
	@for dir in $(MODULES); do echo "$(GO) -C $$dir mod tidy -diff"; $(GO) -C $$dir mod tidy -diff || exit 1; done

check: vet tidy-check lint test test-race ## all that .ci/run checks, but for what takes minutes

bench: ## run the benchmarks and summarise them with benchstat
	@mkdir -p reports
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) $(or $(PKG),./...) $(ARGS) > reports/bench.txt || { cat reports/bench.txt; exit 1; }
	$(TOOL) benchstat reports/bench.txt

bench-peers: ## compare with PyTorch, gorgonia and the Python ART; ARGS=-h lists its flags (6 GB of packages go to .venv)
	$(GO) run ./internal/peers $(ARGS)

fuzz: ## run every fuzz target for FUZZTIME
	@grep -rHo --include='*_test.go' --exclude-dir=testdata '^func Fuzz[A-Za-z0-9_]*' $(or $(PKG),.) | \
	sed 's|/[^/]*:func | |' | sort | while read -r dir target; do \
		echo "$(GO) test -run '^$$' -fuzz '^$$target$$' -fuzztime $(FUZZTIME) $$dir"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" || exit 1; \
	done

golden: ## rewrite the expected output in testdata; look at the diff before you commit it
	$(GO) test $$(grep -rl --include='*_test.go' --exclude-dir=testdata 'flag.Bool("update"' $(or $(PKG),.) | sed 's|/[^/]*$$||' | sort -u) -update

clean: ## delete reports and built files; runs under .art stay
	rm -rf reports bin _artifacts
