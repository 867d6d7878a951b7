/* The paths of ACME as a table. The order of the columns that follow the pattern: resource, who signs, GET,
 * POST-as-GET, POST with payload, keep the raw request. */
#include "acme/wire.h"
#include "base/text.h"

const struct wire_route wire_routes[] = {
    /*= RFC 8555 6.3 "The server MUST allow GET requests for the directory and newNonce resources (see
     *= Section 7.1), in addition to POST-as-GET requests for these resources." */
    {"/acme/directory", WIRE_DIRECTORY, WIRE_BY_ACCOUNT, true, true, false, false},
    {"/acme/new-nonce", WIRE_NEW_NONCE, WIRE_BY_ACCOUNT, true, true, false, false},
    {"/acme/new-account", WIRE_NEW_ACCOUNT, WIRE_BY_JWK, false, false, true, false},
    {"/acme/new-order", WIRE_NEW_ORDER, WIRE_BY_ACCOUNT, false, false, true, false},
    {"/acme/new-authz", WIRE_NEW_AUTHORIZATION, WIRE_BY_ACCOUNT, false, false, true, false},
    {"/acme/revoke-cert", WIRE_REVOKE, WIRE_BY_EITHER, false, false, true, true},
    {"/acme/key-change", WIRE_KEY_CHANGE, WIRE_BY_ACCOUNT, false, false, true, true},
    {"/acme/account/{id}", WIRE_ACCOUNT, WIRE_BY_ACCOUNT, false, true, true, true},
    {"/acme/account/{id}/orders", WIRE_ORDERS, WIRE_BY_ACCOUNT, false, true, false, false},
    {"/acme/account/{id}/readiness", WIRE_READINESS, WIRE_BY_ACCOUNT, false, true, false, false},
    {"/acme/order/{id}", WIRE_ORDER, WIRE_BY_ACCOUNT, false, true, false, false},
    {"/acme/order/{id}/finalize", WIRE_FINALIZE, WIRE_BY_ACCOUNT, false, false, true, true},
    {"/acme/authorization/{id}", WIRE_AUTHORIZATION, WIRE_BY_ACCOUNT, false, true, true, true},
    {"/acme/challenge/{id}/{index}", WIRE_CHALLENGE, WIRE_BY_ACCOUNT, false, true, true, false},
    {"/acme/certificate/{serial}", WIRE_CERTIFICATE, WIRE_BY_ACCOUNT, false, true, false, false},
    {"/acme/certificate/{serial}/{index}", WIRE_CERTIFICATE, WIRE_BY_ACCOUNT, false, true, false, false},
};
const size_t wire_route_count = LT_COUNT(wire_routes);

/* One canonical spelling for each: an object has one URL. */
static bool read_serial(lt_slice text, struct lt_arena *a, lt_slice *ret_serial)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F') {
            return false;
        }
    }
    return text.len >= 2 && text.len <= (size_t)2 * WIRE_SERIAL_MAX &&
           !lt_failed(lt_unhex(a, text, ret_serial));
}

static bool read_part(lt_slice name, lt_slice text, struct lt_arena *a, struct wire_target *t)
{
    uint64_t value = 0;
    if (lt_slice_eq_cstr(name, "{id}")) {
        bool good = !lt_failed(lt_parse_u64(text, INT64_MAX, &value));
        t->id = (int64_t)value;
        return good && value != 0;
    }
    if (lt_slice_eq_cstr(name, "{index}")) {
        bool good = !lt_failed(lt_parse_u64(text, 1000, &value));
        t->index = (uint32_t)value;
        return good;
    }
    if (lt_slice_eq_cstr(name, "{serial}")) {
        return read_serial(text, a, &t->serial);
    }
    return lt_slice_eq(name, text);
}

static bool matches(const struct wire_route *route, lt_slice path, struct lt_arena *a, struct wire_target *t)
{
    lt_slice pattern = lt_slice_cstr(route->pattern);
    lt_slice name;
    lt_slice text;
    *t = (struct wire_target){.route = route};
    while (lt_slice_split(&pattern, '/', &name)) {
        if (!lt_slice_split(&path, '/', &text) || !read_part(name, text, a, t)) {
            return false;
        }
    }
    return path.ptr == NULL;
}

static lt_res read_query(lt_slice query, struct lt_arena *a, struct wire_target *t)
{
    if (query.len == 0) {
        return LT_OK;
    }
    const lt_slice cursor = LT_LIT("cursor=");
    LT_CHECK(t->route->resource == WIRE_ORDERS && lt_slice_starts(query, cursor), LT_PEER_NOT_FOUND,
             "this resource takes no query");
    LT_TRY(lt_unbase64url(a, lt_slice_sub(query, cursor.len, SIZE_MAX), &t->cursor));
    LT_CHECK(t->cursor.len > 0 && t->cursor.len <= WIRE_CURSOR_MAX, LT_PEER_MALFORMED,
             "a cursor of %zu bytes", t->cursor.len);
    return LT_OK;
}

lt_res wire_find(lt_slice path, lt_slice query, struct lt_arena *a, struct wire_target *ret_target)
{
    for (size_t i = 0; i < wire_route_count; i++) {
        if (matches(&wire_routes[i], path, a, ret_target)) {
            return read_query(query, a, ret_target);
        }
    }
    LT_FAIL(LT_PEER_NOT_FOUND, "there is nothing at this path");
}

lt_res wire_account_of_kid(const struct wire_site *site, lt_slice kid, int64_t *ret_account)
{
    const lt_slice base = lt_slice_cstr(site->base_url);
    const lt_slice folder = LT_LIT("/acme/account/");
    lt_slice rest = lt_slice_sub(kid, base.len, SIZE_MAX);
    uint64_t id = 0;
    bool good = lt_slice_starts(kid, base) && lt_slice_starts(rest, folder) &&
                !lt_failed(lt_parse_u64(lt_slice_sub(rest, folder.len, SIZE_MAX), INT64_MAX, &id)) && id != 0;
    LT_CHECK(good, LT_PEER_MALFORMED, "the kid is not the URL of an account here (%s/acme/account/…)",
             site->base_url);
    *ret_account = (int64_t)id;
    return LT_OK;
}
