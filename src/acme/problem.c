/* The table of problem types, and their way into the book and back. */
#include <stdarg.h>
#include <stdio.h>

#include "acme/json_own.h"
#include "acme/problem.h"
#include "base/text.h"

enum { DETAIL_MAX = 1024, SUBPROBLEMS_MAX = 256 };

/* Types are the RFC's table of 6.7, "invalidProfile" of draft-ietf-acme-profiles, and "lintel:" for words
 * between notary and registrar that no client sees. */
static const struct {
    const char *type;
    uint32_t status;
} types[] = {
    {"accountDoesNotExist", 400},
    {"alreadyReplaced", 409}, /* RFC 9773 7.4 */
    {"alreadyRevoked", 400},
    {"badCSR", 400},
    {"badNonce", 400},
    {"badPublicKey", 400},
    {"badRevocationReason", 400},
    {"badSignatureAlgorithm", 400},
    {"caa", 403},
    {"compound", 400},
    {"connection", 400},
    {"dns", 400},
    {"externalAccountRequired", 403},
    {"incorrectResponse", 403},
    {"invalidContact", 400},
    {"invalidProfile", 400},
    {"malformed", 400},
    /*= RFC 8555 7.4 "MUST return a 403 (Forbidden) error with a problem document of type "orderNotReady"" */
    {"orderNotReady", 403},
    /*= RFC 8555 6.6 "MUST respond with an error with the type "urn:ietf:params:acme:error:rateLimited"" */
    {"rateLimited", 429},
    {"rejectedIdentifier", 400},
    {"serverInternal", 500},
    {"tls", 400},
    {"unauthorized", 403},
    {"unsupportedContact", 400},
    {"unsupportedIdentifier", 400},
    {"userActionRequired", 403},
    {"lintel:stale-key", 409},
    {"lintel:session", 401},
};

uint32_t acme_problem_status(const char *type)
{
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        if (lt_slice_eq_cstr(lt_slice_cstr(type), types[i].type)) {
            return types[i].status;
        }
    }
    return 0;
}

Ipc__Problem *acme_problem(struct lt_arena *a, const char *type, const char *format, ...)
{
    char text[DETAIL_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    uint32_t status = acme_problem_status(type);
    LT_ASSERT(status != 0);
    Ipc__Problem *p = LT_NEW(a, Ipc__Problem);
    char *detail = lt_arena_cstr(a, lt_slice_cstr(text));
    char *type_copy = lt_arena_cstr(a, lt_slice_cstr(type));
    if (p == NULL || detail == NULL || type_copy == NULL) {
        return NULL;
    }
    ipc__problem__init(p);
    p->type = type_copy;
    p->status = status;
    p->detail = detail;
    return p;
}

lt_res acme_problem_add(struct lt_arena *a, Ipc__Problem *p, const char *type,
                        const Ipc__Identifier *identifier, const char *detail)
{
    if (p->subproblems == NULL) {
        p->subproblems = LT_NEW_ARRAY(a, Ipc__SubProblem *, SUBPROBLEMS_MAX);
    }
    LT_CHECK(p->subproblems != NULL && p->n_subproblems < SUBPROBLEMS_MAX, LT_PEER_TOO_LARGE,
             "acme: too many subproblems");
    Ipc__SubProblem *sub = LT_NEW(a, Ipc__SubProblem);
    Ipc__Identifier *copy = LT_NEW(a, Ipc__Identifier);
    LT_CHECK(sub != NULL && copy != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    ipc__sub_problem__init(sub);
    ipc__identifier__init(copy);
    sub->type = lt_arena_cstr(a, lt_slice_cstr(type));
    sub->detail = lt_arena_cstr(a, lt_slice_cstr(detail));
    copy->type = lt_arena_cstr(a, lt_slice_cstr(identifier->type));
    copy->value = lt_arena_cstr(a, lt_slice_cstr(identifier->value));
    LT_CHECK(sub->type != NULL && sub->detail != NULL && copy->type != NULL && copy->value != NULL,
             LT_PEER_TOO_LARGE, "acme: the answer is too large");
    sub->identifier = copy;
    p->subproblems[p->n_subproblems++] = sub;
    return LT_OK;
}

static void add_member(struct lt_buf *out, const char *key, const char *value)
{
    lt_buf_add_cstr(out, key);
    lt_json_add_string(out, lt_slice_cstr(value));
}

void acme_problem_json(const Ipc__Problem *p, struct lt_buf *out)
{
    if (p == NULL) {
        lt_buf_add_cstr(out, "null");
        return;
    }
    add_member(out, "{\"type\":", p->type);
    lt_buf_addf(out, ",\"status\":%u", p->status);
    add_member(out, ",\"detail\":", p->detail);
    lt_buf_add_cstr(out, ",\"subproblems\":[");
    for (size_t i = 0; i < p->n_subproblems; i++) {
        const Ipc__SubProblem *s = p->subproblems[i];
        add_member(out, i == 0 ? "{\"type\":" : ",{\"type\":", s->type);
        add_member(out, ",\"detail\":", s->detail);
        add_member(out, ",\"identifier\":{\"type\":", s->identifier == NULL ? "" : s->identifier->type);
        add_member(out, ",\"value\":", s->identifier == NULL ? "" : s->identifier->value);
        lt_buf_add_cstr(out, "}}");
    }
    lt_buf_add_cstr(out, "]}");
}

static lt_res read_subproblem(struct lt_arena *a, struct acme_own *o, Ipc__Problem *p)
{
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    acme_own_skip(o, "{\"type\":");
    const char *type = acme_own_string(o, a);
    acme_own_skip(o, ",\"detail\":");
    const char *detail = acme_own_string(o, a);
    acme_own_skip(o, ",\"identifier\":{\"type\":");
    identifier.type = acme_own_string(o, a);
    acme_own_skip(o, ",\"value\":");
    identifier.value = acme_own_string(o, a);
    acme_own_skip(o, "}}");
    LT_CHECK(!o->bad, LT_STATE_CORRUPT, "acme: the book holds JSON that is not ours");
    return acme_problem_add(a, p, type, &identifier, detail);
}

lt_res acme_problem_read(struct lt_arena *a, lt_slice json, Ipc__Problem **ret_problem)
{
    struct acme_own o = {.rest = json};
    Ipc__Problem *p = LT_NEW(a, Ipc__Problem);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    ipc__problem__init(p);
    acme_own_skip(&o, "{\"type\":");
    p->type = acme_own_string(&o, a);
    acme_own_skip(&o, ",\"status\":");
    p->status = acme_own_number(&o);
    acme_own_skip(&o, ",\"detail\":");
    p->detail = acme_own_string(&o, a);
    acme_own_skip(&o, ",\"subproblems\":[");
    while (!o.bad && !acme_own_is(&o, "]")) {
        (void)acme_own_is(&o, ","); /* our own text: between two */
        LT_TRY(read_subproblem(a, &o, p));
    }
    acme_own_skip(&o, "}");
    LT_TRY(acme_own_done(&o));
    *ret_problem = p;
    return LT_OK;
}
