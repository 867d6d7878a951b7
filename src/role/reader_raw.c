/* See reader_raw.h. */
#include "role/reader_raw.h"

#include "base/buf.h"
#include "base/log.h"
#include "mailroom.pb-c.h"

static const struct store_sql sql[] = {
    {"raw.parts", "SELECT bytes FROM problem_part WHERE upload = ?1 ORDER BY part LIMIT 1000"},
};

enum { RAW_MAX = 26 * 1024 * 1024 };

static lt_res collect(struct store *s, lt_slice upload, struct lt_buf *out)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[0], STORE_ARGS(STORE_B(upload)), &rows));
    while (store_next(&rows)) {
        lt_buf_add(out, store_bytes(&rows, 0));
    }
    LT_TRY(store_rows_end(&rows));
    return lt_buf_check(out);
}

lt_res reader_raw_asked(struct store *s, struct role_kit *kit, const struct ipc_msg *m)
{
    const Ipc__RawWanted *asked = (const Ipc__RawWanted *)(const void *)m->body;
    Ipc__MailroomTake take = IPC__MAILROOM_TAKE__INIT;
    struct lt_buf raw;
    lt_buf_init(&raw, RAW_MAX);
    lt_res r = collect(s, LT_SLICE(asked->upload.data, asked->upload.len), &raw);
    if (lt_failed(r)) {
        lt_log_error("a problem report was not read out of the book"); /* asked for again */
        lt_buf_done(&raw);
        return r.code == LT_STATE_CLOSED ? r : LT_OK;
    }
    take.problem = asked->problem;
    take.form = asked->form;
    take.raw = (ProtobufCBinaryData){raw.len, raw.ptr};
    r = role_send(kit, IPC_MAILROOM, ROLE_ANY, IPC_MAILROOM_TAKE, 0, &take.base);
    lt_buf_done(&raw);
    return lt_class_of(r.code) == LT_CLASS_RETRY || r.code == LT_STATE_CLOSED ? LT_OK : r;
}
