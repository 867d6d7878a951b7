#ifndef INCIDENT_UPTIME_H
#define INCIDENT_UPTIME_H
/* Minutes in which the services worked, day by day: counted by the beat, shown by the status page. */
#include "incident/op.h"

LT_MUST_USE lt_res incident_uptime_beat(struct incident_beat *b, bool *ret_more);

#endif
