/* What the files of this area have in common. */
#include <string.h>

#include "incident/learn.h"
#include "incident/notice.h"

lt_res incident_learn_name(const char *what, const char *name)
{
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(name)), LT_PEER_MALFORMED,
             "\"%s\" is lower-case letters, digits, '-', '.', '_', beginning with a letter, at most 63: not "
             "\"%.80s\"",
             what, name);
    return LT_OK;
}

lt_res incident_learn_text(const char *what, const char *text, size_t most)
{
    size_t len = strlen(text);
    LT_CHECK(strspn(text, " \t\r\n") < len, LT_PEER_MALFORMED, "\"%s\" is missing", what);
    LT_CHECK(len <= most, LT_PEER_TOO_LARGE, "\"%s\" has %zu bytes, at most %zu", what, len, most);
    return LT_OK;
}

lt_res incident_learn_by(const struct incident_call *c, const char **ret_by)
{
    *ret_by = lt_arena_printf(c->t->arena, "operator %s", c->by);
    LT_CHECK(*ret_by != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

lt_res incident_learn_next(struct ca_turn *t, const struct store_sql *greatest, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, greatest, STORE_NO_ARGS, &rows));
    *ret_id = store_next(&rows) && !store_is_null(&rows, 0) ? store_int(&rows, 0) + 1 : 1;
    return store_rows_end(&rows);
}

lt_time incident_learn_months(lt_time t, int64_t months)
{
    struct lt_date d = lt_date_of(t);
    lt_time later = t;
    int64_t month = d.year * INT64_C(12) + d.month - 1 + months;
    d.year = (int)(month / 12);
    d.month = (int)(month % 12) + 1;
    while (d.day > 1 && lt_failed(lt_time_of(&d, &later))) { /* no 31st: its last day */
        d.day--;
    }
    return later;
}

lt_res incident_learn_alarm(struct ca_turn *t, const char *severity, const char *subject, const char *words)
{
    return incident_page(t, severity, subject, words);
}
