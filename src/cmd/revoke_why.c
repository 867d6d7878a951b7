/* Why certificates are revoked: reason, cause and clocks, as the command line gives them. */
#include <stdio.h>
#include <string.h>

#include "ca/reasons.h"
#include "ca/revoke.h"
#include "cmd/api.h"
#include "cmd/mass.h"

enum { WORDS_SIZE = 1024 };

lt_res cmd_reason(const char *name, int *ret_reason)
{
    uint32_t reason = 0;
    lt_res r = ca_reason_parse(lt_slice_cstr(name), &reason);
    LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "%.180s", lt_error_last()->detail);
    *ret_reason = (int)reason;
    return LT_OK;
}

static lt_res read_time(const struct cmd *c, const char *option, lt_time *ret_time)
{
    const char *value = cmd_value(c, option);
    *ret_time = (lt_time){0};
    if (value == NULL) {
        return LT_OK;
    }
    lt_res r = lt_time_parse(lt_slice_cstr(value), ret_time);
    LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "--%s: write it as 2026-11-22T10:00:00Z", option);
    return LT_OK;
}

/* The names of those in force, for who has mistyped one. */
static void list_causes(lt_time when, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ca_cause_count; i++) {
        const struct ca_cause *c = &ca_causes[i];
        bool tls = strcmp(c->kind, "tls") == 0;
        if (tls && ca_cause_at(lt_slice_cstr(c->name), c->kind, when) == c && used < size) {
            int n = snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ", c->name);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

lt_res cmd_why(struct cmd *c, struct cmd_why *ret_why)
{
    const char *cause = cmd_value(c, "cause");
    const char *reason = cmd_value(c, "reason");
    struct cmd_why w = {.now = lt_now()};
    LT_TRY(read_time(c, "aware", &w.aware));
    LT_TRY(read_time(c, "dated-back-to", &w.dated));
    LT_CHECK(w.aware.us <= w.now.us, LT_PEER_USAGE, "--aware: nobody knows of the future");
    if (reason != NULL) {
        LT_TRY(cmd_reason(reason, &w.reason));
        cause = ca_cause_given(cause, (uint32_t)w.reason);
        cause = cause[0] == '\0' ? NULL : cause;
    }
    LT_CHECK(cause != NULL || (w.aware.us == 0 && cmd_value(c, "late-because") == NULL), LT_PEER_USAGE,
             "--aware and --late-because go with --cause: without a cause no clock runs");
    w.aware = w.aware.us == 0 ? w.now : w.aware;
    if (cause != NULL) {
        w.cause = ca_cause_find(lt_slice_cstr(cause), w.aware);
        if (w.cause == NULL) {
            char words[WORDS_SIZE];
            list_causes(w.aware, words, sizeof words);
            (void)fprintf(stderr, "causes: %s\n", words);
            LT_FAIL(LT_PEER_USAGE, "there is no cause \"%.60s\"", cause);
        }
        w.clocks = ca_cause_clocks(w.cause, w.aware);
    }
    const char *of_cause = w.cause == NULL ? "unspecified" : ca_reason_name(w.cause->reason);
    LT_TRY(cmd_reason(reason == NULL ? of_cause : reason, &w.reason));
    w.reason_name = reason == NULL ? of_cause : reason;
    LT_CHECK(w.cause == NULL || (uint32_t)w.reason == w.cause->reason, LT_PEER_USAGE,
             "the reason of %s is %s (%s): leave --reason out", w.cause->name, of_cause, w.cause->section);
    LT_CHECK(w.dated.us == 0 || w.reason == CA_REASON_KEY_COMPROMISE, LT_PEER_USAGE,
             "--dated-back-to: only a key compromise may be dated back");
    *ret_why = w;
    return LT_OK;
}

static lt_res put_text(const struct cmd *c, json_t *payload, const char *option)
{
    const char *value = cmd_value(c, option);
    LT_CHECK(value == NULL || json_object_set_new(payload, option, json_string(value)) == 0, LT_PEER_USAGE,
             "--%s is no UTF-8", option);
    return LT_OK;
}

lt_res cmd_why_put(struct cmd *c, const struct cmd_why *w, json_t *payload)
{
    LT_ASSERT(json_object_set_new(payload, "reason", json_integer(w->reason)) == 0);
    LT_TRY(put_text(c, payload, "cause"));
    LT_TRY(put_text(c, payload, "late-because"));
    LT_TRY(put_text(c, payload, "aware"));
    return put_text(c, payload, "dated-back-to");
}

/* "3 d 4 h", "59 min", "over since 2 h". */
static void say_left(int64_t seconds, char *out, size_t size)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    const char *before = seconds < 0 ? "over since " : "";
    const char *behind = seconds < 0 ? "" : " left";
    long long s = seconds < 0 ? (long long)-seconds : (long long)seconds;
    if (s >= DAY) {
        (void)snprintf(out, size, "%s%lld d %lld h%s", before, s / DAY, s % DAY / HOUR, behind);
    } else if (s >= HOUR) {
        (void)snprintf(out, size, "%s%lld h %lld min%s", before, s / HOUR, s % HOUR / MINUTE, behind);
    } else {
        (void)snprintf(out, size, "%s%lld min%s", before, s / MINUTE, behind);
    }
}

static lt_res show_clock(const struct cmd *c, const char *name, const char *words, lt_time due, lt_time now,
                         json_t *into)
{
    char when[LT_RFC3339_SIZE];
    char left[64];
    if (due.us == 0) {
        return LT_OK;
    }
    int64_t seconds = (due.us - now.us) / LT_US_PER_SECOND;
    lt_time_rfc3339(due, when);
    say_left(seconds, left, sizeof left);
    json_t *one = json_pack("{s:s, s:I}", "due", when, "seconds_left", (json_int_t)seconds);
    LT_ASSERT(one != NULL && json_object_set_new(into, name, one) == 0);
    return c->json ? LT_OK : cmd_printf("clock  %s  %s %s\n", when, words, left);
}

lt_res cmd_why_show(const struct cmd *c, const struct cmd_why *w, json_t *into)
{
    if (w->cause == NULL) {
        return LT_OK;
    }
    json_t *clocks = json_object();
    LT_ASSERT(clocks != NULL && json_object_set_new(into, "clocks", clocks) == 0);
    LT_ASSERT(json_object_set_new(into, "cause", json_string(w->cause->name)) == 0 &&
              json_object_set_new(into, "section", json_string(w->cause->section)) == 0);
    if (!c->json) {
        LT_TRY(cmd_printf("cause  %s: %s (%s)\n", w->cause->name, w->cause->words, w->cause->section));
    }
    LT_TRY(show_clock(c, "should", "is aimed at:", w->clocks.should, w->now, clocks));
    LT_TRY(show_clock(c, "must", "is the end:  ", w->clocks.must, w->now, clocks));
    bool late = w->clocks.should.us != 0 && w->now.us > w->clocks.should.us;
    return late && cmd_value(c, "late-because") == NULL && !c->json
               ? cmd_printf("       the first clock has run out: --late-because TEXT is wanted\n")
               : LT_OK;
}

void cmd_say_clocks(const json_t *certificate, struct lt_buf *out)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(certificate, "clocks"), i, row)
    {
        const char *should = cmd_text(row, "should");
        const char *late = cmd_text(row, "late_because");
        lt_buf_addf(out, "  clock       %s (%s), known %s: %s%s%s%s%s\n", cmd_text(row, "cause"),
                    cmd_text(row, "section"), cmd_text(row, "aware"), should,
                    should[0] == 0 ? "" : " aimed at, ", cmd_text(row, "must"),
                    late[0] == 0 ? "" : "; late: ", late);
    }
    const json_t *hold = json_object_get(certificate, "hold");
    if (hold != NULL) {
        lt_buf_addf(out, "  held        not to be revoked since %s: %s (%s)\n", cmd_text(hold, "since"),
                    cmd_text(hold, "reason"), cmd_text(hold, "reference"));
    }
}
