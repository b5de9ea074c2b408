# ---- Fuzzers ----
.PHONY: fuzz fuzz-core fuzz-framing fuzz-abi fuzz-programs
FUZZ_LIMITS = $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) $(if $(FUZZ_COUNT),--count $(FUZZ_COUNT)) \
  $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

# Random scenarios against asyncio: FUZZ_SECONDS=, FUZZ_COUNT=, FUZZ_SEED=.
fuzz: trace-programs
	node tests/fuzz/main.js $(FUZZ_LIMITS)

# ---- The core, by libFuzzer ----
CORE_FUZZ := $(patsubst %.c,build/fuzz/%.o,$(CORE) src/host/libc.c $(sort $(wildcard src/host/memory*.c)) \
  $(addprefix tests/fuzz/,core_fuzz.c actor.c ops.c later.c automaton.c) tests/unit/pass_layer.c)
FUZZ_FLAGS := -std=c11 $(WARNINGS) -Iinclude -Isrc -O2 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
  -fno-sanitize-recover=all
# What is to be covered is the library; the fuzzer's own loops over bytes are faster without counting. There are no magic
# values to be found by comparisons.
build/fuzz/src/%.o: FUZZ_FLAGS += -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
build/fuzz/%.o: %.c $(HEADERS) $(wildcard tests/fuzz/*.h)
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -c $< -o $@

build/fuzz/core_fuzz: $(CORE_FUZZ)
	clang -fsanitize=fuzzer,address,undefined $^ -lm -o $@

# ---- Framing, by libFuzzer ----
FRAMING_FUZZ := $(patsubst %.c,build/fuzz/%.o,$(CORE) src/host/libc.c $(sort $(wildcard src/host/memory*.c)) \
  tests/fuzz/framing_fuzz.c tests/framing/wire.c)
build/fuzz/framing_fuzz: $(FRAMING_FUZZ)
	clang -fsanitize=fuzzer,address,undefined $^ -lm -o $@

CORE_FUZZ_COUNT = $(if $(FUZZ_COUNT),$(FUZZ_COUNT),$(if $(FUZZ_SECONDS),-1,1000000))
# Random inputs to the core, under the sanitizers: FUZZ_COUNT= (a million unless said), FUZZ_SECONDS=, FUZZ_SEED=. An
# input that fails is kept in build/fuzz/; `CORE_FUZZ_TELLS=1 build/fuzz/core_fuzz FILE` shows what it does.
fuzz-core: build/fuzz/core_fuzz
	build/fuzz/core_fuzz -runs=$(CORE_FUZZ_COUNT) -max_total_time=$(if $(FUZZ_SECONDS),$(FUZZ_SECONDS),0) \
	  -seed=$(if $(FUZZ_SEED),$(FUZZ_SEED),1) -max_len=400 -len_control=0 -verbosity=0 -print_final_stats=1 \
	  -artifact_prefix=build/fuzz/

# The same for framing.
fuzz-framing: build/fuzz/framing_fuzz
	build/fuzz/framing_fuzz -runs=$(CORE_FUZZ_COUNT) -max_total_time=$(if $(FUZZ_SECONDS),$(FUZZ_SECONDS),0) \
	  -seed=$(if $(FUZZ_SEED),$(FUZZ_SEED),1) -max_len=400 -len_control=0 -verbosity=0 -print_final_stats=1 \
	  -artifact_prefix=build/fuzz/

build/fuzz/automaton: build/fuzz/tests/fuzz/automaton_main.o build/fuzz/tests/fuzz/automaton.o
	clang -fsanitize=address,undefined $^ -o $@

# Modules with hostile exports, in JavaScript.
fuzz-abi:
	node tests/fuzz/abi.js $(if $(FUZZ_COUNT),--count $(FUZZ_COUNT)) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

build-tests fuzz-programs: build/fuzz/core_fuzz build/fuzz/framing_fuzz build/fuzz/automaton
