# ---- The MQTT client ----
MQTT := demo/mqtt.c demo/mqtt_check.c
MQTT_HEADERS := demo/mqtt.h demo/mqtt_check.h

MQTT_CLIENT := demo/mqtt_client.c demo/arguments.c demo/trace.c

$(patsubst %.c,$(B)/%.o,$(MQTT) $(MQTT_CLIENT) tests/unit/mqtt_test.c): $(MQTT_HEADERS) demo/trace.h demo/arguments.h

$(B)/mqtt: $(patsubst %.c,$(B)/%.o,$(MQTT_CLIENT) $(MQTT)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@

# ---- The same in wasm, for the page and for Node: mqtt.js is its other side ----
MQTT_WASM := demo/mqtt_wasm.c $(MQTT)
MQTT_EXPORTS := mqtt_session_new mqtt_session_problem mqtt_session_check mqtt_session_free mqtt_session_protocol \
  mqtt_session_subscribe mqtt_session_unsubscribe mqtt_session_publish mqtt_session_burst mqtt_session_disconnect \
  tow_transport_get_write_buffer_size tow_transport_get_write_buffer_limits

build/wasi/mqtt.wasm build/emscripten/mqtt.wasm: $(MQTT_HEADERS)
$(eval $(call tow_module,mqtt,$(MQTT_WASM),$(MQTT_EXPORTS)))

# ---- The netcode: the same over UDP and over WebRTC ----
NETCODE := demo/netcode.c demo/netcode_peer.c demo/netcode_packet.c demo/netcode_path.c
NETCODE_HEADERS := $(wildcard demo/netcode*.h) demo/arguments.h
NETCODE_EXPORTS := netcode_game_new netcode_game_free netcode_game_protocol netcode_game_steer netcode_game_look

$(patsubst %.c,$(B)/%.o,$(NETCODE) demo/netcode_native.c tests/unit/netcode_test.c): $(NETCODE_HEADERS)

$(B)/netcode: $(patsubst %.c,$(B)/%.o,demo/netcode_native.c demo/arguments.c $(NETCODE)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@

NETCODE_WASM := demo/netcode_wasm.c $(NETCODE)
build/wasi/netcode.wasm build/emscripten/netcode.wasm: $(NETCODE_HEADERS)
$(eval $(call tow_module,netcode,$(NETCODE_WASM),$(NETCODE_EXPORTS),plain))

# ---- The Redis client ----
RESP := demo/resp.c demo/resp_check.c
RESP_HEADERS := demo/resp.h demo/resp_check.h demo/arguments.h

$(patsubst %.c,$(B)/%.o,$(RESP) demo/resp_client.c tests/unit/resp_test.c): $(RESP_HEADERS)

$(B)/redis: $(patsubst %.c,$(B)/%.o,demo/resp_client.c demo/arguments.c $(RESP)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@

RESP_WASM := demo/resp_wasm.c $(RESP)
$(foreach build,wasi emscripten,$(RESP_WASM:%.c=build/$(build)/%.o)): $(RESP_HEADERS)
$(eval $(call tow_module,resp,$(RESP_WASM),resp_check_protocol resp_check_sent))

# ---- The stream of the page's first panel ----
STREAM_EXPORTS := stream_new stream_burst stream_end stream_hold stream_read_slowly stream_set_marks stream_close \
  stream_abort tow_transport_get_write_buffer_size tow_transport_get_write_buffer_limits
build/wasi/stream.wasm build/emscripten/stream.wasm: demo/stream.h
$(eval $(call tow_module,stream,demo/stream.c,$(STREAM_EXPORTS)))

# ---- What the page's last panel can be tried with: a module as a user has it, whose write buffer can be seen, too ----
SAMPLE_EXPORTS := echo_new tow_transport_get_write_buffer_size tow_transport_get_write_buffer_limits
$(eval $(call tow_module,sample,demo/echo.c,$(SAMPLE_EXPORTS)))

include demo/programs/build.mk

# ---- make demo ----
# DEMO: options of demo/server.js, as in `make demo DEMO="--port 9000"`.
DEMO_MODULES := $(addprefix build/wasi/,sample.wasm stream.wasm mqtt.wasm netcode.wasm shell.wasm) js/protocols/script.wasm \
  $(DEMO_PROGRAMS)
.PHONY: demo demo-native
demo: node_modules/.package-lock.json
	@.ci/deps demo
	@$(MAKE) --no-print-directory lua $(DEMO_MODULES)
	@node demo/server.js $(DEMO)

demo-native:
	@.ci/deps native
	@$(MAKE) --no-print-directory $(B)/mqtt $(B)/netcode $(B)/redis
	@echo 'For example, with `make demo` running in another terminal:'
	@echo "    $(B)/mqtt tcp://127.0.0.1:1883 sub 'demo/#' --verbose"
	@echo "    $(B)/mqtt tcp://127.0.0.1:1883 pub demo/hello 'Hello from a shell'"
	@echo "    $(B)/mqtt tcp://127.0.0.1:1883 check --trace"
	@echo 'and, in two terminals, without it:'
	@echo "    $(B)/netcode --listen udp://127.0.0.1:4000"
	@echo "    $(B)/netcode udp://127.0.0.1:4000"
	@echo 'All of it: --help of each, and of $(B)/redis'
