/* Orders: all of them, those of an account, and those that wait for a person to look at them. */
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"

enum {
    SQL_ORDERS,
    SQL_OF_ACCOUNT,
    SQL_WAITING,
    SQL_ORDER,
    SQL_NAMES,
};
#define COLUMNS                                                                                             \
    "SELECT o.id, o.account, o.status, o.profile, o.identifiers, o.created_us, o.expires_us, o.error, "     \
    "o.replaces, o.certificate_serial, w.review, w.rule, w.since_us, w.until_us, w.released_by, o.intent, " \
    "o.not_before_us, o.not_after_us FROM "
static const struct store_sql sql[] = {
    [SQL_ORDERS] = {"query.orders", COLUMNS "ca_order AS o LEFT JOIN order_wait AS w ON w.order_id = o.id "
                                            "WHERE o.id > ?1 ORDER BY o.id LIMIT ?2"},
    [SQL_OF_ACCOUNT] = {"query.orders.account",
                        COLUMNS "ca_order AS o LEFT JOIN order_wait AS w ON w.order_id = o.id "
                                "WHERE o.account = ?3 AND o.id > ?1 ORDER BY o.id LIMIT ?2"},
    /* In the order of the waiting, of which there are few. */
    [SQL_WAITING] = {"query.orders.waiting",
                     COLUMNS "order_wait AS w CROSS JOIN ca_order AS o ON o.id = w.order_id "
                             "WHERE w.order_id > ?1 AND w.review = 'waiting' ORDER BY w.order_id LIMIT ?2"},
    [SQL_ORDER] = {"query.order", COLUMNS "ca_order AS o LEFT JOIN order_wait AS w ON w.order_id = o.id "
                                          "WHERE o.id = ?1"},
    [SQL_NAMES] = {"query.order.names",
                   "SELECT a.id, a.identifier_type, a.identifier, a.wildcard, a.status, a.validated_us, "
                   "a.expires_us FROM order_authorization AS oa "
                   "CROSS JOIN authorization AS a ON a.id = oa.authorization_id "
                   "WHERE oa.order_id = ?1 ORDER BY oa.authorization_id LIMIT 100"},
};
const struct ca_query_sql query_order_sql = {sql, LT_COUNT(sql)};

enum column {
    ID,
    ACCOUNT,
    STATUS,
    PROFILE,
    IDENTIFIERS,
    CREATED,
    EXPIRES,
    ERROR,
    REPLACES,
    SERIAL,
    REVIEW,
    RULE,
    SINCE,
    UNTIL,
    RELEASED_BY,
    INTENT,
    NOT_BEFORE,
    NOT_AFTER
};

static const char waiting[] = "waiting";

/* What a person asks first: whose, what for, and does it wait for me? */
static void write_order(struct query_out *o, const struct store_rows *rows)
{
    query_id(o, "id", store_int(rows, ID));
    query_id(o, "account", store_int(rows, ACCOUNT));
    query_cstr(o, "status", store_cstr(rows, STATUS));
    query_cstr(o, "profile", store_cstr(rows, PROFILE));
    query_raw(o, "identifiers", store_bytes(rows, IDENTIFIERS));
    query_time(o, "created", store_int(rows, CREATED));
    query_time(o, "expires", store_int(rows, EXPIRES));
    if (!store_is_null(rows, REVIEW) && store_bytes(rows, REVIEW).len > 0) {
        query_cstr(o, "review", store_cstr(rows, REVIEW));
        query_cstr(o, "rule", store_cstr(rows, RULE));
        query_time(o, "waiting_since", store_int(rows, SINCE));
        query_time(o, "waiting_until", store_int(rows, UNTIL));
        query_cstr(o, "released_by", store_cstr(rows, RELEASED_BY));
    }
}

static void write_more(struct query_out *o, const struct store_rows *rows)
{
    query_time(o, "not_before", store_int(rows, NOT_BEFORE));
    query_time(o, "not_after", store_int(rows, NOT_AFTER));
    query_cstr(o, "replaces", store_cstr(rows, REPLACES));
    query_raw(o, "error", store_bytes(rows, ERROR));
    query_hex(o, "serial", store_bytes(rows, SERIAL));
    query_bool(o, "planned", !store_is_null(rows, INTENT));
}

static bool wanted(const struct ca_query *query, const struct store_rows *rows)
{
    const char *status = query->q->status;
    bool by_status = status[0] == 0 || strcmp(status, waiting) == 0 ||
                     strcmp(status, store_cstr(rows, STATUS)) == 0;
    return by_status && (query->q->account_id == 0 || store_int(rows, ACCOUNT) == query->q->account_id);
}

static lt_res find(const struct ca_query *query, const struct query_cursor *at, struct store_rows *ret_rows)
{
    size_t limit = query_limit(query) + 1;
    if (strcmp(query->q->status, waiting) == 0) {
        return store_query(query->store, &sql[SQL_WAITING], STORE_ARGS(STORE_I(at->key), STORE_I(limit)),
                           ret_rows);
    }
    if (query->q->account_id != 0) {
        return store_query(query->store, &sql[SQL_OF_ACCOUNT],
                           STORE_ARGS(STORE_I(at->key), STORE_I(limit), STORE_I(query->q->account_id)),
                           ret_rows);
    }
    return store_query(query->store, &sql[SQL_ORDERS], STORE_ARGS(STORE_I(at->key), STORE_I(limit)),
                       ret_rows);
}

lt_res query_order_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 'O', &at));
    LT_TRY(find(query, &at, &rows));
    query_open(out, "orders", '[');
    at.set = false;
    while (store_next(&rows)) {
        if (count++ == query_limit(query)) {
            at.set = true;
            break;
        }
        at.key = store_int(&rows, ID);
        if (wanted(query, &rows)) {
            query_open(out, NULL, '{');
            write_order(out, &rows);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    query_cursor_write(out, 'O', &at);
    return LT_OK;
}

static lt_res write_names(const struct ca_query *query, struct query_out *o, int64_t id)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_NAMES], STORE_ARGS(STORE_I(id)), &rows));
    query_open(o, "authorizations", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_id(o, "id", store_int(&rows, 0));
        query_cstr(o, "type", store_cstr(&rows, 1));
        query_cstr(o, "identifier", store_cstr(&rows, 2));
        query_bool(o, "wildcard", store_int(&rows, 3) != 0);
        query_cstr(o, "status", store_cstr(&rows, 4));
        query_time(o, "validated", store_int(&rows, 5));
        query_time(o, "expires", store_int(&rows, 6));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

lt_res query_order_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    uint64_t id = 0;
    LT_TRY(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id));
    LT_TRY(store_query(query->store, &sql[SQL_ORDER], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_order(out, &rows);
        write_more(out, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no order %s", query->q->id);
    return write_names(query, out, (int64_t)id);
}
