/* Replacement truth by ACME (RFC 9773 5): which certificate an order is to replace is checked when it is
 * made, and written down when the new one is there. */
#include <string.h>

#include "acme/desk_private.h"
#include "ca/ari_map.h"
#include "ca/truth.h"
#include "x509/dnsname.h"

enum { TEXT_MAX = 512 };

struct old {
    const struct ca_issuer *issuer; /* NULL: none of ours */
    lt_slice serial;
    bool found;
    int64_t account;
    lt_time not_after;
};

static const struct ca_issuer *issuer_of(const struct ca_book *book, lt_slice key_id)
{
    for (size_t i = 0; i < book->issuer_count; i++) {
        if (lt_slice_eq(book->issuers[i].key_id, key_id)) {
            return &book->issuers[i];
        }
    }
    return NULL;
}

/* The notary has read this text by the same rule; out of the book it is our own. */
static lt_res find_old(struct ca_turn *t, const char *text, struct old *ret_old)
{
    struct ca_ari_certid id;
    struct store_rows rows;
    *ret_old = (struct old){0};
    LT_TRY(ca_ari_certid_read(lt_slice_cstr(text), t->arena, &id));
    ret_old->issuer = issuer_of(t->book, id.key_id);
    ret_old->serial = id.serial;
    if (ret_old->issuer == NULL) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I(ret_old->issuer->id), STORE_B(id.serial)), &rows));
    if (store_next(&rows)) {
        ret_old->found = true;
        ret_old->account = store_int(&rows, 0);
        ret_old->not_after.us = store_int(&rows, 3);
    }
    return store_rows_end(&rows);
}

static lt_res any_row(struct ca_turn *t, enum acme_sql_row sql, const struct store_value *values,
                      size_t count, bool *ret_any)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[sql], values, count, &rows));
    *ret_any = store_next(&rows);
    return store_rows_end(&rows);
}

/* The certificate has that name. In the book a DNS name stands reversed. */
static lt_res has_name(struct ca_turn *t, const struct old *old, const Ipc__Identifier *name, bool *ret_has)
{
    struct lt_buf text;
    lt_buf_init(&text, TEXT_MAX);
    if (strcmp(name->type, "dns") == 0) {
        x509_dns_reverse(lt_slice_cstr(name->value), &text);
    } else {
        lt_buf_add_cstr(&text, name->value);
    }
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r
                     : any_row(t, ACME_SQL_CERTIFICATE_NAME,
                               STORE_ARGS(STORE_T(lt_buf_slice(&text)), STORE_S(name->type),
                                          STORE_I(old->issuer->id), STORE_B(old->serial)),
                               ret_has);
    lt_buf_done(&text);
    return r;
}

static lt_res shares_name(struct ca_turn *t, const struct old *old, const struct acme_name_set *names,
                          bool *ret_shares)
{
    *ret_shares = false;
    for (size_t i = 0; i < names->count && !*ret_shares; i++) {
        LT_TRY(has_name(t, old, names->list[i], ret_shares));
    }
    return LT_OK;
}

static lt_res refuse(struct ca_turn *t, const char *type, const char *detail, Ipc__Problem **ret_problem)
{
    *ret_problem = acme_problem(t->arena, type, "%s", detail);
    LT_CHECK(*ret_problem != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    return LT_OK;
}

/*= RFC 9773 5 "Servers SHOULD check that the identified certificate and the newOrder request correspond to
 *the = same ACME Account, that they share at least one identifier, and that the identified certificate has
 *not = already been marked as replaced by a different Order that is not "invalid"." */
lt_res acme_replaces_check(struct acme_call *c, const char *text, const struct acme_name_set *names,
                           Ipc__Problem **ret_problem)
{
    struct old old;
    bool taken = false;
    bool shares = false;
    *ret_problem = NULL;
    if (lt_failed(find_old(c->turn, text, &old))) {
        return refuse(c->turn, "malformed", "\"replaces\" is not the identifier of a certificate.",
                      ret_problem);
    }
    if (!old.found || old.account != c->account.id) {
        return refuse(c->turn, "malformed", "\"replaces\" names no certificate of this account.",
                      ret_problem);
    }
    LT_TRY(shares_name(c->turn, &old, names, &shares));
    if (!shares) {
        return refuse(c->turn, "malformed",
                      "\"replaces\" names a certificate without any name of this order.", ret_problem);
    }
    LT_TRY(any_row(c->turn, ACME_SQL_ORDER_REPLACING, STORE_ARGS(STORE_S(text)), &taken));
    if (taken) {
        return refuse(c->turn, "alreadyReplaced",
                      "Another order replaces this certificate; order without \"replaces\".", ret_problem);
    }
    return LT_OK;
}

lt_res acme_replaces_record(struct ca_turn *t, const struct ca_outcome *o, bool *ret_told)
{
    struct store_rows rows;
    struct old old;
    const char *text = NULL;
    LT_TRY(
        store_query(t->store, &acme_sql[ACME_SQL_ORDER_REPLACES], STORE_ARGS(STORE_I(o->order_id)), &rows));
    if (store_next(&rows)) {
        text = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    *ret_told = text != NULL && text[0] != '\0';
    if (text == NULL) {
        return LT_OK;
    }
    LT_TRY(find_old(t, text, &old));
    if (!old.found) {
        return LT_OK;
    }
    const struct ca_truth_certificate older = {old.issuer->id, old.serial};
    const struct ca_truth_certificate newer = {o->issuer->id, o->serial};
    return ca_truth_replaced(t, &older, &newer, "acme-replaces");
}
