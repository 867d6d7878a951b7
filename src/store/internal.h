#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H
/* Between the files of this room. */
#include "store/store.h"

struct store_migration {
    int64_t version;
    const char *name;
    const char *sql;
};
/* Generated from schema/sqlite/NNNN-*.sql, in order of version, without gaps. */
extern const struct store_migration store_migrations[];
extern const size_t store_migration_count;

int64_t store_schema_version(void);
/* The first column of the first row; for pragmas and migrations, text constant. */
LT_MUST_USE lt_res store_scalar(struct store *s, const char *sql, int64_t *ret_value);
/* Several statements; constant text. */
LT_MUST_USE lt_res store_script(struct store *s, const char *sql);
void store_set_usable(struct store *s);

#endif
