/* Bringing a book's schema to this program's version: every missing migration and the new version number in
 * one transaction. */
#include "store/internal.h"
#include "store/store.h"

int64_t store_schema_version(void)
{
    return store_migrations[store_migration_count - 1].version;
}

lt_res store_check_version(struct store *s)
{
    int64_t have = 0;
    LT_TRY(s->backend->version(s, &have));
    int64_t want = store_schema_version();
    LT_CHECK(have <= want, LT_PEER_USAGE,
             "the book's schema is version %lld, this program knows %lld: use a newer lintel",
             (long long)have, (long long)want);
    s->usable = have == want;
    return LT_OK;
}

/* Within the lock: another may have done it meanwhile. */
static lt_res apply_missing(struct store *s)
{
    int64_t have = 0;
    LT_TRY(s->backend->version(s, &have));
    for (size_t i = 0; i < store_migration_count; i++) {
        const struct store_migration *m = &s->migrations[i];
        if (m->version > have) {
            LT_TRY(store_script(s, m->sql));
            LT_TRY(s->backend->set_version(s, m->version));
        }
    }
    return LT_OK;
}

lt_res store_migrate(struct store *s)
{
    int64_t have = 0;
    LT_TRY(s->backend->version(s, &have));
    if (have >= store_schema_version()) {
        return LT_OK;
    }
    LT_TRY(s->backend->begin_migration(s));
    lt_res r = apply_missing(s);
    if (!lt_failed(r)) {
        r = store_script(s, "COMMIT");
    }
    if (lt_failed(r)) {
        lt_ignore(store_script(s, "ROLLBACK")); /* r says what went wrong */
        return r;
    }
    s->usable = true;
    return LT_OK;
}
