/* The freeze list: rows, events, and the refusal. */
#include "ca/hold.h"

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/hold_record.h"
#include "store/segment.h"

static const struct store_sql sql[] = {
    {"hold.certificate", "SELECT shard FROM certificate WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    {"hold.revoked", "SELECT 1 FROM revocation WHERE issuer = ?1 AND shard = ?2 AND serial = ?3"},
    {"hold.add", "INSERT INTO revocation_hold (issuer, serial, since_us, reason, reference, by_whom, "
                 "lifted_us, lifted_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, '')"},
    {"hold.lift", "UPDATE revocation_hold SET lifted_us = ?3, lifted_by = ?4 "
                  "WHERE issuer = ?1 AND serial = ?2 AND lifted_us = 0"},
    {"hold.get", "SELECT reference, reason, by_whom FROM revocation_hold "
                 "WHERE issuer = ?1 AND serial = ?2 AND lifted_us = 0"},
};
enum { SQL_CERTIFICATE, SQL_REVOKED, SQL_ADD, SQL_LIFT, SQL_GET };
const struct store_sql *const ca_hold_sql = sql;
const size_t ca_hold_sql_count = LT_COUNT(sql);

enum { REASON_MAX = 500, REFERENCE_MAX = 200, RECORD_MAX = 8192 };

static lt_res read_certificate(struct ca_turn *t, const Ipc__HoldWanted *m,
                               const struct ca_issuer **ret_issuer, int64_t *ret_shard)
{
    struct store_rows rows;
    lt_slice serial = LT_SLICE(m->serial.data, m->serial.len);
    *ret_issuer = ca_issuer_by_name(t->book, lt_slice_cstr(m->issuer));
    LT_CHECK(*ret_issuer != NULL, LT_PEER_NOT_FOUND, "there is no issuer \"%.64s\"", m->issuer);
    LT_TRY(store_query(t->store, &sql[SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I((*ret_issuer)->id), STORE_B(serial)), &rows));
    bool found = store_next(&rows);
    *ret_shard = found ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no certificate of %s has the serial %s", m->issuer,
             lt_hex(t->arena, serial));
    return LT_OK;
}

static lt_res refuse_revoked(struct ca_turn *t, int64_t issuer, int64_t shard, lt_slice serial)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_REVOKED],
                       STORE_ARGS(STORE_I(issuer), STORE_I(shard), STORE_B(serial)), &rows));
    bool revoked = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!revoked, LT_PEER_CONFLICT, "the certificate is revoked already");
    return LT_OK;
}

static lt_res finish(struct ca_turn *t, const struct ca_hold_asker *by, const Ipc__HoldWanted *m,
                     const char *kind, const char **ret_json)
{
    lt_slice serial = LT_SLICE(m->serial.data, m->serial.len);
    struct ca_body bodies[2];
    for (size_t i = 0; i < LT_COUNT(bodies); i++) {
        ca_body_init(&bodies[i]);
        ca_body_str(&bodies[i], "issuer", m->issuer);
        ca_body_hex(&bodies[i], "serial", serial);
        ca_body_str(&bodies[i], "reason", m->reason);
        ca_body_str(&bodies[i], "reference", m->reference);
        ca_body_str(&bodies[i], "operator", by->operator_name);
    }
    lt_res r = ca_body_event(&bodies[0], t, kind, ca_certificate_subject(t, m->issuer, serial), by->jws);
    lt_res written = ca_body_cstr(&bodies[1], t->arena, ret_json);
    return lt_failed(r) ? r : written;
}

/* Among the evidence, for a book that is put back. */
static lt_res record(struct ca_turn *t, const struct ca_hold_asker *by, const Ipc__HoldWanted *m, bool lifted)
{
    const struct ca_hold_record h = {
        .lifted = lifted,
        .at_us = t->now.us,
        .issuer = lt_slice_cstr(m->issuer),
        .serial = LT_SLICE(m->serial.data, m->serial.len),
        .reason = lifted ? LT_LIT("") : lt_slice_cstr(m->reason),
        .reference = lifted ? LT_LIT("") : lt_slice_cstr(m->reference),
        .by_whom = lt_slice_cstr(by->operator_name),
    };
    struct lt_buf plain;
    struct store_frame_ref unused;
    if (t->book->evidence == NULL) {
        return LT_OK;
    }
    lt_buf_init(&plain, RECORD_MAX);
    ca_hold_record_write(&h, &plain);
    lt_res r = lt_buf_check(&plain);
    r = lt_failed(r) ? r : store_segments_append(t->book->evidence, lt_buf_slice(&plain), t->now, &unused);
    t->book->at.evidence_waiting = store_segments_mark(t->book->evidence);
    lt_buf_done(&plain);
    return r;
}

lt_res ca_hold_add(struct ca_turn *t, const struct ca_hold_asker *by, const Ipc__HoldWanted *m,
                   const char **ret_json)
{
    const struct ca_issuer *issuer = NULL;
    int64_t shard = 0;
    lt_slice serial = LT_SLICE(m->serial.data, m->serial.len);
    size_t reason_len = lt_slice_cstr(m->reason).len;
    size_t reference_len = lt_slice_cstr(m->reference).len;
    LT_CHECK(reason_len > 0 && reason_len <= REASON_MAX && reference_len > 0 &&
                 reference_len <= REFERENCE_MAX,
             LT_PEER_MALFORMED, "why it is held, and the reference of the order, are wanted");
    LT_TRY(read_certificate(t, m, &issuer, &shard));
    LT_TRY(refuse_revoked(t, issuer->id, shard, serial));
    lt_res added = store_exec(t->store, &sql[SQL_ADD],
                              STORE_ARGS(STORE_I(issuer->id), STORE_B(serial), STORE_I(t->now.us),
                                         STORE_S(m->reason), STORE_S(m->reference),
                                         STORE_S(by->operator_name)),
                              NULL);
    LT_CHECK(added.code != LT_PEER_CONFLICT, LT_PEER_CONFLICT, "the certificate is held already");
    LT_TRY(added);
    LT_TRY(record(t, by, m, false));
    return finish(t, by, m, "revocation.held", ret_json);
}

lt_res ca_hold_lift(struct ca_turn *t, const struct ca_hold_asker *by, const Ipc__HoldWanted *m,
                    const char **ret_json)
{
    const struct ca_issuer *issuer = NULL;
    int64_t shard = 0;
    int64_t changed = 0;
    LT_TRY(read_certificate(t, m, &issuer, &shard));
    LT_TRY(store_exec(t->store, &sql[SQL_LIFT],
                      STORE_ARGS(STORE_I(issuer->id), STORE_B(LT_SLICE(m->serial.data, m->serial.len)),
                                 STORE_I(t->now.us), STORE_S(by->operator_name)),
                      &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "the certificate is not held");
    LT_TRY(record(t, by, m, true));
    return finish(t, by, m, "revocation.hold-lifted", ret_json);
}

lt_res ca_hold_check(struct ca_turn *t, int64_t issuer, lt_slice serial)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    lt_res r = LT_OK;
    if (store_next(&rows)) {
        r = lt_fail(LT_POLICY_REFUSED, __FILE__, __LINE__,
                    "the certificate may not be revoked: %.60s (%.40s), held by %.20s; see lintel hold list",
                    store_cstr(&rows, 0), store_cstr(&rows, 1), store_cstr(&rows, 2));
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}
