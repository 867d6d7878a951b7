/* Paths and queries of the operator API. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/api.h"

const struct ca_api_route ca_api_routes[] = {
    {"GET", "status", "status", CA_API_QUERY},
    {"GET", "settings", "settings", CA_API_QUERY, CA_READERS_BOOK},
    {"GET", "overview", "overview", CA_API_QUERY},
    {"GET", "live", "overview.live", CA_API_QUERY}, /* the gateway makes a stream of it */
    {"GET", "certificates", "certificate.list", CA_API_QUERY},
    {"GET", "certificates/{serial}", "certificate.show", CA_API_QUERY},
    {"GET", "authorizations/{id}", "authorization.show", CA_API_QUERY},
    {"GET", "accounts", "account.list", CA_API_QUERY},
    {"GET", "accounts/{id}", "account.show", CA_API_QUERY},
    {"GET", "events", "event.list", CA_API_QUERY, CA_READERS_BOOK},
    {"GET", "halts", "halt.list", CA_API_QUERY},
    {"GET", "operators", "operator.list", CA_API_QUERY},
    {"GET", "orders", "order.list", CA_API_QUERY},
    {"GET", "orders/{id}", "order.show", CA_API_QUERY},
    {"GET", "pauses", "pause.list", CA_API_QUERY},
    {"GET", "plans", "plan.list", CA_API_QUERY},
    {"GET", "plans/{id}", "plan.show", CA_API_QUERY},
    {"GET", "issuers", "issuer.list", CA_API_QUERY},
    {"GET", "crls", "crl.list", CA_API_QUERY},
    {"GET", "crls/{id}", "crl.digest", CA_API_QUERY},
    {"GET", "inventory", "lint.inventory", CA_API_QUERY},
    {"GET", "eab", "eab.list", CA_API_QUERY},
    {"GET", "enrollments", "enrolment.list", CA_API_QUERY},
    {"GET", "enrollments/{id}", "enrolment.show", CA_API_QUERY},
    {"GET", "scopes", "scope.saved", CA_API_QUERY},
    {"GET", "scopes/{id}", "scope.show", CA_API_QUERY},
    {"GET", "scopes/{id}/diff", "scope.diff", CA_API_QUERY},
    {"GET", "scopes/{id}/run", "scope.again", CA_API_QUERY},
    {"GET", "masses", "mass.list", CA_API_QUERY},
    {"GET", "masses/{id}", "mass.show", CA_API_QUERY},
    {"GET", "holds", "hold.list", CA_API_QUERY},
    {"GET", "imports", "import.list", CA_API_QUERY},
    {"POST", "imports", "import.begin", CA_API_CALL},
    {"POST", "imports/{id}/certificates", "import.add", CA_API_CALL},
    {"POST", "issuers", "import.issuer", CA_API_CALL},
    {"GET", "readiness", "readiness.list", CA_API_QUERY},
    {"GET", "readiness/worklist", "readiness.worklist", CA_API_QUERY},
    {"GET", "readiness/{id}", "readiness.show", CA_API_QUERY},
    {"GET", "holdouts", "holdout.list", CA_API_QUERY},
    {"GET", "blast-radius", "blast-radius", CA_API_QUERY},
    {"POST", "readiness/{id}/set", "readiness.set", CA_API_CALL},
    {"POST", "readiness/{id}/contact", "readiness.contact", CA_API_CALL},
    {"POST", "readiness/{id}/write", "readiness.write", CA_API_CALL},
    {"POST", "readiness/{id}/call", "readiness.call", CA_API_CALL},
    {"POST", "readiness/{id}/link", "readiness.link", CA_API_CALL},
    {"POST", "holdouts", "holdout.add", CA_API_CALL},
    {"POST", "holdouts/{id}/lift", "holdout.lift", CA_API_CALL},
    {"POST", "masses", "mass.create", CA_API_CALL},
    {"POST", "masses/{id}/start", "mass.start", CA_API_CALL},
    {"POST", "masses/{id}/pause", "mass.pause", CA_API_CALL},
    {"POST", "masses/{id}/resume", "mass.resume", CA_API_CALL},
    {"POST", "masses/{id}/stop", "mass.stop", CA_API_CALL},
    {"POST", "holds/{serial}", "hold.add", CA_API_CALL},
    {"POST", "holds/{serial}/lift", "hold.lift", CA_API_CALL},
    {"GET", "usage/scans", "usage.list", CA_API_QUERY},
    {"GET", "usage/scans/{id}", "usage.show", CA_API_QUERY},
    {"GET", "usage/endpoints", "usage.endpoints", CA_API_QUERY},
    {"GET", "usage/history", "usage.history", CA_API_QUERY},
    {"POST", "usage/scans", "usage.scan", CA_API_CALL},
    {"POST", "usage/scans/{id}/pause", "usage.pause", CA_API_CALL},
    {"POST", "usage/scans/{id}/resume", "usage.resume", CA_API_CALL},
    {"POST", "usage/scans/{id}/stop", "usage.stop", CA_API_CALL},
    {"GET", "session", "session", CA_API_QUERY},
    {"GET", "sessions", "session.list", CA_API_QUERY, CA_READERS_PEOPLE},
    {"GET", "passkeys", "passkey.list", CA_API_QUERY, CA_READERS_PEOPLE},
    {"POST", "sessions", "session.open", CA_API_LOGIN},
    {"POST", "passkeys", "passkey.add", CA_API_LOGIN},
    {"POST", "session/leave", "session.leave", CA_API_CALL},
    {"POST", "sessions/{id}/end", "session.end", CA_API_CALL},
    {"GET", "nonce", "nonce", CA_API_NONCE},
    {"GET", "openapi.json", "openapi", CA_API_DOCUMENT},
    {"GET", "causes", "cause.list", CA_API_QUERY},
    {"GET", "scope/fields", "scope.fields", CA_API_QUERY},
    {"POST", "scope/check", "scope.check", CA_API_QUERY},
    {"POST", "scope/count", "scope.count", CA_API_QUERY},
    {"POST", "scope/groups", "scope.groups", CA_API_QUERY},
    {"POST", "scope/list", "scope.list", CA_API_QUERY},
    {"POST", "scope/explain", "scope.explain", CA_API_QUERY},
    {"POST", "scope/run", "scope.run", CA_API_QUERY},
    {"POST", "scopes", "scope.save", CA_API_CALL},
    {"POST", "lint", "lint", CA_API_QUERY},
    {"POST", "lint/findings", "lint.record", CA_API_CALL},
    {"POST", "certificates/{serial}/revoke", "revoke", CA_API_CALL},
    {"POST", "halts", "halt.add", CA_API_CALL},
    {"POST", "key-blocks", "key-block.add", CA_API_CALL},
    {"POST", "eab", "eab.create", CA_API_CALL},
    {"POST", "eab/{id}/revoke", "eab.revoke", CA_API_CALL},
    {"POST", "enrollments", "enroll.request", CA_API_CALL},
    {"POST", "enrollments/{id}/check", "enroll.check", CA_API_CALL},
    {"POST", "enrollments/{id}/issue", "enroll.issue", CA_API_CALL},
    {"POST", "enrollments/{id}/cancel", "enroll.cancel", CA_API_CALL},
    {"POST", "pauses/{id}/resume", "pause.resume", CA_API_CALL},
    {"POST", "plans", "plan.create", CA_API_CALL},
    {"POST", "plans/{id}/approvals", "plan.approve", CA_API_CALL},
    {"POST", "plans/{id}/run", "plan.run", CA_API_CALL},
};
const size_t ca_api_route_count = LT_COUNT(ca_api_routes);

enum { WORD_MAX = 128, VALUE_MAX = 512, HASH_LEN = 32, SERIAL_LEN_MAX = 20 };

static bool is_word(lt_slice text)
{
    bool good = text.len > 0 && text.len <= WORD_MAX;
    for (size_t i = 0; i < text.len && good; i++) {
        uint8_t c = text.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_' || c == '.';
    }
    return good;
}

static bool match_part(lt_slice name, lt_slice text, struct lt_arena *a, struct ca_api_target *t)
{
    if (lt_slice_eq_cstr(name, "{id}")) {
        t->id = lt_arena_copy(a, text); /* the path goes before the answer comes */
        return is_word(text) && t->id.ptr != NULL;
    }
    if (lt_slice_eq_cstr(name, "{serial}")) {
        return text.len > 0 && text.len <= (size_t)2 * SERIAL_LEN_MAX &&
               !lt_failed(lt_unhex(a, text, &t->id));
    }
    return lt_slice_eq(name, text);
}

static bool match(const struct ca_api_route *route, lt_slice path, struct lt_arena *a,
                  struct ca_api_target *t)
{
    lt_slice pattern = lt_slice_cstr(route->pattern);
    lt_slice name;
    lt_slice text;
    *t = (struct ca_api_target){.route = route};
    while (lt_slice_split(&pattern, '/', &name)) {
        if (!lt_slice_split(&path, '/', &text) || !match_part(name, text, a, t)) {
            return false;
        }
    }
    return path.ptr == NULL;
}

static const struct ca_api_route *route_at(const struct ca_api_routes *t, size_t i)
{
    return (const struct ca_api_route *)(const void *)((const char *)t->routes + i * t->stride);
}

lt_res ca_api_find_in(const struct ca_api_routes *tables, size_t table_count,
                      const struct ca_api_request_line *line, struct lt_arena *a,
                      struct ca_api_target *ret_target)
{
    const lt_slice prefix = LT_LIT(CA_API_PREFIX);
    bool known = false;
    LT_CHECK(lt_slice_starts(line->path, prefix), LT_PEER_NOT_FOUND, "there is nothing at this path");
    lt_slice rest = lt_slice_sub(line->path, prefix.len, SIZE_MAX);
    for (size_t table = 0; table < table_count; table++) {
        for (size_t i = 0; i < tables[table].count; i++) {
            const struct ca_api_route *route = route_at(&tables[table], i);
            if (match(route, rest, a, ret_target)) {
                if (lt_slice_eq_cstr(line->method, route->method)) {
                    return LT_OK;
                }
                known = true;
            }
        }
    }
    LT_CHECK(!known, LT_PEER_UNSUPPORTED, "%.*s is not what this path takes", LT_FMT(line->method));
    LT_FAIL(LT_PEER_NOT_FOUND, "there is nothing at this path");
}

unsigned ca_api_readers(const struct ca_api_routes *tables, size_t table_count, const char *what)
{
    for (size_t table = 0; table < table_count; table++) {
        for (size_t i = 0; i < tables[table].count; i++) {
            const struct ca_api_route *route = route_at(&tables[table], i);
            if (route->kind == CA_API_QUERY && strcmp(route->what, what) == 0) {
                return route->readers == 0 ? CA_READERS_ALL : route->readers;
            }
        }
    }
    return 0;
}

lt_res ca_api_find(lt_slice method, lt_slice path, struct lt_arena *a, struct ca_api_target *ret_target)
{
    const struct ca_api_routes ours = {ca_api_routes, ca_api_route_count, sizeof(ca_api_routes[0])};
    const struct ca_api_request_line line = {method, path};
    return ca_api_find_in(&ours, 1, &line, a, ret_target);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (uint8_t)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static lt_res percent_decode(lt_slice text, struct lt_arena *a, lt_slice *ret_text)
{
    LT_CHECK(text.len <= (size_t)3 * VALUE_MAX, LT_PEER_TOO_LARGE, "a query value of %zu bytes", text.len);
    uint8_t *out = lt_arena_alloc(a, text.len + 1);
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the query is over the limit");
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1;
            int low = text.len - i > 2 ? hex_value(text.ptr[i + 2]) : -1;
            LT_CHECK(high >= 0 && low >= 0, LT_PEER_MALFORMED, "bad percent-encoding in the query");
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        LT_CHECK(c >= 0x20 && c != 0x7f, LT_PEER_MALFORMED, "a control character in the query");
        out[len++] = c;
    }
    *ret_text = LT_SLICE(out, len);
    return LT_OK;
}

enum parameter_kind { P_TEXT, P_TIME, P_HEX, P_FLAG, P_ID, P_COUNT, P_VERSION };

static const struct parameter {
    const char *name;
    enum parameter_kind kind;
    size_t offset; /* in Ipc__Query */
} parameters[] = {
    {"cursor", P_TEXT, offsetof(Ipc__Query, cursor)},
    {"limit", P_COUNT, offsetof(Ipc__Query, limit)},
    {"issuer", P_TEXT, offsetof(Ipc__Query, issuer)},
    {"profile", P_TEXT, offsetof(Ipc__Query, profile)},
    {"status", P_TEXT, offsetof(Ipc__Query, status)},
    {"name", P_TEXT, offsetof(Ipc__Query, name)},
    {"suffix", P_TEXT, offsetof(Ipc__Query, name_suffix)},
    {"account", P_ID, offsetof(Ipc__Query, account_id)},
    {"serial", P_HEX, offsetof(Ipc__Query, serial)},
    {"issued-from", P_TIME, offsetof(Ipc__Query, issued_from_us)},
    {"issued-until", P_TIME, offsetof(Ipc__Query, issued_until_us)},
    {"expires-from", P_TIME, offsetof(Ipc__Query, expires_from_us)},
    {"expires-until", P_TIME, offsetof(Ipc__Query, expires_until_us)},
    {"spki-sha256", P_HEX, offsetof(Ipc__Query, spki_sha256)},
    {"sha256", P_HEX, offsetof(Ipc__Query, sha256)},
    {"evidence", P_FLAG, offsetof(Ipc__Query, evidence)},
    {"der", P_FLAG, offsetof(Ipc__Query, with_der)},
    {"id", P_TEXT, offsetof(Ipc__Query, id)},
    {"order", P_TEXT, offsetof(Ipc__Query, order)},
    {"at", P_TIME, offsetof(Ipc__Query, as_of_us)},
    {"version", P_VERSION, offsetof(Ipc__Query, version)},
    {"against", P_VERSION, offsetof(Ipc__Query, against)},
    {"by", P_TEXT, offsetof(Ipc__Query, by)},
    {"side", P_TEXT, offsetof(Ipc__Query, side)},
    {"now", P_FLAG, offsetof(Ipc__Query, both_now)},
    {"within", P_VERSION, offsetof(Ipc__Query, within_ms)},
};

const struct ca_api_parameter *ca_api_parameter_nth(size_t i, struct ca_api_parameter *ret_parameter)
{
    static const char *const types[] = {
        [P_TEXT] = "text", [P_TIME] = "time",   [P_HEX] = "hex",        [P_FLAG] = "flag",
        [P_ID] = "id",     [P_COUNT] = "count", [P_VERSION] = "number",
    };
    if (i >= LT_COUNT(parameters)) {
        return NULL;
    }
    *ret_parameter = (struct ca_api_parameter){parameters[i].name, types[parameters[i].kind]};
    return ret_parameter;
}

static lt_res set_hex(lt_slice value, struct lt_arena *a, ProtobufCBinaryData *ret_bytes)
{
    lt_slice bytes;
    LT_TRY(lt_unhex(a, value, &bytes));
    LT_CHECK(bytes.len > 0 && bytes.len <= HASH_LEN, LT_PEER_MALFORMED, "%zu bytes in hex", bytes.len);
    *ret_bytes = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
    return LT_OK;
}

static lt_res set_value(const struct parameter *p, lt_slice value, struct lt_arena *a, Ipc__Query *q)
{
    void *field = (char *)q + p->offset; /* the table says its type */
    uint64_t number = 0;
    lt_time when;
    switch (p->kind) {
    case P_TEXT:
        LT_CHECK(value.len <= VALUE_MAX, LT_PEER_TOO_LARGE, "\"%s\" of %zu bytes", p->name, value.len);
        *(char **)field = lt_arena_cstr(a, value);
        LT_CHECK(*(char **)field != NULL, LT_PEER_TOO_LARGE, "the query is over the limit");
        return LT_OK;
    case P_TIME:
        LT_TRY(lt_time_parse(value, &when));
        *(int64_t *)field = when.us;
        return LT_OK;
    case P_HEX:
        return set_hex(value, a, field);
    case P_FLAG:
        LT_CHECK(lt_slice_eq_cstr(value, "1") || lt_slice_eq_cstr(value, "0"), LT_PEER_MALFORMED,
                 "\"%s\" is neither 0 nor 1", p->name);
        *(protobuf_c_boolean *)field = value.ptr[0] == '1';
        return LT_OK;
    case P_ID:
        LT_TRY(lt_parse_u64(value, INT64_MAX, &number));
        *(int64_t *)field = (int64_t)number;
        return LT_OK;
    case P_COUNT:
        LT_TRY(lt_parse_u64(value, CA_API_LIMIT_MAX, &number));
        *(uint32_t *)field = (uint32_t)number;
        return LT_OK;
    case P_VERSION:
        LT_TRY(lt_parse_u64(value, UINT32_MAX, &number));
        *(uint32_t *)field = (uint32_t)number;
        return LT_OK;
    }
    LT_ASSERT(false);
}

static lt_res set_parameter(lt_slice pair, struct lt_arena *a, Ipc__Query *q)
{
    size_t equals = lt_slice_find(pair, '=');
    lt_slice name = lt_slice_sub(pair, 0, equals);
    lt_slice value = {0};
    LT_TRY(percent_decode(lt_slice_sub(pair, equals + 1, SIZE_MAX), a, &value));
    for (size_t i = 0; i < LT_COUNT(parameters); i++) {
        if (lt_slice_eq_cstr(name, parameters[i].name)) {
            return set_value(&parameters[i], value, a, q);
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "there is no filter \"%.*s\"", (int)(name.len > 40 ? 40 : name.len),
            (const char *)(name.ptr == NULL ? (const uint8_t *)"" : name.ptr));
}

static lt_res set_object(const struct ca_api_target *t, struct lt_arena *a, Ipc__Query *q)
{
    if (strstr(t->route->pattern, "{serial}") != NULL) {
        q->serial = (ProtobufCBinaryData){t->id.len, (uint8_t *)(uintptr_t)t->id.ptr};
    } else if (t->id.len > 0) {
        uint64_t number = 0;
        q->id = lt_arena_cstr(a, t->id);
        LT_CHECK(q->id != NULL, LT_PEER_TOO_LARGE, "the query is over the limit");
        if (strcmp(t->route->what, "account.show") == 0) {
            LT_TRY(lt_parse_u64(t->id, INT64_MAX, &number));
            q->account_id = (int64_t)number;
        }
    }
    return LT_OK;
}

lt_res ca_api_query(const struct ca_api_target *target, lt_slice query, struct lt_arena *a,
                    Ipc__Query *ret_query)
{
    lt_slice pair;
    ipc__query__init(ret_query);
    ret_query->what = lt_arena_cstr(a, lt_slice_cstr(target->route->what));
    LT_CHECK(ret_query->what != NULL, LT_PEER_TOO_LARGE, "the query is over the limit");
    ret_query->limit = CA_API_LIMIT_DEFAULT;
    while (query.len > 0 && lt_slice_split(&query, '&', &pair)) {
        LT_TRY(set_parameter(pair, a, ret_query));
    }
    return set_object(target, a, ret_query);
}
