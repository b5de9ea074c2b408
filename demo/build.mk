# ---- The MQTT client ----
MQTT := demo/mqtt.c demo/mqtt_check.c demo/trace.c
MQTT_HEADERS := demo/mqtt.h demo/mqtt_check.h demo/trace.h

$(patsubst %.c,$(B)/%.o,$(MQTT) demo/mqtt_client.c tests/unit/mqtt_test.c): $(MQTT_HEADERS)

$(B)/mqtt: $(patsubst %.c,$(B)/%.o,demo/mqtt_client.c $(MQTT)) $(B)/libtowline.a
	$(CC) $(CFLAGS) $^ $(UV_LIBS) -lm -o $@
