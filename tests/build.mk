# ---- The recorder and the trace adapters ----
RECORDER := $(sort $(wildcard tests/recorder/*.c))
$(patsubst %.c,$(B)/%.o,$(RECORDER) tests/tow_trace.c): $(wildcard tests/recorder/*.h)

$(B)/tow-trace: $(patsubst %.c,$(B)/%.o,$(RECORDER) tests/tow_trace.c) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -o $@
