#include "scene.h"
const test process_tests[] = {{NULL, NULL}};
