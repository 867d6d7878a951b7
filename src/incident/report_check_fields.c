/* What stands in the fields of summary and impact. */
#include <string.h>

#include "incident/report_check_internal.h"

static const char summary[] = "Summary";
static const char impact[] = "Impact";

static bool is_digit(lt_slice s, size_t at)
{
    return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* "3,048,289", "3 048 289", "3048289". */
bool report_number(lt_slice s, int64_t *ret_number, size_t *ret_used)
{
    int64_t n = 0;
    size_t i = 0;
    while (i < s.len && n < INT64_C(1000000000000)) {
        bool digit = s.ptr[i] >= '0' && s.ptr[i] <= '9';
        bool next = i > 0 && i + 3 < s.len + 0 && strchr(",' ", s.ptr[i]) != NULL && s.ptr[i] != 0;
        for (size_t k = 1; next && k <= 3; k++) {
            next = is_digit(s, i + k);
        }
        next = next && !is_digit(s, i + 4);
        if (!digit && !next) {
            break;
        }
        n = digit ? n * 10 + (s.ptr[i] - '0') : n;
        i++;
    }
    *ret_number = n;
    *ret_used = i;
    return i > 0;
}

/* Said instead of a date: what has not ended, or does not apply, with or without why. */
static bool says_no_date(lt_slice text)
{
    static const char *const words[] = {"n/a", "ongoing", "not yet", "not applicable", "unknown"};
    text = report_plain(text);
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (lt_slice_eq_nocase(lt_slice_sub(text, 0, strlen(words[i])), lt_slice_cstr(words[i]))) {
            return true;
        }
    }
    return report_is_na(text);
}

void report_check_date(struct report_check *c, lt_slice text, size_t line, const char *section,
                       struct report_date *ret_date)
{
    *ret_date = (struct report_date){.has_time = false};
    if (says_no_date(text)) {
        return;
    }
    if (!report_date_find(text, ret_date)) {
        REPORT_FOUND(c, R_DATE, line, section, "\"%.*s\" is no date as in 2026-03-01 02:10 UTC",
                     LT_FMT(text));
        return;
    }
    if (ret_date->wrong) {
        REPORT_FOUND(c, R_DATE_WRONG, line, section, "\"%.*s\": there is no such day or hour", LT_FMT(text));
        *ret_date = (struct report_date){.has_time = false};
        return;
    }
    if (!ret_date->has_time) {
        REPORT_FOUND(c, R_DATE_MINUTE, line, section, "\"%.*s\" has no hour and minute", LT_FMT(text));
    } else if (!ret_date->has_zone) {
        REPORT_FOUND(c, R_DATE_ZONE, line, section, "\"%.*s\" does not say UTC or an offset", LT_FMT(text));
    }
}

/* The field when it is there and says something. */
static const struct report_item *said(const struct report_check *c, const char *id)
{
    const struct report_item *it = report_part(c->r, id);
    return it != NULL && report_trim(it->whole).len > 0 ? it : NULL;
}

static void check_owner_id(struct report_check *c)
{
    const struct report_item *it = said(c, "summary.owner-id");
    if (it == NULL || (c->o->third_party && report_is_na(it->whole))) {
        return;
    }
    lt_slice id = report_plain(it->whole);
    bool good = id.len == 7 && id.ptr[0] == 'A';
    for (size_t i = 1; good && i < id.len; i++) {
        good = id.ptr[i] >= '0' && id.ptr[i] <= '9';
    }
    if (!good) {
        REPORT_FOUND(c, R_OWNER_ID, it->line, summary, "\"%.*s\" is not A and six digits, as A000039",
                     LT_FMT(id));
    }
}

static void check_policies(struct report_check *c)
{
    const struct report_item *it = said(c, "summary.policies");
    bool dotted = false;
    for (size_t i = 0; it != NULL && i + 2 < it->whole.len; i++) {
        const uint8_t *p = it->whole.ptr + i;
        dotted = dotted || (p[0] >= '0' && p[0] <= '9' && p[1] == '.' && p[2] >= '0' && p[2] <= '9');
    }
    if (it != NULL && !dotted) {
        REPORT_FOUND(c, R_POLICIES, it->line, summary,
                     "no version and section, as in TLS Baseline Requirements 2.2.6, section 4.9.1.1");
    }
}

static void check_source(struct report_check *c)
{
    static const char *const sources[] = {"Self Reported", "Third Party Reported", "Audit"};
    const struct report_item *it = said(c, "summary.source");
    if (it == NULL || (c->o->third_party && report_is_na(it->whole))) {
        return;
    }
    for (size_t i = 0; i < LT_COUNT(sources); i++) {
        if (lt_slice_eq_cstr(report_plain(it->whole), sources[i])) {
            return;
        }
    }
    REPORT_FOUND(c, R_SOURCE, it->line, summary,
                 "\"%.*s\" is not one of Self Reported, Third Party Reported, Audit", LT_FMT(it->whole));
}

static void check_dates(struct report_check *c)
{
    const struct {
        const char *id;
        struct report_date *date;
    } dates[] = {
        {"summary.start", &c->r->start},
        {"summary.identified", &c->r->identified},
        {"summary.end", &c->r->end},
    };
    for (size_t i = 0; i < LT_COUNT(dates); i++) {
        const struct report_item *it = said(c, dates[i].id);
        if (it == NULL) {
            continue;
        }
        report_check_date(c, it->whole, it->line, summary, dates[i].date);
        bool may_come = dates[i].date == &c->r->end; /* it ended, or is expected to */
        if (!may_come && dates[i].date->time.us > c->o->now.us) {
            REPORT_FOUND(c, R_DATE_FUTURE, it->line, summary, "\"%.*s\" lies in the future",
                         LT_FMT(it->whole));
        }
    }
    const struct incident_reading *r = c->r;
    /* A day without an hour may begin before an hour of that day. */
    int64_t slack = r->start.has_time && r->identified.has_time ? 0 : LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    if (r->start.time.us != 0 && r->identified.time.us != 0 &&
        r->start.time.us > r->identified.time.us + slack) {
        REPORT_FOUND(c, R_DATE_ORDER, report_part(r, "summary.identified")->line, summary,
                     "it was identified before it began");
    }
    slack = r->start.has_time && r->end.has_time ? 0 : LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    if (r->start.time.us != 0 && r->end.time.us != 0 && r->start.time.us > r->end.time.us + slack) {
        REPORT_FOUND(c, R_DATE_ORDER, report_part(r, "summary.end")->line, summary,
                     "it ended before it began");
    }
}

/* ---- impact ---- */

static int64_t check_number(struct report_check *c, const char *id, enum report_rule rule)
{
    const struct report_item *it = said(c, id);
    int64_t n = -1;
    size_t used;
    if (it == NULL) {
        return -1;
    }
    lt_slice text = report_plain(it->whole);
    if (report_number(text, &n, &used)) {
        bool goes_on = used < text.len && strchr(",.'", text.ptr[used]) != NULL && text.ptr[used] != 0 &&
                       is_digit(text, used + 1);
        if (goes_on) { /* "4,38": of which it is not known what was meant */
            REPORT_FOUND(c, rule, it->line, impact, "\"%.*s\": separators stand between threes",
                         LT_FMT(lt_slice_sub(text, 0, 40)));
            return -1;
        }
        return n;
    }
    if (!report_is_na(it->whole)) { /* what touched no certificate says so */
        REPORT_FOUND(c, rule, it->line, impact, "\"%.*s\" does not begin with a number", LT_FMT(it->value));
    }
    return -1;
}

/* "DV: 10, OV: 20": the sum of the numbers when each follows one of the words. */
static int64_t sum_of_types(lt_slice text, size_t *ret_parts, size_t *ret_named)
{
    static const char *const words[] = {"DV", "OV", "IV", "EV", "S/MIME", "DV:", "OV:", "IV:", "EV:"};
    lt_slice part;
    int64_t sum = 0;
    *ret_parts = 0;
    *ret_named = 0;
    for (size_t i = 0; i < text.len; i++) {
        for (size_t w = 0; w < 5; w++) {
            size_t len = strlen(words[w]);
            int64_t n;
            size_t used = 0;
            if (!lt_slice_eq_cstr(lt_slice_sub(text, i, len), words[w])) {
                continue;
            }
            (*ret_named)++;
            part = lt_slice_sub(text, i + len, text.len);
            while (part.len > 0 && strchr(": =(-", part.ptr[0]) != NULL && part.ptr[0] != 0) {
                part = lt_slice_sub(part, 1, part.len);
            }
            bool oid = false;
            if (report_number(part, &n, &used)) {
                oid = used < part.len && part.ptr[used] == '.' && is_digit(part, used + 1);
            }
            if (used > 0 && !oid) {
                sum += n;
                (*ret_parts)++;
            }
        }
    }
    return sum;
}

static void check_types(struct report_check *c)
{
    static const char *const words[] = {"dv",       "ov",          "iv", "ev", "s/mime", "ca certificate",
                                        "2.23.140", "code signing"};
    const struct report_item *it = said(c, "impact.types");
    bool known = false;
    size_t parts = 0;
    if (it == NULL || report_is_na(it->whole)) {
        return;
    }
    for (size_t i = 0; !known && i < LT_COUNT(words); i++) {
        known = report_has(it->whole, words[i]);
    }
    if (!known) {
        REPORT_FOUND(c, R_TYPES, it->line, impact, "none of DV, IV, OV, EV, S/MIME is named");
    }
    size_t named = 0;
    int64_t sum = sum_of_types(it->whole, &parts, &named);
    if (parts > 0 && parts == named && c->r->total >= 0 && sum != c->r->total) {
        REPORT_FOUND(c, R_TYPES_SUM, it->line, impact, "its numbers add up to %lld, the total is %lld",
                     (long long)sum, (long long)c->r->total);
    }
}

static size_t count_words(lt_slice s)
{
    size_t n = 0;
    bool in = false;
    for (size_t i = 0; i < s.len; i++) {
        bool blank = s.ptr[i] == ' ' || s.ptr[i] == '\n' || s.ptr[i] == '\t' || s.ptr[i] == '\r';
        n += !blank && !in;
        in = !blank;
    }
    return n;
}

static void check_stopped(struct report_check *c)
{
    const struct report_item *it = said(c, "impact.stopped");
    if (it == NULL) {
        return;
    }
    lt_slice s = report_trim(it->whole);
    while (s.len > 0 && s.ptr[0] == '*') {
        s = lt_slice_sub(s, 1, s.len);
    }
    bool yes = s.len >= 3 && lt_slice_eq_nocase(lt_slice_sub(s, 0, 3), LT_LIT("yes"));
    bool no = s.len >= 2 && lt_slice_eq_nocase(lt_slice_sub(s, 0, 2), LT_LIT("no")) &&
              (s.len == 2 || strchr(",.;:- *\n", s.ptr[2]) != NULL);
    if (!yes && !no) {
        REPORT_FOUND(c, R_STOPPED, it->line, impact, "\"%.*s\" begins with neither Yes nor No",
                     LT_FMT(lt_slice_sub(s, 0, 60)));
    } else if (count_words(s) < 4) {
        REPORT_FOUND(c, R_STOPPED_WHY, it->line, impact, "it says \"%.*s\", and not why", LT_FMT(s));
    }
}

static void check_heuristic(struct report_check *c)
{
    const struct report_item *it = said(c, "impact.heuristic");
    if (it != NULL && count_words(it->whole) < 3) {
        REPORT_FOUND(c, R_HEURISTIC, it->line, impact, "\"%.*s\" tells nobody how to find the certificates",
                     LT_FMT(it->whole));
    }
}

static void check_analysis(struct report_check *c)
{
    const struct report_item *it = said(c, "impact.analysis");
    if (!c->r->delayed || it == NULL) {
        return;
    }
    if (report_is_na(it->whole)) {
        REPORT_FOUND(c, R_ANALYSIS, it->line, impact,
                     "the revocation is delayed, and nothing is said of why it cannot be in time");
        return;
    }
    if (!report_has(it->whole, "harm") || !report_has(it->whole, "exceptional")) {
        REPORT_FOUND(c, R_ANALYSIS_THIN, it->line, impact,
                     "it does not speak of harm to third parties and of why this is exceptional");
    }
}

/* "Revoked: 1,706,505" among the lines of a delayed report; -1: not there. */
int64_t report_number_behind(const struct report_check *c, const char *words, size_t *ret_line)
{
    for (size_t i = 0; i < c->r->doc.count; i++) {
        const struct report_item *it = &c->r->doc.items[i];
        lt_slice s = it->kind == REPORT_BULLET || it->kind == REPORT_LINE ? it->value : (lt_slice){NULL, 0};
        size_t len = strlen(words);
        int64_t n;
        size_t used;
        if (s.len > len && lt_slice_eq_nocase(lt_slice_sub(s, 0, len), lt_slice_cstr(words)) &&
            report_number(report_trim(lt_slice_sub(s, len, s.len)), &n, &used)) {
            *ret_line = it->line;
            return n;
        }
    }
    return -1;
}

static void check_four_numbers(struct report_check *c)
{
    size_t line = 0;
    int64_t revoked = report_number_behind(c, "Revoked:", &line);
    int64_t waiting = report_number_behind(c, "Not yet revoked:", &line);
    int64_t expired = report_number_behind(c, "Planned but expired:", &line);
    if (!c->r->delayed || revoked < 0 || waiting < 0 || expired < 0 || c->r->total < 0) {
        return;
    }
    if (revoked + waiting + expired != c->r->total) {
        REPORT_FOUND(c, R_NUMBERS, line, impact,
                     "%lld revoked, %lld not yet and %lld expired are %lld, the total is %lld",
                     (long long)revoked, (long long)waiting, (long long)expired,
                     (long long)(revoked + waiting + expired), (long long)c->r->total);
    }
}

void report_check_fields(struct report_check *c)
{
    check_policies(c);
    check_source(c);
    if (c->r->kind != INCIDENT_REPORT_FULL) {
        return;
    }
    check_owner_id(c);
    check_dates(c);
    c->r->total = check_number(c, "impact.total", R_TOTAL);
    c->r->valid = check_number(c, "impact.valid", R_VALID);
    if (c->r->total >= 0 && c->r->valid > c->r->total) {
        REPORT_FOUND(c, R_VALID, report_part(c->r, "impact.valid")->line, impact,
                     "%lld are still valid, and %lld are there in all", (long long)c->r->valid,
                     (long long)c->r->total);
    }
    check_types(c);
    check_heuristic(c);
    check_stopped(c);
    check_analysis(c);
    check_four_numbers(c);
}
