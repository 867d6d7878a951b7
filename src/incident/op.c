/* See op.h. */
#include "incident/op.h"

#include <string.h>

#include "base/text.h"

const struct incident_area *const incident_areas[] = {
    &incident_area_case,   &incident_area_drill,    &incident_area_duty,    &incident_area_learn,
    &incident_area_notice, &incident_area_overview, &incident_area_problem, &incident_area_proof,
    &incident_area_report, &incident_area_uptime,   &incident_area_watch,
};
const size_t incident_area_count = LT_COUNT(incident_areas);

static const Ipc__DeskValue *value_of(const struct incident_call *c, const char *name, size_t index)
{
    for (size_t i = 0; i < c->m->n_values; i++) {
        if (strcmp(c->m->values[i]->name, name) == 0 && index-- == 0) {
            return c->m->values[i];
        }
    }
    return NULL;
}

const char *incident_text(const struct incident_call *c, const char *name)
{
    const Ipc__DeskValue *v = value_of(c, name, 0);
    return v == NULL ? "" : v->text;
}

const char *incident_text_nth(const struct incident_call *c, const char *name, size_t index)
{
    const Ipc__DeskValue *v = value_of(c, name, index);
    return v == NULL ? NULL : v->text;
}

int64_t incident_number(const struct incident_call *c, const char *name)
{
    const Ipc__DeskValue *v = value_of(c, name, 0);
    return v == NULL ? 0 : v->number;
}

lt_slice incident_data(const struct incident_call *c, const char *name)
{
    const Ipc__DeskValue *v = value_of(c, name, 0);
    return v == NULL ? (lt_slice){0} : LT_SLICE(v->data.data, v->data.len);
}

bool incident_given(const struct incident_call *c, const char *name)
{
    return value_of(c, name, 0) != NULL;
}

lt_res incident_id(const struct incident_call *c, int64_t *ret_id)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(c->id), INT64_MAX, &id)), LT_PEER_NOT_FOUND,
             "\"%.40s\" is not a number that we gave", c->id);
    *ret_id = (int64_t)id;
    return LT_OK;
}

const struct incident_op *incident_op_find(const char *op)
{
    for (size_t i = 0; i < incident_area_count; i++) {
        const struct incident_ops *ops = &incident_areas[i]->ops;
        for (size_t k = 0; k < ops->count; k++) {
            if (strcmp(ops->ops[k].op, op) == 0) {
                return &ops->ops[k];
            }
        }
    }
    return NULL;
}

lt_res incident_beat_run(struct incident_beat *b, size_t area, bool *ret_more)
{
    *ret_more = false;
    return incident_areas[area]->beat == NULL ? LT_OK : incident_areas[area]->beat(b, ret_more);
}
