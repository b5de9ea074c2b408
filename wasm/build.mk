# ---- Wasm, twice: build/wasi/NAME.wasm and build/emscripten/NAME.wasm of the same sources ----
# How a module is made, and by what, is js/cli/build/'s to know: it is what `npx towline build` does.
WASM_LIBRARY := $(CORE) src/host/libc.c $(sort $(wildcard src/host/memory*.c)) $(sort $(wildcard wasm/*.c)) \
  $(HEADERS) $(wildcard wasm/*.h) wasm/exports.txt js/cli/build.js $(wildcard js/cli/build/*.js) \
  js/cli/exports.js js/trace/wasm-file.js
# What is compiled of this project beside the library.
WASM_FLAGS := -std=c11 $(WARNINGS)

# $(call tow_module,NAME,SOURCES,EXPORTS,plain): a module with these constructors and functions exported beside Towline's.
# `plain`: without Towline framing, which is 6 KB (2.5 KB gzipped).
# The first module compiles the library; the others, at the same time or later, find it compiled.
define tow_module
build/wasi/$(1).wasm build/emscripten/$(1).wasm: build/%/$(1).wasm: $(2) $(WASM_LIBRARY)
	@node js/cli/towline.js build $(2) --with $$* -o $$@ $(3:%=--export %) $(4:%=--%) -- $$(WASM_FLAGS)

ifneq ($(1),echo)
build/wasi/$(1).wasm: | build/wasi/echo.wasm
build/emscripten/$(1).wasm: | build/emscripten/echo.wasm
endif
WASM_MODULES += build/wasi/$(1).wasm build/emscripten/$(1).wasm
endef

.PHONY: wasm
wasm:
	@$(MAKE) --no-print-directory $(WASM_MODULES)
$(eval $(call tow_module,echo,demo/echo.c,echo_new,plain))

# The compiler for WASI commands, which are no modules of Towline: the tests have some.
ifdef WASI_SDK_PATH
WASI_CC := $(WASI_SDK_PATH)/bin/clang --target=wasm32-wasi --sysroot=$(WASI_SDK_PATH)/share/wasi-sysroot
else
WASI_CC := clang --target=wasm32-wasi
endif

# The boundary is compiled for wasm alone.
build/lint/wasm.ok: $(WASM_LIBRARY)
	@mkdir -p $(@D)
	$(WASI_CC) -std=c11 $(WARNINGS) -Iinclude -Isrc -Iwasm -fsyntax-only $(wildcard wasm/*.c) src/host/libc.c
	@touch $@
lint: build/lint/wasm.ok

# Protocols written in JavaScript: the package carries this one, beside what loads it.
SCRIPT_EXPORTS := script_start script_protocol script_new script_call_soon script_call_later tow_handle_cancel \
  tow_error_text tow_transport_write tow_transport_write_eof tow_transport_can_write_eof \
  tow_transport_set_write_buffer_limits tow_transport_get_write_buffer_limits tow_transport_get_write_buffer_size \
  tow_transport_pause_reading tow_transport_resume_reading tow_transport_is_reading tow_transport_is_closing \
  tow_transport_set_protocol tow_transport_get_extra_info tow_transport_ref tow_transport_unref tow_transport_sendto \
  tow_transport_parse_peer tow_transport_format_peer tow_transport_get_pid tow_transport_get_returncode \
  tow_transport_get_pipe_transport tow_transport_send_signal
$(eval $(call tow_module,script,wasm/script/script.c,$(SCRIPT_EXPORTS)))
js/protocols/script.wasm: build/wasi/script.wasm
	install -m 644 $< $@
WASM_MODULES += js/protocols/script.wasm

# The heap, natively under the sanitizers' eyes.
$(B)/unit/heap_test: tests/unit/heap_test.c wasm/heap.c wasm/heap.h
	@mkdir -p $(@D)
	$(CC) $(NATIVE) -Iwasm tests/unit/heap_test.c wasm/heap.c -o $@
