/* Bringing a book's schema to this program's version: every missing migration and the new version number in
 * one transaction. */
#include <stdio.h>

#include "store/internal.h"
#include "store/store.h"

/* "LTEL": so that file(1) and a confused operator can tell a book from another database. */
#define SET_APPLICATION "PRAGMA application_id = 0x4c54454c"

int64_t store_schema_version(void)
{
    return store_migrations[store_migration_count - 1].version;
}

static lt_res apply(struct store *s, const struct store_migration *m)
{
    LT_TRY(store_script(s, m->sql));
    char pragma[64];
    (void)snprintf(pragma, sizeof pragma, "PRAGMA user_version = %lld", (long long)m->version); /* fits */
    return store_script(s, pragma);
}

static lt_res apply_missing(struct store *s, int64_t have)
{
    for (size_t i = 0; i < store_migration_count; i++) {
        if (store_migrations[i].version > have) {
            LT_TRY(apply(s, &store_migrations[i]));
        }
    }
    return store_script(s, SET_APPLICATION);
}

lt_res store_migrate(struct store *s)
{
    int64_t have = 0;
    LT_TRY(store_scalar(s, "PRAGMA user_version", &have));
    if (have >= store_schema_version()) {
        return LT_OK;
    }
    LT_TRY(store_script(s, "BEGIN IMMEDIATE"));
    lt_res r = apply_missing(s, have);
    if (!lt_failed(r)) {
        r = store_script(s, "COMMIT");
    }
    if (lt_failed(r)) {
        lt_ignore(store_script(s, "ROLLBACK")); /* r says what went wrong */
        return r;
    }
    store_set_usable(s);
    return LT_OK;
}
