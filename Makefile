# Towline. `make demo` shows it, `make test` proves it, `make help` lists the rest.
CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Werror
NATIVE = -std=c11 $(WARNINGS) -Iinclude -Isrc $(CFLAGS)

# make config=sanitize ...: a build of its own, with ASan, UBSan and LSan.
ifeq ($(config),sanitize)
B := build/sanitize
CC := clang
CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else
B := build
endif

.DELETE_ON_ERROR:
.PHONY: all help
all: libraries

help:
	@echo 'make           build/libtowline.a and .so: the core, the memory host and the libuv host'
	@echo 'make install   the C library; PREFIX=/usr/local, LIBDIR=PREFIX/lib, DESTDIR=; make uninstall'
	@echo 'make docs      the reference, of C and of JavaScript: build/docs/index.html'
	@echo 'make demo      a page where protocols are seen live; prints the address; DEMO=--help'
	@echo 'make demo-native  the same client for the shell: build/mqtt --help'
	@echo 'make test      installs what is missing, builds everything, runs every test'
	@echo 'make lint      formatters, linters and both compilers, warnings as errors'
	@echo 'make wasm      the demo modules, for WASI and by Emscripten'
	@echo 'make pack      build/towline-0.1.0.tgz: the npm package'
	@echo 'make deps      what the tests need, from Debian and npm'
	@echo 'make fuzz      random scenarios, held against asyncio; FUZZ_SECONDS=, FUZZ_COUNT=, FUZZ_SEED='
	@echo 'make fuzz-core libFuzzer on the core; FUZZ_COUNT='
	@echo 'make fuzz-framing  the same on framing: what a peer may send'
	@echo 'make webrtc-bulk  much over data channels, with figures; BULK=--help'
	@echo 'make worker-bench  what programs in Workers cost'
	@echo 'make bench     the benchmarks, beside their peers; results in tests/bench/results; BENCH="--help"'
	@echo 'make slow-reader  200 MB to readers that take 1 MB a second, and what that takes of memory; 200 seconds'
	@echo 'make format    the sources as the formatters want them'
	@echo 'config=sanitize  before any of these: with the sanitizers, under build/sanitize'

$(B)/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NATIVE) $(UV_CFLAGS) -c $< -o $@

include src/build.mk
include src/docs/build.mk
include wasm/build.mk
include js/build.mk
include tests/build.mk
include demo/build.mk

# ---- What it takes ----
.PHONY: deps
deps: node_modules/.package-lock.json build/typedoc/node_modules/.package-lock.json
	@.ci/deps test

node_modules/.package-lock.json: package-lock.json
	npm install --no-save --ignore-scripts --no-audit --no-fund
	@touch $@

# ---- Tests and checks ----
.PHONY: test build-tests lint format clean
JOBS := -j$(shell nproc 2>/dev/null || echo 2)
# Milliseconds for one file: one that stands still fails by its name, and the rest is told.
TEST_TIMEOUT := 600000
test: deps
	$(MAKE) lint
	$(MAKE) $(JOBS) libraries build-tests
	$(MAKE) $(JOBS) build-tests config=sanitize
	$(MAKE) $(JOBS) wasm
	node --test --test-timeout=$(TEST_TIMEOUT) $(TEST_REPORTER) tests/

build-tests: $(TEST_PROGRAMS)

C_FILES = $(shell find include src wasm tests demo -name '*.[ch]' -o -name '*.cpp')
lint:
	clang-format --dry-run -Werror $(C_FILES)
	clang-tidy --quiet $(filter src/%.c,$(C_FILES)) -- -std=c11 -Iinclude -Isrc $(UV_CFLAGS)
	@$(MAKE) --no-print-directory build/lint/gcc.ok build/lint/clang.ok
	npx biome check .
	npx tsc -p .

# Both compilers, warnings as errors; the headers alone, and from C++.
build/lint/%.ok: $(CORE) $(HOSTS) $(HEADERS)
	@mkdir -p $(@D)
	set -e; for f in $(CORE) $(HOSTS); do $* $(NATIVE) $(UV_CFLAGS) -c $$f -o build/lint/$*.o; done
	set -e; for f in include/towline/*.h; do $* -std=c11 $(WARNINGS) -Iinclude -fsyntax-only -x c $$f; \
	  $* -std=c++17 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ $$f; done
	@touch $@

format:
	clang-format -i $(C_FILES)
	npx biome check --write .

clean:
	rm -rf build
