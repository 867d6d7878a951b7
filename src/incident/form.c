/* See form.h. */
#include "incident/form.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "incident/proof.h"
#include "jose/json.h"

enum { SHORTEST_KEY = 40 }; /* letters; of Ed25519 in base64 */

const struct incident_forms *const incident_form_areas[] = {
    &incident_forms_case,  &incident_forms_drill,  &incident_forms_duty,
    &incident_forms_learn, &incident_forms_notice, &incident_forms_problem,
    &incident_forms_proof, &incident_forms_report, &incident_forms_watch,
};
const size_t incident_form_area_count = LT_COUNT(incident_form_areas);

static void routes_of(struct ca_api_routes tables[LT_COUNT(incident_form_areas)])
{
    for (size_t i = 0; i < LT_COUNT(incident_form_areas); i++) {
        const struct incident_forms *area = incident_form_areas[i];
        tables[i] = (struct ca_api_routes){area->count == 0 ? NULL : &area->forms[0].route, area->count,
                                           sizeof(struct incident_form)};
    }
}

unsigned incident_form_readers(const char *what)
{
    struct ca_api_routes tables[LT_COUNT(incident_form_areas)];
    routes_of(tables);
    return ca_api_readers(tables, LT_COUNT(tables), what);
}

lt_res incident_form_find(lt_slice method, lt_slice path, struct lt_arena *a,
                          struct ca_api_target *ret_target)
{
    struct ca_api_routes tables[LT_COUNT(incident_form_areas)];
    const struct ca_api_request_line line = {method, path};
    routes_of(tables);
    return ca_api_find_in(tables, LT_COUNT(tables), &line, a, ret_target);
}

const struct incident_form *incident_form_of(const struct ca_api_target *target)
{
    for (size_t i = 0; i < LT_COUNT(incident_form_areas); i++) {
        for (size_t k = 0; k < incident_form_areas[i]->count; k++) {
            if (target->route == &incident_form_areas[i]->forms[k].route) {
                return &incident_form_areas[i]->forms[k];
            }
        }
    }
    return NULL;
}

/* What a field is read into: values are added one by one. */
struct reading {
    struct lt_arena *arena;
    Ipc__DeskWanted *wanted;
    size_t room;
    struct incident_proofs *looked; /* made when there is something to look at */
};

static lt_res add(struct reading *r, const char *name, Ipc__DeskValue **ret_value)
{
    Ipc__DeskValue *v = LT_NEW(r->arena, Ipc__DeskValue);
    LT_CHECK(v != NULL && r->wanted->n_values < r->room, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__desk_value__init(v);
    v->name = lt_arena_cstr(r->arena, lt_slice_cstr(name));
    LT_CHECK(v->name != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    r->wanted->values[r->wanted->n_values++] = v;
    *ret_value = v;
    return LT_OK;
}

/* Requests are kept with their events for good: no private key may stand in one, in whatever words. */
static lt_res refuse_keys(struct reading *r, const char *name, lt_slice text)
{
    if (text.len < SHORTEST_KEY) {
        return LT_OK;
    }
    r->looked = r->looked != NULL ? r->looked : LT_NEW(r->arena, struct incident_proofs);
    LT_CHECK(r->looked != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    *r->looked = (struct incident_proofs){.count = 0};
    LT_TRY(incident_proof_look(text, r->arena, r->looked));
    for (size_t i = 0; i < r->looked->count; i++) {
        LT_CHECK(strcmp(r->looked->list[i].kind, "private-key") != 0, LT_PEER_MALFORMED,
                 "\"%s\" has a private key in it, and would be kept: say lintel problem prove FILE with the "
                 "key, and describe it in words here",
                 name);
    }
    LT_CHECK(!r->looked->more, LT_PEER_MALFORMED, "\"%s\" has more keys and proofs than can be looked at",
             name);
    return LT_OK;
}

static lt_res add_text(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    LT_CHECK(json_is_string(value), LT_PEER_MALFORMED, "\"%s\" is not a text", f->name);
    lt_slice text = LT_SLICE(json_string_value(value), json_string_length(value));
    LT_CHECK(text.len <= f->max, LT_PEER_TOO_LARGE, "\"%s\" has %zu bytes, at most %zu", f->name, text.len,
             f->max);
    LT_CHECK(memchr(text.ptr, 0, text.len) == NULL, LT_PEER_MALFORMED, "\"%s\" has a byte 0", f->name);
    LT_CHECK(text.len > 0 || !f->needed, LT_PEER_MALFORMED, "\"%s\" is empty", f->name);
    LT_TRY(refuse_keys(r, f->name, text));
    LT_TRY(add(r, f->name, &v));
    v->text = lt_arena_cstr(r->arena, text);
    LT_CHECK(v->text != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res read_texts(struct reading *r, const struct incident_field *f, const json_t *value)
{
    LT_CHECK(json_is_array(value), LT_PEER_MALFORMED, "\"%s\" is no array", f->name);
    LT_CHECK(json_array_size(value) <= INCIDENT_TEXTS_MAX, LT_PEER_TOO_LARGE, "\"%s\" has %zu members",
             f->name, json_array_size(value));
    LT_CHECK(json_array_size(value) > 0 || !f->needed, LT_PEER_MALFORMED, "\"%s\" is empty", f->name);
    for (size_t i = 0; i < json_array_size(value); i++) {
        LT_TRY(add_text(r, f, json_array_get(value, i)));
    }
    return LT_OK;
}

static lt_res read_number(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    LT_CHECK(json_is_integer(value) && json_integer_value(value) >= 0 &&
                 (uint64_t)json_integer_value(value) <= f->max,
             LT_PEER_MALFORMED, "\"%s\" is not a number from 0 to %zu", f->name, f->max);
    LT_TRY(add(r, f->name, &v));
    v->number = json_integer_value(value);
    return LT_OK;
}

static lt_res read_time(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    lt_time when;
    LT_CHECK(json_is_string(value), LT_PEER_MALFORMED, "\"%s\" is not a time such as 2026-11-21T23:41:00Z",
             f->name);
    LT_TRY(lt_time_parse(lt_slice_cstr(json_string_value(value)), &when));
    LT_TRY(add(r, f->name, &v));
    v->number = when.us;
    return LT_OK;
}

static lt_res read_bytes(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    lt_slice bytes;
    LT_CHECK(json_is_string(value), LT_PEER_MALFORMED, "\"%s\" is not a text", f->name);
    lt_slice text = LT_SLICE(json_string_value(value), json_string_length(value));
    LT_TRY(f->type == INCIDENT_HEX ? lt_unhex(r->arena, text, &bytes)
                                   : lt_unbase64url(r->arena, text, &bytes));
    LT_CHECK(bytes.len <= f->max, LT_PEER_TOO_LARGE, "\"%s\" has %zu bytes, at most %zu", f->name, bytes.len,
             f->max);
    LT_CHECK(bytes.len > 0 || !f->needed, LT_PEER_MALFORMED, "\"%s\" is empty", f->name);
    LT_TRY(add(r, f->name, &v));
    v->data = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
    return LT_OK;
}

static lt_res read_flag(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    LT_CHECK(json_is_boolean(value), LT_PEER_MALFORMED, "\"%s\" is neither true nor false", f->name);
    LT_TRY(add(r, f->name, &v));
    v->number = json_is_true(value);
    return LT_OK;
}

static lt_res read_scope(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    LT_CHECK(json_is_string(value), LT_PEER_MALFORMED, "\"%s\" is not an expression", f->name);
    LT_TRY(add(r, f->name, &v));
    return ca_api_canonical(lt_slice_cstr(json_string_value(value)), r->arena, &v->text, &v->data);
}

/* Requests are kept with their events, so no private key may come in one. */
static lt_res add_proofs(struct reading *r, const struct incident_proofs *found, Ipc__DeskValue *v)
{
    v->proofs = LT_NEW_ARRAY(r->arena, Ipc__KeyProof *, found->count + 1);
    LT_CHECK(v->proofs != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < found->count; i++) {
        Ipc__KeyProof *m = LT_NEW(r->arena, Ipc__KeyProof);
        LT_CHECK(strcmp(found->list[i].kind, "private-key") != 0, LT_PEER_MALFORMED,
                 "a private key: a request that is kept must not have one; let the key sign a nonce "
                 "(lintel problem prove does)");
        LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
        LT_TRY(incident_proof_message(&found->list[i], r->arena, m));
        v->proofs[v->n_proofs++] = m;
    }
    return LT_OK;
}

static lt_res read_proofs(struct reading *r, const struct incident_field *f, const json_t *value)
{
    Ipc__DeskValue *v = NULL;
    struct incident_proofs *found = LT_NEW(r->arena, struct incident_proofs);
    LT_CHECK(found != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_CHECK(json_is_array(value) && json_array_size(value) > 0 &&
                 json_array_size(value) <= INCIDENT_TEXTS_MAX,
             LT_PEER_MALFORMED, "\"%s\" is no array of 1 to %d proofs", f->name, INCIDENT_TEXTS_MAX);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        lt_slice bytes;
        LT_CHECK(json_is_string(one), LT_PEER_MALFORMED, "\"%s\" has a member that is not a text", f->name);
        LT_TRY(lt_unbase64url(r->arena, LT_SLICE(json_string_value(one), json_string_length(one)), &bytes));
        LT_TRY(incident_proof_look(bytes, r->arena, found));
    }
    LT_TRY(incident_proof_finish(r->arena, found));
    LT_TRY(add(r, f->name, &v));
    return add_proofs(r, found, v);
}

typedef lt_res reader(struct reading *r, const struct incident_field *f, const json_t *value);
static reader *const readers[] = {
    [INCIDENT_TEXT] = add_text,  [INCIDENT_TEXTS] = read_texts, [INCIDENT_NUMBER] = read_number,
    [INCIDENT_TIME] = read_time, [INCIDENT_HEX] = read_bytes,   [INCIDENT_BASE64] = read_bytes,
    [INCIDENT_FLAG] = read_flag, [INCIDENT_SCOPE] = read_scope, [INCIDENT_PROOF] = read_proofs,
};

static const struct incident_field *field_named(const struct incident_form *form, const char *name)
{
    for (size_t i = 0; i < form->field_count; i++) {
        if (strcmp(form->fields[i].name, name) == 0) {
            return &form->fields[i];
        }
    }
    return NULL;
}

static lt_res read_fields(struct reading *r, const struct incident_form *form, json_t *payload)
{
    const char *name;
    json_t *value;
    json_object_foreach(payload, name, value)
    {
        LT_CHECK(field_named(form, name) != NULL, LT_PEER_MALFORMED, "\"%.60s\" is not a member of %s", name,
                 form->route.pattern);
    }
    for (size_t i = 0; i < form->field_count; i++) {
        const struct incident_field *f = &form->fields[i];
        value = json_object_get(payload, f->name);
        LT_CHECK(value != NULL || !f->needed, LT_PEER_MALFORMED, "\"%s\" is missing", f->name);
        if (value != NULL && !json_is_null(value)) {
            LT_TRY(readers[f->type](r, f, value));
        }
    }
    return LT_OK;
}

lt_res incident_form_take(const struct incident_form *form, json_t *payload, struct lt_arena *a,
                          Ipc__DeskWanted **ret_wanted)
{
    struct reading r = {.arena = a, .wanted = LT_NEW(a, Ipc__DeskWanted)};
    LT_CHECK(r.wanted != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__desk_wanted__init(r.wanted);
    r.room = form->field_count * INCIDENT_TEXTS_MAX;
    r.wanted->values = LT_NEW_ARRAY(a, Ipc__DeskValue *, r.room + 1);
    LT_CHECK(r.wanted->values != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(read_fields(&r, form, payload));
    *ret_wanted = r.wanted;
    return LT_OK;
}

lt_res incident_form_read(const struct ca_api_target *target, const struct jws *jws, struct lt_arena *a,
                          Ipc__OperatorCall *ret_call)
{
    LT_CLEANUP(jose_json_freep) json_t *payload = NULL;
    const struct incident_form *form = incident_form_of(target);
    LT_CHECK(form != NULL, LT_PEER_NOT_FOUND, "there is nothing at this path");
    LT_TRY(ca_api_call_head(target, jws, a, ret_call, &payload));
    LT_TRY(incident_form_take(form, payload, a, &ret_call->desk));
    if (target->id.len > 0) {
        ret_call->desk->id = lt_arena_cstr(a, target->id);
        LT_CHECK(ret_call->desk->id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    }
    return LT_OK;
}
