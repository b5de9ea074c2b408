# ---- Programs for the page's panel of processes: WASI commands, which know nothing of Towline ----
DEMO_PROGRAMS := $(patsubst demo/%.c,build/wasi/%.wasm,$(wildcard demo/programs/*.c)) build/wasi/programs/esbuild.wasm

build/wasi/programs/%.wasm: demo/programs/%.c
	@mkdir -p $(@D)
	$(WASI_CC) -O2 $(WARNINGS) $< -o $@ -Wl,--strip-all -Wl,--max-memory=268435456

# As it is on npm.
build/wasi/programs/esbuild.wasm: node_modules/.package-lock.json
	@mkdir -p $(@D)
	cp node_modules/@esbuild/wasi-preview1/esbuild.wasm $@

wasm: $(DEMO_PROGRAMS)

# ---- What the page has for them ----
SHELL_EXPORTS := shell_new shell_type shell_end shell_signal shell_hold shell_read_slowly \
  tow_transport_get_pipe_transport tow_transport_get_write_buffer_size tow_transport_get_write_buffer_limits
build/wasi/shell.wasm build/emscripten/shell.wasm: demo/shell.h
$(eval $(call tow_module,shell,demo/shell.c,$(SHELL_EXPORTS),plain))
