/* Frames of evidence that lie in the book. */
#include "ca/evidence_shared.h"

static const struct store_sql sql[] = {
    {"evidence.shared", "SELECT frame FROM evidence_frame WHERE segment = ?1 AND position = ?2"},
};
const struct store_sql *const ca_evidence_shared_sql = sql;
const size_t ca_evidence_shared_sql_count = LT_COUNT(sql);

lt_res ca_evidence_shared(struct store *s, const struct store_frame_ref *ref, struct lt_arena *a,
                          lt_slice *ret_plain)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(s, &sql[0], STORE_ARGS(STORE_I(ref->segment), STORE_I(ref->position)), &rows));
    bool found = store_next(&rows);
    if (found) {
        r = store_frame_read(store_bytes(&rows, 0), ref->sha256, a, ret_plain);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "segment %06u is neither here nor in the book", ref->segment);
    return r;
}

lt_res ca_evidence_read(struct store *s, const char *folder, const struct store_frame_ref *ref,
                        struct lt_arena *a, lt_slice *ret_plain)
{
    lt_res r = store_segment_read(folder, ref, a, ret_plain);
    if (r.code != LT_PEER_NOT_FOUND) {
        return r;
    }
    struct lt_error why = *lt_error_last();
    r = ca_evidence_shared(s, ref, a, ret_plain);
    return r.code == LT_PEER_NOT_FOUND ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : r;
}
