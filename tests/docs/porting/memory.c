/* Around a test of the MQTT client. */
#include "../../../demo/mqtt.c"

#include <assert.h>
#include <towline/memory.h>

static bool was_connected;

static int connected(mqtt *client, bool session_present) {
  (void)client;
  was_connected = !session_present;
  return 0;
}

static tow_protocol *client_new(tow_loop *loop, void *context) {
  static const mqtt_callbacks callbacks = {.connected = connected};
  mqtt_init(context, loop, &callbacks, &(mqtt_options)MQTT_OPTIONS_DEFAULT);
  return &((mqtt *)context)->base;
}

#include "example.c"
