#ifndef INCIDENT_CLOCK_BEAT_H
#define INCIDENT_CLOCK_BEAT_H
/* What of clocks and controls is due, for the beat of this area, and their states for tests. */
#include "ca/turn.h"
#include "incident/op.h"

/* Warnings and ends that have come, at most 50 of them. */
LT_MUST_USE lt_res incident_clock_beat(struct ca_turn *t, bool *ret_more);
/* Every state and every event of the table: events count from 0; false: there is no such edge. */
enum { INCIDENT_CLOCK_EVENTS = 6 };
bool incident_clock_edge(const char *from, size_t event, const char **ret_to);

extern const struct incident_sql incident_clock_sql;
extern const struct incident_sql incident_control_sql;

#endif
