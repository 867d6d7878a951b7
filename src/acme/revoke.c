/* revokeCert in its three forms (RFC 8555 7.6): the account that got the certificate, an account that holds
 * all its names, or the certificate's own key. */
#include <string.h>

#include "acme/desk_private.h"
#include "ca/revoke.h"

enum { NAME_TEXT_MAX = 256 };

struct target {
    const struct ca_issuer *issuer; /* NULL: none of ours */
    int64_t account;
    lt_slice spki_sha256;
};

static lt_res find(struct acme_call *c, const Ipc__AcmeRevoke *r, struct target *ret_target)
{
    struct store_rows rows;
    memset(ret_target, 0, sizeof *ret_target);
    const struct ca_issuer *issuer = ca_issuer_by_subject(c->turn->book, acme_bytes(r->issuer_name_sha256));
    if (issuer == NULL) {
        return LT_OK;
    }
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I(issuer->id), STORE_B(acme_bytes(r->serial))), &rows));
    /* The very bytes: a certificate that only looks like ours is not ours. */
    if (store_next(&rows) && lt_slice_eq(store_bytes(&rows, 1), acme_bytes(r->certificate_sha256))) {
        ret_target->issuer = issuer;
        ret_target->account = store_int(&rows, 0);
        ret_target->spki_sha256 = lt_arena_copy(c->turn->arena, store_bytes(&rows, 2));
    }
    return store_rows_end(&rows);
}

/* "com.example.www" → "www.example.com", without a star. False when it does not fit. */
static bool turn_round(lt_slice reversed, char ret_name[NAME_TEXT_MAX])
{
    size_t at = reversed.len;
    if (reversed.len >= NAME_TEXT_MAX) {
        return false;
    }
    ret_name[at] = '\0';
    lt_slice label;
    while (lt_slice_split(&reversed, '.', &label)) {
        if (label.len > at) {
            return false;
        }
        at -= label.len;
        memcpy(ret_name + at, label.ptr, label.len);
        if (at > 0) {
            ret_name[--at] = '.';
        }
    }
    return at == 0;
}

static lt_res holds_name(struct acme_call *c, const char *type, const char *name, bool *ret_holds)
{
    struct store_rows rows;
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_AUTHORIZATION_REUSE],
                       STORE_ARGS(STORE_I(c->account.id), STORE_S(acme_name_base(name)),
                                  STORE_I(c->turn->now.us), STORE_S(type),
                                  STORE_I(acme_name_is_wildcard(name)), STORE_I(0)),
                       &rows));
    *ret_holds = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    if (!*ret_holds) { /* or one for a domain above it that is good for all names below (RFC 9444) */
        struct acme_ancestor above;
        Ipc__Identifier id = IPC__IDENTIFIER__INIT;
        id.type = lt_arena_cstr(c->turn->arena, lt_slice_cstr(type));
        id.value = lt_arena_cstr(c->turn->arena, lt_slice_cstr(name));
        LT_CHECK(id.type != NULL && id.value != NULL, LT_PEER_TOO_LARGE, "acme: the request is too large");
        LT_TRY(acme_ancestor_find(c, &id, &above));
        *ret_holds = above.id != 0;
    }
    return LT_OK;
}

/*= RFC 8555 7.6 "an account that holds authorizations for all of the identifiers in the certificate" */
static lt_res holds_all(struct acme_call *c, const struct target *target, lt_slice serial, bool *ret_all)
{
    struct store_rows rows;
    Ipc__Identifier names[CA_PROFILE_NAMES_MAX];
    size_t count = 0;
    bool fits = true;
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_CERTIFICATE_NAMES],
                       STORE_ARGS(STORE_I(target->issuer->id), STORE_B(serial)), &rows));
    while (fits && store_next(&rows)) {
        char name[NAME_TEXT_MAX];
        bool dns = lt_slice_eq_cstr(store_bytes(&rows, 1), "dns");
        fits = count < LT_COUNT(names) && dns && turn_round(store_bytes(&rows, 0), name);
        if (fits) {
            ipc__identifier__init(&names[count]);
            names[count].value = lt_arena_cstr(c->turn->arena, lt_slice_cstr(name));
            fits = names[count].value != NULL;
            count++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    *ret_all = fits && count > 0;
    for (size_t i = 0; *ret_all && i < count; i++) {
        LT_TRY(holds_name(c, "dns", names[i].value, ret_all));
    }
    return LT_OK;
}

/* Who asks, as the book writes it down; NULL when it has no right. */
static lt_res find_right(struct acme_call *c, const Ipc__AcmeRevoke *r, const struct target *target,
                         const char **ret_by)
{
    bool all = false;
    *ret_by = NULL;
    if (c->account.id == 0) {
        bool key = r->by_certificate_key && lt_slice_eq(target->spki_sha256, acme_bytes(r->spki_sha256)) &&
                   lt_slice_eq(target->spki_sha256, acme_bytes(c->m->jwk->spki_sha256));
        *ret_by = key ? "certificate-key" : NULL;
        return LT_OK;
    }
    if (target->account != c->account.id) {
        LT_TRY(holds_all(c, target, acme_bytes(r->serial), &all));
    }
    if (all || target->account == c->account.id) {
        *ret_by = lt_arena_printf(c->turn->arena, "account %lld", (long long)c->account.id);
        LT_CHECK(*ret_by != NULL, LT_PEER_TOO_LARGE, "acme: the request is too large");
    }
    return LT_OK;
}

static lt_res begin(struct acme_call *c, const Ipc__AcmeRevoke *r, const struct target *target,
                    const char *by)
{
    struct ca_revoke_request request = {
        .issuer = target->issuer->id,
        .serial = acme_bytes(r->serial),
        .reason = r->reason,
        .by_whom = by,
        .jws = acme_bytes(c->m->jws),
        .origin = CA_REVOKE_BY_ACME,
        .reply_to = c->from,
    };
    lt_res res = ca_revoke_begin(c->turn, &request);
    if (res.code == LT_PEER_CONFLICT) {
        return acme_refuse_error(c, res,
                                 "alreadyRevoked"); /* or it is being revoked: the detail says which */
    }
    if (res.code == LT_PEER_UNSUPPORTED) {
        return acme_refuse_error(c, res, "badRevocationReason");
    }
    return lt_failed(res) ? acme_refuse_error(c, res, "malformed") : LT_OK;
}

lt_res acme_revoke(struct acme_call *c)
{
    const Ipc__AcmeRevoke *r = c->m->revoke;
    struct lt_arena *a = c->turn->arena;
    struct target target;
    const char *by = NULL;
    LT_CHECK(r != NULL, LT_PEER_MALFORMED, "acme: revokeCert without its body");
    LT_TRY(find(c, r, &target));
    if (target.issuer == NULL) {
        Ipc__Problem *p = acme_problem(a, "malformed", "This server has not issued that certificate.");
        LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        p->status = 404;
        return acme_refuse(c, p);
    }
    LT_TRY(find_right(c, r, &target, &by));
    if (by == NULL) {
        return acme_refuse(
            c, acme_problem(a, "unauthorized",
                            "Neither the account that got the certificate, nor one that holds all "
                            "its names, nor its key has signed this."));
    }
    /*= RFC 8555 7.6 "MUST reject it with the error type "urn:ietf:params:acme:error:badRevocationReason"" */
    if (!ca_reason_allowed(r->reason, false)) {
        return acme_refuse(c, acme_problem(a, "badRevocationReason",
                                           "Reason %u is not for subscribers: leave it out, or use 1 "
                                           "(keyCompromise), 3, 4 or 5.",
                                           r->reason));
    }
    bool knows_key = c->account.id == 0 || target.account == c->account.id;
    if (r->reason == CA_REASON_KEY_COMPROMISE && !knows_key) {
        return acme_refuse(c, acme_problem(a, "badRevocationReason",
                                           "keyCompromise is for the certificate's own account or key."));
    }
    return begin(c, r, &target, by);
}

lt_res acme_desk_revoked(struct acme_desk *d, struct ca_turn *t, const struct ca_revoked *r)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    if (r->origin != CA_REVOKE_BY_ACME || r->reply_to.role == IPC_NOBODY) {
        return LT_OK;
    }
    reply.status = 200;
    return acme_reply_to(d, t, &r->reply_to, &reply);
}
