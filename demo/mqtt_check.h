/* Does this connection carry messages whole? A client that sends itself many megabytes over its own topic, in messages
 * from 0 bytes to 1 MiB, and compares what comes back: number, sizes, order and checksums. The same code runs natively
 * and in a wasm module. */
#ifndef TOWLINE_DEMO_MQTT_CHECK_H
#define TOWLINE_DEMO_MQTT_CHECK_H

#include "mqtt.h"

enum {
  MQTT_CHECK_WINDOW = 8,       /* messages on their way at once, so that no broker's queue runs over */
  MQTT_CHECK_PIECE = 32 << 10, /* bytes given to mqtt_publish_data at once */
};

typedef struct mqtt_check_result {
  int code;            /* 0, or a TOW_E... */
  const char *message; /* what went wrong, or "" */
  double messages;     /* sent and received again */
  double bytes;        /* their payloads */
  uint32_t checksum;   /* of all payloads in order: FNV-1a, 32 bits */
  double milliseconds; /* from the first message to the last */
  uint32_t pauses;     /* how often writing was paused */
} mqtt_check_result;

/* Called once, when the connection has ended, which the check does by itself. */
typedef void (*mqtt_check_done)(void *context, const mqtt_check_result *result);

/* What to give to the loop. The topic is "towline/check/" and the client id, which should be no one else's. Borrows
 * what the options point at, as mqtt_init does. Frees itself after `done`. NULL when out of memory. */
tow_protocol *mqtt_check_new(tow_loop *loop, const mqtt_options *options, double bytes, int qos, mqtt_check_done done,
                             void *context);

#endif
