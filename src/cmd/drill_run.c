/* One step after the other. A step is written down before it begins and when it is done; one that had begun
 * and was not done when the drill broke off is looked for (find, where), else done again: the desk refuses
 * what it has already done (a conflict), which then counts as done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/api.h"
#include "cmd/drill.h"

enum { AGAIN_MS = 100, AWAY_MS = 120000, SHOWN = 70 };

static void tell(const struct drill *d, const struct drill_step *s, const char *what)
{
    char time[LT_RFC3339_SIZE];
    if (d->c->json || s->say == NULL) {
        return;
    }
    lt_time_rfc3339(lt_now(), time);
    /* for looks alone */
    (void)printf("  %.10s %.5s  %-*s %s\n", time, time + 11, SHOWN, s->say, what);
    (void)fflush(stdout);
}

static bool is_conflict(const struct drill_answer *a)
{
    return strstr(a->words, "conflict") != NULL || strstr(a->words, "CONFLICT") != NULL;
}

/* The family, or one of its programs, was away, or went while it was asked: the same verb may work in a
 * moment. */
static bool is_away(const struct drill_answer *a)
{
    return a->status == CMD_UNAVAILABLE || strstr(a->words, "badNonce") != NULL ||
           strstr(a->words, "\"error\":\"closed\"") != NULL;
}

/* Of the answer's list the row that has what where says. */
static const json_t *find_row(struct drill *d, const json_t *answer, const char *where)
{
    lt_slice rest = lt_slice_cstr(where);
    size_t blank = lt_slice_find(rest, ' ');
    const json_t *list = drill_member(answer, lt_slice_sub(rest, 0, blank));
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (drill_holds(d, json_array_get(list, i), where + blank + 1)) {
            return json_array_get(list, i);
        }
    }
    return NULL;
}

/* A verb, or a question of the API by itself: "GET incidents/7/report". */
static lt_res ask(struct drill *d, char *const *words, struct drill_answer *ret_answer)
{
    if (words[0] == NULL || strcmp(words[0], "GET") != 0 || words[1] == NULL) {
        return drill_call(d, words, NULL, ret_answer);
    }
    *ret_answer = (struct drill_answer){0};
    lt_res r = cmd_api_get(&d->inner, words[1], &ret_answer->json);
    ret_answer->status = lt_failed(r) ? CMD_FAILED : CMD_DONE;
    return LT_OK;
}

/* Did a step that broke off come through? */
static lt_res look(struct drill *d, const struct drill_step *s, bool *ret_done)
{
    char *words[DRILL_WORDS_MAX];
    size_t count = 0;
    struct drill_answer a;
    *ret_done = false;
    LT_TRY(drill_words(d, s->find, words, &count));
    LT_TRY(ask(d, words, &a));
    const json_t *row = a.status == 0 ? find_row(d, a.json, s->where) : NULL;
    *ret_done = row != NULL;
    lt_res r = row != NULL && s->keep != NULL ? drill_keep(d, row, s->keep) : LT_OK;
    drill_answer_done(&a);
    return r;
}

static lt_res not_expected(const struct drill_step *s, const struct drill_answer *a)
{
    if (a->status == 0) {
        char *text = a->json == NULL ? NULL : json_dumps(a->json, JSON_COMPACT);
        lt_res r = lt_fail(LT_STATE_CORRUPT, __FILE__, __LINE__,
                           "step %.40s: not what was expected (%.60s): %.80s", s->id, s->expect,
                           text == NULL ? "" : text);
        free(text);
        return r;
    }
    LT_FAIL(LT_STATE_CORRUPT, "step %.40s: status %d: %.140s", s->id, a->status, a->words);
}

/* One call; *ret_done false: it has to be asked again. */
static lt_res once(struct drill *d, const struct drill_step *s, char *const *words, bool again,
                   bool *ret_done)
{
    struct drill_answer a;
    const char *input = NULL;
    lt_res r = LT_OK;
    *ret_done = true;
    LT_TRY(s->input == NULL ? LT_OK : drill_fill(d, lt_slice_cstr(s->input), &input));
    LT_TRY(drill_call(d, words, input, &a));
    d->done[s - d->scenario.steps].worked_ms += a.took_ms;
    bool refused = s->expect != NULL && strcmp(s->expect, "refused") == 0;
    if (is_away(&a)) {
        *ret_done = false;
    } else if (refused) {
        r = a.status != 0 ? LT_OK : not_expected(s, &a);
    } else if (again && a.status != 0 && is_conflict(&a)) {
        r = LT_OK; /* it had come through */
    } else if (a.status == CMD_FINDINGS && s->until != NULL) {
        *ret_done = false;
    } else if (a.status != 0) {
        r = not_expected(s, &a);
    } else if (s->until != NULL && strcmp(s->until, "clean") != 0 && !drill_holds(d, a.json, s->until)) {
        *ret_done = false;
    } else if (s->expect != NULL && !drill_holds(d, a.json, s->expect)) {
        r = not_expected(s, &a);
    } else if (s->keep != NULL) {
        r = drill_keep(d, a.json, s->keep);
    }
    drill_answer_done(&a);
    return r;
}

static lt_res run_verb(struct drill *d, const struct drill_step *s, bool again)
{
    char *words[DRILL_WORDS_MAX];
    size_t count = 0;
    bool done = false;
    int64_t patience_ms = s->until != NULL ? (int64_t)DRILL_PATIENCE_S * 1000 : AWAY_MS;
    int64_t until_ms = lt_monotonic_ms() + patience_ms;
    LT_TRY(drill_words(d, s->run, words, &count));
    LT_CHECK(count + 2 < DRILL_WORDS_MAX, LT_PEER_TOO_LARGE, "step %.40s has too many words", s->id);
    if (s->as != NULL) {
        words[count++] = lt_arena_printf(&d->c->arena, "--operator=%s", s->as);
        words[count] = NULL;
    }
    while (!done) {
        int restarts = d->restarts;
        LT_TRY(drill_family_alive(d));
        again |= restarts != d->restarts;
        LT_TRY(again && s->find != NULL ? look(d, s, &done) : LT_OK);
        if (done) {
            break;
        }
        LT_TRY(once(d, s, words, again, &done));
        if (!done) {
            again = again || s->until == NULL; /* whatever was away may have done it */
            LT_CHECK(lt_monotonic_ms() < until_ms, LT_RETRY_TIMEOUT, "step %.40s: not after %lld s%s%.40s",
                     s->id, (long long)patience_ms / 1000, s->until == NULL ? "" : ": ",
                     s->until == NULL ? "" : s->until);
            (void)usleep(AGAIN_MS * 1000);
        }
    }
    return LT_OK;
}

static lt_res wait_until(struct drill *d, const struct drill_step *s)
{
    int64_t span_us = 0;
    if (s->at == NULL) {
        return LT_OK;
    }
    LT_TRY(drill_span(s->at, &span_us));
    return d->detected_us == 0 ? LT_OK : drill_advance(d, d->detected_us + span_us);
}

static lt_res step(struct drill *d, size_t i)
{
    const struct drill_step *s = &d->scenario.steps[i];
    struct drill_done *done = &d->done[i];
    bool again = done->begun;
    LT_TRY(drill_family_alive(d));
    LT_TRY(wait_until(d, s));
    if (!again) {
        done->begun = true;
        done->begun_us = lt_now().us;
        d->detected_us = d->detected_us == 0 ? done->begun_us : d->detected_us;
        LT_TRY(drill_log_step(d, i, false));
    }
    if (s->run != NULL) {
        LT_TRY(run_verb(d, s, again));
    } else if (s->kill != NULL && !again) { /* once is enough: nobody knows whether it hit */
        lt_ignore(drill_family_kill(d, s->kill));
    }
    done->done = true;
    done->ended_us = lt_now().us;
    tell(d, s, again ? "(after a break)" : "");
    return drill_log_step(d, i, true);
}

static bool is_kept(const struct drill *d, const char *name)
{
    const char *value = json_string_value(json_object_get(d->kept, name));
    return value != NULL && value[0] != 0;
}

static bool is_wanted(const struct drill *d, const struct drill_step *s)
{
    return drill_in_mode(s->mode, d->mode) && (s->with == NULL || is_kept(d, s->with)) &&
           (s->without == NULL || !is_kept(d, s->without));
}

lt_res drill_steps(struct drill *d)
{
    int64_t begun_ms = lt_monotonic_ms();
    int64_t before_ms = d->worked_ms;
    for (size_t i = 0; i < d->scenario.step_count; i++) {
        if (d->done[i].done || !is_wanted(d, &d->scenario.steps[i])) {
            continue;
        }
        d->worked_ms = before_ms + lt_monotonic_ms() - begun_ms;
        LT_TRY(step(d, i));
    }
    d->worked_ms = before_ms + lt_monotonic_ms() - begun_ms;
    return LT_OK;
}
