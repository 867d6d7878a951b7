/* The certificate with its chain (RFC 8555 7.4.2), to the account that got it. */
#include <string.h>

#include "acme/desk_private.h"

enum { CHAIN_MAX = 8 };

struct chain {
    ProtobufCBinaryData der[CHAIN_MAX];
    size_t count;
    bool to_root; /* the last one has no parent */
};

static lt_res look_at(struct ca_turn *t, int64_t issuer, lt_slice serial, int64_t *ret_issuer,
                      int64_t *ret_account)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        *ret_issuer = issuer;
        *ret_account = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* A certificate of one of our issuers, the usual one first; issuer 0 when there is none of that serial. */
static lt_res find_certificate(struct acme_call *c, lt_slice serial, int64_t *ret_issuer,
                               int64_t *ret_account)
{
    const struct ca_book *book = c->turn->book;
    const struct ca_profile_row *usual = ca_profile_by_name(book,
                                                            lt_slice_cstr(c->desk->config->default_profile));
    const struct ca_issuer *first = usual == NULL
                                        ? NULL
                                        : ca_issuer_by_name(book, lt_slice_cstr(usual->profile->issuer));
    *ret_issuer = 0;
    if (first != NULL) {
        LT_TRY(look_at(c->turn, first->id, serial, ret_issuer, ret_account));
    }
    for (size_t i = 0; i < book->issuer_count && *ret_issuer == 0; i++) {
        LT_TRY(look_at(c->turn, book->issuers[i].id, serial, ret_issuer, ret_account));
    }
    return LT_OK;
}

static lt_res add_link(struct ca_turn *t, lt_slice der, struct chain *chain)
{
    lt_slice copy = lt_arena_copy(t->arena, der);
    LT_CHECK(copy.ptr != NULL && chain->count < CHAIN_MAX, LT_PEER_TOO_LARGE, "acme: the chain is too long");
    chain->der[chain->count++] = (ProtobufCBinaryData){copy.len, (uint8_t *)(uintptr_t)copy.ptr};
    return LT_OK;
}

/* 0: it is a root. */
static lt_res parent_of(struct acme_desk *d, struct ca_turn *t, int64_t issuer, int64_t *ret_parent)
{
    struct acme_parent *slot = &d->parents[(uint64_t)issuer % ACME_PARENTS_CACHED];
    struct store_rows rows;
    if (slot->issuer != issuer) {
        int64_t parent = 0;
        LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ISSUER], STORE_ARGS(STORE_I(issuer)), &rows));
        if (store_next(&rows) && !store_is_null(&rows, 0)) {
            parent = store_int(&rows, 0);
        }
        LT_TRY(store_rows_end(&rows));
        *slot = (struct acme_parent){issuer, parent == issuer ? 0 : parent};
    }
    *ret_parent = slot->parent;
    return LT_OK;
}

static lt_res add_leaf(struct ca_turn *t, int64_t issuer, lt_slice serial, struct chain *chain)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CERTIFICATE_DER],
                       STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        r = add_link(t, store_bytes(&rows, 0), chain);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(chain->count == 1, LT_STATE_CORRUPT, "acme: a certificate without its DER");
    return LT_OK;
}

/* Leaf, issuer, and all above it. above: the issuer's row, or another certificate of its key. */
static lt_res build_chain(struct acme_call *c, int64_t issuer, int64_t above, lt_slice serial,
                          struct chain *chain)
{
    LT_TRY(add_leaf(c->turn, issuer, serial, chain));
    for (int64_t at = above; at != 0 && chain->count < CHAIN_MAX;) {
        const struct ca_issuer *link = ca_issuer_by_id(c->turn->book, at);
        LT_CHECK(link != NULL, LT_STATE_CORRUPT, "acme: there is no issuer %lld", (long long)at);
        LT_TRY(add_link(c->turn, link->certificate, chain));
        LT_TRY(parent_of(c->desk, c->turn, at, &at));
        chain->to_root = at == 0;
    }
    return LT_OK;
}

/* The n-th other certificate of the issuer's key and name: issued to it by somebody else, so that what it
 * signed has more than one way up. 0: there is no such one. */
static int64_t cross_of(const struct ca_book *book, int64_t issuer, size_t n)
{
    const struct ca_issuer *own = ca_issuer_by_id(book, issuer);
    for (size_t i = 0; own != NULL && i < book->issuer_count; i++) {
        const struct ca_issuer *other = &book->issuers[i];
        bool same = other->id != issuer && memcmp(other->spki_sha256, own->spki_sha256, CA_HASH_LEN) == 0 &&
                    memcmp(other->subject_sha256, own->subject_sha256, CA_HASH_LEN) == 0;
        if (same && n-- == 0) {
            return other->id;
        }
    }
    return 0;
}

static lt_res refuse_missing(struct acme_call *c, const char *detail)
{
    Ipc__Problem *p = acme_problem(c->turn->arena, "malformed", "%s", detail);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->status = 404;
    return acme_refuse(c, p);
}

static size_t without_root(const struct chain *chain)
{
    return chain->to_root && chain->count > 2 ? chain->count - 1 : chain->count;
}

/* Chain 0 ends below the root, which every client has or has not; chain 1 includes it; those that follow go
 * up to other roots, and end below them.
 *= RFC 8555 7.4.2 "The server MAY provide one or more link relation header fields [RFC8288] with relation
 *= "alternate". Each such field SHOULD express an alternative certificate chain starting with the same
 *= end-entity certificate." */
static lt_res choose_chain(struct acme_call *c, int64_t issuer, lt_slice serial, struct chain *chain,
                           Ipc__AcmeCertificateBody *body)
{
    uint32_t index = c->m->object->index;
    LT_TRY(build_chain(c, issuer, issuer, serial, chain));
    size_t least = without_root(chain);
    uint32_t own = least == chain->count ? 1 : 2;
    uint32_t others = 0;
    while (cross_of(c->turn->book, issuer, others) != 0) {
        others++;
    }
    body->index = index;
    body->alternates = own + others - 1;
    body->n_chain = index == 0 ? least : chain->count;
    if (index >= own && index < own + others) {
        *chain = (struct chain){.count = 0};
        LT_TRY(build_chain(c, issuer, cross_of(c->turn->book, issuer, index - own), serial, chain));
        body->n_chain = without_root(chain);
    }
    body->chain = chain->der;
    return LT_OK;
}

lt_res acme_certificate_get(struct acme_call *c)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    Ipc__AcmeCertificateBody body = IPC__ACME_CERTIFICATE_BODY__INIT;
    struct chain chain = {.count = 0};
    int64_t issuer = 0;
    int64_t account = 0;
    LT_CHECK(c->m->object != NULL, LT_PEER_MALFORMED, "acme: which certificate?");
    lt_slice serial = acme_bytes(c->m->object->serial);
    LT_TRY(find_certificate(c, serial, &issuer, &account));
    if (issuer == 0 || account != c->account.id) {
        return refuse_missing(c, "This account has no such certificate.");
    }
    LT_TRY(choose_chain(c, issuer, serial, &chain, &body));
    if (c->m->object->index > body.alternates) {
        return refuse_missing(c, "The certificate has no such alternate chain.");
    }
    reply.certificate = &body;
    reply.status = 200;
    return acme_answer(c, &reply);
}
