/* When certificates were last brought in. */
#include "ca/import_watch.h"

enum { QUIET_S = 5 };

const struct store_sql ca_import_watch_sql = {"import.last", "SELECT coalesce(max(last_us), 0) FROM import"};

lt_res ca_import_waits(struct store *store, lt_time base, lt_time now, bool *ret_waits)
{
    struct store_rows rows;
    *ret_waits = false;
    LT_TRY(store_query(store, &ca_import_watch_sql, STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        int64_t last_us = store_int(&rows, 0);
        *ret_waits = last_us >= base.us && now.us - last_us > QUIET_S * LT_US_PER_SECOND;
    }
    return store_rows_end(&rows);
}
