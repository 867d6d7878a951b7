/* The bytes of reports, in parts: each is in the book before its bringer hears so, and a part that comes
 * twice is the same part. What nobody has finished within a day goes: its bringer was told "not yet" and has
 * it still. */
#include <string.h>

#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.upload", "SELECT parts, bytes, problem FROM problem_upload WHERE id = ?1"},
    {"problem.upload-add", "INSERT INTO problem_upload (id, begun_us, by_whom, parts, bytes, problem) "
                           "VALUES (?1, ?2, ?3, 0, 0, 0)"},
    {"problem.upload-grow", "UPDATE problem_upload SET parts = ?2, bytes = ?3 WHERE id = ?1"},
    {"problem.upload-take", "UPDATE problem_upload SET problem = ?2 WHERE id = ?1"},
    {"problem.part-add", "INSERT INTO problem_part (upload, part, bytes) VALUES (?1, ?2, ?3)"},
    {"problem.part-drop", "DELETE FROM problem_part WHERE upload = ?1 AND part >= ?2 AND part < ?3"},
    {"problem.upload-drop", "DELETE FROM problem_upload WHERE id = ?1"},
    {"problem.part-length", "SELECT length(bytes) FROM problem_part WHERE upload = ?1 AND part = ?2"},
    {"problem.part-blank", "UPDATE problem_part SET bytes = ?3 WHERE upload = ?1 AND part = ?2"},
    {"problem.upload-old", "SELECT id, parts FROM problem_upload WHERE problem = 0 AND begun_us < ?1 "
                           "ORDER BY begun_us LIMIT 1"},
};
enum {
    SQL_GET,
    SQL_ADD,
    SQL_GROW,
    SQL_TAKE,
    SQL_PART_ADD,
    SQL_PART_DROP,
    SQL_DROP,
    SQL_PART_LENGTH,
    SQL_PART_BLANK,
    SQL_OLD
};
const struct incident_sql incident_problem_upload_sql = {sql, LT_COUNT(sql)};

enum { DAY = 86400, DROP_PARTS = 100, PARTS_MAX = 1000 };

struct upload {
    bool found;
    int64_t parts;
    int64_t bytes;
    int64_t problem;
};

static lt_res load(struct ca_turn *t, lt_slice id, struct upload *u)
{
    struct store_rows rows;
    *u = (struct upload){.found = false};
    LT_CHECK(id.len == INCIDENT_UPLOAD_LEN, LT_PEER_MALFORMED, "an upload has a name of %d bytes",
             INCIDENT_UPLOAD_LEN);
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_B(id)), &rows));
    if (store_next(&rows)) {
        *u = (struct upload){true, store_int(&rows, 0), store_int(&rows, 1), store_int(&rows, 2)};
    }
    return store_rows_end(&rows);
}

static lt_res add_part(struct ca_turn *t, lt_slice id, struct upload *u, lt_slice bytes)
{
    LT_TRY(store_exec(t->store, &sql[SQL_PART_ADD],
                      STORE_ARGS(STORE_B(id), STORE_I(u->parts), STORE_B(bytes)), NULL));
    u->parts++;
    u->bytes += (int64_t)bytes.len;
    return store_exec(t->store, &sql[SQL_GROW], STORE_ARGS(STORE_B(id), STORE_I(u->parts), STORE_I(u->bytes)),
                      NULL);
}

lt_res problem_upload_part(struct ca_turn *t, lt_slice upload, int64_t part, lt_slice bytes, const char *by)
{
    struct upload u;
    LT_TRY(load(t, upload, &u));
    if (!u.found) {
        LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                          STORE_ARGS(STORE_B(upload), STORE_I(t->now.us), STORE_S(by)), NULL));
    }
    if (u.found && part < u.parts) {
        return LT_OK; /* its bringer has not heard of it */
    }
    LT_CHECK(u.problem == 0, LT_PEER_CONFLICT, "the upload is whole already");
    LT_CHECK(part == u.parts, LT_PEER_CONFLICT, "part %lld is wanted, not %lld", (long long)u.parts,
             (long long)part);
    LT_CHECK(bytes.len > 0 && bytes.len <= INCIDENT_RAW_PART_MAX && u.parts < PARTS_MAX &&
                 u.bytes + (int64_t)bytes.len <= INCIDENT_RAW_MAX,
             LT_PEER_TOO_LARGE, "a report has at most %d bytes, in parts of at most %d", INCIDENT_RAW_MAX,
             INCIDENT_RAW_PART_MAX);
    return add_part(t, upload, &u, bytes);
}

lt_res problem_upload_take(struct ca_turn *t, lt_slice upload, int64_t problem, int64_t parts, int64_t bytes)
{
    struct upload u;
    LT_TRY(load(t, upload, &u));
    LT_CHECK(u.found && u.parts == parts && u.bytes == bytes, LT_PEER_CONFLICT,
             "the upload has %lld parts of %lld bytes, not %lld of %lld", (long long)u.parts,
             (long long)u.bytes, (long long)parts, (long long)bytes);
    LT_CHECK(u.problem == 0, LT_PEER_CONFLICT, "the upload is problem %lld already", (long long)u.problem);
    return store_exec(t->store, &sql[SQL_TAKE], STORE_ARGS(STORE_B(upload), STORE_I(problem)), NULL);
}

/* Zeros of the same length over it, so that what is dropped then is not left in free pages of the book: there
 * was a private key in one of them. */
static lt_res blank_part(struct ca_turn *t, lt_slice upload, int64_t part)
{
    struct store_rows rows;
    int64_t len = 0;
    LT_TRY(store_query(t->store, &sql[SQL_PART_LENGTH], STORE_ARGS(STORE_B(upload), STORE_I(part)), &rows));
    len = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    uint8_t *zeros = lt_arena_alloc(t->arena, (size_t)len + 1);
    LT_CHECK(zeros != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return store_exec(t->store, &sql[SQL_PART_BLANK],
                      STORE_ARGS(STORE_B(upload), STORE_I(part), STORE_B(LT_SLICE(zeros, (size_t)len))),
                      NULL);
}

lt_res problem_upload_replace(struct ca_turn *t, lt_slice upload, lt_slice bytes)
{
    struct upload u;
    LT_TRY(load(t, upload, &u));
    LT_CHECK(u.found, LT_STATE_CORRUPT, "the bytes of a report are gone");
    for (int64_t i = 0; i < u.parts; i++) {
        LT_TRY(blank_part(t, upload, i));
    }
    LT_TRY(store_exec(t->store, &sql[SQL_PART_DROP],
                      STORE_ARGS(STORE_B(upload), STORE_I(0), STORE_I(u.parts)), NULL));
    u = (struct upload){.found = true, .problem = u.problem};
    while (bytes.len > 0) {
        lt_slice part = lt_slice_sub(bytes, 0, INCIDENT_RAW_PART_MAX);
        bytes = lt_slice_sub(bytes, part.len, SIZE_MAX);
        LT_TRY(add_part(t, upload, &u, part));
    }
    return LT_OK;
}

lt_res problem_upload_beat(struct ca_turn *t, bool *ret_more)
{
    struct store_rows rows;
    uint8_t id[INCIDENT_UPLOAD_LEN];
    int64_t parts = -1;
    LT_TRY(store_query(t->store, &sql[SQL_OLD], STORE_ARGS(STORE_I(lt_time_add_seconds(t->now, -DAY).us)),
                       &rows));
    if (store_next(&rows) && store_bytes(&rows, 0).len == sizeof id) {
        memcpy(id, store_bytes(&rows, 0).ptr, sizeof id);
        parts = store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    if (parts < 0) {
        return LT_OK;
    }
    lt_slice upload = LT_SLICE(id, sizeof id);
    int64_t left = parts > DROP_PARTS ? parts - DROP_PARTS : 0;
    *ret_more = true;
    LT_TRY(store_exec(t->store, &sql[SQL_PART_DROP],
                      STORE_ARGS(STORE_B(upload), STORE_I(left), STORE_I(parts)), NULL));
    return left == 0 ? store_exec(t->store, &sql[SQL_DROP], STORE_ARGS(STORE_B(upload)), NULL)
                     : store_exec(t->store, &sql[SQL_GROW],
                                  STORE_ARGS(STORE_B(upload), STORE_I(left), STORE_I(0)), NULL);
}
