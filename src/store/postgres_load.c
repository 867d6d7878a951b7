/* Many rows at once: COPY in its binary form, and then the ids that the server draws go on behind the last.
 */
#include "store/postgres_internal.h"
#include "store/postgres_value.h"

enum { SEND_AT = 256 * 1024 };

static struct postgres *postgres_of(struct store *store)
{
    return (struct postgres *)(void *)store;
}

static lt_res send_rows(struct postgres *s, const struct store_table *table)
{
    lt_slice bytes = lt_buf_slice(&s->load);
    LT_TRY(lt_buf_check(&s->load));
    if (bytes.len > 0 && s->pq->PQputCopyData(s->connection, (const char *)bytes.ptr, (int)bytes.len) != 1) {
        return postgres_fail(s, NULL, table->name);
    }
    lt_buf_reset(&s->load);
    return LT_OK;
}

lt_res postgres_load_begin(struct store *store, const struct store_table *table)
{
    struct postgres *s = postgres_of(store);
    LT_TRY(store_begin(store));
    s->wrote = true;
    PGresult *result = s->pq->PQexec(s->connection, table->load);
    lt_res r = s->pq->PQresultStatus(result) == PGRES_COPY_IN ? LT_OK : postgres_fail(s, result, table->name);
    s->pq->PQclear(result);
    lt_buf_reset(&s->load);
    /* Signature, no flags, no extension. */
    lt_buf_add(&s->load, LT_LIT("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"));
    return r;
}

static void put_number(struct lt_buf *out, uint32_t number, size_t bytes)
{
    while (bytes-- > 0) {
        lt_buf_add_byte(out, (uint8_t)(number >> (8 * bytes)));
    }
}

lt_res postgres_load_row(struct store *store, const struct store_table *table,
                         const struct store_value *values)
{
    struct postgres *s = postgres_of(store);
    put_number(&s->load, (uint32_t)table->columns, 2);
    for (size_t i = 0; i < table->columns; i++) {
        const struct store_value *v = &values[i];
        uint8_t number[8];
        postgres_put_int8(number, v->integer);
        lt_slice bytes = v->type == STORE_INT ? LT_SLICE(number, sizeof number) : v->bytes;
        LT_CHECK(bytes.len <= INT32_MAX, LT_PEER_TOO_LARGE, "%s: too large for the book", table->name);
        put_number(&s->load, v->type == STORE_NULL ? UINT32_MAX : (uint32_t)bytes.len, 4);
        if (v->type != STORE_NULL) {
            lt_buf_add(&s->load, bytes);
        }
    }
    return s->load.len < SEND_AT ? LT_OK : send_rows(s, table);
}

lt_res postgres_load_end(struct store *store, const struct store_table *table)
{
    struct postgres *s = postgres_of(store);
    put_number(&s->load, UINT16_MAX, 2); /* no more rows */
    LT_TRY(send_rows(s, table));
    if (s->pq->PQputCopyEnd(s->connection, NULL) != 1) {
        return postgres_fail(s, NULL, table->name);
    }
    lt_res r = LT_OK;
    PGresult *result;
    while ((result = s->pq->PQgetResult(s->connection)) != NULL) {
        r = lt_failed(r) || s->pq->PQresultStatus(result) == PGRES_COMMAND_OK
                ? r
                : postgres_fail(s, result, table->name);
        s->pq->PQclear(result);
    }
    LT_TRY(r);
    if (table->drawn[0] != '\0') {
        int64_t next = 0;
        LT_TRY(postgres_scalar(s, table->drawn, &next));
    }
    return store_commit(store);
}
