# ---- The MQTT client ----
MQTT := demo/mqtt.c demo/mqtt_check.c demo/trace.c
MQTT_HEADERS := demo/mqtt.h demo/mqtt_check.h demo/trace.h

$(patsubst %.c,$(B)/%.o,$(MQTT) demo/mqtt_client.c tests/unit/mqtt_test.c): $(MQTT_HEADERS)

$(B)/mqtt: $(patsubst %.c,$(B)/%.o,demo/mqtt_client.c $(MQTT)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@

# ---- The same in wasm, for the page and for Node: mqtt.js is its other side ----
MQTT_WASM := demo/mqtt_wasm.c $(MQTT)
MQTT_EXPORTS := mqtt_session_new mqtt_session_problem mqtt_session_check mqtt_session_free mqtt_session_protocol \
  mqtt_session_subscribe mqtt_session_unsubscribe mqtt_session_publish mqtt_session_burst mqtt_session_disconnect

$(foreach build,wasi emscripten,$(MQTT_WASM:%.c=build/$(build)/%.o)): $(MQTT_HEADERS)
$(eval $(call tow_module,mqtt,$(MQTT_WASM),$(MQTT_EXPORTS)))
