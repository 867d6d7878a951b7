/* What the validator saw, as one row: interned what is common, the whole statement as JSON. */
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "crypto/digest.h"

enum { STATEMENT_MAX = 4 * 1024 * 1024, NAMES_MAX = 4096 };

/* What the columns of `dimension` hold, in their order. */
struct dimension {
    const char *text[5]; /* method, rule set, build, resolver, perspectives */
};

static void hash_dimension(const struct dimension *dim, uint8_t ret_key[32])
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    for (size_t i = 0; i < LT_COUNT(dim->text); i++) {
        crypto_stream_add(&s, lt_slice_cstr(dim->text[i]));
        crypto_stream_add(&s, LT_LIT("\n"));
    }
    crypto_stream_finish(&s, ret_key);
    crypto_stream_done(&s);
}

static lt_res find_or_add(struct ca_turn *t, const struct dimension *dim, int64_t *ret_id)
{
    struct store_rows rows;
    const struct store_value columns[] = {STORE_S(dim->text[0]), STORE_S(dim->text[1]), STORE_S(dim->text[2]),
                                          STORE_S(dim->text[3]), STORE_S(dim->text[4])};
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_DIMENSION], columns, LT_COUNT(columns), &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    if (*ret_id != 0) {
        return LT_OK;
    }
    *ret_id = ca_new_id(t);
    return store_exec(
        t->store, &acme_sql[ACME_SQL_DIMENSION_ADD],
        STORE_ARGS(STORE_I(*ret_id), columns[0], columns[1], columns[2], columns[3], columns[4]), NULL);
}

static lt_res dimension_id(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v, const char *set,
                           int64_t *ret_id)
{
    struct dimension dim = {{v->method, v->ruleset, v->build, v->resolver, set}};
    struct acme_dimension found = {0};
    hash_dimension(&dim, found.key);
    for (size_t i = 0; i < ACME_DIMENSIONS_CACHED; i++) {
        if (d->dimensions[i].id != 0 && memcmp(d->dimensions[i].key, found.key, sizeof found.key) == 0) {
            *ret_id = d->dimensions[i].id;
            return LT_OK;
        }
    }
    LT_TRY(find_or_add(t, &dim, &found.id));
    d->dimensions[d->dimension_next++ % ACME_DIMENSIONS_CACHED] = found;
    *ret_id = found.id;
    return LT_OK;
}

static void add_text(struct lt_buf *out, const char *key, const char *value)
{
    lt_json_add_string(out, lt_slice_cstr(key));
    lt_buf_add_byte(out, ':');
    lt_json_add_string(out, lt_slice_cstr(value));
    lt_buf_add_byte(out, ',');
}

static void add_hex(struct lt_buf *out, const char *key, ProtobufCBinaryData bytes)
{
    lt_json_add_string(out, lt_slice_cstr(key));
    lt_buf_add_cstr(out, ":\"");
    lt_hex_add(out, acme_bytes(bytes));
    lt_buf_add_cstr(out, "\",");
}

static void add_texts(struct lt_buf *out, const char *key, char *const *list, size_t count)
{
    lt_json_add_string(out, lt_slice_cstr(key));
    lt_buf_add_cstr(out, ":[");
    for (size_t i = 0; i < count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(list[i]));
    }
    lt_buf_add_cstr(out, "],");
}

void acme_caa_json(const Ipc__CaaCheck *caa, struct lt_buf *out)
{
    if (caa == NULL) {
        lt_buf_add_cstr(out, "null");
        return;
    }
    lt_buf_addf(out, "{\"checked\":%s,\"permitted\":%s,\"ttl\":%u,\"checked_us\":%lld,",
                caa->checked ? "true" : "false", caa->permitted ? "true" : "false", caa->ttl,
                (long long)caa->checked_us);
    add_texts(out, "looked_up", caa->looked_up, caa->n_looked_up);
    add_texts(out, "records", caa->records, caa->n_records);
    add_texts(out, "iodef", caa->iodef, caa->n_iodef);
    add_text(out, "domain", caa->domain);
    add_text(out, "dnssec", caa->dnssec);
    lt_buf_add_cstr(out, "\"why\":");
    lt_json_add_string(out, lt_slice_cstr(caa->why));
    lt_buf_add_byte(out, '}');
}

const char *acme_caa_word(const Ipc__CaaCheck *caa)
{
    if (caa == NULL) {
        return "";
    }
    /* A bogus answer is no answer, whatever else the statement says. */
    if (!caa->checked || lt_slice_eq_cstr(lt_slice_cstr(caa->dnssec), "bogus")) {
        return "failed";
    }
    return caa->permitted ? "permitted" : "forbidden";
}

/* The validator's clock, but never later than ours. */
lt_time acme_caa_time(const Ipc__CaaCheck *caa, lt_time now)
{
    return (lt_time){caa->checked_us < now.us ? caa->checked_us : now.us};
}

/* Everything of the message but what the row has in columns of its own. */
static void print_statement(const Ipc__Validated *v, const struct acme_corroboration *c, lt_time now,
                            struct lt_buf *out)
{
    lt_buf_addf(out, "{\"challenge\":%u,", v->challenge_index);
    add_hex(out, "nonce", v->nonce);
    add_text(out, "address_used", v->address_used);
    add_text(out, "dnssec_why", v->dnssec_why);
    add_text(out, "perspective", v->perspective);
    add_hex(out, "answer_sha256", v->answer_sha256);
    add_texts(out, "records", v->records, v->n_records);
    add_texts(out, "chain", v->chain, v->n_chain);
    add_texts(out, "caa_chain", v->caa_chain, v->n_caa_chain);
    add_texts(out, "addresses", v->addresses, v->n_addresses);
    lt_buf_addf(out, "\"http_status\":%u,\"ttl\":%u,\"started_us\":%lld,\"finished_us\":%lld,\"redirects\":[",
                v->http_status, v->ttl, (long long)v->started_us, (long long)v->finished_us);
    for (size_t i = 0; i < v->n_redirects; i++) {
        lt_buf_addf(out, "%s{\"status\":%u,\"location\":", i == 0 ? "" : ",", v->redirects[i]->status);
        lt_json_add_string(out, lt_slice_cstr(v->redirects[i]->location));
        lt_buf_add_byte(out, '}');
    }
    lt_buf_add_cstr(out, "],\"caa\":");
    acme_caa_json(v->caa, out);
    lt_buf_add_cstr(out, ",\"problem\":");
    acme_problem_json(v->problem, out);
    if (c != NULL) {
        acme_corroboration_print(c, now, out);
    }
    lt_buf_add_byte(out, '}');
}

static lt_res add_row(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                      const struct acme_corroboration *c, struct lt_buf *names, struct lt_buf *statement)
{
    int64_t dimension = 0;
    uint64_t agreeing = v->ok ? 1 : 0; /* bit 0 of the set: "primary" */
    uint64_t dissenting = v->ok ? 0 : 1;
    if (c != NULL) {
        acme_corroboration_set(c, names, &agreeing, &dissenting);
    }
    LT_TRY(dimension_id(d, t, v, c == NULL ? v->perspective : lt_buf_cstr(names), &dimension));
    print_statement(v, c, t->now, statement);
    LT_TRY(lt_buf_check(statement));
    return store_exec(t->store, &acme_sql[ACME_SQL_EVIDENCE_ADD],
                      STORE_ARGS(STORE_I(v->authorization_id), STORE_I(t->now.us), STORE_I(dimension),
                                 STORE_I(v->ok ? 1 : 0), STORE_S(v->identifier->type),
                                 STORE_S(v->identifier->value), STORE_S(v->dnssec),
                                 STORE_I((int64_t)agreeing), STORE_I((int64_t)dissenting),
                                 STORE_T(lt_buf_slice(statement)), STORE_S(acme_caa_word(v->caa)),
                                 v->caa == NULL ? STORE_N : STORE_I(acme_caa_time(v->caa, t->now).us)),
                      NULL);
}

lt_res acme_evidence_add(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                         const struct acme_corroboration *c)
{
    struct lt_buf names;
    struct lt_buf statement;
    lt_buf_init(&names, NAMES_MAX);
    lt_buf_init(&statement, STATEMENT_MAX);
    lt_res r = add_row(d, t, v, c, &names, &statement);
    lt_buf_done(&names);
    lt_buf_done(&statement);
    return r;
}
