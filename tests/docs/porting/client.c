/* The MQTT client with JavaScript as its user: what PORTING.md puts on a page. */
#include "mqtt.h"

#define APP(name) __attribute__((import_module("app"), import_name(#name))) extern

APP(ready) void app_ready(mqtt *client);
APP(data) void app_data(const void *data, size_t size);
APP(closed) void app_closed(const char *why); /* NULL: as it was meant */

static int connected(mqtt *client, bool session_present) {
  (void)session_present;
  int id = mqtt_subscribe(client, "porting/#", 0);
  return id < 0 ? id : 0;
}

static int subscribed(mqtt *client, uint16_t id, int granted) {
  (void)id;
  if (granted < 0) return granted;
  app_ready(client);
  return 0;
}

static int message_data(mqtt *client, const void *data, size_t size) {
  (void)client;
  app_data(data, size);
  return 0;
}

static int closed(mqtt *client, const tow_error *error) {
  app_closed(error ? error->message : NULL);
  tow_loop_free(client->loop, client);
  return 0;
}

static const mqtt_callbacks callbacks = {
    .connected = connected,
    .subscribed = subscribed,
    .message_data = message_data,
    .closed = closed,
};

tow_protocol *client_new(tow_loop *loop, void *context) {
  (void)context;
  mqtt *client = tow_loop_alloc(loop, sizeof *client);
  if (client == NULL) return NULL;
  mqtt_init(client, loop, &callbacks, &(mqtt_options)MQTT_OPTIONS_DEFAULT);
  return &client->base;
}

int client_publish(mqtt *client, const char *text, size_t size) {
  return mqtt_publish(client, &(mqtt_message){.topic = "porting/hello", .size = size}, text);
}

void client_leave(mqtt *client) {
  mqtt_disconnect(client);
}
