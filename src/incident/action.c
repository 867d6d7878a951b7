/* See action.h. */
#include "incident/action.h"

#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "incident/clock.h"
#include "incident/learn.h"

/* What may become of a promise. A look that finds that it does not hold any more opens it again. */
static const struct edge {
    const char *from;
    const char *name;
    const char *to;
    const char *event;
} edges[] = {
    {"Ongoing", "complete", "Complete", "action.completed"},
    {"Delayed", "complete", "Complete", "action.completed"},
    {"Ongoing", "delay", "Delayed", "action.delayed"},
    {"Delayed", "delay", "Delayed", "action.delayed"},
    {"Ongoing", "cancel", "Canceled", "action.canceled"},
    {"Delayed", "cancel", "Canceled", "action.canceled"},
    {"Ongoing", "update", "Ongoing", "action.updated"},
    {"Delayed", "update", "Delayed", "action.updated"},
    {"Complete", "reopen", "Ongoing", "action.reopened"},
    {"Canceled", "reopen", "Ongoing", "action.reopened"},
    {"Ongoing", "tell", "Ongoing", "action.told"},
    {"Delayed", "tell", "Delayed", "action.told"},
    {"Complete", "tell", "Complete", "action.told"},
    {"Canceled", "tell", "Canceled", "action.told"},
};

/* IRG-5 of data/duties: a change of an action item is told in public within three days. */
enum { TELL_DAYS = 3 };
static const int64_t check_months[] = {3, 6, 12};

struct row {
    const char *subject;
    const char *title;
    const char *kind;
    const char *causes;
    const char *criteria;
    const char *owner;
    const char *status;
    const char *evidence;
    int64_t due_us;
    int64_t done_us;
    int64_t tell_by_us;
    int64_t told_us;
    int64_t lapses;
};

static lt_res load(struct ca_turn *t, int64_t id, struct row *ret_row)
{
    struct store_rows rows;
    const struct {
        const char **to;
        int column;
    } texts[] = {
        {&ret_row->subject, 0},  {&ret_row->title, 1}, {&ret_row->kind, 2},   {&ret_row->causes, 3},
        {&ret_row->criteria, 4}, {&ret_row->owner, 5}, {&ret_row->status, 6}, {&ret_row->evidence, 9},
    };
    bool room = true;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_ACTION_GET], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    for (size_t i = 0; found && i < LT_COUNT(texts); i++) {
        *texts[i].to = lt_arena_cstr(t->arena, store_bytes(&rows, texts[i].column));
        room = room && *texts[i].to != NULL;
    }
    if (found) {
        ret_row->due_us = store_int(&rows, 7);
        ret_row->done_us = store_int(&rows, 8);
        ret_row->tell_by_us = store_int(&rows, 10);
        ret_row->told_us = store_int(&rows, 11);
        ret_row->lapses = store_int(&rows, 12);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(room, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no promise %lld: lintel action list", (long long)id);
    return LT_OK;
}

/* Nothing is owed to the public for what no incident made us promise. */
static bool is_public(const char *subject)
{
    return lt_slice_starts(lt_slice_cstr(subject), LT_LIT("incident "));
}

/* "1, 3": numbers of root causes, as the report's table has them. */
static lt_res check_causes(const char *causes)
{
    LT_TRY(causes[0] == '\0' ? LT_OK : incident_learn_text("causes", causes, INCIDENT_ACTION_NAME_MAX));
    LT_CHECK(strspn(causes, "0123456789, ") == strlen(causes), LT_PEER_MALFORMED,
             "\"causes\" are the numbers of root causes, such as 1, 3; not \"%.60s\"", causes);
    return LT_OK;
}

static lt_res check_new(const struct ca_turn *t, const struct incident_action *a)
{
    static const char *const kinds[] = {"Prevent", "Mitigate", "Detect"};
    bool known = false;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        known = known || strcmp(a->kind, kinds[i]) == 0;
    }
    LT_CHECK(known, LT_PEER_MALFORMED, "\"kind\" is Prevent, Mitigate or Detect, not \"%.40s\"", a->kind);
    LT_TRY(incident_learn_text("title", a->title, INCIDENT_ACTION_TITLE_MAX));
    LT_TRY(incident_learn_text("criteria", a->criteria, INCIDENT_ACTION_TEXT_MAX));
    LT_TRY(incident_learn_text("owner", a->owner, INCIDENT_ACTION_NAME_MAX));
    LT_TRY(check_causes(a->causes));
    LT_CHECK(strlen(a->subject) <= INCIDENT_ACTION_NAME_MAX, LT_PEER_TOO_LARGE, "\"subject\" is too long");
    LT_CHECK(a->due.us > t->now.us, LT_PEER_MALFORMED,
             "the day by which it is done lies in the past: give one to come");
    return LT_OK;
}

static lt_res subject_of(struct ca_turn *t, int64_t id, const char **ret_subject)
{
    *ret_subject = lt_arena_printf(t->arena, "action %lld", (long long)id);
    LT_CHECK(*ret_subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return LT_OK;
}

lt_res incident_action_add(struct ca_turn *t, const struct incident_action *a, int64_t *ret_id)
{
    struct ca_body b;
    const char *subject = NULL;
    LT_TRY(check_new(t, a));
    LT_TRY(incident_learn_next(t, &incident_learn_sql[LEARN_ACTION_MAX], ret_id));
    LT_TRY(subject_of(t, *ret_id, &subject));
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_ACTION_ADD],
                      STORE_ARGS(STORE_I(*ret_id), STORE_S(a->subject), STORE_S(a->title), STORE_S(a->kind),
                                 STORE_S(a->causes), STORE_S(a->criteria), STORE_S(a->owner),
                                 STORE_I(a->due.us), STORE_I(t->now.us), STORE_S(a->by)),
                      NULL));
    ca_body_init(&b);
    ca_body_str(&b, "for", a->subject);
    ca_body_str(&b, "title", a->title);
    ca_body_str(&b, "kind", a->kind);
    ca_body_str(&b, "causes", a->causes);
    ca_body_str(&b, "criteria", a->criteria);
    ca_body_str(&b, "owner", a->owner);
    ca_body_time(&b, "due", a->due);
    ca_body_str(&b, "by", a->by);
    return ca_body_event(&b, t, "action.added", subject, a->jws);
}

static const struct edge *edge_of(const char *from, const char *name)
{
    for (size_t i = 0; i < LT_COUNT(edges); i++) {
        if (strcmp(edges[i].from, from) == 0 && strcmp(edges[i].name, name) == 0) {
            return &edges[i];
        }
    }
    return NULL;
}

/* What each edge needs to be said with it. */
static lt_res check_change(const struct ca_turn *t, const struct incident_action_change *c)
{
    bool complete = strcmp(c->edge, "complete") == 0;
    bool dated = strcmp(c->edge, "delay") == 0 || strcmp(c->edge, "reopen") == 0;
    bool update = strcmp(c->edge, "update") == 0;
    LT_TRY(complete ? incident_learn_text("evidence", c->evidence, INCIDENT_ACTION_TEXT_MAX) : LT_OK);
    LT_TRY(!complete && (!update || c->words[0] != '\0')
               ? incident_learn_text("words", c->words, INCIDENT_ACTION_TEXT_MAX)
               : LT_OK);
    LT_CHECK(!dated || c->due.us > t->now.us, LT_PEER_MALFORMED,
             "the new day lies in the past: give one to come");
    LT_CHECK(!update || c->words[0] != '\0' || c->owner[0] != '\0' || c->criteria[0] != '\0' ||
                 c->causes[0] != '\0',
             LT_PEER_MALFORMED, "nothing is changed: give words, an owner, criteria or causes");
    LT_CHECK(strlen(c->owner) <= INCIDENT_ACTION_NAME_MAX && strlen(c->criteria) <= INCIDENT_ACTION_TEXT_MAX,
             LT_PEER_TOO_LARGE, "\"owner\" or \"criteria\" is too long");
    return check_causes(c->causes);
}

/* The next moment at which somebody must be woken. */
static int64_t alarm_of(const struct row *r)
{
    int64_t due = r->done_us == 0 ? r->due_us : 0;
    bool tell_first = r->tell_by_us > 0 && (due == 0 || r->tell_by_us < due);
    return tell_first ? r->tell_by_us : due;
}

static void apply(struct row *r, const struct edge *e, const struct incident_action_change *c, lt_time now)
{
    bool tells = strcmp(e->name, "tell") == 0;
    bool ended = strcmp(e->to, "Complete") == 0 || strcmp(e->to, "Canceled") == 0;
    r->status = e->to;
    r->owner = c->owner[0] != '\0' ? c->owner : r->owner;
    r->criteria = c->criteria[0] != '\0' ? c->criteria : r->criteria;
    r->causes = c->causes[0] != '\0' ? c->causes : r->causes;
    r->evidence = strcmp(e->name, "complete") == 0 ? c->evidence : r->evidence;
    r->due_us = c->due.us != 0 ? c->due.us : r->due_us;
    if (!ended) {
        r->done_us = 0;
    } else if (r->done_us == 0) {
        r->done_us = now.us;
    }
    if (tells) {
        r->told_us = now.us;
        r->tell_by_us = 0;
    } else if (is_public(r->subject) && r->tell_by_us == 0) {
        r->tell_by_us = now.us + TELL_DAYS * INCIDENT_DAY_US;
    }
}

static lt_res write_checks(struct ca_turn *t, int64_t id)
{
    for (size_t i = 0; i < LT_COUNT(check_months); i++) {
        lt_time due = incident_learn_months(t->now, check_months[i]);
        /* Complete for the second time: what was looked at before stays as it was found. */
        LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_CHECK_ADD],
                          STORE_ARGS(STORE_I(id), STORE_I(check_months[i]), STORE_I(due.us)), NULL));
    }
    return LT_OK;
}

/* Does another promise of the same incident still wait to be told? */
static lt_res others_untold(struct ca_turn *t, const char *of, int64_t id, bool *ret_untold)
{
    struct store_rows rows;
    *ret_untold = false;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_ACTION_OPEN], STORE_ARGS(STORE_S(of)), &rows));
    while (store_next(&rows)) {
        *ret_untold = *ret_untold || (store_int(&rows, 0) != id && store_int(&rows, 2) != 0);
    }
    return store_rows_end(&rows);
}

/* The duty to tell a change runs as a clock of the incident: one update there tells of all. */
static lt_res run_clock(struct ca_turn *t, const struct row *before, const struct row *after,
                        const struct incident_action_change *c)
{
    int64_t unused = 0;
    bool others = false;
    if (strcmp(c->edge, "tell") == 0) {
        LT_TRY(others_untold(t, after->subject, c->id, &others));
        return others ? LT_OK : incident_clock_meet(t, after->subject, "irg-5", t->now, c->words);
    }
    if (before->tell_by_us != 0 || after->tell_by_us == 0) {
        return LT_OK;
    }
    const char *evidence = lt_arena_printf(t->arena, "action %lld: %s", (long long)c->id, c->edge);
    LT_CHECK(evidence != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    const struct incident_clock_start start = {"irg-5", after->subject, t->now, evidence};
    return incident_clock_open(t, &start, &unused);
}

static lt_res say_change(struct ca_turn *t, const char *subject, const struct edge *e, const struct row *r,
                         const struct incident_action_change *c)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "for", r->subject);
    ca_body_str(&b, "title", r->title);
    ca_body_str(&b, "from", e->from);
    ca_body_str(&b, "status", e->to);
    ca_body_str(&b, "words", c->words);
    ca_body_str(&b, "evidence", c->evidence);
    ca_body_str(&b, "owner", r->owner);
    ca_body_str(&b, "criteria", r->criteria);
    ca_body_str(&b, "causes", r->causes);
    ca_body_time(&b, "due", (lt_time){r->due_us});
    if (r->tell_by_us != 0) {
        ca_body_time(&b, "tell_by", (lt_time){r->tell_by_us});
    }
    ca_body_str(&b, "by", c->by);
    return ca_body_event(&b, t, e->event, subject, c->jws);
}

lt_res incident_action_change(struct ca_turn *t, const struct incident_action_change *c)
{
    struct row before = {0};
    const char *subject = NULL;
    LT_TRY(load(t, c->id, &before));
    const struct edge *e = edge_of(before.status, c->edge);
    LT_CHECK(e != NULL, LT_PEER_CONFLICT, "promise %lld is %s: one cannot %s it", (long long)c->id,
             before.status, c->edge);
    LT_TRY(check_change(t, c));
    LT_TRY(subject_of(t, c->id, &subject));
    struct row r = before;
    apply(&r, e, c, t->now);
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_ACTION_SET],
                      STORE_ARGS(STORE_I(c->id), STORE_S(r.causes), STORE_S(r.criteria), STORE_S(r.owner),
                                 STORE_S(r.status), STORE_I(r.due_us), STORE_I(t->now.us), STORE_I(r.done_us),
                                 STORE_S(r.evidence), STORE_I(r.tell_by_us), STORE_I(r.told_us),
                                 STORE_I(alarm_of(&r))),
                      NULL));
    LT_TRY(strcmp(e->name, "complete") == 0 ? write_checks(t, c->id) : LT_OK);
    LT_TRY(strcmp(e->name, "reopen") == 0
               ? store_exec(t->store, &incident_learn_sql[LEARN_CHECK_DROP], STORE_ARGS(STORE_I(c->id)), NULL)
               : LT_OK);
    LT_TRY(say_change(t, subject, e, &r, c));
    return run_clock(t, &before, &r, c);
}

static lt_res load_check(struct ca_turn *t, const struct incident_action_check *c)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_CHECK_GET],
                       STORE_ARGS(STORE_I(c->id), STORE_I(c->months)), &rows));
    bool found = store_next(&rows);
    bool done = found && store_int(&rows, 1) != 0;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND,
             "no look at promise %lld is due after %lld months; they are due 3, 6 "
             "and 12 months after it is complete",
             (long long)c->id, (long long)c->months);
    LT_CHECK(!done, LT_PEER_CONFLICT, "the look after %lld months has been taken", (long long)c->months);
    return LT_OK;
}

lt_res incident_action_check(struct ca_turn *t, const struct incident_action_check *c)
{
    struct row r = {0};
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(load(t, c->id, &r));
    LT_TRY(load_check(t, c));
    LT_TRY(incident_learn_text("evidence", c->evidence, INCIDENT_ACTION_TEXT_MAX));
    LT_TRY(subject_of(t, c->id, &subject));
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_CHECK_SET],
                      STORE_ARGS(STORE_I(c->id), STORE_I(c->months), STORE_I(t->now.us), STORE_I(c->holds),
                                 STORE_S(c->evidence), STORE_S(c->by)),
                      NULL));
    ca_body_init(&b);
    ca_body_str(&b, "for", r.subject);
    ca_body_str(&b, "title", r.title);
    ca_body_int(&b, "months", c->months);
    ca_body_bool(&b, "holds", c->holds);
    ca_body_str(&b, "evidence", c->evidence);
    ca_body_str(&b, "by", c->by);
    LT_TRY(ca_body_event(&b, t, "action.checked", subject, c->jws));
    return c->holds ? LT_OK
                    : incident_learn_alarm(t, "high", subject,
                                           "what was promised does not hold any more: open it again");
}

lt_res incident_action_open(struct ca_turn *t, const char *subject, int64_t *ret_count)
{
    struct store_rows rows;
    *ret_count = 0;
    LT_TRY(
        store_query(t->store, &incident_learn_sql[LEARN_ACTION_OPEN], STORE_ARGS(STORE_S(subject)), &rows));
    while (store_next(&rows)) {
        *ret_count += store_int(&rows, 1) == 0 ? 1 : 0;
    }
    return store_rows_end(&rows);
}

/* ---- what is due ---- */

struct due {
    int64_t id;
    int64_t lapses;
    int64_t months; /* of a look; 0: the promise itself */
    const char *title;
    const char *owner;
    const char *for_whom;
    int64_t due_us;
    bool done;
    bool late; /* its day has come and it is open */
    bool untold;
};

static lt_res read_due(struct ca_turn *t, struct due *list, size_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_ACTION_DUE],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(INCIDENT_LEARN_SLICE)), &rows));
    for (*ret_count = 0; *ret_count < INCIDENT_LEARN_SLICE && store_next(&rows); (*ret_count)++) {
        list[*ret_count] = (struct due){
            .id = store_int(&rows, 0),
            .title = lt_arena_cstr(t->arena, store_bytes(&rows, 1)),
            .owner = lt_arena_cstr(t->arena, store_bytes(&rows, 2)),
            .for_whom = lt_arena_cstr(t->arena, store_bytes(&rows, 3)),
            .due_us = store_int(&rows, 4),
            .done = store_int(&rows, 5) != 0,
            .late = store_int(&rows, 5) == 0 && store_int(&rows, 4) <= t->now.us,
            .untold = store_int(&rows, 6) != 0 && store_int(&rows, 6) <= t->now.us,
            .lapses = store_int(&rows, 7),
        };
    }
    return store_rows_end(&rows);
}

/* Told all the same: an update of the incident met the clock. */
static lt_res was_told(struct ca_turn *t, const struct due *d, bool *ret_told)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_UNTOLD], STORE_ARGS(STORE_S(d->for_whom)), &rows));
    *ret_told = !store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    return !*ret_told ? LT_OK
                      : store_exec(t->store, &incident_learn_sql[LEARN_ACTION_HEARD],
                                   STORE_ARGS(STORE_I(d->id), STORE_I(d->done ? 0 : d->due_us)), NULL);
}

static lt_res tell_due(struct ca_turn *t, const struct due *d)
{
    const char *subject = NULL;
    struct ca_body b;
    bool told = false;
    LT_CHECK(d->title != NULL && d->owner != NULL && d->for_whom != NULL, LT_PEER_TOO_LARGE,
             "the request is over the limit");
    LT_TRY(d->untold && !d->late ? was_told(t, d, &told) : LT_OK);
    if (told) {
        return LT_OK;
    }
    LT_TRY(subject_of(t, d->id, &subject));
    const char *words = lt_arena_printf(t->arena, "%s: \"%.100s\", of %.60s",
                                        d->late ? "a promise has lapsed"
                                                : "a changed promise was not told within 3 days",
                                        d->title, d->owner);
    LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "for", d->for_whom);
    ca_body_str(&b, "title", d->title);
    ca_body_str(&b, "owner", d->owner);
    ca_body_time(&b, "due", (lt_time){d->due_us});
    ca_body_int(&b, "times", d->lapses + 1);
    LT_TRY(ca_body_event(&b, t, d->late ? "action.lapsed" : "action.untold", subject, LT_SLICE(NULL, 0)));
    LT_TRY(store_exec(
        t->store, &incident_learn_sql[LEARN_ACTION_LAPSED],
        STORE_ARGS(STORE_I(d->id), STORE_I(d->lapses + 1), STORE_I(t->now.us + INCIDENT_LEARN_AGAIN_US)),
        NULL));
    return incident_learn_alarm(t, "high", subject, words);
}

static lt_res read_checks(struct ca_turn *t, struct due *list, size_t *ret_count)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_CHECK_DUE],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(INCIDENT_LEARN_SLICE)), &rows));
    for (*ret_count = 0; *ret_count < INCIDENT_LEARN_SLICE && store_next(&rows); (*ret_count)++) {
        list[*ret_count] = (struct due){
            .id = store_int(&rows, 0), .months = store_int(&rows, 1), .due_us = store_int(&rows, 2)};
    }
    return store_rows_end(&rows);
}

static lt_res tell_check(struct ca_turn *t, const struct due *d)
{
    const char *subject = NULL;
    struct ca_body b;
    bool first = t->now.us < d->due_us + INCIDENT_LEARN_AGAIN_US;
    LT_TRY(subject_of(t, d->id, &subject));
    const char *words = lt_arena_printf(t->arena, "the look after %lld months %s", (long long)d->months,
                                        first ? "is due: does what was done still hold?"
                                              : "was not taken: nobody knows whether what was done holds");
    LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_int(&b, "months", d->months);
    ca_body_time(&b, "due", (lt_time){d->due_us});
    LT_TRY(
        ca_body_event(&b, t, first ? "action.check-due" : "action.check-lapsed", subject, LT_SLICE(NULL, 0)));
    LT_TRY(store_exec(
        t->store, &incident_learn_sql[LEARN_CHECK_AGAIN],
        STORE_ARGS(STORE_I(d->id), STORE_I(d->months), STORE_I(t->now.us + INCIDENT_LEARN_AGAIN_US)), NULL));
    return incident_learn_alarm(t, first ? "low" : "high", subject, words);
}

lt_res incident_action_beat(struct ca_turn *t, bool *ret_more)
{
    struct due list[INCIDENT_LEARN_SLICE];
    size_t count = 0;
    LT_TRY(read_due(t, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(tell_due(t, &list[i]));
    }
    *ret_more = *ret_more || count == INCIDENT_LEARN_SLICE;
    LT_TRY(read_checks(t, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(tell_check(t, &list[i]));
    }
    *ret_more = *ret_more || count == INCIDENT_LEARN_SLICE;
    return LT_OK;
}
