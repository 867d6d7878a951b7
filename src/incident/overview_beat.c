/* The registrar's part of the overview: the tally is kept once a second. */
#include "ca/tally.h"
#include "incident/op.h"

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    return ca_tally_beat(b->t, ret_more);
}

const struct incident_area incident_area_overview = {.name = "overview", .beat = beat};
