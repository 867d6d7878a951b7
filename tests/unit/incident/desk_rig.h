#ifndef TESTS_INCIDENT_DESK_RIG_H
#define TESTS_INCIDENT_DESK_RIG_H
/* An operator's change of the incident desk, as the registrar runs it: in a turn of the book's rig, by ann.
 */
#include "../ca/book_rig.h"
#include "../check.h"

#include "incident/op.h"

enum { DESK_RIG_VALUES = 14 };

struct said {
    const char *name;
    const char *text; /* NULL: a number, or so many bytes of a hash */
    int64_t number;
};
struct wanted {
    const char *op;
    const char *id;
    const struct ca_config *config;
    struct said values[DESK_RIG_VALUES];
    char answer[512]; /* out */
};

static uint8_t desk_rig_hash[32] = {1, 2, 3};

static void desk_rig_value(struct ca_turn *t, const struct said *s, Ipc__DeskValue *v)
{
    ipc__desk_value__init(v);
    v->name = lt_arena_cstr(t->arena, lt_slice_cstr(s->name));
    v->number = s->number;
    if (s->text != NULL) {
        v->text = lt_arena_cstr(t->arena, lt_slice_cstr(s->text));
    } else if (strcmp(s->name, "sha256") == 0) {
        v->data = (ProtobufCBinaryData){(size_t)s->number, desk_rig_hash};
    }
}

static lt_res step_op(struct rig *r, struct ca_turn *t, void *arg)
{
    struct wanted *w = arg;
    Ipc__DeskWanted m = IPC__DESK_WANTED__INIT;
    Ipc__DeskValue values[DESK_RIG_VALUES];
    Ipc__DeskValue *list[DESK_RIG_VALUES];
    (void)r;
    m.values = list;
    for (size_t i = 0; i < DESK_RIG_VALUES && w->values[i].name != NULL; i++) {
        desk_rig_value(t, &w->values[i], &values[i]);
        list[m.n_values++] = &values[i];
    }
    struct incident_call c = {
        .t = t, .config = w->config, .by = "ann", .id = w->id == NULL ? "" : w->id, .m = &m};
    const struct incident_op *op = incident_op_find(w->op);
    assert_non_null(op);
    LT_TRY(op->run(&c));
    assert_non_null(c.json);
    (void)snprintf(w->answer, sizeof w->answer, "%s", c.json);
    return LT_OK;
}

#endif
