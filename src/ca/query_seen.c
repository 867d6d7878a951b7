/* What a perspective saw and signed, as JSON. */
#include <string.h>

#include "ca/query_evidence.h"
#include "crypto/digest.h"
#include "validate/perspective.h"

static const struct store_sql sql[] = {
    {"query.perspective-key",
     "SELECT name, spki, rir, resolver_rir, first_us FROM perspective_key WHERE id = ?1"},
};
const struct ca_query_sql query_seen_sql = {sql, LT_COUNT(sql)};

static lt_slice bytes_of(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static void write_texts(struct query_out *o, const char *key, char *const *list, size_t count)
{
    query_open(o, key, '[');
    for (size_t i = 0; i < count; i++) {
        query_cstr(o, NULL, list[i]);
    }
    query_close(o, ']');
}

void query_problem_write(struct query_out *o, const char *key, const Ipc__Problem *p)
{
    if (p == NULL) {
        query_raw(o, key, LT_LIT("null"));
        return;
    }
    query_open(o, key, '{');
    query_cstr(o, "type", p->type);
    query_cstr(o, "detail", p->detail);
    query_close(o, '}');
}

void query_caa_write(struct query_out *o, const char *key, const Ipc__CaaCheck *caa)
{
    if (caa == NULL) {
        query_raw(o, key, LT_LIT("null"));
        return;
    }
    query_open(o, key, '{');
    query_bool(o, "checked", caa->checked);
    query_bool(o, "permitted", caa->permitted);
    query_time(o, "time", caa->checked_us);
    query_cstr(o, "domain", caa->domain);
    query_cstr(o, "why", caa->why);
    query_cstr(o, "dnssec", caa->dnssec);
    query_int(o, "ttl", caa->ttl);
    write_texts(o, "records", caa->records, caa->n_records);
    write_texts(o, "iodef", caa->iodef, caa->n_iodef);
    query_hex(o, "records_sha256", bytes_of(caa->records_sha256));
    write_texts(o, "looked_up", caa->looked_up, caa->n_looked_up);
    query_close(o, '}');
}

static void write_redirects(struct query_out *o, const Ipc__Validated *v)
{
    query_open(o, "redirects", '[');
    for (size_t i = 0; i < v->n_redirects; i++) {
        query_open(o, NULL, '{');
        query_int(o, "status", v->redirects[i]->status);
        query_cstr(o, "location", v->redirects[i]->location);
        query_close(o, '}');
    }
    query_close(o, ']');
}

void query_seen_write(struct query_out *o, const Ipc__Validated *v)
{
    query_bool(o, "ok", v->ok);
    query_cstr(o, "perspective", v->perspective);
    query_time(o, "started", v->started_us);
    query_time(o, "finished", v->finished_us);
    query_int(o, "duration_ms", (v->finished_us - v->started_us) / 1000);
    query_cstr(o, "build", v->build);
    query_cstr(o, "rule_set", v->ruleset);
    query_cstr(o, "resolver", v->resolver);
    query_cstr(o, "asked", v->asked);
    query_cstr(o, "above", v->above);
    query_bool(o, "subdomains", v->subdomains);
    write_texts(o, "addresses", v->addresses, v->n_addresses);
    query_cstr(o, "address_used", v->address_used);
    write_texts(o, "chain", v->chain, v->n_chain);
    write_texts(o, "records", v->records, v->n_records);
    write_texts(o, "contacts", v->contacts, v->n_contacts);
    query_cstr(o, "contact_domain", v->contact_domain);
    query_int(o, "ttl", v->ttl);
    query_cstr(o, "dnssec", v->dnssec);
    query_cstr(o, "dnssec_why", v->dnssec_why);
    write_redirects(o, v);
    query_int(o, "http_status", v->http_status);
    query_hex(o, "answer_sha256", bytes_of(v->answer_sha256));
    query_hex(o, "nonce", bytes_of(v->nonce));
    write_texts(o, "caa_chain", v->caa_chain, v->n_caa_chain);
    query_caa_write(o, "caa", v->caa);
    query_problem_write(o, "problem", v->problem);
}

/* --- the other perspectives ----------------------------------------------------------------------------- */

struct key {
    bool found;
    struct validate_perspective is; /* as far as a signature needs it */
    const char *rir;
    const char *resolver_rir;
    lt_time first;
};

static lt_res find_key(const struct ca_query *query, int64_t id, struct key *k)
{
    struct store_rows rows;
    *k = (struct key){.found = false, .rir = "", .resolver_rir = ""};
    LT_TRY(store_query(query->store, &sql[0], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        k->found = true;
        k->is.name = lt_arena_cstr(query->arena, store_bytes(&rows, 0));
        k->is.spki = lt_arena_copy(query->arena, store_bytes(&rows, 1));
        k->rir = lt_arena_cstr(query->arena, store_bytes(&rows, 2));
        k->resolver_rir = lt_arena_cstr(query->arena, store_bytes(&rows, 3));
        k->first.us = store_int(&rows, 4);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!k->found ||
                 (k->is.name != NULL && k->is.spki.ptr != NULL && k->rir != NULL && k->resolver_rir != NULL),
             LT_PEER_TOO_LARGE, "the answer is over the limit");
    return LT_OK;
}

/* A statement is worth what its signature is, with the key that the book kept for it. */
static void write_statement(const struct ca_query *query, struct query_out *o, const struct key *k,
                            const Ipc__SignedStatement *said)
{
    const Ipc__Validated *v = NULL;
    if (said == NULL) {
        query_cstr(o, "signature", "none");
        return;
    }
    if (!k->found) {
        query_cstr(o, "signature", "its key is not in the book");
        return;
    }
    if (lt_failed(validate_statement_verify(&k->is, said, query->arena, &v))) {
        query_cstr(o, "signature", "wrong");
        query_cstr(o, "signature_why", lt_error_last()->detail);
        return;
    }
    query_cstr(o, "signature", "verified");
    query_open(o, "statement", '{');
    query_seen_write(o, v);
    query_close(o, '}');
}

static lt_res write_voice(const struct ca_query *query, struct query_out *o, const Ipc__EvidenceVoice *v)
{
    struct key k;
    uint8_t hash[CRYPTO_SHA256_LEN];
    LT_TRY(find_key(query, v->key_id, &k));
    query_open(o, NULL, '{');
    query_cstr(o, "name", v->name);
    query_bool(o, "agrees", v->agrees);
    query_cstr(o, "why", v->why);
    query_cstr(o, "region", k.rir);
    query_cstr(o, "resolver_region", k.resolver_rir);
    if (k.found) {
        crypto_sha256(k.is.spki, hash);
        query_hex(o, "key_sha256", LT_SLICE(hash, sizeof hash));
        query_time(o, "key_first_used", k.first.us);
    }
    write_statement(query, o, &k, v->said);
    query_close(o, '}');
    return LT_OK;
}

lt_res query_corroboration_write(const struct ca_query *query, struct query_out *o,
                                 const Ipc__EvidenceCorroboration *c)
{
    if (c == NULL) {
        query_raw(o, "corroboration", LT_LIT("null"));
        return LT_OK;
    }
    char *count = lt_arena_printf(query->arena, "%u/%u", c->agreeing, c->asked);
    LT_CHECK(count != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    query_open(o, "corroboration", '{');
    query_cstr(o, "count", count);
    query_int(o, "regions", c->regions);
    query_bool(o, "corroborated", c->corroborated);
    query_bool(o, "quorum", c->met);
    query_cstr(o, "why", c->why);
    query_open(o, "perspectives", '[');
    for (size_t i = 0; i < c->n_voices; i++) {
        LT_TRY(write_voice(query, o, c->voices[i]));
    }
    query_close(o, ']');
    query_close(o, '}');
    return LT_OK;
}
