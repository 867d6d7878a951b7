/* What was brought in: imports, and what each certificate says of its own. */
#include <stdio.h>

#include "base/text.h"
#include "ca/query_parts.h"

enum { SQL_LIST, SQL_OF, SQL_DER };
static const struct store_sql sql[] = {
    [SQL_LIST] = {"query.imports",
                  "SELECT id, source, note, created_us, created_by, batches, added, already, last_us "
                  "FROM import WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_OF] = {"query.import-of",
                "SELECT import, form FROM certificate_import WHERE issuer = ?1 AND serial = ?2 "
                "AND copy = ?3"},
    [SQL_DER] = {"query.import.der",
                 "SELECT der FROM certificate_der WHERE issuer = ?1 AND serial = ?2 AND copy = ?3"},
};
const struct ca_query_sql query_import_sql = {sql, LT_COUNT(sql)};

enum { ID_TEXT = 32 };

static void write_id(struct query_out *out, const char *key, int64_t id)
{
    char text[ID_TEXT];
    (void)snprintf(text, sizeof text, "i%lld", (long long)id);
    query_cstr(out, key, text);
}

static void write_import(struct query_out *out, const struct store_rows *rows)
{
    query_open(out, NULL, '{');
    write_id(out, "import", store_int(rows, 0));
    query_text(out, "source", store_bytes(rows, 1));
    query_text(out, "note", store_bytes(rows, 2));
    query_time(out, "created", store_int(rows, 3));
    query_text(out, "by", store_bytes(rows, 4));
    query_int(out, "batches", store_int(rows, 5));
    query_int(out, "added", store_int(rows, 6));
    query_int(out, "already", store_int(rows, 7));
    query_time(out, "last", store_int(rows, 8));
    query_close(out, '}');
}

lt_res query_import_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 'm', &at));
    LT_TRY(store_query(query->store, &sql[SQL_LIST],
                       STORE_ARGS(STORE_I(at.set ? at.key : INT64_MAX), STORE_I(query_limit(query))), &rows));
    query_open(out, "imports", '[');
    while (store_next(&rows)) {
        write_import(out, &rows);
        at.key = store_int(&rows, 0);
        count++;
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at = (struct query_cursor){.set = count == query_limit(query), .key = at.key};
    query_cursor_write(out, 'm', &at);
    return LT_OK;
}

lt_res query_import_write(const struct ca_query *query, struct query_out *out,
                          const struct query_certificate *c)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_OF],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(c->copy)), &rows));
    bool imported = store_next(&rows);
    if (imported) {
        write_id(out, "import", store_int(&rows, 0));
        query_cstr(out, "import_form", store_cstr(&rows, 1));
    }
    query_cstr(out, "evidence_status", imported ? "unknown" : "known");
    return store_rows_end(&rows);
}

lt_res query_der_write(const struct ca_query *query, struct query_out *out, const struct query_certificate *c)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_DER],
                       STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial), STORE_I(c->copy)), &rows));
    if (store_next(&rows)) {
        query_base64(out, "der", store_bytes(&rows, 0));
    } else {
        query_raw(out, "der", LT_SLICE(NULL, 0));
    }
    return store_rows_end(&rows);
}
