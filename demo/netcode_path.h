/* A smooth path through the arena, for bodies that nobody steers. */
#ifndef TOWLINE_DEMO_NETCODE_PATH_H
#define TOWLINE_DEMO_NETCODE_PATH_H

#include "netcode_packet.h"

/* Where on the path of this number one is at that time, in milliseconds. */
netcode_body netcode_path(uint32_t number, double time);

#endif
