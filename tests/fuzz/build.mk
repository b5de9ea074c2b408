# ---- Fuzzers ----
.PHONY: fuzz fuzz-core fuzz-abi
FUZZ_LIMITS = $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) $(if $(FUZZ_COUNT),--count $(FUZZ_COUNT)) \
  $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

# Random scenarios against asyncio: FUZZ_SECONDS=, FUZZ_COUNT=, FUZZ_SEED=.
fuzz: trace-programs
	node tests/fuzz/main.js $(FUZZ_LIMITS)

# ---- The core, by libFuzzer ----
CORE_FUZZ := $(patsubst %.c,build/fuzz/%.o,$(CORE) $(sort $(wildcard src/host/memory*.c)) \
  $(addprefix tests/fuzz/,core_fuzz.c actor.c ops.c later.c automaton.c))
FUZZ_FLAGS := -std=c11 $(WARNINGS) -Iinclude -Isrc -O2 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
  -fno-sanitize-recover=all
# What is to be covered is the library; the fuzzer's own loops over bytes are faster without counting.
build/fuzz/src/%.o: FUZZ_FLAGS += -fsanitize=fuzzer-no-link
build/fuzz/%.o: %.c $(HEADERS) $(wildcard tests/fuzz/*.h)
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -c $< -o $@

build/fuzz/core_fuzz: $(CORE_FUZZ)
	clang -fsanitize=fuzzer,address,undefined $^ -lm -o $@
