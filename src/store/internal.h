#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H
/* Between the files of this room. */
#include "store/store.h"

struct store_migration {
    int64_t version;
    const char *name;
    const char *sql;
};
/* Generated from schema/sqlite/NNNN-*.sql, in order of version, without gaps; for PostgreSQL the same
 * files in its own words. */
extern const struct store_migration store_migrations[];
extern const struct store_migration store_postgres_migrations[];
extern const size_t store_migration_count;

/* What a kind of database does. Functions are those of store.h, which only passes on. */
struct store_backend {
    const char *name;
    const char *explain; /* words before a statement */
    void (*close)(struct store *s);
    lt_res (*version)(struct store *s, int64_t *ret_version);
    lt_res (*begin_migration)(struct store *s);
    lt_res (*set_version)(struct store *s, int64_t version); /* inside the transaction of a migration */
    lt_res (*script)(struct store *s, const char *sql);
    lt_res (*scalar)(struct store *s, const char *sql, int64_t *ret_value);
    lt_res (*begin)(struct store *s);
    lt_res (*commit)(struct store *s);
    void (*rollback)(struct store *s);
    lt_res (*savepoint)(struct store *s);
    lt_res (*release)(struct store *s);
    void (*rollback_to)(struct store *s);
    lt_res (*exec)(struct store *s, const struct store_sql *sql, const struct store_value *values,
                   size_t count, int64_t *ret_changed);
    lt_res (*query)(struct store *s, const struct store_sql *sql, const struct store_value *values,
                    size_t count, struct store_rows *ret_rows);
    lt_res (*query_once)(struct store *s, const struct store_sql *sql, const struct store_value *values,
                         size_t count, struct store_rows *ret_rows);
    bool (*next)(struct store_rows *rows);
    lt_res (*rows_end)(struct store_rows *rows);
    int64_t (*integer)(const struct store_rows *rows, int column);
    bool (*is_null)(const struct store_rows *rows, int column);
    lt_slice (*bytes)(const struct store_rows *rows, int column);
    const char *(*cstr)(const struct store_rows *rows, int column);
    enum store_type (*type)(const struct store_rows *rows, int column);
    bool (*changed_elsewhere)(const struct store *s);
};

/* What every connection begins with. */
struct store {
    const struct store_backend *backend;
    const struct store_migration *migrations; /* in this backend's words */
    bool usable;                              /* the schema is this program's */
};

LT_MUST_USE lt_res store_sqlite_open(const struct store_options *options, struct store **ret_store);

int64_t store_schema_version(void);
/* Newer than this program is refused; the connection is usable when it is neither older. */
LT_MUST_USE lt_res store_check_version(struct store *s);
/* The first column of the first row; for pragmas and migrations, text constant. */
LT_MUST_USE lt_res store_scalar(struct store *s, const char *sql, int64_t *ret_value);
/* Several statements; constant text. */
LT_MUST_USE lt_res store_script(struct store *s, const char *sql);

#endif
