/* The review calendar: every week somebody of the rota reads one incident, of the record, of the public or of
 * our own, and files what it means for us. What waits longest comes next, and goes to who waits longest. */
#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "incident/learn.h"
#include "incident/report_write.h"

enum {
    SOURCE_MAX = 100,
    TITLE_MAX = 300,
    LINK_MAX = 1000,
    BRIEF_MAX = 30000,
    DAYS_MOST = 400,
    NOBODY_DAYS = 30, /* without a reviewer somebody is told so often */
    OWN_NEWEST = 200,
};

#define BUG "https://bugzilla.mozilla.org/show_bug.cgi?id="

struct calendar {
    int64_t every_us;
    int64_t within_us;
    int64_t next_us;
    int64_t lapsed_us;
};

static lt_res load_calendar(struct ca_turn *t, struct calendar *ret)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_CALENDAR_GET], STORE_NO_ARGS, &rows));
    bool found = store_next(&rows);
    if (found) {
        *ret = (struct calendar){store_int(&rows, 0), store_int(&rows, 1), store_int(&rows, 2),
                                 store_int(&rows, 3)};
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_STATE_CORRUPT, "the book has no review calendar");
    return LT_OK;
}

static lt_res one_text(struct ca_turn *t, enum incident_learn_statement statement, const char **ret_text)
{
    struct store_rows rows;
    *ret_text = NULL;
    LT_TRY(store_query(t->store, &incident_learn_sql[statement], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        *ret_text = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

/* ---- giving one out ---- */

struct assignment {
    const char *source;
    const char *reviewer;
    const char *by;
    int64_t within_us;
    lt_slice jws;
};

static lt_res assign(struct ca_turn *t, const struct assignment *w, int64_t *ret_id)
{
    struct ca_body b;
    int64_t due = t->now.us + w->within_us;
    LT_TRY(incident_learn_next(t, &incident_learn_sql[LEARN_REVIEW_MAX], ret_id));
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_REVIEW_ADD],
                      STORE_ARGS(STORE_I(*ret_id), STORE_S(w->source), STORE_S(w->reviewer),
                                 STORE_I(t->now.us), STORE_I(due)),
                      NULL));
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_SOURCE_GAVE],
                      STORE_ARGS(STORE_S(w->source), STORE_I(t->now.us)), NULL));
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_REVIEWER_GAVE],
                      STORE_ARGS(STORE_S(w->reviewer), STORE_I(t->now.us)), NULL));
    char *subject = lt_arena_printf(t->arena, "review %lld", (long long)*ret_id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "source", w->source);
    ca_body_str(&b, "reviewer", w->reviewer);
    ca_body_time(&b, "due", (lt_time){due});
    ca_body_str(&b, "by", w->by);
    return ca_body_event(&b, t, "review.assigned", subject, w->jws);
}

static lt_res add_source(struct ca_turn *t, const char *source, const char *kind, const char *title,
                         const char *link)
{
    return store_exec(
        t->store, &incident_learn_sql[LEARN_SOURCE_NEW],
        STORE_ARGS(STORE_S(source), STORE_S(kind), STORE_S(title), STORE_S(link), STORE_I(t->now.us)), NULL);
}

/* One line of data/incidents: number of the bug, day, CA, what it is about, what happened. */
static lt_res add_bug(struct ca_turn *t, lt_slice line)
{
    lt_slice field[5] = {0};
    for (size_t i = 0; i < LT_COUNT(field); i++) {
        LT_CHECK(lt_slice_split(&line, '\t', &field[i]), LT_STATE_CORRUPT, "data/incidents has a short line");
    }
    char *source = lt_arena_printf(t->arena, "bug-%.*s", LT_FMT(field[0]));
    char *link = lt_arena_printf(t->arena, BUG "%.*s", LT_FMT(field[0]));
    char *title = lt_arena_printf(t->arena, "%.*s, %.*s: %.*s", LT_FMT(field[2]), LT_FMT(field[1]),
                                  LT_FMT(lt_slice_sub(field[4], 0, TITLE_MAX)));
    LT_CHECK(source != NULL && link != NULL && title != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    return add_source(t, source, "recorded", title, link);
}

/* Incidents of the record, those that reports are related to as well. */
static lt_res add_recorded(struct ca_turn *t)
{
    lt_slice rest = lt_slice_cstr(incident_related_rows);
    lt_slice line;
    while (lt_slice_split(&rest, '\n', &line)) {
        bool comment = line.len == 0 || line.ptr[0] == '#';
        LT_TRY(comment ? LT_OK : add_bug(t, line));
    }
    return LT_OK;
}

/* What we closed ourselves is read again by somebody else. */
static lt_res add_own(struct ca_turn *t)
{
    struct {
        int64_t id;
        const char *title;
    } list[OWN_NEWEST];
    size_t count = 0;
    struct store_rows rows;
    LT_TRY(
        store_query(t->store, &incident_learn_sql[LEARN_OWN_CLOSED], STORE_ARGS(STORE_I(OWN_NEWEST)), &rows));
    while (count < OWN_NEWEST && store_next(&rows)) {
        if (store_int(&rows, 2) == 0 || store_int(&rows, 3) != 0 || store_int(&rows, 4) != 0) {
            continue; /* open, a drill, or not for everybody */
        }
        list[count].id = store_int(&rows, 0);
        list[count].title = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        count += list[count].title != NULL ? 1 : 0;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        char source[SOURCE_MAX];
        (void)snprintf(source, sizeof source, "incident %lld", (long long)list[i].id);
        LT_TRY(add_source(t, source, "own", list[i].title, ""));
    }
    return LT_OK;
}

static lt_res nobody(struct ca_turn *t, const struct calendar *k)
{
    struct ca_body b;
    int64_t since = k->lapsed_us > k->next_us ? k->lapsed_us : k->next_us;
    if (t->now.us < since + NOBODY_DAYS * INCIDENT_DAY_US) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_CALENDAR_LAPSED], STORE_ARGS(STORE_I(t->now.us)),
                      NULL));
    ca_body_init(&b);
    ca_body_time(&b, "due", (lt_time){k->next_us});
    LT_TRY(ca_body_event(&b, t, "review.nobody", "review calendar", LT_SLICE(NULL, 0)));
    return incident_learn_alarm(t, "low", "review calendar",
                                "nobody reviews incidents: add people with lintel review reviewer NAME");
}

static lt_res give_out(struct ca_turn *t, const struct calendar *k)
{
    int64_t id = 0;
    struct assignment w = {.by = "calendar", .within_us = k->within_us};
    LT_TRY(add_own(t));
    LT_TRY(one_text(t, LEARN_REVIEWER_TURN, &w.reviewer));
    LT_TRY(one_text(t, LEARN_SOURCE_TURN, &w.source));
    if (w.reviewer == NULL || w.source == NULL) {
        return nobody(t, k);
    }
    LT_TRY(assign(t, &w, &id));
    return store_exec(t->store, &incident_learn_sql[LEARN_CALENDAR_NEXT],
                      STORE_ARGS(STORE_I(t->now.us + k->every_us)), NULL);
}

/* ---- what is due ---- */

struct due {
    int64_t id;
    const char *source;
    const char *reviewer;
    int64_t due_us;
};

static lt_res tell_due(struct ca_turn *t, const struct due *d)
{
    struct ca_body b;
    LT_CHECK(d->source != NULL && d->reviewer != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    char *subject = lt_arena_printf(t->arena, "review %lld", (long long)d->id);
    char *words = lt_arena_printf(t->arena, "the brief on %.80s was not filed; it is %.63s's", d->source,
                                  d->reviewer);
    LT_CHECK(subject != NULL && words != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_REVIEW_AGAIN],
                      STORE_ARGS(STORE_I(d->id), STORE_I(t->now.us + INCIDENT_LEARN_AGAIN_US)), NULL));
    ca_body_init(&b);
    ca_body_str(&b, "source", d->source);
    ca_body_str(&b, "reviewer", d->reviewer);
    ca_body_time(&b, "due", (lt_time){d->due_us});
    LT_TRY(ca_body_event(&b, t, "review.lapsed", subject, LT_SLICE(NULL, 0)));
    return incident_learn_alarm(t, "low", subject, words);
}

static lt_res read_due(struct ca_turn *t, struct due *list, size_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_REVIEW_DUE],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(INCIDENT_LEARN_SLICE)), &rows));
    for (*ret_count = 0; *ret_count < INCIDENT_LEARN_SLICE && store_next(&rows); (*ret_count)++) {
        list[*ret_count] = (struct due){
            .id = store_int(&rows, 0),
            .source = lt_arena_cstr(t->arena, store_bytes(&rows, 1)),
            .reviewer = lt_arena_cstr(t->arena, store_bytes(&rows, 2)),
            .due_us = store_int(&rows, 3),
        };
    }
    return store_rows_end(&rows);
}

lt_res incident_review_beat(struct ca_turn *t, bool *ret_more)
{
    struct calendar k = {0};
    struct due list[INCIDENT_LEARN_SLICE];
    size_t count = 0;
    LT_TRY(load_calendar(t, &k));
    if (k.next_us == 0) { /* the first time on this book */
        LT_TRY(add_recorded(t));
        LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_CALENDAR_NEXT], STORE_ARGS(STORE_I(t->now.us)),
                          NULL));
    } else if (k.next_us <= t->now.us) {
        LT_TRY(give_out(t, &k));
    }
    LT_TRY(read_due(t, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(tell_due(t, &list[i]));
    }
    *ret_more = *ret_more || count == INCIDENT_LEARN_SLICE;
    return LT_OK;
}

/* ---- what operators say ---- */

lt_res incident_op_review_calendar(struct incident_call *c)
{
    struct calendar k = {0};
    struct ca_body b;
    LT_TRY(load_calendar(c->t, &k));
    if (incident_given(c, "every-days")) {
        k.every_us = incident_number(c, "every-days") * INCIDENT_DAY_US;
    }
    if (incident_given(c, "within-days")) {
        k.within_us = incident_number(c, "within-days") * INCIDENT_DAY_US;
    }
    LT_CHECK(k.every_us > 0 && k.within_us > 0 && k.every_us <= DAYS_MOST * INCIDENT_DAY_US &&
                 k.within_us <= DAYS_MOST * INCIDENT_DAY_US,
             LT_PEER_MALFORMED, "days of a calendar are 1 to %d", DAYS_MOST);
    int64_t latest = c->t->now.us + k.every_us;
    k.next_us = k.next_us > latest ? latest : k.next_us;
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_CALENDAR_SET],
                      STORE_ARGS(STORE_I(k.every_us), STORE_I(k.within_us), STORE_I(k.next_us)), NULL));
    for (int i = 0; i < 2; i++) { /* the event and the answer say the same */
        ca_body_init(&b);
        ca_body_int(&b, "every_days", k.every_us / INCIDENT_DAY_US);
        ca_body_int(&b, "within_days", k.within_us / INCIDENT_DAY_US);
        ca_body_str(&b, "operator", c->by);
        LT_TRY(i == 0 ? ca_body_event(&b, c->t, "review.calendar", "review calendar", c->jws)
                      : ca_body_cstr(&b, c->t->arena, &c->json));
    }
    return LT_OK;
}

/* ret_ended_us -1: there is no such row. */
static lt_res ended(struct ca_turn *t, enum incident_learn_statement statement, const char *key,
                    int64_t *ret_ended_us)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[statement], STORE_ARGS(STORE_S(key)), &rows));
    *ret_ended_us = store_next(&rows) ? store_int(&rows, 0) : -1;
    return store_rows_end(&rows);
}

static lt_res say(struct incident_call *c, const char *kind, const char *subject, const char *const *members,
                  size_t count)
{
    struct ca_body b;
    for (int i = 0; i < 2; i++) {
        ca_body_init(&b);
        for (size_t k = 0; k + 1 < count; k += 2) {
            ca_body_str(&b, members[k], members[k + 1]);
        }
        ca_body_str(&b, "operator", c->by);
        LT_TRY(i == 0 ? ca_body_event(&b, c->t, kind, subject, c->jws)
                      : ca_body_cstr(&b, c->t->arena, &c->json));
    }
    return LT_OK;
}

lt_res incident_op_reviewer_add(struct incident_call *c)
{
    const char *name = incident_text(c, "name");
    int64_t end = 0;
    LT_TRY(incident_learn_name("name", name));
    LT_TRY(ended(c->t, LEARN_REVIEWER_GET, name, &end));
    LT_CHECK(end != 0, LT_PEER_CONFLICT, "\"%s\" takes part already", name);
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[end < 0 ? LEARN_REVIEWER_ADD : LEARN_REVIEWER_BACK],
                      STORE_ARGS(STORE_S(name), STORE_I(c->t->now.us)), NULL));
    char *subject = lt_arena_printf(c->t->arena, "reviewer %s", name);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return say(c, "review.reviewer-added", subject, (const char *const[]){"name", name}, 2);
}

lt_res incident_op_reviewer_end(struct incident_call *c)
{
    int64_t changed = 0;
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_REVIEWER_END],
                      STORE_ARGS(STORE_S(c->id), STORE_I(c->t->now.us)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "nobody \"%.63s\" takes part in reviews", c->id);
    char *subject = lt_arena_printf(c->t->arena, "reviewer %s", c->id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return say(c, "review.reviewer-ended", subject, (const char *const[]){"name", c->id}, 2);
}

lt_res incident_op_source_add(struct incident_call *c)
{
    const char *source = incident_text(c, "source");
    const char *title = incident_text(c, "title");
    const char *link = incident_text(c, "link");
    int64_t end = 0;
    LT_TRY(incident_learn_name("source", source));
    LT_TRY(incident_learn_text("title", title, TITLE_MAX));
    LT_CHECK(strlen(link) <= LINK_MAX, LT_PEER_TOO_LARGE, "\"link\" is too long");
    LT_TRY(ended(c->t, LEARN_SOURCE_GET, source, &end));
    LT_CHECK(end != 0, LT_PEER_CONFLICT, "\"%s\" is in the rotation already", source);
    LT_TRY(end < 0 ? add_source(c->t, source, "public", title, link)
                   : store_exec(c->t->store, &incident_learn_sql[LEARN_SOURCE_BACK],
                                STORE_ARGS(STORE_S(source), STORE_S(title), STORE_S(link)), NULL));
    char *subject = lt_arena_printf(c->t->arena, "review source %s", source);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return say(c, "review.source-added", subject,
               (const char *const[]){"source", source, "title", title, "link", link}, 6);
}

lt_res incident_op_source_end(struct incident_call *c)
{
    const char *source = incident_text(c, "source");
    int64_t changed = 0;
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_SOURCE_END],
                      STORE_ARGS(STORE_S(source), STORE_I(c->t->now.us)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "nothing \"%.63s\" is in the rotation", source);
    char *subject = lt_arena_printf(c->t->arena, "review source %s", source);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return say(c, "review.source-ended", subject, (const char *const[]){"source", source}, 2);
}

lt_res incident_op_review_assign(struct incident_call *c)
{
    struct calendar k = {0};
    struct ca_body b;
    int64_t end = 0;
    int64_t id = 0;
    struct assignment w = {
        .source = incident_text(c, "source"), .reviewer = incident_text(c, "reviewer"), .jws = c->jws};
    LT_TRY(incident_learn_by(c, &w.by));
    LT_TRY(load_calendar(c->t, &k));
    LT_TRY(ended(c->t, LEARN_SOURCE_GET, w.source, &end));
    LT_CHECK(end == 0, LT_PEER_NOT_FOUND, "nothing \"%.63s\" is in the rotation: lintel review sources",
             w.source);
    LT_TRY(ended(c->t, LEARN_REVIEWER_GET, w.reviewer, &end));
    LT_CHECK(end == 0, LT_PEER_NOT_FOUND, "nobody \"%.63s\" takes part in reviews", w.reviewer);
    w.within_us = k.within_us;
    LT_TRY(assign(c->t, &w, &id));
    ca_body_init(&b);
    ca_body_int(&b, "id", id);
    ca_body_str(&b, "source", w.source);
    ca_body_str(&b, "reviewer", w.reviewer);
    ca_body_time(&b, "due", (lt_time){c->t->now.us + w.within_us});
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res load_review(struct incident_call *c, int64_t id, const char **ret_source)
{
    struct store_rows rows;
    *ret_source = NULL;
    LT_TRY(store_query(c->t->store, &incident_learn_sql[LEARN_REVIEW_GET], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    bool filed = found && store_int(&rows, 3) != 0;
    *ret_source = found ? lt_arena_cstr(c->t->arena, store_bytes(&rows, 0)) : NULL;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found && *ret_source != NULL, LT_PEER_NOT_FOUND, "there is no review %lld", (long long)id);
    LT_CHECK(!filed, LT_PEER_CONFLICT, "the brief of review %lld has been filed", (long long)id);
    return LT_OK;
}

lt_res incident_op_review_brief(struct incident_call *c)
{
    int64_t id = 0;
    const char *source = NULL;
    const char *brief = incident_text(c, "brief");
    const char *by = NULL;
    char number[24];
    LT_TRY(incident_id(c, &id));
    LT_TRY(load_review(c, id, &source));
    LT_TRY(incident_learn_text("brief", brief, BRIEF_MAX));
    LT_TRY(incident_learn_by(c, &by));
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_REVIEW_FILE],
                      STORE_ARGS(STORE_I(id), STORE_I(c->t->now.us), STORE_S(by), STORE_S(brief)), NULL));
    (void)snprintf(number, sizeof number, "%lld", (long long)id);
    char *subject = lt_arena_printf(c->t->arena, "review %s", number);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return say(c, "review.filed", subject,
               (const char *const[]){"id", number, "source", source, "brief", brief}, 6);
}
