/* One certificate: its row, status, names, the evidence for each name, the chain above it. */
#include <string.h>

#include "base/text.h"
#include "ca/query_evidence.h"
#include "ca/query_parts.h"
#include "x509/cert.h"

enum { SQL_ROW, SQL_REVOCATION, SQL_NAMES, SQL_DER, SQL_AUTHORIZATION };
static const struct store_sql sql[] = {
    [SQL_ROW] = {"query.certificate.row", "SELECT " QUERY_CERTIFICATE_COLUMNS " FROM certificate c "
                                          "WHERE c.issuer = ?1 AND c.serial = ?2 ORDER BY c.copy LIMIT 1"},
    [SQL_REVOCATION] = {"query.revocation", "SELECT reason, revoked_us, recorded_us, by_whom FROM revocation "
                                            "WHERE issuer = ?1 AND shard = ?2 AND serial = ?3"},
    [SQL_NAMES] = {"query.names", "SELECT name, type, authorization_id FROM certificate_name "
                                  "WHERE issuer = ?1 AND serial = ?2 AND copy = ?3 LIMIT 1000"},
    [SQL_DER] = {"query.der",
                 "SELECT der FROM certificate_der WHERE issuer = ?1 AND serial = ?2 AND copy = ?3"},
    [SQL_AUTHORIZATION] = {"query.authorization",
                           "SELECT status, validated_us, expires_us, identifier_type, identifier, wildcard, "
                           "account, created_us FROM authorization WHERE id = ?1"},
};
const struct ca_query_sql query_detail_sql = {sql, LT_COUNT(sql)};

enum { NAMES_FIRST = 16, NAMES_MAX = 1000, CHAIN_MAX = 8, NAME_TEXT_MAX = 512 };

lt_res query_certificate_take(struct lt_arena *a, const struct store_rows *rows,
                              struct query_certificate *ret_row)
{
    int n = 0;
    struct query_certificate c = {.issuer = store_int(rows, n++)};
    c.serial = lt_arena_copy(a, store_bytes(rows, n++));
    c.copy = store_int(rows, n++);
    c.kind = lt_arena_cstr(a, store_bytes(rows, n++));
    c.profile = store_int(rows, n++);
    c.sha256 = lt_arena_copy(a, store_bytes(rows, n++));
    c.spki_sha256 = lt_arena_copy(a, store_bytes(rows, n++));
    c.key_type = store_int(rows, n++);
    c.key_bits = store_int(rows, n++);
    c.not_before_us = store_int(rows, n++);
    c.not_after_us = store_int(rows, n++);
    c.issued_us = store_int(rows, n++);
    c.account = store_int(rows, n++);
    c.order = store_int(rows, n++);
    c.delivered = store_int(rows, n++) != 0;
    c.worst_method = lt_arena_cstr(a, store_bytes(rows, n++));
    c.oldest_validation_us = store_int(rows, n++);
    c.oldest_caa_us = store_int(rows, n++);
    c.shard = store_int(rows, n++);
    c.rule_set = lt_arena_cstr(a, store_bytes(rows, n++));
    c.build = lt_arena_cstr(a, store_bytes(rows, n++));
    LT_ASSERT(n == QUERY_CERTIFICATE_COLUMN_COUNT);
    LT_CHECK(c.build != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit; ask for fewer rows");
    *ret_row = c;
    return LT_OK;
}

lt_res query_revocation_of(const struct ca_query *query, const struct query_certificate *c,
                           struct query_revocation *ret_revocation)
{
    struct store_rows rows;
    *ret_revocation = (struct query_revocation){.found = false};
    LT_TRY(store_query(query->store, &sql[SQL_REVOCATION],
                       STORE_ARGS(STORE_I(c->issuer), STORE_I(c->shard), STORE_B(c->serial)), &rows));
    if (store_next(&rows)) {
        *ret_revocation = (struct query_revocation){
            .found = true,
            .reason = store_int(&rows, 0),
            .revoked_us = store_int(&rows, 1),
            .recorded_us = store_int(&rows, 2),
            .by = lt_arena_cstr(query->arena, store_bytes(&rows, 3)),
        };
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!ret_revocation->found || ret_revocation->by != NULL, LT_PEER_TOO_LARGE,
             "the answer is over the limit; ask for fewer rows");
    return LT_OK;
}

/* "com.example.www" → "www.example.com" */
static const char *turn_round(struct lt_arena *a, lt_slice stored)
{
    char *text = lt_arena_alloc(a, stored.len + 1);
    size_t at = stored.len;
    lt_slice label;
    while (text != NULL && lt_slice_split(&stored, '.', &label)) {
        at -= label.len;
        memcpy(text + at, label.ptr, label.len);
        if (at > 0) {
            text[--at] = '.';
        }
    }
    return text;
}

static lt_res take_names(struct lt_arena *a, struct store_rows *rows, struct query_names *names)
{
    size_t size = 0;
    while (names->count < NAMES_MAX && store_next(rows)) {
        if (names->count == size) {
            size = size == 0 ? NAMES_FIRST : size * 2;
            struct query_name *list = LT_NEW_ARRAY(a, struct query_name, size);
            LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit; ask for fewer rows");
            if (names->count > 0) {
                memcpy(list, names->list, names->count * sizeof(list[0]));
            }
            names->list = list;
        }
        struct query_name *n = &names->list[names->count];
        n->stored = lt_arena_copy(a, store_bytes(rows, 0));
        n->type = lt_arena_cstr(a, store_bytes(rows, 1));
        n->authorization = store_int(rows, 2);
        LT_CHECK(n->stored.ptr != NULL && n->type != NULL, LT_PEER_TOO_LARGE,
                 "the answer is over the limit; ask for fewer rows");
        n->name = strcmp(n->type, "dns") == 0 ? turn_round(a, n->stored) : lt_arena_cstr(a, n->stored);
        LT_CHECK(n->name != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit; ask for fewer rows");
        names->count++;
    }
    return LT_OK;
}

lt_res query_names_of(const struct ca_query *query, const struct query_certificate *c,
                      struct query_names *ret_names)
{
    struct store_rows rows;
    *ret_names = (struct query_names){.count = 0};
    LT_TRY(store_query(query->store, &sql[SQL_NAMES],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(c->copy)), &rows));
    lt_res r = take_names(query->arena, &rows, ret_names);
    LT_TRY(store_rows_end(&rows));
    return r;
}

const char *query_certificate_status(const struct ca_query *query, const struct query_certificate *c,
                                     const struct query_revocation *r)
{
    if (r->found) {
        return "revoked";
    }
    return c->not_after_us < query->now.us ? "expired" : "valid";
}

const char *query_reason_name(int64_t reason)
{
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
    return reason >= 0 && (size_t)reason < LT_COUNT(names) ? names[reason] : "";
}

void query_certificate_write(struct query_out *o, const struct query_tables *t,
                             const struct query_certificate *c, const struct query_revocation *r,
                             const char *status)
{
    const struct query_issuer *issuer = query_issuer_by_id(t, c->issuer);
    query_hex(o, "serial", c->serial);
    query_cstr(o, "issuer", issuer != NULL ? issuer->name : "");
    query_cstr(o, "profile", query_profile_name(t, c->profile));
    query_cstr(o, "status", status);
    if (r->found) {
        query_open(o, "revocation", '{');
        query_time(o, "revoked", r->revoked_us);
        query_int(o, "reason", r->reason);
        query_cstr(o, "reason_name", query_reason_name(r->reason));
        query_cstr(o, "by", r->by);
        query_time(o, "recorded", r->recorded_us);
        query_close(o, '}');
    }
    query_time(o, "not_before", c->not_before_us);
    query_time(o, "not_after", c->not_after_us);
    query_time(o, "issued", c->issued_us);
    query_cstr(o, "key_type", x509_key_type_name((enum x509_key_type)c->key_type));
    query_int(o, "key_bits", c->key_bits);
    query_id(o, "account", c->account);
    query_id(o, "order", c->order);
    query_bool(o, "delivered", c->delivered);
    query_hex(o, "sha256", c->sha256);
    query_hex(o, "spki_sha256", c->spki_sha256);
}

static lt_res write_authorization(const struct ca_query *query, struct query_out *o, int64_t id,
                                  int64_t issued_us)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_AUTHORIZATION], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        query_cstr(o, "authorization_status", store_cstr(&rows, 0));
        query_time(o, "validated", store_int(&rows, 1));
        query_time(o, "authorization_expires", store_int(&rows, 2));
    }
    LT_TRY(store_rows_end(&rows));
    return query_checks_write(query, o, id, issued_us);
}

static lt_res write_names(const struct ca_query *query, struct query_out *o, const struct query_names *names,
                          int64_t issued_us)
{
    query_open(o, "names", '[');
    for (size_t i = 0; i < names->count; i++) {
        query_open(o, NULL, '{');
        query_cstr(o, "type", names->list[i].type);
        query_cstr(o, "name", names->list[i].name);
        query_id(o, "authorization", names->list[i].authorization);
        if (query->q->evidence && names->list[i].authorization != 0) {
            LT_TRY(write_authorization(query, o, names->list[i].authorization, issued_us));
        }
        query_close(o, '}');
    }
    query_close(o, ']');
    return LT_OK;
}

/* Subject and extensions as they stand in the bytes, which may have been brought in. */
static lt_res write_parsed(const struct ca_query *query, struct query_out *o, lt_slice der)
{
    struct x509_cert cert;
    struct lt_buf text;
    LT_TRY(x509_cert_decode(der, query->arena, &cert));
    lt_buf_init(&text, NAME_TEXT_MAX * 8);
    x509_name_text(&cert.subject, &text);
    query_text(o, "subject", lt_buf_slice(&text));
    lt_buf_reset(&text);
    x509_name_text(&cert.issuer, &text);
    query_text(o, "issuer_name", lt_buf_slice(&text));
    lt_buf_done(&text);
    query_cstr(o, "signature", x509_sig_alg_name(cert.sig_alg));
    query_open(o, "extensions", '[');
    for (size_t i = 0; i < cert.ext.count; i++) {
        query_open(o, NULL, '{');
        query_cstr(o, "name", x509_oid_name(cert.ext.list[i].id.oid));
        query_bool(o, "critical", cert.ext.list[i].critical);
        query_close(o, '}');
    }
    query_close(o, ']');
    return LT_OK;
}

static lt_res write_der(const struct ca_query *query, struct query_out *o, const struct query_certificate *c)
{
    struct store_rows rows;
    lt_slice der = {NULL, 0};
    LT_TRY(store_query(query->store, &sql[SQL_DER],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(c->copy)), &rows));
    if (store_next(&rows)) {
        der = lt_arena_copy(query->arena, store_bytes(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    if (der.len == 0) { /* brought in as serial number and dates */
        query_raw(o, "subject", LT_SLICE(NULL, 0));
        return LT_OK;
    }
    LT_TRY(write_parsed(query, o, der));
    if (query->q->with_der) {
        query_pem(o, "pem", der);
    }
    return LT_OK;
}

static void write_chain(const struct ca_query *query, struct query_out *o, const struct query_tables *t,
                        int64_t id)
{
    const struct query_issuer *issuer = query_issuer_by_id(t, id);
    query_open(o, "chain", '[');
    for (size_t i = 0; issuer != NULL && i < CHAIN_MAX; i++) {
        query_open(o, NULL, '{');
        query_cstr(o, "issuer", issuer->name);
        query_time(o, "not_after", issuer->not_after_us);
        if (query->q->with_der) {
            query_pem(o, "pem", issuer->der);
        }
        query_close(o, '}');
        issuer = query_issuer_by_id(t, issuer->parent);
    }
    query_close(o, ']');
}

static lt_res find_row(const struct ca_query *query, const struct query_tables *t,
                       struct query_certificate *ret, bool *ret_found)
{
    const Ipc__Query *q = query->q;
    lt_slice serial = LT_SLICE(q->serial.data, q->serial.len);
    *ret_found = false;
    for (size_t i = 0; i < t->issuer_count && !*ret_found; i++) {
        struct store_rows rows;
        if (q->issuer[0] != 0 && strcmp(q->issuer, t->issuers[i].name) != 0) {
            continue;
        }
        LT_TRY(store_query(query->store, &sql[SQL_ROW],
                           STORE_ARGS(STORE_I(t->issuers[i].id), STORE_B(serial)), &rows));
        *ret_found = store_next(&rows);
        lt_res r = *ret_found ? query_certificate_take(query->arena, &rows, ret) : LT_OK;
        LT_TRY(store_rows_end(&rows));
        LT_TRY(r);
    }
    return LT_OK;
}

lt_res query_certificate_show(const struct ca_query *query, struct query_out *out)
{
    struct query_tables tables;
    struct query_certificate c;
    struct query_revocation revocation;
    struct query_names names;
    bool found = false;
    LT_TRY(query_tables_load(query, &tables));
    LT_TRY(find_row(query, &tables, &c, &found));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no certificate has this serial");
    LT_TRY(query_revocation_of(query, &c, &revocation));
    LT_TRY(query_names_of(query, &c, &names));
    query_certificate_write(out, &tables, &c, &revocation, query_certificate_status(query, &c, &revocation));
    if (revocation.found) {
        LT_TRY(query_crl_with(query, &c, revocation.recorded_us, out));
    }
    LT_TRY(query_truth_show(query, &tables, c.issuer, c.serial, out));
    LT_TRY(query_clocks_write(query, out, &c));
    query_cstr(out, "kind", c.kind);
    query_cstr(out, "rule_set", c.rule_set);
    LT_TRY(query_verdict_write(query, out, &c));
    query_cstr(out, "build", c.build);
    query_cstr(out, "worst_method", c.worst_method);
    query_time(out, "oldest_validation", c.oldest_validation_us);
    query_time(out, "oldest_caa", c.oldest_caa_us);
    LT_TRY(query_import_write(query, out, &c));
    LT_TRY(write_names(query, out, &names, c.issued_us));
    if (query->q->evidence) {
        LT_TRY(query_rules_write(query, out, &tables, &c, &names));
    }
    LT_TRY(write_der(query, out, &c));
    write_chain(query, out, &tables, c.issuer);
    return LT_OK;
}

lt_res query_authorization_show(const struct ca_query *query, struct query_out *out)
{
    uint64_t id = 0;
    struct store_rows rows;
    LT_TRY(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id));
    LT_TRY(store_query(query->store, &sql[SQL_AUTHORIZATION], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        query_id(out, "authorization", (int64_t)id);
        query_cstr(out, "type", store_cstr(&rows, 3));
        query_cstr(out, "name", store_cstr(&rows, 4));
        query_bool(out, "wildcard", store_int(&rows, 5) != 0);
        query_id(out, "account", store_int(&rows, 6));
        query_time(out, "created", store_int(&rows, 7));
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no authorization %s", query->q->id);
    return write_authorization(query, out, (int64_t)id, 0);
}
