/* The story of an authorization's checks: the row, what its frame says, the rule that it was made by. */
#include "ca/query_evidence.h"

#include <string.h>

#include "ca/evidence_record.h"
#include "ca/evidence_shared.h"
#include "store/segment.h"

enum { CHECKS_MAX = 100 };

static const struct store_sql sql[] = {
    {"query.evidence",
     "SELECT e.checked_us, e.ok, e.dnssec, e.caa, e.caa_us, e.agreeing, e.dissenting, e.statement, d.method, "
     "d.rule_set, d.build, d.resolver, d.perspectives, e.identifier_type, e.segment, e.position, e.length, "
     "e.sha256, coalesce(e.proven_by, e.authorization_id) FROM evidence e JOIN dimension d ON d.id = "
     "e.dimension WHERE e.authorization_id = ?1 "
     "ORDER BY e.checked_us LIMIT 100"},
    {"query.evidence.relied-on",
     "SELECT max(CASE WHEN d.method <> 'caa' THEN e.checked_us END), "
     "max(CASE WHEN d.method = 'caa' AND e.caa = 'permitted' THEN e.checked_us END) "
     "FROM evidence e JOIN dimension d ON d.id = e.dimension "
     "WHERE e.authorization_id = ?1 AND e.ok = 1 AND e.checked_us <= ?2"},
    {"query.evidence.letter",
     "SELECT recipient, sent_us, answered_us, answered_from FROM mail WHERE authorization_id = ?1 AND "
     "status = 'approved' AND answered_us <= ?2 LIMIT 1"},
};
enum { SQL_CHECKS, SQL_RELIED_ON, SQL_LETTER };
const struct ca_query_sql query_evidence_sql = {sql, LT_COUNT(sql)};

/* The checks that a certificate of that time rests on: its last proof, and CAA where it was asked after that.
 */
struct relied {
    bool asked; /* it is about a certificate */
    int64_t proof_us;
    int64_t caa_us;
};

static lt_res find_relied(const struct ca_query *query, int64_t authorization, int64_t issued_us,
                          struct relied *ret)
{
    struct store_rows rows;
    *ret = (struct relied){.asked = issued_us != 0};
    if (!ret->asked) {
        return LT_OK;
    }
    LT_TRY(store_query(query->store, &sql[SQL_RELIED_ON],
                       STORE_ARGS(STORE_I(authorization), STORE_I(issued_us)), &rows));
    if (store_next(&rows)) {
        ret->proof_us = store_int(&rows, 0);
        ret->caa_us = store_int(&rows, 1) > ret->proof_us ? store_int(&rows, 1) : 0;
    }
    return store_rows_end(&rows);
}

/* Of the row, what is needed when the rows are closed. */
struct check {
    int64_t authorization; /* that the frame tells of */
    int64_t checked_us;
    struct store_frame_ref ref;
    lt_slice statement; /* of rows from before there were segments: JSON */
};

static void take_ref(const struct store_rows *rows, struct store_frame_ref *ref)
{
    lt_slice hash = lt_slice_sub(store_bytes(rows, 17), 0, sizeof ref->sha256);
    *ref = (struct store_frame_ref){.segment = (uint32_t)store_int(rows, 14),
                                    .position = (uint64_t)store_int(rows, 15),
                                    .length = (uint32_t)store_int(rows, 16)};
    if (hash.len > 0) {
        memcpy(ref->sha256, hash.ptr, hash.len);
    }
}

static lt_res read_record(const struct ca_query *query, const struct check *k,
                          const Ipc__EvidenceRecord **ret_record)
{
    lt_slice plain = {0};
    LT_CHECK(query->evidence_folder != NULL, LT_PEER_NOT_FOUND, "there is no folder of evidence");
    LT_TRY(ca_evidence_read(query->store, query->evidence_folder, &k->ref, query->arena, &plain));
    return ca_evidence_unpack(plain, k->authorization, k->checked_us, query->arena, ret_record);
}

static void write_frame(struct query_out *o, const struct store_frame_ref *ref, const char *integrity)
{
    query_open(o, "frame", '{');
    query_int(o, "segment", ref->segment);
    query_int(o, "position", (int64_t)ref->position);
    query_int(o, "length", ref->length);
    query_hex(o, "sha256", LT_SLICE(ref->sha256, sizeof ref->sha256));
    query_close(o, '}');
    query_cstr(o, "integrity", integrity);
}

/* Evidence that is gone or damaged is said, and the rest told all the same. */
static lt_res write_seen(const struct ca_query *query, struct query_out *o, const struct check *k)
{
    const Ipc__EvidenceRecord *record = NULL;
    if (k->ref.segment == 0 && k->statement.len == 0) {
        write_frame(o, &k->ref, "dropped: its time was over; the hash stays");
        return LT_OK;
    }
    if (k->ref.segment == 0) {
        query_raw(o, "statement", k->statement);
        return LT_OK;
    }
    lt_res r = read_record(query, k, &record);
    if (r.code == LT_STATE_CORRUPT || r.code == LT_PEER_NOT_FOUND || r.code == LT_STATE_IO) {
        write_frame(o, &k->ref, lt_error_last()->detail);
        return LT_OK;
    }
    LT_TRY(r);
    write_frame(o, &k->ref, "intact");
    query_problem_write(o, "problem", record->problem != NULL ? record->problem : record->primary->problem);
    query_open(o, "statement", '{');
    query_seen_write(o, record->primary);
    query_close(o, '}');
    return query_corroboration_write(query, o, record->corroboration);
}

/* Of the methods by mail: who approved, by the link of which letter. */
static lt_res write_confirmed(const struct ca_query *query, struct query_out *o, const struct check *k)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_LETTER],
                       STORE_ARGS(STORE_I(k->authorization), STORE_I(k->checked_us)), &rows));
    if (store_next(&rows)) {
        query_open(o, "confirmed", '{');
        query_cstr(o, "by", store_cstr(&rows, 0));
        query_time(o, "sent", store_int(&rows, 1));
        query_time(o, "answered", store_int(&rows, 2));
        query_cstr(o, "from", store_cstr(&rows, 3));
        query_close(o, '}');
    }
    return store_rows_end(&rows);
}

static lt_res write_check(const struct ca_query *query, struct query_out *o, const struct store_rows *rows,
                          const struct relied *on)
{
    struct check k = {.authorization = store_int(rows, 18), .checked_us = store_int(rows, 0)};
    take_ref(rows, &k.ref);
    k.statement = store_bytes(rows, 7);
    query_open(o, NULL, '{');
    query_time(o, "checked", k.checked_us);
    query_bool(o, "ok", store_int(rows, 1) != 0);
    query_id(o, "proven_by", k.authorization);
    if (on->asked) {
        query_bool(o, "relied_on", k.checked_us == on->proof_us || k.checked_us == on->caa_us);
    }
    query_cstr(o, "dnssec", store_cstr(rows, 2));
    query_cstr(o, "caa", store_cstr(rows, 3));
    query_time(o, "caa_checked", store_int(rows, 4));
    query_int(o, "agreeing", store_int(rows, 5));
    query_int(o, "dissenting", store_int(rows, 6));
    query_cstr(o, "method", store_cstr(rows, 8));
    query_cstr(o, "rule_set", store_cstr(rows, 9));
    query_cstr(o, "build", store_cstr(rows, 10));
    query_cstr(o, "resolver", store_cstr(rows, 11));
    query_cstr(o, "perspectives", store_cstr(rows, 12));
    query_method_write(o, validate_method_find(store_cstr(rows, 8), store_cstr(rows, 13)),
                       store_cstr(rows, 9), (lt_time){k.checked_us}, query->now);
    lt_res r = write_seen(query, o, &k);
    if (!lt_failed(r) && strncmp(store_cstr(rows, 8), "email-", 6) == 0) {
        r = write_confirmed(query, o, &k);
    }
    query_close(o, '}');
    return r;
}

lt_res query_checks_write(const struct ca_query *query, struct query_out *out, int64_t authorization,
                          int64_t issued_us)
{
    struct store_rows rows;
    struct relied on;
    lt_res r = LT_OK;
    size_t count = 0;
    LT_TRY(find_relied(query, authorization, issued_us, &on));
    LT_TRY(store_query(query->store, &sql[SQL_CHECKS], STORE_ARGS(STORE_I(authorization)), &rows));
    query_open(out, "checks", '[');
    while (!lt_failed(r) && count < CHECKS_MAX && store_next(&rows)) {
        r = write_check(query, out, &rows, &on);
        count++;
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    return r;
}
