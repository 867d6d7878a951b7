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

/* One table of the newest schema, generated from it: all that it takes to move what it holds. Read in the
 * order of its key, so that two books with the same rows give the same bytes. */
struct store_table {
    const char *name;
    size_t columns;
    struct store_sql count;
    struct store_sql empty;
    struct store_sql read;
    struct store_sql write;
    const char *load;  /* PostgreSQL: COPY */
    const char *drawn; /* PostgreSQL: the next id is behind the last; "" where none is drawn */
};
/* In the order in which they were made: a table stands behind those that it refers to. */
extern const struct store_table store_tables[];
extern const size_t store_table_count;

/* What a kind of database does. Functions are those of store.h, which only passes on. */
struct store_backend {
    const char *name;
    bool shared;         /* others may write to the same book */
    const char *explain; /* words before a statement */
    void (*close)(struct store *s);
    lt_res (*version)(struct store *s, int64_t *ret_version);
    lt_res (*begin_migration)(struct store *s);
    lt_res (*set_version)(struct store *s, int64_t version); /* inside the transaction of a migration */
    lt_res (*script)(struct store *s, const char *sql);
    lt_res (*scalar)(struct store *s, const char *sql, int64_t *ret_value);
    lt_res (*begin)(struct store *s);
    lt_res (*begin_beside)(struct store *s);
    lt_res (*lock)(struct store *s, int64_t number);
    lt_res (*commit)(struct store *s);
    lt_res (*commit_unsynced)(struct store *s);
    void (*rollback)(struct store *s);
    lt_res (*limit)(struct store *s, int64_t ms);
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
    bool (*gone)(struct store *s);
    /* Many rows of a table at once, inside a transaction of its own: begin, rows, end. */
    lt_res (*load_begin)(struct store *s, const struct store_table *table);
    lt_res (*load_row)(struct store *s, const struct store_table *table, const struct store_value *values);
    lt_res (*load_end)(struct store *s, const struct store_table *table);
};

/* What every connection begins with. */
struct store {
    const struct store_backend *backend;
    const struct store_migration *migrations; /* in this backend's words */
    bool usable;                              /* the schema is this program's */
};

LT_MUST_USE lt_res store_sqlite_open(const struct store_options *options, struct store **ret_store);

/* Newer than this program is refused; the connection is usable when it is neither older. */
LT_MUST_USE lt_res store_check_version(struct store *s);
/* The first column of the first row; for pragmas and migrations, text constant. */
LT_MUST_USE lt_res store_scalar(struct store *s, const char *sql, int64_t *ret_value);
/* Several statements; constant text. */
LT_MUST_USE lt_res store_script(struct store *s, const char *sql);

#endif
