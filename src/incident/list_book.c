/* See list_book.h. */
#include "incident/list_book.h"

#include <string.h>

#include "base/text.h"

static const struct store_sql sql[] = {
    {"list.wanted",
     "SELECT incident, version, mass, deadline_us, published_us FROM notice_list l WHERE public = 1 "
     "AND incident > 0 AND NOT EXISTS (SELECT 1 FROM mass m WHERE m.id = l.mass AND m.status = "
     "'freezing') ORDER BY incident LIMIT 20"},
    {"list.rows",
     "SELECT m.tier, m.issuer, m.serial, i.name, c.sha256, c.not_after_us FROM mass_member m LEFT JOIN "
     "certificate c ON c.issuer = m.issuer AND c.serial = m.serial AND c.copy = 0 LEFT JOIN issuer i ON i.id "
     "= "
     "m.issuer WHERE m.mass = ?1 AND (m.tier, m.issuer, m.serial) > (?2, ?3, ?4) ORDER BY m.tier, m.issuer, "
     "m.serial LIMIT ?5"},
};
enum { SQL_WANTED, SQL_ROWS };
const struct store_sql *const incident_list_book_sql = sql;
const size_t incident_list_book_sql_count = LT_COUNT(sql);

lt_res incident_lists_wanted(struct store *s, struct incident_list_wanted list[INCIDENT_LISTS_MAX],
                             size_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(store_query(s, &sql[SQL_WANTED], STORE_NO_ARGS, &rows));
    while (*ret_count < INCIDENT_LISTS_MAX && store_next(&rows)) {
        list[(*ret_count)++] = (struct incident_list_wanted){
            store_int(&rows, 0),   store_int(&rows, 1),      store_int(&rows, 2),
            {store_int(&rows, 3)}, store_int(&rows, 4) != 0,
        };
    }
    return store_rows_end(&rows);
}

void incident_list_begin(struct incident_list_at *at)
{
    *at = (struct incident_list_at){.tier = -1};
}

void incident_list_head(const struct incident_list_wanted *w, struct lt_buf *out)
{
    char deadline[LT_RFC3339_SIZE] = "unknown";
    if (w->deadline.us != 0) {
        lt_time_rfc3339(w->deadline, deadline);
    }
    lt_buf_addf(out, "# incident %lld, version %lld, revoked by %s\nissuer,serial,sha256,expires\n",
                (long long)w->incident, (long long)w->version, deadline);
}

static void write_row(const struct store_rows *rows, struct lt_buf *out)
{
    char expires[LT_RFC3339_SIZE] = "";
    if (!store_is_null(rows, 5)) {
        lt_time_rfc3339((lt_time){store_int(rows, 5)}, expires);
    }
    lt_buf_add(out, store_bytes(rows, 3));
    lt_buf_add_byte(out, ',');
    lt_hex_add(out, store_bytes(rows, 2));
    lt_buf_add_byte(out, ',');
    lt_hex_add(out, store_bytes(rows, 4));
    lt_buf_add_byte(out, ',');
    lt_buf_add_cstr(out, expires);
    lt_buf_add_byte(out, '\n');
}

lt_res incident_list_rows(struct store *s, const struct incident_list_wanted *w, struct incident_list_at *at,
                          size_t most, struct lt_buf *out, bool *ret_end)
{
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(s, &sql[SQL_ROWS],
                       STORE_ARGS(STORE_I(w->mass), STORE_I(at->tier), STORE_I(at->issuer),
                                  STORE_B(LT_SLICE(at->serial, at->serial_len)), STORE_I(most)),
                       &rows));
    while (count < most && store_next(&rows)) {
        lt_slice serial = store_bytes(&rows, 2);
        count++;
        at->tier = store_int(&rows, 0);
        at->issuer = store_int(&rows, 1);
        at->serial_len = serial.len < sizeof at->serial ? serial.len : sizeof at->serial;
        memcpy(at->serial, serial.ptr, at->serial_len);
        write_row(&rows, out);
    }
    LT_TRY(store_rows_end(&rows));
    at->rows += (int64_t)count;
    *ret_end = count < most;
    return lt_buf_check(out);
}
