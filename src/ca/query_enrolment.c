/* Enrolments: what was asked for whom, how far it is, and what the subscriber has to do. */
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "ca/viewer.h"
#include "validate/by_hand.h"

#define COLUMNS                                                                              \
    "SELECT e.order_id, e.account, s.name, e.contact, o.profile, o.status, o.identifiers, "  \
    "e.requested_us, e.requested_by, o.expires_us, e.hold, o.error, coalesce(i.name, ''), "  \
    "o.certificate_serial, w.review, w.rule FROM enrolment AS e "                            \
    "JOIN subscriber AS s ON s.account = e.account JOIN ca_order AS o ON o.id = e.order_id " \
    "LEFT JOIN issuer AS i ON i.id = o.certificate_issuer "                                  \
    "LEFT JOIN order_wait AS w ON w.order_id = e.order_id "

enum { SQL_LIST, SQL_OF_ACCOUNT, SQL_SHOW, SQL_SUBSCRIBER, SQL_NAMES, SQL_LETTERS };
static const struct store_sql sql[] = {
    [SQL_LIST] = {"query.enrolments", COLUMNS "WHERE e.order_id < ?1 ORDER BY e.order_id DESC LIMIT ?2"},
    [SQL_OF_ACCOUNT] = {"query.enrolments.account", COLUMNS "WHERE e.account = ?3 AND e.order_id < ?1 "
                                                            "ORDER BY e.order_id DESC LIMIT ?2"},
    [SQL_SHOW] = {"query.enrolment", COLUMNS "WHERE e.order_id = ?1"},
    [SQL_SUBSCRIBER] = {"query.subscriber", "SELECT account FROM subscriber WHERE name = ?1"},
    [SQL_NAMES] = {"query.enrolment.names",
                   "SELECT a.id, a.identifier_type, a.identifier, a.wildcard, a.status, a.expires_us, "
                   "a.validated_us, c.type, c.status, c.token, c.error FROM order_authorization AS oa "
                   "JOIN authorization AS a ON a.id = oa.authorization_id "
                   "JOIN challenge AS c ON c.authorization_id = a.id "
                   "WHERE oa.order_id = ?1 ORDER BY oa.authorization_id, c.idx LIMIT 1000"},
    [SQL_LETTERS] =
        {"query.enrolment.letters",
         "SELECT m.authorization_id, m.recipient, m.status, m.attempts, m.sent_us, m.answered_us, "
         "m.error FROM order_authorization AS oa JOIN mail AS m ON m.authorization_id = "
         "oa.authorization_id WHERE oa.order_id = ?1 ORDER BY oa.authorization_id LIMIT 1000"},
};
const struct ca_query_sql query_enrolment_sql = {sql, LT_COUNT(sql)};

enum { WHERE_MAX = 512 };

static void write_row(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    query_id(o, "id", store_int(rows, 0));
    query_id(o, "account", store_int(rows, 1));
    query_cstr(o, "subscriber", store_cstr(rows, 2));
    ca_viewer_write_person(query, o, "contact", store_bytes(rows, 3));
    query_cstr(o, "profile", store_cstr(rows, 4));
    query_cstr(o, "status", store_cstr(rows, 5));
    query_raw(o, "identifiers", store_bytes(rows, 6));
    query_time(o, "requested", store_int(rows, 7));
    query_cstr(o, "requested_by", store_cstr(rows, 8));
    query_time(o, "expires", store_int(rows, 9));
    query_bool(o, "hold", store_int(rows, 10) != 0);
    query_raw(o, "error", store_bytes(rows, 11));
    query_cstr(o, "issuer", store_cstr(rows, 12));
    query_hex(o, "serial", store_bytes(rows, 13));
    query_cstr(o, "review", store_cstr(rows, 14)); /* "waiting": for a person, because of that rule */
    query_cstr(o, "rule", store_cstr(rows, 15));
}

/* ret_id 0: there is no such subscriber. */
static lt_res account_of(const struct ca_query *query, int64_t *ret_id)
{
    struct store_rows rows;
    *ret_id = query->q->account_id;
    if (query->q->name[0] == '\0') {
        return LT_OK;
    }
    LT_TRY(store_query(query->store, &sql[SQL_SUBSCRIBER], STORE_ARGS(STORE_S(query->q->name)), &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res write_list(const struct ca_query *query, struct store_rows *rows, struct query_out *out,
                         struct query_cursor *at)
{
    size_t count = 0;
    at->set = false;
    query_open(out, "enrollments", '[');
    while (store_next(rows)) {
        if (count++ == query_limit(query)) {
            at->set = true;
            break;
        }
        at->key = store_int(rows, 0);
        if (query->q->status[0] == '\0' || strcmp(query->q->status, store_cstr(rows, 5)) == 0) {
            query_open(out, NULL, '{');
            write_row(query, out, rows);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
    return store_rows_end(rows);
}

lt_res query_enrolment_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    int64_t account = 0;
    LT_TRY(query_cursor_read(query, 'N', &at));
    LT_TRY(account_of(query, &account));
    bool any = query->q->name[0] == '\0' && query->q->account_id == 0;
    int64_t behind = at.set ? at.key : INT64_MAX;
    int64_t most = (int64_t)query_limit(query) + 1;
    if (any) {
        LT_TRY(store_query(query->store, &sql[SQL_LIST], STORE_ARGS(STORE_I(behind), STORE_I(most)), &rows));
    } else {
        LT_TRY(store_query(query->store, &sql[SQL_OF_ACCOUNT],
                           STORE_ARGS(STORE_I(behind), STORE_I(most), STORE_I(account)), &rows));
    }
    LT_TRY(write_list(query, &rows, out, &at));
    query_cursor_write(out, 'N', &at);
    return LT_OK;
}

/* ---- one of them ---- */

/* What is to be put where is said as long as it is of use. */
static void write_challenge(struct query_out *o, const struct store_rows *rows, const char *type)
{
    struct lt_buf where;
    const char *method = store_cstr(rows, 7);
    const char *status = store_cstr(rows, 8);
    const struct validate_method *m = validate_method_find(method, type);
    bool open = strcmp(store_cstr(rows, 4), "pending") == 0 &&
                (strcmp(status, "pending") == 0 || strcmp(status, "processing") == 0);
    query_open(o, NULL, '{');
    query_cstr(o, "method", method);
    query_cstr(o, "section", m == NULL ? "" : m->section);
    query_cstr(o, "title", m == NULL ? "" : m->title);
    query_cstr(o, "status", status);
    query_raw(o, "error", store_bytes(rows, 10));
    if (m != NULL && !m->acme && open && validate_by_hand_what(m)[0] != '\0') {
        lt_buf_init(&where, WHERE_MAX);
        validate_by_hand_where(m, store_bytes(rows, 2), &where);
        query_cstr(o, "what", validate_by_hand_what(m));
        query_text(o, "where", lt_buf_slice(&where));
        query_text(o, "value", store_bytes(rows, 9));
        lt_buf_done(&where);
    }
    query_close(o, '}');
}

static void open_name(struct query_out *o, const struct store_rows *rows, const char *type)
{
    struct lt_buf name;
    lt_buf_init(&name, WHERE_MAX);
    lt_buf_add_cstr(&name, store_int(rows, 3) != 0 ? "*." : "");
    lt_buf_add(&name, store_bytes(rows, 2));
    query_open(o, NULL, '{');
    query_cstr(o, "type", type);
    query_text(o, "name", lt_buf_slice(&name));
    query_id(o, "authorization", store_int(rows, 0));
    query_cstr(o, "status", store_cstr(rows, 4));
    query_time(o, "expires", store_int(rows, 5));
    query_time(o, "validated", store_int(rows, 6));
    query_open(o, "challenges", '[');
    lt_buf_done(&name);
}

static void close_name(struct query_out *o, int64_t at)
{
    if (at != 0) {
        query_close(o, ']');
        query_close(o, '}');
    }
}

static lt_res write_names(const struct ca_query *query, int64_t order, struct query_out *out)
{
    struct store_rows rows;
    int64_t at = 0;
    LT_TRY(store_query(query->store, &sql[SQL_NAMES], STORE_ARGS(STORE_I(order)), &rows));
    query_open(out, "names", '[');
    while (store_next(&rows)) {
        const char *type = strcmp(store_cstr(&rows, 1), "ip") == 0 ? "ip" : "dns";
        if (store_int(&rows, 0) != at) {
            close_name(out, at);
            at = store_int(&rows, 0);
            open_name(out, &rows, type);
        }
        write_challenge(out, &rows, type);
    }
    close_name(out, at);
    query_close(out, ']');
    return store_rows_end(&rows);
}

/* Without their random values, which belong to those who were written to. */
static lt_res write_letters(const struct ca_query *query, int64_t order, struct query_out *out)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_LETTERS], STORE_ARGS(STORE_I(order)), &rows));
    query_open(out, "letters", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        query_id(out, "authorization", store_int(&rows, 0));
        ca_viewer_write_person(query, out, "to", store_bytes(&rows, 1));
        query_cstr(out, "status", store_cstr(&rows, 2));
        query_int(out, "attempts", store_int(&rows, 3));
        query_time(out, "sent", store_int(&rows, 4));
        query_time(out, "answered", store_int(&rows, 5));
        query_cstr(out, "error", store_is_null(&rows, 6) ? "" : store_cstr(&rows, 6));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

lt_res query_enrolment_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    uint64_t id = 0;
    LT_TRY(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id));
    LT_TRY(store_query(query->store, &sql[SQL_SHOW], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_row(query, out, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no enrolment %s", query->q->id);
    LT_TRY(write_names(query, (int64_t)id, out));
    return write_letters(query, (int64_t)id, out);
}
