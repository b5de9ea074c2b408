# ---- Wasm, twice: build/wasi/NAME.wasm and build/emscripten/NAME.wasm of the same sources ----
# A real wasi-sdk is the same three parts as Debian's clang, wasi-libc and libclang-rt-dev-wasm32.
ifdef WASI_SDK_PATH
WASI_CC := $(WASI_SDK_PATH)/bin/clang --target=wasm32-wasi --sysroot=$(WASI_SDK_PATH)/share/wasi-sysroot
WASI_AR := $(WASI_SDK_PATH)/bin/llvm-ar
else
WASI_CC := clang --target=wasm32-wasi
WASI_AR := llvm-ar
endif
EMCC := NODE_PATH=/usr/share/nodejs emcc
EMAR := NODE_PATH=/usr/share/nodejs emar
WASM_OPT ?= $(shell command -v wasm-opt)

# What every engine has had since 2021. Inlining is left to wasm-opt, which knows better what is small there.
WASM_FLAGS := -std=c11 $(WARNINGS) -Iinclude -Isrc -Iwasm -Oz -fno-inline -ffunction-sections -fdata-sections \
  -mbulk-memory -msign-ext -mnontrapping-fptoint
WASM_OPT_FLAGS := -Oz --converge --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int \
  --enable-mutable-globals
WASM_SOURCES := $(CORE) src/host/libc.c $(sort $(wildcard src/host/memory*.c)) $(sort $(wildcard wasm/*.c))
WASM_HEADERS := $(HEADERS) $(wildcard wasm/*.h)
# With a maximum declared an engine reserves the address space at once, and memory grows where it is: then the kernel may
# read straight into it (rule B5).
WASM_MAXIMUM := 1073741824
WASM_STACK := 131072

build/wasi/%.o: %.c $(WASM_HEADERS)
	@mkdir -p $(@D)
	$(WASI_CC) $(WASM_FLAGS) -c $< -o $@

build/emscripten/%.o: %.c $(WASM_HEADERS)
	@mkdir -p $(@D)
	$(EMCC) $(WASM_FLAGS) -c $< -o $@

build/wasi/libtowline.a: $(WASM_SOURCES:%.c=build/wasi/%.o)
	@rm -f $@
	$(WASI_AR) rcs $@ $^

build/emscripten/libtowline.a: $(WASM_SOURCES:%.c=build/emscripten/%.o)
	@rm -f $@
	$(EMAR) rcs $@ $^

# $(call tow_module,NAME,SOURCES,EXPORTS,plain): a module with these constructors and functions exported beside Towline's.
# `plain`: without Towline framing, which is 6 KB (2.5 KB gzipped).
# It is linked twice: first to see what it uses, then with the exports that go with that.
# No -O where clang links: it would run whatever wasm-opt it finds, not knowing what features that has.
# Emscripten takes the import modules for misspelt functions; what is really misspelt, the WASI build refuses.
WASI_LINK := -mexec-model=reactor -Wl,--stack-first -Wl,-z,stack-size=$(WASM_STACK) -Wl,--max-memory=$(WASM_MAXIMUM)
comma := ,
space := $(subst ,, )
define tow_module
build/wasi/$(1).exports: $(2:%.c=build/wasi/%.o) build/wasi/libtowline.a wasm/exports.txt wasm/exports.awk
	@mkdir -p $$(@D)
	$$(WASI_CC) $$(WASI_LINK) $$(filter %.o %.a,$$^) -o $$@.wasm \
	  $$$$(awk -v plain=$(4) -f wasm/exports.awk wasm/exports.txt | sed 's/^/-Wl,--export=/') $(3:%=-Wl,--export=%) \
	  -Wl,-Map=$$@.map
	awk -v plain=$(4) -f wasm/exports.awk $$@.map wasm/exports.txt >$$@
	@rm $$@.wasm $$@.map

build/wasi/$(1).wasm: build/wasi/$(1).exports
	$$(WASI_CC) $$(WASI_LINK) $(2:%.c=build/wasi/%.o) build/wasi/libtowline.a -o $$@ -Wl,--strip-all \
	  -Wl,--compress-relocations $$$$(sed 's/^/-Wl,--export=/' $$<) $(3:%=-Wl,--export=%)
	$$(if $$(WASM_OPT),$$(WASM_OPT) $$(WASM_OPT_FLAGS) $$@ -o $$@)

build/emscripten/$(1).wasm: $(2:%.c=build/emscripten/%.o) build/emscripten/libtowline.a build/wasi/$(1).exports
	@mkdir -p $$(@D)
	$$(EMCC) -Oz $$(filter %.o %.a,$$^) -o $$@ -sSTANDALONE_WASM --no-entry -sMALLOC=none -sALLOW_MEMORY_GROWTH=1 \
	  -sTOTAL_STACK=$$(WASM_STACK) -sINITIAL_MEMORY=2097152 -sMAXIMUM_MEMORY=$$(WASM_MAXIMUM) \
	  -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 \
	  -sEXPORTED_FUNCTIONS=$$$$(sed 's/^/_/' build/wasi/$(1).exports | paste -sd,),$(subst $(space),$(comma),$(3:%=_%))

WASM_MODULES += build/wasi/$(1).wasm build/emscripten/$(1).wasm
endef

.PHONY: wasm
wasm:
	@$(MAKE) --no-print-directory $(WASM_MODULES)
$(eval $(call tow_module,echo,demo/echo.c,echo_new,plain))

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
