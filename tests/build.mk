# ---- All that `make test` runs, in each configuration ----
TEST_PROGRAMS := $(addprefix $(B)/,core_test uv_test mqtt_test netcode_test resp_test unit/heap_test tow-trace mqtt netcode \
  redis instructions faults)

# ---- The core, on the memory host ----
CORE_TESTS := probe core_test lifecycle_test flow_test write_test read_test loop_test datagram_test process_test \
  layer_test framing_talk framing_test framing_credit_test framing_ends_test framing_whole_test pass_layer
$(CORE_TESTS:%=$(B)/tests/unit/%.o): $(wildcard tests/unit/*.h) tests/framing/wire.h

$(B)/core_test: $(CORE_TESTS:%=$(B)/tests/unit/%.o) $(B)/tests/framing/wire.o $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ -lm -o $@

# ---- The recorder and the trace adapters ----
RECORDER := $(sort $(wildcard tests/recorder/*.c)) tests/framing/wire.c tests/unit/pass_layer.c
$(patsubst %.c,$(B)/%.o,$(RECORDER) tests/tow_trace.c) build/wasi/trace.wasm build/emscripten/trace.wasm: $(wildcard tests/recorder/*.h tests/framing/*.h)

$(B)/tow-trace: $(patsubst %.c,$(B)/%.o,$(RECORDER) tests/tow_trace.c) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@

# The child of the subprocess scenarios: a program, and a WASI command. Nothing but POSIX.
$(B)/child: tests/traces/child.c tests/traces/child_posix.c tests/traces/child_platform.h
	@mkdir -p $(@D)
	$(CC) $(NATIVE) -D_POSIX_C_SOURCE=200809L $(filter %.c,$^) -o $@

build/wasi/child.wasm: tests/traces/child.c tests/traces/child_wasi.c tests/traces/child_platform.h
	@mkdir -p $(@D)
	$(WASI_CC) -std=c11 $(WARNINGS) -O2 -D_POSIX_C_SOURCE=200809L $(filter %.c,$^) -o $@ -Wl,--strip-all

wasm: build/wasi/child.wasm

# The same recorder as a module. Its JSON parser is one header of Debian's, which Emscripten does not look for by itself.
build/jsmn/jsmn.h: /usr/include/jsmn.h
	@mkdir -p $(@D)
	cp $< $@

build/wasi/trace.wasm build/emscripten/trace.wasm: WASM_FLAGS += -isystem build/jsmn
build/wasi/trace.wasm build/emscripten/trace.wasm: build/jsmn/jsmn.h
$(eval $(call tow_module,trace,$(RECORDER) tests/wasm/trace.c,trace_new trace_status trace_is_memory trace_frame trace_run trace_protocol trace_open trace_abort trace_free))

.PHONY: test-contract test-traces trace-programs
trace-programs: $(B)/tow-trace $(B)/child build/wasi/child.wasm build/wasi/trace.wasm build/emscripten/trace.wasm
	$(MAKE) build/sanitize/tow-trace config=sanitize
test-contract: trace-programs
	node --test $(TEST_REPORTER) tests/contract.test.js
test-traces: trace-programs
	node --test $(TEST_REPORTER) tests/traces.test.js tests/tow-trace.test.js

# ---- The demo's MQTT client, on the memory host ----
$(B)/mqtt_test: $(patsubst %.c,$(B)/%.o,tests/unit/mqtt_test.c demo/mqtt.c demo/trace.c) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ -lm -o $@

# ---- The demo's Redis client, on the memory host ----
$(B)/resp_test: $(patsubst %.c,$(B)/%.o,tests/unit/resp_test.c demo/resp.c) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ -lm -o $@

# ---- The demo's netcode, on the memory host ----
NETCODE_TEST := tests/unit/netcode_test.c demo/netcode.c demo/netcode_peer.c demo/netcode_packet.c
$(B)/netcode_test: $(patsubst %.c,$(B)/%.o,$(NETCODE_TEST)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ -lm -o $@

# ---- What tests/budgets.test.js counts ----
$(B)/instructions: $(patsubst %.c,$(B)/%.o,tests/bench/instructions.c tests/framing/wire.c tests/unit/pass_layer.c) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ -lm -o $@

# ---- tests/bench: programs that are measured, and those that load them; what the benchmarks take of Debian and npm ----
BENCH_LOADS := $(addprefix $(B)/bench/,echo_load bulk_load idle_load stream_load)
BENCH_PROGRAMS := $(BENCH_LOADS) $(addprefix $(B)/bench/,echo_towline echo_libuv bulk_towline bulk_read)
$(BENCH_LOADS:$(B)/bench/%=$(B)/tests/bench/programs/%.o) $(B)/tests/bench/programs/load.o: tests/bench/programs/load.h
$(BENCH_LOADS): $(B)/tests/bench/programs/load.o
$(BENCH_PROGRAMS): $(B)/bench/%: $(B)/tests/bench/programs/%.o $(B)/libtowline.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter %.o,$^) $(B)/libtowline.a $(UV_LIBS) -lm -o $@
build-tests: $(BENCH_PROGRAMS)
$(eval $(call tow_module,idle,tests/bench/programs/idle.c,idle_new malloc,plain))
$(eval $(call tow_module,bench,tests/bench/programs/protocols.c,sink_new echo_new source_new received_bytes,plain))

build/bench/node_modules/.package-lock.json: tests/bench/package-lock.json
	@mkdir -p build/bench
	cp .npmrc tests/bench/package.json tests/bench/package-lock.json build/bench
	npm ci --prefix build/bench --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: bench
bench: deps build/bench/node_modules/.package-lock.json
	@.ci/deps bench
	$(MAKE) $(JOBS) libraries build/instructions $(BENCH_PROGRAMS) wasm
	node tests/bench/index.js $(BENCH)

# ---- The libuv host ----
UV_TEST := tests/unit/uv_test.c $(sort $(wildcard tests/unit/uv/*.c))
$(patsubst %.c,$(B)/%.o,$(UV_TEST)): tests/unit/uv/scene.h tests/unit/budget.h

$(B)/uv_test: $(patsubst %.c,$(B)/%.o,$(UV_TEST)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -pthread -o $@

# ---- tests/js: a protocol whose callbacks are JavaScript's ----
PROBE_EXPORTS := probe_stream probe_buffered probe_datagram probe_child probe_none probe_trap probe_recurse \
  probe_transport probe_later probe_set_buffer probe_connect probe_bind probe_spawn probe_peer probe_parse_peer \
  probe_format_peer probe_fd malloc free tow_transport_write tow_transport_write_eof tow_transport_pause_reading \
  tow_transport_resume_reading tow_transport_revoke_buffer tow_transport_set_write_buffer_limits \
  tow_transport_get_write_buffer_size tow_transport_get_extra_info tow_transport_sendto tow_transport_close \
  tow_transport_get_pipe_transport tow_transport_send_signal tow_transport_get_protocol tow_transport_set_protocol
$(eval $(call tow_module,probe,tests/js/probe.c,$(PROBE_EXPORTS)))

# ---- tests/js/programs: WASI commands, for tests/js/worker*.test.js ----
PROGRAMS := $(patsubst tests/js/%.c,build/wasi/%.wasm,$(wildcard tests/js/programs/*.c))
build/wasi/programs/%.wasm: tests/js/programs/%.c
	@mkdir -p $(@D)
	$(WASI_CC) -O2 -Wall -Wextra -Werror $< -o $@ -Wl,--strip-all -Wl,--max-memory=67108864

wasm: $(PROGRAMS)

# ---- tests/programs: Lua, as it is, for tests/js/programs.test.js ----
build/lua/src/lua.c: tests/programs/source
	tests/programs/source lua5.4 build/lua
	@touch $@

LUA_FLAGS := -O2 -w -Itests/programs/lua -mexception-handling -mllvm -wasm-enable-sjlj -D_WASI_EMULATED_SIGNAL \
  -D_WASI_EMULATED_PROCESS_CLOCKS -DLUA_TMPNAMBUFSIZE=1 '-Dlua_tmpnam(name, failed)=((void)name, failed = 1)'
build/wasi/programs/lua.wasm: build/lua/src/lua.c $(wildcard tests/programs/lua/*)
	@mkdir -p $(@D)
	for f in $$(ls build/lua/src/*.c | grep -v luac.c) tests/programs/lua/missing.c; do \
	  $(WASI_CC) $(LUA_FLAGS) -c $$f -o build/lua/$$(basename $$f .c).o || exit 1; done
	$(WASI_CC) build/lua/*.o -o $@ -lwasi-emulated-signal -lwasi-emulated-process-clocks -Wl,--strip-all

# Without its source the rest is tested all the same; those who cannot have it are told.
.PHONY: lua
lua:
	@[ -f build/lua/src/lua.c ] || tests/programs/source lua5.4 build/lua || echo 'no source of Lua: goes on without it' >&2
	@[ ! -f build/lua/src/lua.c ] || $(MAKE) --no-print-directory build/wasi/programs/lua.wasm
build-tests: lua

.PHONY: worker-bench
worker-bench: build/wasi/probe.wasm $(PROGRAMS)
	node tests/js/worker-bench.js

# ---- WebRTC: much of it, with figures; BULK="--help" ----
.PHONY: webrtc-bulk
webrtc-bulk: build/wasi/probe.wasm build/emscripten/probe.wasm
	node tests/js/webrtc-bulk.js $(BULK)

# ---- tests/faults: what faults are done to ----
FAULTS := $(addprefix tests/faults/subject/,subject.c streams.c children.c)
$(patsubst %.c,$(B)/%.o,$(FAULTS) tests/faults/subject/native.c): tests/faults/subject/subject.h
build/wasi/faults.wasm build/emscripten/faults.wasm: tests/faults/subject/subject.h

$(B)/faults: $(patsubst %.c,$(B)/%.o,$(FAULTS) tests/faults/subject/native.c) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@

$(eval $(call tow_module,faults,$(FAULTS) tests/faults/subject/wasm.c,subject_new subject_feed))

# 200 MB to a reader that takes 1 MB a second, in four directions at once.
.PHONY: slow-reader
slow-reader: build/wasi/faults.wasm
	node tests/faults/slow-reader.js

.PHONY: test-faults
test-faults: $(B)/faults build/wasi/faults.wasm
	$(MAKE) build/sanitize/faults config=sanitize
	node --test $(TEST_REPORTER) tests/faults/

# ---- What tests/native.test.js and its neighbours run ----
build-tests: $(addprefix $(B)/,core_test uv_test mqtt_test netcode_test resp_test unit/heap_test tow-trace child instructions faults)

include tests/fuzz/build.mk
