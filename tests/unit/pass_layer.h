/* A layer that does nothing: what comes from below goes up as it is, what comes from above goes down. */
#ifndef PASS_LAYER_H
#define PASS_LAYER_H

#include "towline/layer.h"

extern const tow_layering pass_layering;

#endif
