/* Operators' signed requests into typed calls. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/api_internal.h"
#include "ca/halt.h"
#include "jose/json.h"
#include "scope/scope.h"

enum { TEXT_MAX = 1000, PARAMETERS_MAX = 16 * 1024, LINT_ROWS_MAX = 100, TEXTS_MAX = 100 };

static ProtobufCBinaryData bytes_of(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr};
}

static lt_res copy_text(struct lt_arena *a, lt_slice text, char **ret_text)
{
    LT_CHECK(text.len <= TEXT_MAX, LT_PEER_TOO_LARGE, "a text of %zu bytes", text.len);
    *ret_text = lt_arena_cstr(a, text);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

/* needed: must be there and not empty. */
lt_res ca_api_text(const json_t *payload, const char *name, bool needed, struct lt_arena *a, char **ret_text)
{
    lt_slice text;
    LT_TRY(jose_json_optional_string(payload, name, &text));
    LT_CHECK(!needed || text.len > 0, LT_PEER_MALFORMED, "\"%s\" is missing", name);
    return copy_text(a, text, ret_text);
}

lt_res ca_api_count(const json_t *payload, const char *name, uint64_t max, uint64_t *ret_count)
{
    const json_t *value = json_object_get(payload, name);
    *ret_count = 0;
    if (value == NULL) {
        return LT_OK;
    }
    LT_CHECK(json_is_integer(value) && json_integer_value(value) >= 0 &&
                 (uint64_t)json_integer_value(value) <= max,
             LT_PEER_MALFORMED, "\"%s\" is not a number from 0 to %llu", name, (unsigned long long)max);
    *ret_count = (uint64_t)json_integer_value(value);
    return LT_OK;
}

static lt_res read_revoke(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                          Ipc__OperatorCall *call)
{
    uint64_t reason = 0;
    LT_TRY(ca_api_text(payload, "issuer", false, a, &call->issuer));
    LT_TRY(ca_api_text(payload, "text", false, a, &call->text));
    LT_TRY(ca_api_count(payload, "reason", 10, &reason));
    /*= RFC 5280 5.3.1 "-- value 7 is not used" */
    LT_CHECK(reason != 7, LT_PEER_MALFORMED, "\"reason\" 7 does not exist");
    call->reason = (uint32_t)reason;
    call->serial = bytes_of(t->id);
    return ca_api_read_why(payload, a, call);
}

static lt_res read_halt(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                        Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    char *kind = NULL;
    call->halt = LT_NEW(a, Ipc__Halt);
    LT_CHECK(call->halt != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__halt__init(call->halt);
    LT_TRY(ca_api_text(payload, "kind", true, a, &kind));
    LT_TRY(ca_api_text(payload, "value", false, a, &call->halt->value));
    LT_TRY(ca_api_text(payload, "reason", true, a, &call->halt->reason));
    call->halt->kind = ca_halt_kind_by_name(lt_slice_cstr(kind));
    call->halt->operator_ = call->operator_;
    return ca_halt_valid(call->halt);
}

/* Sorted keys, no blanks: what the approver signs must not depend on how it was typed. */
static lt_res read_parameters(const json_t *payload, struct lt_arena *a, char **ret_text)
{
    const json_t *parameters = json_object_get(payload, "parameters");
    LT_CHECK(parameters == NULL || json_is_object(parameters), LT_PEER_MALFORMED,
             "\"parameters\" is not an object");
    char *text = parameters == NULL
                     ? strdup("{}")
                     : json_dumps(parameters, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    LT_ASSERT(text != NULL);
    size_t len = strlen(text);
    char *copy = len > PARAMETERS_MAX ? NULL : lt_arena_cstr(a, LT_SLICE(text, len));
    free(text);
    LT_CHECK(copy != NULL, LT_PEER_TOO_LARGE, "\"parameters\" has %zu bytes", len);
    *ret_text = copy;
    return LT_OK;
}

/* SHA-256 in hex; left empty when it is not there. */
lt_res ca_api_hash(const json_t *payload, const char *name, struct lt_arena *a, ProtobufCBinaryData *ret_hash)
{
    lt_slice text;
    lt_slice hash;
    LT_TRY(jose_json_optional_string(payload, name, &text));
    if (text.len == 0) {
        return LT_OK;
    }
    LT_TRY(lt_unhex(a, text, &hash));
    LT_CHECK(hash.len == 32, LT_PEER_MALFORMED, "\"%s\" has %zu bytes", name, hash.len);
    *ret_hash = bytes_of(hash);
    return LT_OK;
}

lt_res ca_api_time(const json_t *payload, const char *name, bool needed, int64_t *ret_us)
{
    lt_slice text;
    lt_time when;
    LT_TRY(jose_json_optional_string(payload, name, &text));
    LT_CHECK(!needed || text.len > 0, LT_PEER_MALFORMED, "\"%s\" is missing", name);
    if (text.len > 0) {
        LT_TRY(lt_time_parse(text, &when));
        *ret_us = when.us;
    }
    return LT_OK;
}

static lt_res read_plan(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                        Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    Ipc__PlanStatement *p = LT_NEW(a, Ipc__PlanStatement);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__plan_statement__init(p);
    LT_TRY(ca_api_text(payload, "action", true, a, &p->action));
    LT_TRY(ca_api_hash(payload, "scope-sha256", a, &p->scope_sha256));
    LT_TRY(ca_api_count(payload, "count", INT64_MAX, &p->count));
    LT_TRY(read_parameters(payload, a, &p->parameters));
    LT_TRY(ca_api_time(payload, "expires", true, &p->expires_us));
    p->proposer = call->operator_;
    call->plan = p;
    return LT_OK;
}

static lt_res read_approval(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                            Ipc__OperatorCall *call)
{
    lt_slice signature = {0};
    const json_t *passkey = json_object_get(payload, "passkey");
    Ipc__Approval *p = LT_NEW(a, Ipc__Approval);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__approval__init(p);
    LT_TRY(passkey != NULL ? ca_api_passkey(passkey, a, &p->passkey)
                           : jose_json_bytes(payload, "signature", a, &signature));
    LT_TRY(ca_api_time(payload, "signed", false, &p->signed_us));
    p->signature = bytes_of(signature);
    p->operator_ = call->operator_;
    call->approval = p;
    return copy_text(a, t->id, &call->plan_id);
}

static lt_res read_key_block(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                             Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    LT_TRY(ca_api_hash(payload, "spki-sha256", a, &call->key_sha256));
    LT_CHECK(call->key_sha256.len > 0, LT_PEER_MALFORMED, "\"spki-sha256\" is missing");
    return ca_api_text(payload, "text", false, a, &call->text);
}

static lt_res read_run(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                       Ipc__OperatorCall *call)
{
    (void)payload; /* it has no arguments */
    return copy_text(a, t->id, &call->plan_id);
}

static lt_res read_found(const json_t *row, struct lt_arena *a, Ipc__LintFound *f)
{
    lt_slice serial;
    uint64_t offset = 0;
    const struct {
        const char *name;
        bool needed;
        char **to;
    } texts[] = {
        {"issuer", true, &f->issuer},    {"rule", true, &f->rule},  {"result", true, &f->result},
        {"message", false, &f->message}, {"path", false, &f->path}, {"was", false, &f->was},
    };
    LT_CHECK(json_is_object(row), LT_PEER_MALFORMED, "a finding that is no object");
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        LT_TRY(ca_api_text(row, texts[i].name, texts[i].needed, a, texts[i].to));
    }
    LT_TRY(jose_json_optional_string(row, "serial", &serial));
    LT_TRY(lt_unhex(a, serial, &serial));
    LT_CHECK(serial.len > 0 && serial.len <= 20, LT_PEER_MALFORMED, "\"serial\" has %zu bytes", serial.len);
    LT_TRY(ca_api_count(row, "offset", UINT32_MAX, &offset));
    f->serial = bytes_of(serial);
    f->offset = (uint32_t)offset;
    return LT_OK;
}

static lt_res read_lint_rows(const json_t *payload, struct lt_arena *a, Ipc__LintRecord *r)
{
    const json_t *rows = json_object_get(payload, "findings");
    size_t count = json_array_size(rows);
    LT_CHECK(rows == NULL || json_is_array(rows), LT_PEER_MALFORMED, "\"findings\" is no array");
    LT_CHECK(count <= LINT_ROWS_MAX, LT_PEER_TOO_LARGE, "%zu findings in one request, at most %d", count,
             LINT_ROWS_MAX);
    Ipc__LintFound *list = LT_NEW_ARRAY(a, Ipc__LintFound, count);
    r->found = LT_NEW_ARRAY(a, Ipc__LintFound *, count);
    LT_CHECK(count == 0 || (list != NULL && r->found != NULL), LT_PEER_TOO_LARGE,
             "the request is over the limit");
    for (size_t i = 0; i < count; i++) {
        ipc__lint_found__init(&list[i]);
        LT_TRY(read_found(json_array_get(rows, i), a, &list[i]));
        r->found[r->n_found++] = &list[i];
    }
    return LT_OK;
}

static lt_res read_lint(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                        Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    Ipc__LintRecord *r = LT_NEW(a, Ipc__LintRecord);
    uint64_t part = 0;
    LT_CHECK(r != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__lint_record__init(r);
    LT_TRY(ca_api_text(payload, "run", true, a, &r->run));
    LT_TRY(ca_api_text(payload, "rule-set", true, a, &r->rule_set));
    LT_TRY(ca_api_text(payload, "seed", false, a, &r->seed));
    LT_TRY(ca_api_text(payload, "sample", false, a, &r->sample));
    LT_TRY(ca_api_time(payload, "since", false, &r->since_us));
    LT_TRY(ca_api_time(payload, "at", false, &r->as_of_us));
    LT_TRY(ca_api_count(payload, "part", UINT32_MAX, &part));
    LT_TRY(ca_api_count(payload, "total", INT64_MAX, &r->total));
    LT_TRY(ca_api_count(payload, "judged", INT64_MAX, &r->judged));
    LT_TRY(ca_api_count(payload, "differing", INT64_MAX, &r->differing));
    LT_TRY(ca_api_count(payload, "failing", INT64_MAX, &r->failing));
    r->part = (uint32_t)part;
    call->lint = r;
    return read_lint_rows(payload, a, r);
}

static lt_res read_texts(const json_t *payload, const char *name, struct lt_arena *a, size_t *ret_count,
                         char ***ret_list)
{
    const json_t *list = json_object_get(payload, name);
    size_t count = json_array_size(list);
    LT_CHECK(list == NULL || json_is_array(list), LT_PEER_MALFORMED, "\"%s\" is no array", name);
    LT_CHECK(count <= TEXTS_MAX, LT_PEER_TOO_LARGE, "\"%s\" has %zu members", name, count);
    *ret_list = LT_NEW_ARRAY(a, char *, count + 1);
    LT_CHECK(*ret_list != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        LT_CHECK(text != NULL, LT_PEER_MALFORMED, "\"%s\" has a member that is no text", name);
        LT_TRY(copy_text(a, lt_slice_cstr(text), &(*ret_list)[i]));
    }
    *ret_count = count;
    return LT_OK;
}

/* Parsed here, where strangers' bytes are taken apart; the registrar keeps its canonical text. */
static lt_res read_scope_text(lt_slice text, struct lt_arena *a, Ipc__ScopeWanted *w)
{
    const struct scope *s = NULL;
    struct lt_arena own;
    struct lt_buf canonical;
    uint8_t hash[SCOPE_HASH_LEN];
    lt_arena_init(&own, SCOPE_ARENA_MAX);
    lt_buf_init(&canonical, (size_t)SCOPE_TEXT_MAX * 4);
    lt_res r = scope_parse(text, &own, NULL, &s);
    r = lt_failed(r) ? r : scope_canonical(s, &canonical);
    r = lt_failed(r) ? r : scope_hash(s, hash);
    if (!lt_failed(r)) {
        w->text = lt_arena_cstr(a, lt_buf_slice(&canonical));
        w->sha256 = bytes_of(lt_arena_copy(a, LT_SLICE(hash, sizeof(hash))));
    }
    lt_buf_done(&canonical);
    lt_arena_done(&own);
    LT_TRY(r);
    LT_CHECK(w->text != NULL && w->sha256.data != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res read_scope(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                         Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    lt_slice text;
    Ipc__ScopeWanted *w = LT_NEW(a, Ipc__ScopeWanted);
    LT_CHECK(w != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__scope_wanted__init(w);
    LT_TRY(ca_api_text(payload, "name", true, a, &w->name));
    LT_TRY(ca_api_text(payload, "note", false, a, &w->note));
    LT_TRY(jose_json_string(payload, "scope", &text));
    LT_TRY(read_scope_text(text, a, w));
    LT_TRY(ca_api_time(payload, "as-of", true, &w->as_of_us));
    LT_TRY(ca_api_count(payload, "count", INT64_MAX, &w->count));
    call->scope = w;
    return ca_api_hash(payload, "members-sha256", a, &w->members_sha256);
}

static lt_res read_eab(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                       Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    Ipc__EabWanted *m = LT_NEW(a, Ipc__EabWanted);
    LT_CHECK(m != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__eab_wanted__init(m);
    LT_TRY(ca_api_text(payload, "note", false, a, &m->note));
    LT_TRY(read_texts(payload, "profiles", a, &m->n_profiles, &m->profiles));
    LT_TRY(read_texts(payload, "suffixes", a, &m->n_suffixes, &m->suffixes));
    LT_TRY(ca_api_count(payload, "accounts", UINT32_MAX, &m->accounts_most));
    LT_TRY(ca_api_count(payload, "orders", UINT32_MAX, &m->orders_most));
    LT_TRY(ca_api_count(payload, "orders-period", UINT32_MAX, &m->orders_period_s));
    call->eab = m;
    return ca_api_time(payload, "expires", false, &m->expires_us);
}

static lt_res read_eab_revoke(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                              Ipc__OperatorCall *call)
{
    (void)payload; /* it has no arguments */
    return copy_text(a, t->id, &call->name);
}

static lt_res read_resume(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                          Ipc__OperatorCall *call)
{
    uint64_t account = 0;
    LT_TRY(lt_parse_u64(t->id, INT64_MAX, &account));
    call->account_id = (int64_t)account;
    return ca_api_text(payload, "name", false, a, &call->name);
}

static lt_res read_enroll_methods(const json_t *payload, struct lt_arena *a, Ipc__EnrollWanted *w)
{
    const json_t *rows = json_object_get(payload, "methods");
    size_t count = json_array_size(rows);
    LT_CHECK(rows == NULL || json_is_array(rows), LT_PEER_MALFORMED, "\"methods\" is no array");
    LT_CHECK(count <= TEXTS_MAX, LT_PEER_TOO_LARGE, "\"methods\" has %zu members", count);
    Ipc__EnrollMethod *list = LT_NEW_ARRAY(a, Ipc__EnrollMethod, count + 1);
    w->methods = LT_NEW_ARRAY(a, Ipc__EnrollMethod *, count + 1);
    LT_CHECK(list != NULL && w->methods != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        LT_CHECK(json_is_object(row), LT_PEER_MALFORMED, "\"methods\" has a member that is no object");
        ipc__enroll_method__init(&list[i]);
        LT_TRY(ca_api_text(row, "name", false, a, &list[i].name));
        LT_TRY(ca_api_text(row, "method", true, a, &list[i].method));
        w->methods[w->n_methods++] = &list[i];
    }
    return LT_OK;
}

/* The certificate request stays as it is: who calls has it taken apart. */
static lt_res read_enroll(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                          Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    bool hold = false;
    lt_slice csr;
    Ipc__EnrollWanted *w = LT_NEW(a, Ipc__EnrollWanted);
    LT_CHECK(w != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__enroll_wanted__init(w);
    LT_TRY(ca_api_text(payload, "subscriber", true, a, &w->subscriber));
    LT_TRY(ca_api_text(payload, "contact", false, a, &w->contact));
    LT_TRY(ca_api_text(payload, "profile", false, a, &w->profile));
    LT_TRY(jose_json_bytes(payload, "csr", a, &csr));
    LT_TRY(jose_json_optional_bool(payload, "hold", &hold));
    w->csr = bytes_of(csr);
    w->hold = hold;
    call->enroll = w;
    return read_enroll_methods(payload, a, w);
}

static lt_res read_enroll_step(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                               Ipc__OperatorCall *call)
{
    uint64_t id = 0;
    Ipc__EnrollStep *s = LT_NEW(a, Ipc__EnrollStep);
    LT_CHECK(s != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__enroll_step__init(s);
    LT_TRY(lt_parse_u64(t->id, INT64_MAX, &id));
    LT_TRY(ca_api_text(payload, "name", false, a, &s->name));
    LT_TRY(ca_api_text(payload, "method", false, a, &s->method));
    LT_TRY(ca_api_text(payload, "reason", false, a, &s->reason));
    s->id = (int64_t)id;
    call->enroll_step = s;
    return LT_OK;
}

static const struct {
    const char *op;
    lt_res (*read)(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                   Ipc__OperatorCall *call);
} ops[] = {
    {"revoke", read_revoke},
    {"halt.add", read_halt},
    {"plan.create", read_plan},
    {"plan.approve", read_approval},
    {"plan.run", read_run},
    {"key-block.add", read_key_block},
    {"session.leave", ca_api_read_session},
    {"session.end", ca_api_read_session},
    {"lint.record", read_lint},
    {"scope.save", read_scope},
    {"mass.create", ca_api_read_mass},
    {"mass.start", ca_api_read_mass_act},
    {"mass.pause", ca_api_read_mass_act},
    {"mass.resume", ca_api_read_mass_act},
    {"mass.stop", ca_api_read_mass_act},
    {"hold.add", ca_api_read_hold},
    {"hold.lift", ca_api_read_hold},
    {"readiness.set", ca_api_read_ready},
    {"readiness.contact", ca_api_read_ready},
    {"readiness.write", ca_api_read_ready},
    {"readiness.call", ca_api_read_ready},
    {"readiness.link", ca_api_read_ready},
    {"holdout.add", ca_api_read_ready},
    {"holdout.lift", ca_api_read_ready},
    {"import.begin", ca_api_read_import},
    {"import.add", ca_api_read_import_rows},
    {"import.issuer", ca_api_read_import_issuer},
    {"usage.scan", ca_api_read_usage},
    {"usage.pause", ca_api_read_usage_act},
    {"usage.resume", ca_api_read_usage_act},
    {"usage.stop", ca_api_read_usage_act},
    {"eab.create", read_eab},
    {"eab.revoke", read_eab_revoke},
    {"pause.resume", read_resume},
    {"enroll.request", read_enroll},
    {"enroll.check", read_enroll_step},
    {"enroll.issue", read_enroll_step},
    {"enroll.cancel", read_enroll_step},
};

lt_res ca_api_operator_of_kid(lt_slice kid, lt_slice *ret_name)
{
    const lt_slice prefix = LT_LIT("operator:");
    LT_CHECK(lt_slice_starts(kid, prefix) && kid.len > prefix.len, LT_PEER_MALFORMED,
             "the kid of an operator's request is \"operator:NAME\"");
    *ret_name = lt_slice_sub(kid, prefix.len, SIZE_MAX);
    return LT_OK;
}

lt_res ca_api_call_head(const struct ca_api_target *target, const struct jws *jws, struct lt_arena *a,
                        Ipc__OperatorCall *ret_call, json_t **ret_payload)
{
    lt_slice name;
    ipc__operator_call__init(ret_call);
    LT_TRY(ca_api_operator_of_kid(jws->kid, &name));
    LT_TRY(copy_text(a, name, &ret_call->operator_));
    LT_TRY(copy_text(a, jws->nonce, &ret_call->nonce));
    LT_TRY(copy_text(a, lt_slice_cstr(target->route->what), &ret_call->op));
    return jose_json_object(jws->payload, ret_payload);
}

lt_res ca_api_call(const struct ca_api_target *target, const struct jws *jws, struct lt_arena *a,
                   Ipc__OperatorCall *ret_call)
{
    LT_CLEANUP(jose_json_freep) json_t *payload = NULL;
    LT_TRY(ca_api_call_head(target, jws, a, ret_call, &payload));
    for (size_t i = 0; i < LT_COUNT(ops); i++) {
        if (strcmp(ops[i].op, target->route->what) == 0) {
            return ops[i].read(target, payload, a, ret_call);
        }
    }
    LT_FAIL(LT_PEER_NOT_FOUND, "there is nothing at this path");
}
