/* The mark of a drill's book. */
#include "ca/scratch_book.h"

#include <string.h>

#include "base/text.h"

static const struct store_sql sql[] = {
    {"scratch.get", "SELECT value FROM meta WHERE key = 'book.scratch'"},
    {"scratch.mark", "INSERT INTO meta (key, value) VALUES ('book.scratch', ?1)"},
    {"scratch.root", "SELECT spki_sha256 FROM issuer WHERE name = 'root'"},
};
enum { SQL_GET, SQL_MARK, SQL_ROOT };
const struct store_sql *const ca_scratch_sql = sql;
const size_t ca_scratch_sql_count = LT_COUNT(sql);

enum { HASH_LEN = 32, MARK_SIZE = 2 * HASH_LEN + 1 };

/* What the mark of this book is: its root's key, in hexadecimal. "": it has no root. */
static lt_res own_mark(struct store *s, char ret_mark[MARK_SIZE])
{
    struct store_rows rows;
    struct lt_buf hex;
    ret_mark[0] = 0;
    lt_buf_init(&hex, MARK_SIZE);
    LT_TRY(store_query(s, &sql[SQL_ROOT], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        lt_hex_add(&hex, lt_slice_sub(store_bytes(&rows, 0), 0, HASH_LEN));
        memcpy(ret_mark, hex.ptr, hex.len);
        ret_mark[hex.len] = 0;
    }
    lt_buf_done(&hex);
    return store_rows_end(&rows);
}

lt_res ca_scratch_book_mark(struct store *s)
{
    char mark[MARK_SIZE];
    LT_TRY(own_mark(s, mark));
    LT_CHECK(mark[0] != 0, LT_STATE_CORRUPT, "a book without a root cannot be marked");
    return store_exec(s, &sql[SQL_MARK], STORE_ARGS(STORE_S(mark)), NULL);
}

lt_res ca_scratch_book_check(struct store *s, bool drill)
{
    struct store_rows rows;
    char own[MARK_SIZE];
    LT_TRY(own_mark(s, own));
    LT_TRY(store_query(s, &sql[SQL_GET], STORE_NO_ARGS, &rows));
    bool marked = store_next(&rows);
    bool same = marked && own[0] != 0 && strcmp(store_cstr(&rows, 0), own) == 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(marked || !drill, LT_POLICY_REFUSED, "this is no book of a drill: no clock is moved over it");
    LT_CHECK(!marked || drill, LT_POLICY_REFUSED,
             "this is the book of a drill: nothing in it is true, and no CA is served from it");
    LT_CHECK(!marked || same, LT_POLICY_REFUSED, "this is the book of another drill");
    return LT_OK;
}
