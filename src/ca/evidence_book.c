/* Evidence between the book and its segments. */
#include "ca/evidence_book.h"

#include <string.h>

#include "ca/evidence_record.h"
#include "ca/evidence_shared.h"

static const struct store_sql sql[] = {
    {"ca.evidence-frame", "SELECT segment, position, length, sha256, coalesce(proven_by, "
                          "authorization_id) FROM evidence WHERE authorization_id = ?1 AND checked_us = ?2"},
    {"ca.evidence-caa-frame",
     "SELECT segment, position, length, sha256, checked_us FROM evidence WHERE authorization_id = ?1 AND "
     "checked_us > ?2 AND caa_us = ?3 ORDER BY checked_us DESC LIMIT 1"},
    {"ca.evidence-segment", "SELECT number, length FROM evidence_segment WHERE number >= ?1 AND number <= ?2 "
                            "ORDER BY number DESC LIMIT 1"},
    {"ca.evidence-segment-length", "INSERT INTO evidence_segment (number, length, created_us) "
                                   "VALUES (?1, ?2, ?3) ON CONFLICT (number) DO UPDATE SET length = ?2"},
    {"ca.perspective-key", "SELECT id FROM perspective_key WHERE name = ?1 AND spki = ?2 AND rir = ?3 AND "
                           "resolver_rir = ?4"},
    {"ca.perspective-key-add", "INSERT INTO perspective_key (id, name, spki, rir, resolver_rir, first_us) "
                               "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"},
    {"ca.evidence-shared-add", "INSERT INTO evidence_frame (segment, position, frame) VALUES (?1, ?2, ?3) "
                               "ON CONFLICT (segment, position) DO UPDATE SET frame = excluded.frame"},
};
enum { SQL_FRAME, SQL_CAA_FRAME, SQL_SEGMENT, SQL_SEGMENT_LENGTH, SQL_KEY, SQL_KEY_ADD, SQL_SHARED_ADD };
const struct store_sql *const ca_evidence_sql = sql;
const size_t ca_evidence_sql_count = LT_COUNT(sql);

lt_res ca_evidence_open(struct ca_book *b, const char *folder, lt_time now, struct lt_arena *a,
                        const char **ret_lost)
{
    struct store_rows rows;
    char *path = lt_arena_printf(a, "%s/evidence", folder);
    LT_CHECK(path != NULL, LT_PEER_TOO_LARGE, "the path of the folder is too long");
    struct store_segments_options o = {.folder = path, .now = now};
    ca_host_segments(&b->host, &o.first, &o.last);
    LT_TRY(store_query(b->store, &sql[SQL_SEGMENT], STORE_ARGS(STORE_I(o.first), STORE_I(o.last)), &rows));
    if (store_next(&rows)) {
        o.named_segment = (uint32_t)store_int(&rows, 0);
        o.named_length = (uint64_t)store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    return store_segments_open(&o, a, &b->evidence, ret_lost);
}

/* The other hosts have no such file. */
static lt_res keep_for_others(struct ca_turn *t, const struct store_frame_ref *ref)
{
    return store_exec(t->store, &sql[SQL_SHARED_ADD],
                      STORE_ARGS(STORE_I(ref->segment), STORE_I(ref->position),
                                 STORE_B(store_segments_waiting(t->book->evidence, ref))),
                      NULL);
}

lt_res ca_evidence_keep(struct ca_turn *t, const Ipc__EvidenceRecord *record, struct store_frame_ref *ret_ref)
{
    struct ca_book *b = t->book;
    LT_CHECK(b != NULL && b->evidence != NULL, LT_RETRY_UNAVAILABLE, "there is nowhere to keep evidence");
    size_t len = ipc__evidence_record__get_packed_size(record);
    LT_CHECK(len <= STORE_FRAME_PLAIN_MAX, LT_PEER_TOO_LARGE, "evidence of %zu bytes is too large", len);
    uint8_t *packed = lt_arena_alloc(t->arena, len);
    LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "evidence of %zu bytes is too large", len);
    (void)ipc__evidence_record__pack(record, packed); /* exactly len, just measured */
    LT_TRY(store_segments_append(b->evidence, LT_SLICE(packed, len), t->now, ret_ref));
    b->at.evidence_waiting = store_segments_mark(b->evidence);
    return b->host.shared ? keep_for_others(t, ret_ref) : LT_OK;
}

lt_res ca_evidence_flush(struct ca_turn *t)
{
    struct ca_book *b = t->book;
    uint32_t segment = 0;
    uint64_t length = 0;
    if (b->evidence == NULL) {
        return LT_OK;
    }
    LT_TRY(store_segments_flush(b->evidence, &segment, &length));
    b->at.evidence_waiting = store_segments_mark(b->evidence);
    return segment == 0 ? LT_OK
                        : store_exec(t->store, &sql[SQL_SEGMENT_LENGTH],
                                     STORE_ARGS(STORE_I(segment), STORE_I(length), STORE_I(t->now.us)), NULL);
}

static lt_res find_key(struct ca_turn *t, const struct store_value columns[4], int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_KEY], columns, 4, &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

/* Another host may add it at the same moment: then its row is the one. */
lt_res ca_perspective_key(struct ca_turn *t, const struct ca_perspective_key *key, int64_t *ret_id)
{
    int64_t changed = 0;
    const struct store_value columns[] = {STORE_S(key->name), STORE_B(key->spki), STORE_S(key->rir),
                                          STORE_S(key->resolver_rir)};
    LT_TRY(find_key(t, columns, ret_id));
    if (*ret_id != 0) {
        return LT_OK;
    }
    *ret_id = ca_new_id(t);
    LT_TRY(store_exec(
        t->store, &sql[SQL_KEY_ADD],
        STORE_ARGS(STORE_I(*ret_id), columns[0], columns[1], columns[2], columns[3], STORE_I(t->now.us)),
        &changed));
    return changed == 1 ? LT_OK : find_key(t, columns, ret_id);
}

/* --- what was signed ------------------------------------------------------------------------------------ */

struct place {
    struct store_frame_ref ref;
    int64_t authorization;
    int64_t checked_us;
};

static void take_ref(const struct store_rows *rows, struct store_frame_ref *ref)
{
    lt_slice hash = lt_slice_sub(store_bytes(rows, 3), 0, sizeof ref->sha256);
    ref->segment = (uint32_t)store_int(rows, 0);
    ref->position = (uint64_t)store_int(rows, 1);
    ref->length = (uint32_t)store_int(rows, 2);
    if (hash.len > 0) {
        memcpy(ref->sha256, hash.ptr, hash.len);
    }
}

static lt_res find_validation(struct ca_turn *t, const Ipc__NameEvidence *e, struct place *p)
{
    struct store_rows rows;
    *p = (struct place){.authorization = e->authorization_id, .checked_us = e->validated_us};
    LT_TRY(store_query(t->store, &sql[SQL_FRAME],
                       STORE_ARGS(STORE_I(e->authorization_id), STORE_I(e->validated_us)), &rows));
    if (store_next(&rows)) {
        take_ref(&rows, &p->ref);
        p->authorization = store_int(&rows, 4); /* of the domain above, where that proved the name */
    }
    return store_rows_end(&rows);
}

/* A check of CAA that was made after the validation, and has this time. */
static lt_res find_caa(struct ca_turn *t, const Ipc__NameEvidence *e, struct place *p)
{
    struct store_rows rows;
    *p = (struct place){.authorization = e->authorization_id};
    LT_TRY(store_query(
        t->store, &sql[SQL_CAA_FRAME],
        STORE_ARGS(STORE_I(e->authorization_id), STORE_I(e->validated_us), STORE_I(e->caa_checked_us)),
        &rows));
    if (store_next(&rows)) {
        take_ref(&rows, &p->ref);
        p->checked_us = store_int(&rows, 4);
    }
    return store_rows_end(&rows);
}

static lt_res statements_at(struct ca_turn *t, const struct place *p, Ipc__SignedStatement ***ret_list,
                            size_t *ret_count)
{
    const Ipc__EvidenceRecord *record = NULL;
    lt_slice plain = {0};
    *ret_count = 0;
    if (p->ref.segment == 0 || t->book == NULL || t->book->evidence == NULL) {
        return LT_OK;
    }
    lt_res r = store_segments_read(t->book->evidence, &p->ref, t->arena, &plain);
    if (r.code == LT_PEER_NOT_FOUND) {
        r = ca_evidence_shared(t->store, &p->ref, t->arena, &plain);
    }
    if (!lt_failed(r)) {
        r = ca_evidence_unpack(plain, p->authorization, p->checked_us, t->arena, &record);
    }
    if (r.code == LT_STATE_CORRUPT || r.code == LT_PEER_NOT_FOUND) {
        return LT_OK; /* `audit verify` tells of it */
    }
    LT_TRY(r);
    const Ipc__EvidenceCorroboration *c = record->corroboration;
    if (c == NULL || c->n_voices == 0) {
        return LT_OK;
    }
    *ret_list = LT_NEW_ARRAY(t->arena, Ipc__SignedStatement *, c->n_voices);
    LT_CHECK(*ret_list != NULL, LT_PEER_TOO_LARGE, "evidence: too much of it");
    for (size_t i = 0; i < c->n_voices; i++) {
        if (c->voices[i]->said != NULL) {
            (*ret_list)[(*ret_count)++] = c->voices[i]->said;
        }
    }
    return LT_OK;
}

lt_res ca_evidence_statements(struct ca_turn *t, Ipc__NameEvidence *e)
{
    struct place validation;
    struct place caa;
    LT_TRY(find_validation(t, e, &validation));
    LT_TRY(statements_at(t, &validation, &e->statements, &e->n_statements));
    if (e->caa_checked_us == 0) {
        return LT_OK;
    }
    LT_TRY(find_caa(t, e, &caa));
    return statements_at(t, &caa, &e->caa_statements, &e->n_caa_statements);
}
