# Towline. `make demo`, `make test`; `make help` lists the rest.
CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Werror
NATIVE := -std=c11 $(WARNINGS) -Iinclude -Isrc $(CFLAGS)
UV_CFLAGS = $(shell pkg-config --cflags libuv 2>/dev/null)
UV_LIBS = $(shell pkg-config --libs libuv 2>/dev/null || echo -luv)

# make config=sanitize ...: another build directory, with ASan, UBSan and (on Linux) LSan.
ifeq ($(config),sanitize)
B := build/sanitize
CC := clang
CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else
B := build
endif

CORE := $(sort $(wildcard src/*.c))
HOSTS := $(sort $(wildcard src/host/*.c))
HEADERS := $(wildcard include/towline/*.h src/*.h src/host/*.h)

.DELETE_ON_ERROR:
.PHONY: all
all: $(B)/libtowline.a

$(B)/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(NATIVE) $(UV_CFLAGS) -c $< -o $@

# The core and the native hosts; a program that uses none of libuv's needs no libuv.
$(B)/libtowline.a: $(patsubst %.c,$(B)/%.o,$(CORE) $(HOSTS))
	@rm -f $@
	ar rcs $@ $^

include wasm/build.mk
include tests/build.mk
include demo/build.mk
