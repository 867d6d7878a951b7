/* Judging bytes that an operator hands in, and the inventory with what was found at issuance.
 *
 * The reader judges, not the notary and not the registrar: it has no key, writes nothing, decides nothing and
 * is believed by nobody, so that a linter that a certificate breaks breaks nothing else. Whoever crashes it
 * waits with the others until it is back. The size is that of a request's body.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "jose/json.h"
#include "lint/kinds.h"

/* ---- judging ---- */

struct asked {
    lt_slice der;
    struct lint_input in;
    struct x509_cert issuer;
    struct x509_cert precertificate;
    struct x509_cert crossed;
};

static lt_slice without_blanks(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\n' || s.ptr[0] == '\r' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, s.len);
    }
    return s;
}

/* PEM, DER or base64 of it; *ret_label is empty unless it is PEM. */
static lt_res bytes_of(lt_slice text, struct lt_arena *a, lt_slice *ret_der, lt_slice *ret_label)
{
    enum { SEQUENCE = 0x30 };
    lt_slice begun = without_blanks(text);
    *ret_label = LT_SLICE(NULL, 0);
    if (lt_slice_starts(begun, LT_LIT("-----BEGIN "))) {
        return lt_pem_next(a, &begun, ret_label, ret_der);
    }
    if (text.len > 0 && text.ptr[0] == SEQUENCE) {
        *ret_der = text;
        return LT_OK;
    }
    struct lt_buf packed; /* base64 is read in one piece */
    lt_buf_init(&packed, begun.len + 1);
    for (size_t i = 0; i < begun.len; i++) {
        if (begun.ptr[i] > ' ') {
            lt_buf_add_byte(&packed, begun.ptr[i]);
        }
    }
    lt_res r = lt_unbase64(a, lt_buf_slice(&packed), ret_der);
    lt_buf_done(&packed);
    LT_CHECK(!lt_failed(r) && ret_der->len > 0, LT_PEER_MALFORMED, "neither PEM, DER nor base64");
    return LT_OK;
}

static lt_res read_certificate(const json_t *object, const char *name, struct lt_arena *a,
                               struct x509_cert *cert, const struct x509_cert **ret_cert)
{
    lt_slice text;
    lt_slice der;
    lt_slice label;
    LT_TRY(jose_json_optional_string(object, name, &text));
    if (text.len == 0) {
        return LT_OK;
    }
    LT_TRY(bytes_of(text, a, &der, &label));
    LT_CHECK(lint_kind_labelled(label, &der, false) == LINT_CERTIFICATE &&
                 !lt_failed(x509_cert_decode(der, a, cert)),
             LT_PEER_MALFORMED, "\"%s\" is no certificate", name);
    *ret_cert = cert;
    return LT_OK;
}

static lt_res read_words(const json_t *object, struct asked *q)
{
    lt_slice role;
    lt_slice profile;
    lt_slice kind;
    lt_slice at;
    LT_TRY(jose_json_optional_string(object, "role", &role));
    LT_TRY(jose_json_optional_string(object, "profile", &profile));
    LT_TRY(jose_json_optional_string(object, "kind", &kind));
    LT_TRY(jose_json_optional_string(object, "at", &at));
    LT_TRY(jose_json_optional_bool(object, "tbs", &q->in.bare));
    LT_CHECK(role.len == 0 || lint_role_by_name(role, &q->in.role), LT_PEER_MALFORMED,
             "\"role\": there is no such role");
    LT_CHECK(profile.len == 0 || lint_profile_by_name(profile, &q->in.profile), LT_PEER_MALFORMED,
             "\"profile\": there is no such profile");
    q->in.kind = (enum lint_kind)lint_kind_by_name(kind);
    LT_CHECK(kind.len == 0 || q->in.kind != 0, LT_PEER_MALFORMED,
             "\"kind\" is certificate, crl, ocsp or csr");
    return at.len == 0 ? LT_OK : lt_time_parse_or_day(at, &q->in.signing_time);
}

static lt_res read_object(lt_slice body, struct lt_arena *a, struct asked *q, lt_slice *ret_text)
{
    static const char *const known[] = {"object",         "kind",    "role", "profile", "issuer",
                                        "precertificate", "crossed", "at",   "tbs"};
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    const char *name;
    json_t *value;
    lt_slice text;
    LT_TRY(jose_json_object(body, &object));
    json_object_foreach(object, name, value)
    {
        bool fits = false;
        for (size_t i = 0; i < LT_COUNT(known); i++) {
            fits = fits || strcmp(name, known[i]) == 0;
        }
        LT_CHECK(fits, LT_PEER_MALFORMED, "there is no member \"%.40s\"", name);
    }
    LT_TRY(read_words(object, q));
    LT_TRY(read_certificate(object, "issuer", a, &q->issuer, &q->in.issuer));
    LT_TRY(read_certificate(object, "precertificate", a, &q->precertificate, &q->in.precertificate));
    LT_TRY(read_certificate(object, "crossed", a, &q->crossed, &q->in.crossed));
    LT_TRY(jose_json_string(object, "object", &text));
    *ret_text = lt_arena_copy(a, text); /* the document goes */
    LT_CHECK(ret_text->ptr != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

static lt_res read_asked(const struct ca_query *query, struct asked *q)
{
    lt_slice text = LT_SLICE(query->q->body.data, query->q->body.len);
    lt_slice label;
    LT_CHECK(text.len > 0, LT_PEER_MALFORMED, "there is nothing to judge in the body");
    if (lt_slice_starts(lt_slice_cstr(query->q->content_type), LT_LIT("application/json"))) {
        LT_TRY(read_object(text, query->arena, q, &text));
    }
    LT_TRY(bytes_of(text, query->arena, &q->der, &label));
    unsigned seen = lint_kind_labelled(label, &q->der, q->in.bare);
    q->in.der = q->der;
    if (q->in.kind == 0) { /* what is nothing else is judged as a certificate */
        q->in.kind = seen != 0 ? (enum lint_kind)seen : LINT_CERTIFICATE;
    }
    return LT_OK;
}

lt_res query_lint(const struct ca_query *query, struct query_out *out)
{
    struct asked *q = LT_NEW(query->arena, struct asked);
    struct lint_results results;
    LT_CHECK(q != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    *q = (struct asked){.der = {0}};
    LT_TRY(read_asked(query, q));
    LT_TRY(lint_run(&q->in, query->arena, &results));
    query_cstr(out, "file", "-");
    query_cstr(out, "worst", lint_status_name(results.worst));
    query_open(out, "findings", '[');
    for (size_t i = 0; i < results.count; i++) {
        lt_buf_add_cstr(out->b, i > 0 ? "," : "");
        lint_finding_json(&results.list[i], out->b);
    }
    query_close(out, ']');
    query_cstr(out, "rule_set", lint_rule_set());
    if (results.dropped > 0) {
        query_int(out, "dropped", (int64_t)results.dropped);
    }
    if (query->q->with_der) {
        query_cstr(out, "kind", lint_kind_name(q->in.kind));
        query_base64(out, "der", q->der);
        query_outline_write(out, "outline", q->der);
    }
    return LT_OK;
}

/* ---- the inventory ---- */

static const struct store_sql sql[] = {
    {"query.lint.inventory",
     "SELECT c.issued_us, c.issuer, c.serial, c.copy, c.profile, c.rule_set, c.oldest_validation_us, "
     "c.oldest_caa_us, c.name_count, d.der, coalesce(e.findings, 'null'), c.shard FROM certificate c "
     "JOIN certificate_der d ON d.issuer = c.issuer AND d.serial = c.serial AND d.copy = c.copy "
     "LEFT JOIN intent i ON i.issuer = c.issuer AND i.serial = c.serial "
     "LEFT JOIN intent_end e ON e.intent = i.id "
     "WHERE c.issued_us >= ?5 AND c.issued_us < ?6 AND (c.issued_us, c.issuer, c.serial, c.copy) > "
     "(?1, ?2, ?3, ?4) ORDER BY c.issued_us, c.issuer, c.serial, c.copy LIMIT ?7"},
    {"query.lint.count", "SELECT count(*) FROM certificate c WHERE c.issued_us >= ?1 AND c.issued_us < ?2"},
    {"query.lint.verdict", "SELECT e.findings FROM intent i JOIN intent_end e ON e.intent = i.id "
                           "WHERE i.issuer = ?1 AND i.serial = ?2 LIMIT 1"},
};
enum { SQL_INVENTORY, SQL_COUNT, SQL_VERDICT };
const struct ca_query_sql query_lint_sql = {sql, LT_COUNT(sql)};

static int64_t end_of(const struct ca_query *query)
{
    return query->q->issued_until_us != 0 ? query->q->issued_until_us : INT64_MAX;
}

/* Once, for a bar: what there is between the two times, and the issuers' certificates. */
static lt_res write_head(const struct ca_query *query, const struct query_tables *t, struct query_out *out)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_COUNT],
                       STORE_ARGS(STORE_I(query->q->issued_from_us), STORE_I(end_of(query))), &rows));
    query_int(out, "total", store_next(&rows) ? store_int(&rows, 0) : 0);
    LT_TRY(store_rows_end(&rows));
    query_open(out, "issuers", '[');
    for (size_t i = 0; i < t->issuer_count; i++) {
        query_open(out, NULL, '{');
        query_cstr(out, "issuer", t->issuers[i].name);
        query_base64(out, "der", t->issuers[i].der);
        query_close(out, '}');
    }
    query_close(out, ']');
    return LT_OK;
}

static void write_row(const struct query_tables *t, struct query_out *out, const struct store_rows *rows)
{
    const struct query_issuer *issuer = query_issuer_by_id(t, store_int(rows, 1));
    query_open(out, NULL, '{');
    query_cstr(out, "issuer", issuer == NULL ? "" : issuer->name);
    query_hex(out, "serial", store_bytes(rows, 2));
    query_cstr(out, "profile", query_profile_name(t, store_int(rows, 4)));
    query_int(out, "issued_us", store_int(rows, 0));
    query_cstr(out, "rule_set", store_cstr(rows, 5));
    query_int(out, "oldest_validation_us", store_int(rows, 6));
    query_int(out, "oldest_caa_us", store_int(rows, 7));
    query_int(out, "name_count", store_int(rows, 8));
    query_int(out, "shard", store_int(rows, 11));
    query_base64(out, "der", store_bytes(rows, 9));
    query_raw(out, "findings", store_bytes(rows, 10));
    query_close(out, '}');
}

lt_res query_inventory(const struct ca_query *query, struct query_out *out)
{
    struct query_tables t;
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_tables_load(query, &t));
    LT_TRY(query_cursor_read(query, 'l', &at));
    if (!at.set) {
        LT_TRY(write_head(query, &t, out));
    }
    const struct store_value v[7] = {
        STORE_I(at.set ? at.key : -1),  STORE_I(at.set ? at.issuer : -1),  STORE_B(at.serial),
        STORE_I(at.set ? at.copy : -1), STORE_I(query->q->issued_from_us), STORE_I(end_of(query)),
        STORE_I(query_limit(query)),
    };
    LT_TRY(store_query(query->store, &sql[SQL_INVENTORY], v, LT_COUNT(v), &rows));
    query_open(out, "certificates", '[');
    while (!lt_failed(lt_buf_check(out->b)) && count < query_limit(query) && store_next(&rows)) {
        write_row(&t, out, &rows);
        count++;
        at = (struct query_cursor){
            .set = true,
            .key = store_int(&rows, 0),
            .issuer = store_int(&rows, 1),
            .serial = lt_arena_copy(query->arena, store_bytes(&rows, 2)),
            .copy = store_int(&rows, 3),
        };
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at.set = count == query_limit(query);
    query_cursor_write(out, 'l', &at);
    return LT_OK;
}

lt_res query_verdict_write(const struct ca_query *query, struct query_out *out,
                           const struct query_certificate *c)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_VERDICT], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)),
                       &rows));
    query_raw(out, "findings", store_next(&rows) ? store_bytes(&rows, 0) : LT_SLICE(NULL, 0));
    return store_rows_end(&rows);
}
