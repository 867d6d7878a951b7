/* The book of a new folder: schema, issuers, profiles, operators, the root's first CRL, and an event for each
 * of them on a chain of its own, "offline", as no registrar was there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/event.h"
#include "cmd/init.h"
#include "crypto/digest.h"
#include "store/store.h"

enum { SQL_ISSUER_ADD, SQL_CRL_ADD };
static const struct store_sql sql[] = {
    {"init.issuer.add",
     "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, not_before_us, "
     "not_after_us, offline) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    {"init.crl.add",
     "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, "
     "sequence, der) VALUES (?1, 0, ?2, ?3, ?4, 0, ?5, 0, ?6)"},
};

static lt_slice sha256(struct lt_arena *a, lt_slice bytes)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(bytes, hash);
    return lt_arena_copy(a, LT_SLICE(hash, sizeof(hash)));
}

/* A row of `issuer`. */
struct row {
    int64_t id;
    const char *name;
    int64_t parent; /* 0: none */
    const struct x509_cert *cert;
    bool offline;
};

static lt_res add_row(struct init *i, struct store *s, const struct row *row)
{
    return store_exec(s, &sql[SQL_ISSUER_ADD],
                      STORE_ARGS(STORE_I(row->id), STORE_S(row->name),
                                 row->parent == 0 ? STORE_N : STORE_I(row->parent),
                                 STORE_B(sha256(&i->c->arena, row->cert->subject.der)),
                                 STORE_B(sha256(&i->c->arena, row->cert->spki.der)), STORE_B(row->cert->der),
                                 STORE_I(row->cert->not_before.us), STORE_I(row->cert->not_after.us),
                                 STORE_I(row->offline)),
                      NULL);
}

/* The certificates above an imported one, the root first, as rows of their own. */
static lt_res add_above(struct init *i, struct store *s, const struct init_issuer *issuer, int64_t *id,
                        int64_t *ret_parent)
{
    *ret_parent = issuer->parent < 0 ? 0 : issuer->parent + 1;
    for (size_t k = issuer->parent < 0 ? issuer->above_count : 0; k > 0; k--) {
        struct x509_cert cert;
        const char *name = lt_arena_printf(&i->c->arena, "%s-above-%zu", issuer->name, k);
        LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "too many certificates");
        LT_TRY(x509_cert_parse(issuer->above_der[k - 1], &i->c->arena, &cert));
        const struct row row = {
            .id = ++*id, .name = name, .parent = *ret_parent, .cert = &cert, .offline = true};
        LT_TRY(add_row(i, s, &row));
        *ret_parent = row.id;
    }
    return LT_OK;
}

/* Each after the one that signed it. */
static lt_res add_extras(struct init *i, struct store *s)
{
    for (size_t k = 0; k < i->extra_count; k++) {
        const struct init_extra *e = &i->extras[k];
        const struct row row = {
            .id = e->row, .name = e->name, .parent = e->parent, .cert = &e->cert, .offline = true};
        LT_TRY(add_row(i, s, &row));
    }
    return LT_OK;
}

static lt_res add_issuers(struct init *i, struct store *s)
{
    int64_t id = INIT_ISSUERS + (int64_t)i->extra_count;
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        const struct init_issuer *issuer = &i->issuers[k];
        int64_t parent = 0;
        LT_TRY(add_above(i, s, issuer, &id, &parent));
        const struct row row = {
            .id = (int64_t)k + 1,
            .name = issuer->name,
            .parent = k == INIT_TLS && i->tls_parent != 0 ? i->tls_parent : parent,
            .cert = &issuer->cert,
            .offline = issuer->offline,
        };
        LT_TRY(add_row(i, s, &row));
        if (k == INIT_ROOT) {
            LT_TRY(add_extras(i, s));
        }
    }
    return LT_OK;
}

static lt_res issuer_event(struct init *i, struct ca_turn *t, size_t index)
{
    const struct init_issuer *issuer = &i->issuers[index];
    struct ca_body body;
    char subject[64];
    ca_body_init(&body);
    ca_body_str(&body, "issuer", issuer->name);
    ca_body_hex(&body, "serial", x509_serial_magnitude(issuer->cert.serial));
    ca_body_hex(&body, "sha256", sha256(t->arena, issuer->der));
    ca_body_hex(&body, "key_sha256", sha256(t->arena, issuer->cert.spki.der));
    ca_body_time(&body, "not_after", issuer->cert.not_after);
    ca_body_bool(&body, "imported", issuer->imported);
    ca_body_bool(&body, "offline", issuer->offline);
    (void)snprintf(subject, sizeof(subject), "issuer %s", issuer->name);
    return ca_body_event(&body, t, "issuer.created", subject, issuer->der);
}

static lt_res crl_row(struct init *i, struct ca_turn *t)
{
    lt_slice number = LT_SLICE(i->root_crl_number, sizeof(i->root_crl_number));
    lt_slice hash = sha256(t->arena, i->root_crl);
    LT_TRY(store_exec(t->store, &sql[SQL_CRL_ADD],
                      STORE_ARGS(STORE_I(INIT_ROOT + 1), STORE_B(number), STORE_I(i->crl_from.us),
                                 STORE_I(i->crl_until.us), STORE_B(hash), STORE_B(i->root_crl)),
                      NULL));
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "issuer", "root");
    ca_body_hex(&body, "number", number);
    ca_body_hex(&body, "sha256", hash);
    ca_body_int(&body, "entries", 0);
    return ca_body_event(&body, t, "crl.stored", "issuer root", (lt_slice){NULL, 0});
}

static lt_res write_rows(struct init *i, struct ca_turn *t)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "name", i->name);
    ca_body_str(&body, "build", lt_version);
    ca_body_str(&body, "public_http_url", i->public_http_url);
    LT_TRY(ca_body_event(&body, t, "ca.created", "ca", (lt_slice){NULL, 0}));
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        LT_TRY(issuer_event(i, t, k));
    }
    LT_TRY(ca_book_use_profiles(t, &i->profiles));
    struct ca_operators operators = {.list = &i->admin, .count = 1};
    lt_arena_init(&operators.arena, 4096);
    crypto_sha256(i->admin.spki, i->admin.thumbprint);
    LT_TRY(ca_book_use_operators(t, &operators));
    return crl_row(i, t);
}

static lt_res fill(struct init *i, struct store *s)
{
    LT_TRY(store_begin(s));
    LT_TRY(add_issuers(i, s));
    const struct ca_book_options options = {
        .store = s,
        .chain = "offline",
        .build = lt_version,
        .base_url = "",
        .public_http_url = i->public_http_url,
    };
    struct ca_book *book = NULL;
    LT_TRY(ca_book_open(&options, &book));
    struct ca_turn turn;
    ca_turn_init(&turn, s, &i->c->arena, i->c->now);
    turn.book = book;
    turn.random = lt_random;
    lt_res r = write_rows(i, &turn);
    ca_book_free(book);
    LT_TRY(r);
    return store_commit(s);
}

lt_res init_book(struct init *i, const char *path)
{
    const char *file = lt_arena_printf(&i->c->arena, "%s/book/lintel.db", path);
    LT_CHECK(file != NULL, LT_PEER_TOO_LARGE, "%s: the path is too long", i->folder);
    const struct store_options options = {.path = file, .create = true};
    struct store *s = NULL;
    LT_TRY(store_open(&options, &s));
    lt_res r = store_migrate(s);
    if (!lt_failed(r)) {
        r = fill(i, s);
    }
    if (lt_failed(r)) {
        store_rollback(s);
    }
    store_close(s);
    return r;
}
