/* What the examiner remembers and the book does not: halts and blocked keys that are younger than the book.
 * They stay in force there; in the book they are seen, and can be lifted. Nothing is taken away here. */

#include "base/file.h"
#include "base/text.h"
#include "ca/halt.h"
#include "ca/key_block.h"
#include "cmd/restore.h"

enum { FILE_MAX = 256 * 1024 * 1024, HALT_WORDS = 6, KEY_LEN = 32 };

enum { SQL_HALT, SQL_KEY };
static const struct store_sql sql[] = {
    [SQL_HALT] = {"restore.halt", "SELECT 1 FROM halt WHERE id = ?1"},
    [SQL_KEY] = {"restore.key", "SELECT 1 FROM key_block WHERE spki_sha256 = ?1"},
};

static lt_res is_there(struct restore *k, int which, const struct store_value *key, bool *ret_there)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[which], key, 1, &rows));
    *ret_there = store_next(&rows);
    return store_rows_end(&rows);
}

static char *text_of(struct restore *k, lt_slice s)
{
    char *text = lt_arena_cstr(&k->arena, lt_slice_eq(s, LT_LIT("-")) ? (lt_slice){0} : s);
    LT_ASSERT(text != NULL); /* a line is far smaller than the arena */
    return text;
}

/* "halt ID KIND VALUE SINCE_US OPERATOR REASON"; "lifted ID PLAN" is of one that the book has, or nobody. */
static lt_res take_halt(struct restore *k, lt_slice line)
{
    lt_slice w[HALT_WORDS];
    const char *id = NULL;
    bool there = false;
    size_t count = 0;
    while (count < HALT_WORDS && lt_slice_split(&line, ' ', &w[count])) {
        count++;
    }
    if (count > 0 && lt_slice_eq(w[0], LT_LIT("lifted"))) {
        return LT_OK;
    }
    LT_CHECK(count == HALT_WORDS && lt_slice_eq(w[0], LT_LIT("halt")), LT_STATE_CORRUPT,
             "examiner/halts has a line that is none");
    Ipc__Halt h = IPC__HALT__INIT;
    h.id = text_of(k, w[1]);
    h.kind = ca_halt_kind_by_name(w[2]);
    h.value = text_of(k, w[3]);
    h.operator_ = text_of(k, w[5]);
    h.reason = text_of(k, line);
    LT_TRY(is_there(k, SQL_HALT, &STORE_S(h.id), &there));
    k->halts += !there;
    return there ? LT_OK : ca_halt_add(&k->turn, &h, LT_SLICE(NULL, 0), &id);
}

/* "HEX REASON". The last one may be cut off by a power failure. */
static lt_res take_key(struct restore *k, lt_slice line)
{
    lt_slice hex = {0};
    lt_slice hash = {0};
    bool there = false;
    if (!lt_slice_split(&line, ' ', &hex) || hex.len != (size_t)2 * KEY_LEN ||
        lt_failed(lt_unhex(&k->arena, hex, &hash))) {
        return LT_OK;
    }
    LT_TRY(is_there(k, SQL_KEY, &STORE_B(hash), &there));
    k->blocked_keys += !there;
    return there ? LT_OK : ca_key_block_add(&k->turn, hash, text_of(k, line), "examiner");
}

static lt_res read_lines(struct restore *k, const char *path, lt_res (*take)(struct restore *, lt_slice))
{
    struct lt_arena a;
    lt_slice text = {0};
    lt_slice line = {0};
    lt_arena_init(&a, FILE_MAX);
    lt_res r = lt_file_read(&a, k->dir, path, FILE_MAX - 1024, &text);
    r = r.code == LT_PEER_NOT_FOUND ? LT_OK : r;
    while (!lt_failed(r) && lt_slice_split(&text, '\n', &line)) {
        restore_turn(k);
        r = line.len == 0 ? LT_OK : take(k, line);
    }
    struct lt_error why = *lt_error_last();
    lt_arena_done(&a);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

lt_res restore_read_examiner(struct restore *k)
{
    LT_TRY(read_lines(k, "examiner/halts", take_halt));
    return read_lines(k, "examiner/blocked", take_key);
}
