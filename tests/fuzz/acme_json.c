/* Payloads of ACME clients and of operators: whatever the bytes, a call that is sound or a problem that names
 * a type of the table.
 *
 * Input: one byte that picks the resource, then the payload; the last pick reads it as path and query. For
 * finalize and revocation with the high bit set, the rest is the DER itself, so that the fuzzer need not find
 * base64url. */
#include <stdint.h>
#include <string.h>

#include "acme/problem.h"
#include "acme/wire.h"
#include "base/text.h"
#include "ca/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1 << 20 };

static const char *const acme_paths[] = {
    "/acme/new-account",   "/acme/new-order", "/acme/revoke-cert",      "/acme/key-change",
    "/acme/account/12",    "/acme/order/5",   "/acme/order/5/finalize", "/acme/authorization/5",
    "/acme/challenge/5/0", "/acme/directory", "/acme/certificate/0cf6", "/acme/account/12/orders",
};
static const char *const api_paths[] = {
    "/api/v1/certificates/0cf6/revoke",
    "/api/v1/halts",
    "/api/v1/plans",
    "/api/v1/plans/p1/approvals",
    "/api/v1/plans/p1/run",
    "/api/v1/key-blocks",
    "/api/v1/enrollments",
    "/api/v1/enrollments/4711/check",
    "/api/v1/eab",
    "/api/v1/lint/findings",
};

static lt_slice in_member(struct lt_arena *a, const char *member, lt_slice der)
{
    char *text = lt_base64url(a, der);
    return lt_slice_cstr(text == NULL ? NULL : lt_arena_printf(a, "{\"%s\":\"%s\"}", member, text));
}

static void check_call(const Ipc__AcmeCall *call)
{
    LT_ASSERT(call->op != IPC__ACME_OP__ACME_NONE);
    size_t n = ipc__acme_call__get_packed_size(call);
    LT_ASSERT(n > 0);
    for (size_t i = 0; call->finalize != NULL && i < call->finalize->n_names; i++) {
        LT_ASSERT(call->finalize->names[i]->value[0] != 0);
    }
    for (size_t i = 0; call->new_order != NULL && i < call->new_order->n_identifiers; i++) {
        LT_ASSERT(call->new_order->identifiers[i]->value[0] != 0);
    }
    for (size_t i = 0; call->new_order != NULL && i < call->new_order->n_ancestors; i++) {
        lt_slice name = lt_slice_cstr(call->new_order->ancestors[i]->identifier->value);
        lt_slice domain = lt_slice_cstr(call->new_order->ancestors[i]->domain);
        LT_ASSERT(domain.len > 0 && name.len > domain.len + 1 && lt_slice_ends(name, domain));
        LT_ASSERT(name.ptr[name.len - domain.len - 1] == '.');
    }
    const Ipc__AcmeNewAuthorization *ahead = call->new_authorization;
    LT_ASSERT(ahead == NULL || (ahead->identifier->value[0] != 0 &&
                                (!ahead->subdomains || strcmp(ahead->identifier->type, "dns") == 0)));
}

static void read_acme(const char *path, lt_slice payload, struct lt_arena *a)
{
    static const uint8_t thumbprint[32] = {1};
    const struct wire_site site = {.base_url = "https://ca.example", .terms_of_service = "", .website = ""};
    struct wire_reader r = {.site = &site, .arena = a};
    struct jws jws = {.nonce = LT_LIT("AA"),
                      .url = LT_LIT("https://ca.example/acme/key-change"),
                      .kid = LT_LIT("https://ca.example/acme/account/12"),
                      .payload = payload};
    struct wire_target t;
    Ipc__AcmeCall call;
    lt_res found = wire_find(lt_slice_cstr(path), (lt_slice){0}, a, &t);
    LT_ASSERT(!lt_failed(found));
    found = wire_begin_call(a, &jws, t.route->signer == WIRE_BY_JWK ? 0 : 12, thumbprint, &call);
    if (!lt_failed(found)) {
        found = wire_read_call(&r, &t, &jws, LT_LIT("spki"), &call);
    }
    if (!lt_failed(found)) {
        check_call(&call);
        return;
    }
    const Ipc__Problem *p = wire_problem_of(&r, found);
    LT_ASSERT(p == NULL || (acme_problem_status(p->type) != 0 && strcmp(p->type, "serverInternal") != 0));
}

static void read_api(const char *path, lt_slice payload, struct lt_arena *a)
{
    struct ca_api_target t;
    struct jws jws = {.kid = LT_LIT("operator:admin"), .nonce = LT_LIT("AA"), .payload = payload};
    Ipc__OperatorCall call;
    lt_res found = ca_api_find(LT_LIT("POST"), lt_slice_cstr(path), a, &t);
    LT_ASSERT(!lt_failed(found));
    found = ca_api_call(&t, &jws, a, &call);
    LT_ASSERT(lt_failed(found) || ipc__operator_call__get_packed_size(&call) > 0);
}

/* The payload as a path and its query, of either kind. */
static void read_path(lt_slice text, struct lt_arena *a)
{
    size_t mark = lt_slice_find(text, '?');
    lt_slice path = lt_slice_sub(text, 0, mark);
    lt_slice query = lt_slice_sub(text, mark + 1, SIZE_MAX);
    struct wire_target t;
    struct ca_api_target api;
    Ipc__Query q;
    if (!lt_failed(wire_find(path, query, a, &t))) {
        LT_ASSERT(t.id >= 0 && t.serial.len <= WIRE_SERIAL_MAX && t.cursor.len <= WIRE_CURSOR_MAX);
    }
    if (!lt_failed(ca_api_find(LT_LIT("GET"), path, a, &api)) && api.route->kind == CA_API_QUERY &&
        !lt_failed(ca_api_query(&api, query, a, &q))) {
        LT_ASSERT(q.limit <= CA_API_LIMIT_MAX && ipc__query__get_packed_size(&q) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    lt_slice payload = LT_SLICE(data + 1, size - 1);
    size_t pick = (data[0] & 0x7fu) % (LT_COUNT(acme_paths) + LT_COUNT(api_paths) + 1);
    if (data[0] & 0x80) {
        bool revoke = data[0] & 1;
        payload = in_member(&arena, revoke ? "certificate" : "csr", payload);
        pick = revoke ? 2 : 6;
    }
    if (pick < LT_COUNT(acme_paths)) {
        read_acme(acme_paths[pick], payload, &arena);
        read_acme("/acme/new-authz", payload, &arena);
    } else if (pick == LT_COUNT(acme_paths) + LT_COUNT(api_paths)) {
        read_path(payload, &arena);
    } else {
        read_api(api_paths[pick - LT_COUNT(acme_paths)], payload, &arena);
        read_api("/api/v1/pauses/12/resume", payload, &arena);
    }
    lt_arena_done(&arena);
    return 0;
}
