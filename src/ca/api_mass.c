/* Mass revocations and holds, as operators ask for them. Expressions are taken apart here: the registrar gets
 * their canonical text, one for each tier that selects exactly its members. */
#include <string.h>

#include "base/text.h"
#include "ca/api_internal.h"
#include "scope/scope.h"

enum { TIERS_MAX = 15, REASON_MAX = 10, TIER_MOST = 15 };

lt_res ca_api_canonical(lt_slice text, struct lt_arena *a, char **ret_text, ProtobufCBinaryData *ret_hash)
{
    const struct scope *s = NULL;
    struct lt_arena own;
    struct lt_buf out;
    uint8_t hash[SCOPE_HASH_LEN];
    lt_arena_init(&own, SCOPE_ARENA_MAX);
    lt_buf_init(&out, (size_t)SCOPE_TEXT_MAX * 4);
    lt_res r = scope_parse(text, &own, NULL, &s);
    r = lt_failed(r) ? r : scope_canonical(s, &out);
    r = lt_failed(r) ? r : scope_hash(s, hash);
    if (!lt_failed(r)) {
        lt_slice copy = lt_arena_copy(a, LT_SLICE(hash, sizeof hash));
        *ret_text = lt_arena_cstr(a, lt_buf_slice(&out));
        *ret_hash = (ProtobufCBinaryData){copy.len, (uint8_t *)(uintptr_t)copy.ptr};
    }
    lt_buf_done(&out);
    lt_arena_done(&own);
    LT_TRY(r);
    LT_CHECK(*ret_text != NULL && ret_hash->data != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

/* Of the whole: what this tier's expression says, and no tier before it does. */
static lt_res add_tier(const char *whole, const json_t *tiers, size_t tier, struct lt_arena *a,
                       char **ret_text)
{
    struct lt_buf text;
    ProtobufCBinaryData hash = {0, NULL};
    lt_buf_init(&text, (size_t)SCOPE_TEXT_MAX * 4);
    lt_buf_addf(&text, "(%s)", whole);
    for (size_t i = 0; i <= tier && i < json_array_size(tiers); i++) {
        const char *one = json_string_value(json_array_get(tiers, i));
        lt_buf_addf(&text, i < tier ? " and not (%s)" : " and (%s)", one == NULL ? "" : one);
    }
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r : ca_api_canonical(lt_buf_slice(&text), a, ret_text, &hash);
    lt_buf_done(&text);
    return r;
}

static lt_res read_tiers(const json_t *payload, struct lt_arena *a, Ipc__MassWanted *w)
{
    lt_slice text;
    const json_t *tiers = json_object_get(payload, "tiers");
    size_t count = json_array_size(tiers);
    LT_TRY(jose_json_string(payload, "scope", &text));
    LT_CHECK(tiers == NULL || json_is_array(tiers), LT_PEER_MALFORMED, "\"tiers\" is no array");
    LT_CHECK(count <= TIERS_MAX, LT_PEER_TOO_LARGE, "\"tiers\" has %zu members, at most %d", count,
             TIERS_MAX);
    LT_TRY(ca_api_canonical(text, a, &w->scope, &w->scope_sha256));
    w->alone = LT_NEW_ARRAY(a, char *, count + 1);
    LT_CHECK(w->alone != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < count; i++) { /* each must stand for itself: no bracket reaches out of it */
        const char *one = json_string_value(json_array_get(tiers, i));
        ProtobufCBinaryData hash = {0, NULL};
        LT_CHECK(one != NULL, LT_PEER_MALFORMED, "\"tiers\" has a member that is no text");
        LT_TRY(ca_api_canonical(lt_slice_cstr(one), a, &w->alone[i], &hash));
        w->n_alone++;
    }
    w->scopes = LT_NEW_ARRAY(a, char *, count + 1);
    LT_CHECK(w->scopes != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i <= count; i++) {
        LT_TRY(add_tier(w->scope, tiers, i, a, &w->scopes[w->n_scopes]));
        w->n_scopes++;
    }
    return LT_OK;
}

static lt_res new_wanted(const json_t *payload, struct lt_arena *a, Ipc__MassWanted **ret_wanted)
{
    Ipc__MassWanted *w = LT_NEW(a, Ipc__MassWanted);
    const json_t *stop = json_object_get(payload, "stop-after");
    uint64_t tier = 0;
    LT_CHECK(w != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__mass_wanted__init(w);
    LT_TRY(ca_api_count(payload, "stop-after", TIER_MOST, &tier));
    w->stop_after = stop == NULL ? -1 : (int32_t)tier;
    LT_TRY(ca_api_text(payload, "late-because", false, a, &w->late_because));
    *ret_wanted = w;
    return LT_OK;
}

/* Cause, clock and date, of one certificate as of many. */
static lt_res read_why(const json_t *payload, struct lt_arena *a, Ipc__MassWanted *w)
{
    LT_TRY(ca_api_text(payload, "cause", false, a, &w->cause));
    LT_TRY(ca_api_time(payload, "aware", false, &w->aware_us));
    return ca_api_time(payload, "dated-back-to", false, &w->revoked_us);
}

/* Of one certificate: what its clocks are. */
lt_res ca_api_read_why(const json_t *payload, struct lt_arena *a, Ipc__OperatorCall *call)
{
    Ipc__MassWanted *w = NULL;
    LT_TRY(new_wanted(payload, a, &w));
    call->mass = w;
    return read_why(payload, a, w);
}

lt_res ca_api_read_mass(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                        Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    Ipc__MassWanted *w = NULL;
    uint64_t reason = 0;
    bool block = false;
    LT_TRY(new_wanted(payload, a, &w));
    LT_TRY(ca_api_hash(payload, "spki-sha256", a, &w->spki_sha256));
    LT_CHECK((w->spki_sha256.len > 0) != (json_object_get(payload, "scope") != NULL), LT_PEER_MALFORMED,
             "either \"spki-sha256\" or \"scope\"");
    LT_TRY(w->spki_sha256.len > 0 ? LT_OK : read_tiers(payload, a, w));
    LT_TRY(read_why(payload, a, w));
    LT_TRY(ca_api_text(payload, "note", false, a, &w->note));
    LT_TRY(ca_api_time(payload, "expires", false, &w->plan_expires_us));
    LT_TRY(ca_api_count(payload, "reason", REASON_MAX, &reason));
    LT_TRY(jose_json_optional_bool(payload, "block", &block));
    w->reason = (uint32_t)reason;
    w->block = block;
    call->mass = w;
    return LT_OK;
}

/* start, pause, resume, stop */
lt_res ca_api_read_mass_act(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                            Ipc__OperatorCall *call)
{
    Ipc__MassWanted *w = NULL;
    LT_TRY(new_wanted(payload, a, &w));
    w->id = lt_arena_cstr(a, t->id);
    LT_CHECK(w->id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    call->mass = w;
    return LT_OK;
}

lt_res ca_api_read_hold(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                        Ipc__OperatorCall *call)
{
    Ipc__HoldWanted *h = LT_NEW(a, Ipc__HoldWanted);
    LT_CHECK(h != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__hold_wanted__init(h);
    LT_TRY(ca_api_text(payload, "issuer", true, a, &h->issuer));
    LT_TRY(ca_api_text(payload, "reason", false, a, &h->reason));
    LT_TRY(ca_api_text(payload, "reference", false, a, &h->reference));
    h->serial = (ProtobufCBinaryData){t->id.len, (uint8_t *)(uintptr_t)t->id.ptr};
    call->hold = h;
    return LT_OK;
}
