#include "scene.h"
const test pipe_tests[] = {{NULL, NULL}};
