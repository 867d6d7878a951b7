/* Our own daily report through every channel that people are told to use. Letters go out by themselves; to
 * the form and the API somebody comes from outside (lintel problem probe, once a day). What does not arrive
 * in time is an alarm, and so is a channel that was not tried for a day: a desk that hears nothing has not
 * nothing to do. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "crypto/digest.h"
#include "incident/notice.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.channels",
     "SELECT name, minutes, added_us FROM problem_channel WHERE name > '' AND removed_us = 0 ORDER BY name "
     "LIMIT 100"},
    {"problem.channel-put",
     "INSERT INTO problem_channel (name, minutes, added_us, added_by, removed_us) VALUES "
     "(?1, ?2, ?3, ?4, 0) ON CONFLICT (name) DO UPDATE SET minutes = excluded.minutes, "
     "added_us = excluded.added_us, added_by = excluded.added_by, removed_us = 0"},
    {"problem.channel-remove",
     "UPDATE problem_channel SET removed_us = ?2 WHERE name = ?1 AND removed_us = 0"},
    {"problem.probe-last",
     "SELECT sent_us, seen_us FROM problem_probe WHERE channel = ?1 ORDER BY sent_us DESC LIMIT 1"},
    {"problem.probe-add", "INSERT INTO problem_probe (channel, token_sha256, sent_us, due_us, seen_us, "
                          "alarmed_us) VALUES (?1, ?2, ?3, ?4, 0, 0)"},
    {"problem.probe-by-token", "SELECT channel, sent_us FROM problem_probe WHERE token_sha256 = ?1 LIMIT 1"},
    {"problem.probe-seen",
     "UPDATE problem_probe SET seen_us = ?3 WHERE channel = ?1 AND sent_us = ?2 AND seen_us = 0"},
    {"problem.probe-late",
     "SELECT channel, sent_us FROM problem_probe WHERE seen_us = 0 AND alarmed_us = 0 AND "
     "due_us <= ?1 ORDER BY due_us LIMIT 20"},
    {"problem.probe-alarmed", "UPDATE problem_probe SET alarmed_us = ?3 WHERE channel = ?1 AND sent_us = ?2"},
};
enum {
    SQL_CHANNELS,
    SQL_PUT,
    SQL_REMOVE,
    SQL_LAST,
    SQL_ADD,
    SQL_BY_TOKEN,
    SQL_SEEN,
    SQL_LATE,
    SQL_ALARMED,
};
const struct incident_sql incident_problem_probe_sql = {sql, LT_COUNT(sql)};

enum { CHANNELS_MAX = 100, LATE_MAX = 20, DAY = 86400, WORD_LEN = 16, GRACE_S = 3600, MINUTES_MAX = 1440 };
#define MAIL "mail "

struct channel {
    const char *name;
    int64_t minutes;
    int64_t added_us;
};

static bool is_mail(const char *name)
{
    return strncmp(name, MAIL, sizeof MAIL - 1) == 0;
}

static lt_res channels(struct ca_turn *t, struct channel list[CHANNELS_MAX], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(t->store, &sql[SQL_CHANNELS], STORE_NO_ARGS, &rows));
    while (n < CHANNELS_MAX && store_next(&rows)) {
        list[n] = (struct channel){lt_arena_cstr(t->arena, store_bytes(&rows, 0)), store_int(&rows, 1),
                                   store_int(&rows, 2)};
        LT_CHECK(list[n].name != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        n++;
    }
    LT_TRY(store_rows_end(&rows));
    *ret_count = n;
    return LT_OK;
}

static lt_res event(struct ca_turn *t, const char *kind, const char *channel, const char *words, lt_slice jws)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "channel", channel);
    ca_body_str(&b, "words", words);
    return ca_body_event(&b, t, kind, "desk", jws);
}

lt_res problem_channel_put(struct ca_turn *t, const char *name, int64_t minutes, const char *by, lt_slice jws)
{
    bool good = is_mail(name) ? strchr(name, '@') != NULL
                              : strcmp(name, "form") == 0 || strcmp(name, "api") == 0;
    LT_CHECK(good && strlen(name) <= 200, LT_PEER_MALFORMED,
             "\"%.100s\" is no channel: mail and an address, form, or api", name);
    LT_CHECK(minutes > 0 && minutes <= MINUTES_MAX, LT_PEER_MALFORMED, "from 1 to %d minutes", MINUTES_MAX);
    LT_TRY(store_exec(t->store, &sql[SQL_PUT],
                      STORE_ARGS(STORE_S(name), STORE_I(minutes), STORE_I(t->now.us), STORE_S(by)), NULL));
    return event(t, "problem.channel", name, "in use", jws);
}

lt_res problem_channel_remove(struct ca_turn *t, const char *name, lt_slice jws)
{
    int64_t changed = 0;
    LT_TRY(store_exec(t->store, &sql[SQL_REMOVE], STORE_ARGS(STORE_S(name), STORE_I(t->now.us)), &changed));
    LT_CHECK(changed > 0, LT_PEER_NOT_FOUND, "there is no channel \"%.100s\"", name);
    return event(t, "problem.channel", name, "not in use any more", jws);
}

lt_res problem_probe_send(struct ca_turn *t, const char *channel, const char **ret_word)
{
    struct channel list[CHANNELS_MAX];
    size_t count = 0;
    size_t at = 0;
    uint8_t random[WORD_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    LT_TRY(channels(t, list, &count));
    while (at < count && strcmp(list[at].name, channel) != 0) {
        at++;
    }
    LT_CHECK(at < count, LT_PEER_NOT_FOUND, "there is no channel \"%.100s\"; see lintel problem channel list",
             channel);
    t->random(random, sizeof random);
    *ret_word = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(*ret_word != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    crypto_sha256(lt_slice_cstr(*ret_word), hash);
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_S(channel), STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(t->now.us),
                                 STORE_I(lt_time_add_seconds(t->now, list[at].minutes * 60).us)),
                      NULL));
    LT_TRY(event(t, "problem.probe-sent", channel, "", (lt_slice){0}));
    if (!is_mail(channel)) {
        return LT_OK;
    }
    struct ca_body b;
    const char *params = NULL;
    int64_t notice = 0;
    ca_body_init(&b);
    ca_body_str(&b, "word", *ret_word);
    LT_TRY(ca_body_cstr(&b, t->arena, &params));
    const struct incident_notice n = {.kind = "problem-probe",
                                      .subject = "desk",
                                      .channel = "mail",
                                      .to = channel + sizeof MAIL - 1,
                                      .params = params};
    return incident_notice_add(t, &n, &notice);
}

lt_res problem_probe_seen(struct ca_turn *t, const char *word, bool *ret_probe)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct store_rows rows;
    const char *channel = NULL;
    int64_t sent = 0;
    crypto_sha256(lt_slice_cstr(word), hash);
    LT_TRY(
        store_query(t->store, &sql[SQL_BY_TOKEN], STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash))), &rows));
    if (store_next(&rows)) {
        channel = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        sent = store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    *ret_probe = channel != NULL;
    if (channel == NULL) {
        return LT_OK; /* a guess: it stays a report like any other */
    }
    LT_TRY(store_exec(t->store, &sql[SQL_SEEN],
                      STORE_ARGS(STORE_S(channel), STORE_I(sent), STORE_I(t->now.us)), NULL));
    return event(t, "problem.probe-arrived", channel, "", (lt_slice){0});
}

static lt_res alarm(struct ca_turn *t, const char *channel, const char *words)
{
    char *text = lt_arena_printf(t->arena, "%s: %s", channel, words);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    LT_TRY(event(t, "alarm.problem-channel", channel, words, (lt_slice){0}));
    return incident_page(t, "critical", "desk", text);
}

struct late {
    const char *channel;
    int64_t sent;
};

static lt_res late_ones(struct ca_turn *t)
{
    struct late list[LATE_MAX];
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(t->store, &sql[SQL_LATE], STORE_ARGS(STORE_I(t->now.us)), &rows));
    while (n < LATE_MAX && store_next(&rows)) {
        list[n] = (struct late){lt_arena_cstr(t->arena, store_bytes(&rows, 0)), store_int(&rows, 1)};
        LT_CHECK(list[n].channel != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        n++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < n; i++) {
        LT_TRY(store_exec(t->store, &sql[SQL_ALARMED],
                          STORE_ARGS(STORE_S(list[i].channel), STORE_I(list[i].sent), STORE_I(t->now.us)),
                          NULL));
        LT_TRY(alarm(t, list[i].channel, "our own report did not arrive: nobody's does"));
    }
    return LT_OK;
}

/* A channel that nobody tried for a day and an hour: its row is written as one that did not arrive. */
static lt_res untried(struct ca_turn *t, const struct channel *c)
{
    uint8_t random[CRYPTO_SHA256_LEN];
    t->random(random, sizeof random); /* nobody has a word for it */
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_S(c->name), STORE_B(LT_SLICE(random, sizeof random)),
                                 STORE_I(t->now.us), STORE_I(t->now.us)),
                      NULL));
    LT_TRY(store_exec(t->store, &sql[SQL_ALARMED],
                      STORE_ARGS(STORE_S(c->name), STORE_I(t->now.us), STORE_I(t->now.us)), NULL));
    return alarm(t, c->name, "nobody tried it for a day: run lintel problem probe from a timer");
}

static lt_res daily(struct ca_turn *t, const struct channel *c)
{
    struct store_rows rows;
    int64_t last = 0;
    const char *word = NULL;
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_ARGS(STORE_S(c->name)), &rows));
    last = store_next(&rows) ? store_int(&rows, 0) : 0;
    LT_TRY(store_rows_end(&rows));
    bool mail = is_mail(c->name);
    int64_t since = last == 0 && !mail ? c->added_us : last;
    int64_t after_s = mail ? DAY : DAY + GRACE_S;
    if (t->now.us < lt_time_add_seconds((lt_time){since}, after_s).us) {
        return LT_OK;
    }
    return mail ? problem_probe_send(t, c->name, &word) : untried(t, c);
}

lt_res problem_probe_beat(struct incident_beat *b, bool *ret_more)
{
    struct channel list[CHANNELS_MAX];
    size_t count = 0;
    (void)ret_more; /* a day is long */
    LT_TRY(late_ones(b->t));
    LT_TRY(channels(b->t, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(daily(b->t, &list[i]));
    }
    return LT_OK;
}
