/* See overview.h: the document as a whole, and what is wrong. */
#include "incident/overview.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ca/viewer.h"
#include "incident/overview_private.h"

enum { SQL_EVENT };
static const struct store_sql sql[] = {
    [SQL_EVENT] = {"overview.event", "SELECT time_us, chain, sequence, kind FROM event WHERE time_us <= ?1 "
                                     "ORDER BY time_us DESC LIMIT 1"},
};
static const struct ca_query_sql tables = {sql, LT_COUNT(sql)};

const char *overview_level_name(enum overview_level level)
{
    static const char *const names[] = {
        [OVERVIEW_OK] = "ok", [OVERVIEW_WARNING] = "warning", [OVERVIEW_BAD] = "bad"};
    return names[level];
}

void overview_find(struct overview *o, enum overview_level level, const char *href, const char *format, ...)
{
    va_list args;
    if (o->finding_count == OVERVIEW_FINDINGS) {
        return;
    }
    struct overview_finding *f = &o->findings[o->finding_count++];
    f->level = level;
    va_start(args, format);
    (void)vsnprintf(f->text, sizeof f->text, format, args); /* a longer one is cut */
    va_end(args);
    (void)snprintf(f->href, sizeof f->href, "/console/%s", href);
}

/* Within most bytes: before a blank where there is one in the second half, else between characters. */
static size_t cut_at(lt_slice text, size_t most)
{
    size_t n = most;
    while (n > 0 && (text.ptr[n] & 0xc0) == 0x80) {
        n--;
    }
    for (size_t i = n; i > most / 2; i--) {
        if (text.ptr[i] == ' ') {
            return i;
        }
    }
    return n;
}

void overview_text(struct query_out *out, const char *key, lt_slice text, size_t most)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    char cut[OVERVIEW_TEXT];
    if (text.len <= most) {
        query_text(out, key, text);
        return;
    }
    most = most < sizeof cut ? most : sizeof cut - 1;
    size_t n = cut_at(text, most - (sizeof ellipsis - 1));
    while (n > 0 && strchr(" ,;:", text.ptr[n - 1]) != NULL) {
        n--;
    }
    (void)snprintf(cut, sizeof cut, "%.*s%s", (int)n, (const char *)text.ptr, ellipsis);
    query_cstr(out, key, cut);
}

lt_res overview_number(const struct overview *o, const struct store_sql *statement,
                       const struct store_value *values, size_t count, int64_t *ret_number)
{
    struct store_rows rows;
    *ret_number = 0;
    LT_TRY(store_query(o->query->store, statement, values, count, &rows));
    if (store_next(&rows) && !store_is_null(&rows, 0)) {
        *ret_number = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

static lt_res event(struct overview *o)
{
    struct store_rows rows;
    LT_TRY(store_query(o->query->store, &sql[SQL_EVENT], STORE_ARGS(STORE_I(INT64_MAX)), &rows));
    if (store_next(&rows)) {
        query_open(o->out, "event", '{');
        query_cstr(o->out, "chain", store_cstr(&rows, 1));
        query_int(o->out, "sequence", store_int(&rows, 2));
        query_time(o->out, "time", store_int(&rows, 0));
        query_cstr(o->out, "kind", store_cstr(&rows, 3));
        query_close(o->out, '}');
    } else {
        query_raw(o->out, "event", (lt_slice){NULL, 0});
    }
    return store_rows_end(&rows);
}

static void write_finding(struct overview *o, const char *key, const struct overview_finding *f)
{
    query_open(o->out, key, '{');
    query_cstr(o->out, "level", overview_level_name(f->level));
    query_cstr(o->out, "text", f->text);
    query_cstr(o->out, "href", f->href);
    query_close(o->out, '}');
}

static void findings(struct overview *o)
{
    const struct overview_finding *worst = NULL;
    size_t shown = 0;
    query_open(o->out, "findings", '[');
    for (enum overview_level level = OVERVIEW_BAD; level > OVERVIEW_OK; level--) {
        for (size_t i = 0; i < o->finding_count; i++) {
            if (o->findings[i].level == level && shown++ < OVERVIEW_SHOWN) {
                worst = worst == NULL ? &o->findings[i] : worst;
                write_finding(o, NULL, &o->findings[i]);
            }
        }
    }
    query_close(o->out, ']');
    static const struct overview_finding fine = {OVERVIEW_OK, "Nothing is wrong.", "/console/"};
    write_finding(o, "worst", worst == NULL ? &fine : worst);
}

static lt_res write_all(const struct ca_query *query, struct query_out *out, const char *holder)
{
    struct overview *o = LT_NEW(query->arena, struct overview);
    LT_CHECK(o != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    *o = (struct overview){.query = query, .out = out, .holder = holder};
    query_time(out, "now", query->now.us); /* first: see overview.h */
    LT_TRY(overview_family(o));
    LT_TRY(overview_desk(o));
    LT_TRY(overview_work(o));
    LT_TRY(overview_tally(o));
    LT_TRY(event(o));
    findings(o);
    return LT_OK;
}

static lt_res answer_own(const struct ca_query *query, struct query_out *out)
{
    return write_all(query, out, query->viewer == NULL ? "" : query->viewer->operator_);
}

/* The same for whoever asks. */
static lt_res answer_live(const struct ca_query *query, struct query_out *out)
{
    struct ca_query shared = *query;
    shared.viewer = NULL;
    return write_all(&shared, out, "");
}

static const struct incident_question questions[] = {
    {"overview", answer_own},
    {"overview.live", answer_live},
};
const struct incident_questions incident_questions_overview = {questions, LT_COUNT(questions), &tables};
