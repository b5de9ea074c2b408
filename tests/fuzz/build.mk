# ---- Fuzzers ----
.PHONY: fuzz fuzz-core fuzz-abi
FUZZ_LIMITS = $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) $(if $(FUZZ_COUNT),--count $(FUZZ_COUNT)) \
  $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

# Random scenarios against asyncio: FUZZ_SECONDS=, FUZZ_COUNT=, FUZZ_SEED=.
fuzz: trace-programs
	node tests/fuzz/main.js $(FUZZ_LIMITS)
