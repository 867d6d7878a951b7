/* The changes of this area, and what is due in it. */
#include "incident/op.h"

const struct incident_area incident_area_learn = {.name = "learn"};
