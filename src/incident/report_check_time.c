/* The timeline: entries with times, in order, that agree with the summary. */
#include <string.h>

#include "incident/report_check_internal.h"

static const char section[] = "Timeline";

struct line_of_time {
    struct report_date last; /* of the entry before */
    lt_time day;             /* said by a line of its own */
    bool began;
    bool aware;
    bool scoped;
    bool ended;
    bool expected;   /* by when all is revoked */
    bool revoked;    /* that some were */
    bool identified; /* the time of the summary */
    lt_time preliminary;
    lt_time full;
    size_t entries;
    bool zoned; /* the section says once that all is UTC */
};

/* What stands before the words of an entry. */
static lt_slice bare(lt_slice s)
{
    while (s.len > 0 && strchr("*_|[`- \t", s.ptr[0]) != NULL && s.ptr[0] != 0) {
        s = lt_slice_sub(s, 1, s.len);
    }
    return s;
}

static bool any(lt_slice s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (report_has(s, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_expected(lt_slice s)
{
    static const char *const words[] = {"expect", "plan", "will ", "deadline", "due", "schedul", "estimat"};
    return any(s, words, LT_COUNT(words));
}

static void look_for(struct line_of_time *t, lt_slice s, lt_time when)
{
    static const char *const began[] = {"began",  "introduc", "start", "first", "deployed",
                                        "change", "created",  "since", "issued"};
    static const char *const aware[] = {"aware",  "identif", "confirm", "discover", "learn",
                                        "report", "receiv",  "detect",  "notified", "noticed"};
    static const char *const scoped[] = {"scope", "affected", "certificates were found", "list of"};
    static const char *const ended[] = {"ended",    "fix",    "resolved", "stopped", "halt",    "corrected",
                                        "disabled", "resume", "ceased",   "revoked", "complete"};
    t->began = t->began || any(s, began, LT_COUNT(began));
    t->aware = t->aware || any(s, aware, LT_COUNT(aware));
    t->scoped = t->scoped || any(s, scoped, LT_COUNT(scoped));
    t->ended = t->ended || any(s, ended, LT_COUNT(ended));
    bool revocation = report_has(s, "revo") && !report_has(s, "not revo");
    t->expected = t->expected || (revocation && is_expected(s));
    t->revoked = t->revoked || (revocation && !is_expected(s));
    bool posted = report_has(s, "posted") || report_has(s, "filed") || report_has(s, "disclosed");
    if (posted && report_has(s, "preliminary") && t->preliminary.us == 0) {
        t->preliminary = when;
    }
    if (posted && report_has(s, "full") && t->full.us == 0) {
        t->full = when;
    }
}

static void check_entry(struct report_check *c, const struct report_item *it, lt_slice words,
                        const struct report_date *d, struct line_of_time *t)
{
    t->entries++;
    if (d->wrong) {
        REPORT_FOUND(c, R_DATE_WRONG, it->line, section, "\"%.*s\": there is no such day or hour",
                     LT_FMT(lt_slice_sub(words, 0, 60)));
        return;
    }
    if (!d->has_time) {
        REPORT_FOUND(c, R_DATE_MINUTE, it->line, section, "\"%.*s\" has no hour and minute",
                     LT_FMT(lt_slice_sub(words, 0, 60)));
    } else if (!d->has_zone && !t->zoned) {
        REPORT_FOUND(c, R_DATE_ZONE, it->line, section, "\"%.*s\" does not say UTC or an offset",
                     LT_FMT(lt_slice_sub(words, 0, 60)));
    }
    /* A day alone may stand before or behind the hours of that day. */
    int64_t slack = d->has_time && t->last.has_time ? 0 : LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    if (t->entries > 1 && d->time.us + slack < t->last.time.us) {
        REPORT_FOUND(c, R_TIMELINE_ORDER, it->line, section, "\"%.*s\" comes behind something later",
                     LT_FMT(lt_slice_sub(words, 0, 60)));
    }
    if (d->time.us > c->o->now.us && !is_expected(words)) {
        REPORT_FOUND(c, R_DATE_FUTURE, it->line, section,
                     "\"%.*s\" lies in the future, and is not called expected or planned",
                     LT_FMT(lt_slice_sub(words, 0, 60)));
    }
    t->last = *d;
    look_for(t, words, d->time);
    const struct report_date *said = &c->r->identified;
    int64_t apart = d->time.us - said->time.us;
    int64_t within = (d->has_time && said->has_time ? 60 : LT_SECONDS_PER_DAY) * LT_US_PER_SECOND;
    t->identified = t->identified || (apart < within && apart > -within);
}

/* A line, a bullet, a row of a table, or a field whose label is the time. */
static void take_item(struct report_check *c, const struct report_item *it, struct line_of_time *t)
{
    struct report_date d;
    size_t used = 0;
    lt_slice words = bare(it->kind == REPORT_FIELD ? it->label : it->value);
    lt_slice text = it->kind == REPORT_FIELD ? it->whole : words;
    if (it->kind == REPORT_HEADING || it->kind == REPORT_FACTOR) {
        words = bare(it->label);
    }
    if (report_date_read(words, &d, &used)) {
        lt_slice rest = bare(lt_slice_sub(words, used, words.len));
        if (!d.has_time && it->kind != REPORT_FIELD && (rest.len == 0 || lt_slice_eq(rest, LT_LIT(":"))) &&
            !d.wrong) {
            t->day = d.time; /* a heading for the hours below */
            t->zoned = t->zoned || d.has_zone;
            return;
        }
        look_for(t, text, d.time);
        check_entry(c, it, it->kind == REPORT_FIELD ? text : words, &d, t);
        return;
    }
    if (t->day.us != 0 && report_date_read_hour(words, t->day, &d, &used)) {
        look_for(t, text, d.time);
        check_entry(c, it, it->kind == REPORT_FIELD ? text : words, &d, t);
        return;
    }
    if (report_has(it->value, "utc") && report_has(it->value, "all time")) {
        t->zoned = true;
        return;
    }
    look_for(t, text, t->last.time);
    if (it->kind == REPORT_BULLET && it->indent == 0 && words.len > 0) {
        REPORT_FOUND(c, R_TIMELINE_ENTRY, it->line, section, "\"%.*s\" has no time",
                     LT_FMT(lt_slice_sub(words, 0, 60)));
    }
}

/* Of a delayed revocation, when it is expected to be complete, and when it was done. */
static void check_delay(struct report_check *c, size_t line, const struct line_of_time *t)
{
    size_t ignored = 0;
    int64_t waiting = report_number_behind(c, "Not yet revoked:", &ignored);
    int64_t revoked = report_number_behind(c, "Revoked:", &ignored);
    if (!c->r->delayed) {
        return;
    }
    if (!t->expected && (waiting > 0 || !t->revoked)) {
        REPORT_FOUND(c, R_TIMELINE_DELAY, line, section,
                     "no entry says by when all is expected to be revoked, or was");
    }
    if (!t->revoked && revoked > 0) {
        REPORT_FOUND(c, R_TIMELINE_DELAY, line, section, "no entry says when the %lld were revoked",
                     (long long)revoked);
    }
}

static void check_events(struct report_check *c, size_t line, const struct line_of_time *t)
{
    const struct {
        bool there;
        const char *what;
    } events[] = {
        {t->began, "when it began"},
        {t->aware, "when the CA became aware"},
        {t->scoped, "when the scope was known"},
        {t->ended, "when it ended"},
    };
    for (size_t i = 0; i < LT_COUNT(events); i++) {
        if (!events[i].there) {
            REPORT_FOUND(c, R_TIMELINE_EVENTS, line, section, "no entry says %s", events[i].what);
        }
    }
    if (c->r->identified.time.us != 0 && !t->identified) {
        REPORT_FOUND(c, R_TIMELINE_SUMMARY, line, section,
                     "no entry has the time at which, by the summary, it was identified");
    }
    check_delay(c, line, t);
    int64_t aware = c->r->identified.time.us;
    int64_t hour = 3600 * LT_US_PER_SECOND;
    if (aware != 0 && c->r->identified.has_time && t->preliminary.us > aware + 72 * hour) {
        REPORT_FOUND(c, R_IRG_1, line, section,
                     "the preliminary report came %lld hours after it was "
                     "identified",
                     (long long)((t->preliminary.us - aware) / hour));
    }
    if (t->preliminary.us != 0 && t->full.us > t->preliminary.us + 14 * 24 * hour) {
        REPORT_FOUND(c, R_IRG_2, line, section, "the full report came %lld days after the preliminary one",
                     (long long)((t->full.us - t->preliminary.us) / hour / 24));
    }
}

void report_check_timeline(struct report_check *c)
{
    struct report_range range = report_section(c->r, "timeline");
    struct line_of_time t = {.entries = 0};
    const struct report_item *head = report_part(c->r, "timeline");
    if (head == NULL) {
        return;
    }
    for (size_t i = range.first; i < range.end; i++) {
        const struct report_item *it = &c->r->doc.items[i];
        lt_slice s = it->kind == REPORT_HEADING ? it->label : it->value;
        t.zoned = t.zoned || (it->kind != REPORT_BULLET && it->kind != REPORT_FIELD && report_has(s, "utc") &&
                              report_has(s, "time"));
    }
    for (size_t i = range.first; i < range.end; i++) {
        const struct report_item *it = &c->r->doc.items[i];
        bool head_row = it->kind == REPORT_ROW && i + 1 < range.end &&
                        report_row_is_rule(c->r->doc.items[i + 1].value);
        if (head_row || (it->kind == REPORT_ROW && report_row_is_rule(it->value))) {
            continue;
        }
        take_item(c, it, &t);
    }
    if (t.entries == 0) {
        REPORT_FOUND(c, R_TIMELINE, head->line, section, "there is no entry with a time");
        return;
    }
    check_events(c, head->line, &t);
}
