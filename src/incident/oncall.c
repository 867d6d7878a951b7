/* Who is on call, and alarms that go from one to the next until somebody has them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/seal.h"
#include "crypto/digest.h"
#include "incident/notice_private.h"
#include "incident/pages.h"

#define PAGE_COLUMNS                                                                                 \
    "SELECT id, severity, subject, words, status, level, opened_us, ended_us, ended_by, token FROM " \
    "oncall_page WHERE "

static const struct store_sql sql[] = {
    {"oncall.people",
     "SELECT name, place, mail, hook FROM oncall_person WHERE name > '' ORDER BY name LIMIT 100"},
    {"oncall.rota", "SELECT start_us, turn_s, step_s FROM oncall_rota WHERE id = 1"},
    {"oncall.overrides", "SELECT id, person, from_us FROM oncall_override WHERE until_us > ?1 ORDER BY "
                         "until_us LIMIT 1000"},
    {"oncall.page-last", "SELECT coalesce(max(id), 0) FROM oncall_page"},
    {"oncall.page-add",
     "INSERT INTO oncall_page (id, severity, subject, words, status, level, due_us, opened_us, ended_us, "
     "ended_by, token_sha256, token) VALUES (?1, ?2, ?3, ?4, 'calling', 0, ?5, ?5, 0, '', ?6, ?7)"},
    {"oncall.page", PAGE_COLUMNS "id = ?1"},
    {"oncall.page-by-token", PAGE_COLUMNS "token_sha256 = ?1"},
    {"oncall.pages-of",
     "SELECT words FROM oncall_page WHERE subject = ?1 AND status = 'calling' ORDER BY subject LIMIT 100"},
    {"oncall.due",
     "SELECT id FROM oncall_page WHERE status = 'calling' AND due_us <= ?1 ORDER BY due_us LIMIT 20"},
    {"oncall.step", "UPDATE oncall_page SET level = ?2, due_us = ?3 WHERE id = ?1"},
    {"oncall.end",
     "UPDATE oncall_page SET status = ?2, ended_us = ?3, ended_by = ?4, token = x'' WHERE id = ?1"},
};
enum {
    SQL_PEOPLE,
    SQL_ROTA,
    SQL_OVERRIDES,
    SQL_LAST,
    SQL_ADD,
    SQL_PAGE,
    SQL_BY_TOKEN,
    SQL_PAGES_OF,
    SQL_DUE,
    SQL_STEP,
    SQL_END,
};
const struct incident_sql incident_oncall_sql = {sql, LT_COUNT(sql)};

enum { PEOPLE_MAX = 100, DUE_MAX = 20, STEP_S = 600, WORDS_MAX = 4000 };

static const struct {
    const char *name;
    bool goes_on; /* to the next, after a step */
    bool again;   /* and from the beginning, when all were called */
} severities[] = {{"critical", true, true}, {"high", true, false}, {"low", false, false}};

struct person {
    const char *name;
    int64_t place;
    const char *mail;
    const char *hook;
};

struct rota {
    struct person people[PEOPLE_MAX]; /* the one who has it first, then in turn, then those outside of it */
    size_t count;
    int64_t step_s;
};

static const char *text_of(struct ca_turn *t, const struct store_rows *rows, int column)
{
    const char *text = lt_arena_cstr(t->arena, store_bytes(rows, column));
    return text == NULL ? "" : text;
}

/* ---- who ---- */

static lt_res load_people(struct ca_turn *t, struct rota *r)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_PEOPLE], STORE_NO_ARGS, &rows));
    while (r->count < PEOPLE_MAX && store_next(&rows)) {
        r->people[r->count++] = (struct person){text_of(t, &rows, 0), store_int(&rows, 1),
                                                text_of(t, &rows, 2), text_of(t, &rows, 3)};
    }
    return store_rows_end(&rows);
}

/* The last one that was said for that time. */
static lt_res override_at(struct ca_turn *t, lt_time when, const char **ret_person)
{
    struct store_rows rows;
    int64_t best = 0;
    *ret_person = "";
    LT_TRY(store_query(t->store, &sql[SQL_OVERRIDES], STORE_ARGS(STORE_I(when.us)), &rows));
    while (store_next(&rows)) {
        if (store_int(&rows, 2) <= when.us && store_int(&rows, 0) > best) {
            best = store_int(&rows, 0);
            *ret_person = text_of(t, &rows, 1);
        }
    }
    return store_rows_end(&rows);
}

static bool before(const struct person *a, const struct person *b)
{
    bool a_in = a->place > 0;
    bool b_in = b->place > 0;
    return a_in != b_in ? a_in : a->place != b->place ? a->place < b->place : strcmp(a->name, b->name) < 0;
}

static void sort(struct rota *r)
{
    for (size_t i = 1; i < r->count; i++) {
        struct person p = r->people[i];
        size_t at = i;
        for (; at > 0 && before(&p, &r->people[at - 1]); at--) {
            r->people[at] = r->people[at - 1];
        }
        r->people[at] = p;
    }
}

/* The first `in` places turned until the one at `first` is at the front. */
static void turn(struct rota *r, size_t in, size_t first)
{
    struct person old[PEOPLE_MAX];
    memcpy(old, r->people, sizeof old);
    for (size_t i = 0; i < in; i++) {
        r->people[i] = old[(first + i) % in];
    }
}

static void put_first(struct rota *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->people[i].name, name) == 0) {
            struct person p = r->people[i];
            memmove(&r->people[1], &r->people[0], i * sizeof p);
            r->people[0] = p;
            return;
        }
    }
}

static lt_res load_rota(struct ca_turn *t, lt_time when, struct rota *r)
{
    struct store_rows rows;
    const char *other = "";
    int64_t start_us = 0;
    int64_t turn_s = 0;
    *r = (struct rota){.step_s = STEP_S};
    LT_TRY(load_people(t, r));
    LT_TRY(store_query(t->store, &sql[SQL_ROTA], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        start_us = store_int(&rows, 0);
        turn_s = store_int(&rows, 1);
        r->step_s = store_int(&rows, 2);
    }
    LT_TRY(store_rows_end(&rows));
    sort(r);
    size_t in = 0;
    while (in < r->count && r->people[in].place > 0) {
        in++;
    }
    if (in > 0 && turn_s > 0 && when.us > start_us) {
        turn(r, in, (size_t)((when.us - start_us) / LT_US_PER_SECOND / turn_s % (int64_t)in));
    }
    LT_TRY(override_at(t, when, &other));
    put_first(r, other);
    return LT_OK;
}

lt_res incident_oncall_now(struct ca_turn *t, lt_time when, const char **ret_name)
{
    struct rota r;
    LT_TRY(load_rota(t, when, &r));
    *ret_name = r.count == 0 ? "" : r.people[0].name;
    return LT_OK;
}

/* ---- alarms ---- */

struct page {
    int64_t id; /* 0: there is none */
    const char *severity;
    const char *subject;
    const char *words;
    bool calling;
    int64_t level;
    lt_time opened;
    lt_time ended;
    const char *ended_by;
    lt_slice token; /* sealed */
};

static lt_res load(struct ca_turn *t, const struct store_sql *q, struct store_value key, struct page *p)
{
    struct store_rows rows;
    *p = (struct page){.id = 0};
    LT_TRY(store_query(t->store, q, &key, 1, &rows));
    if (store_next(&rows)) {
        *p = (struct page){
            .id = store_int(&rows, 0),
            .severity = text_of(t, &rows, 1),
            .subject = text_of(t, &rows, 2),
            .words = text_of(t, &rows, 3),
            .calling = lt_slice_eq_cstr(store_bytes(&rows, 4), "calling"),
            .level = store_int(&rows, 5),
            .opened = {store_int(&rows, 6)},
            .ended = {store_int(&rows, 7)},
            .ended_by = text_of(t, &rows, 8),
            .token = lt_arena_copy(t->arena, store_bytes(&rows, 9)),
        };
    }
    return store_rows_end(&rows);
}

static lt_res say(struct ca_turn *t, const struct page *p, const char *kind, const char *who, lt_slice jws)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "page", p->id);
    ca_body_str(&b, "severity", p->severity);
    ca_body_str(&b, "words", p->words);
    ca_body_int(&b, "step", p->level + 1);
    ca_body_int(&b, "after_s", (t->now.us - p->opened.us) / LT_US_PER_SECOND);
    ca_body_str(&b, "who", who);
    return ca_body_event(&b, t, kind, p->subject, jws);
}

static const char *seal_id(int64_t id, char text[CA_SEAL_ID_MAX])
{
    (void)snprintf(text, CA_SEAL_ID_MAX, "oncall %lld", (long long)id); /* it fits */
    return text;
}

/* Without a seal there is no link: the alarm goes out all the same. */
static const char *link_of(struct ca_turn *t, const struct page *p)
{
    char id[CA_SEAL_ID_MAX];
    lt_slice token;
    if (p->token.len == 0 ||
        lt_failed(ca_seal_open(t->book->seal, seal_id(p->id, id), p->token, t->arena, &token))) {
        return "(no link: the CA has no key to seal one with)";
    }
    const char *url = lt_arena_printf(t->arena, "%s/oncall/%.*s", t->book->base_url, LT_FMT(token));
    return url == NULL ? "" : url;
}

static lt_res params_of(struct ca_turn *t, const struct page *p, const char **ret_json)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "severity", p->severity);
    ca_body_str(&b, "words", p->words);
    ca_body_int(&b, "page_id", p->id);
    ca_body_time(&b, "since", p->opened);
    ca_body_str(&b, "ack", link_of(t, p));
    ca_body_int(&b, "step", p->level + 1);
    return ca_body_cstr(&b, t->arena, ret_json);
}

static lt_res call_person(struct ca_turn *t, const struct page *p, const struct person *who)
{
    struct incident_notice n = {.kind = "alarm", .subject = p->subject};
    int64_t id = 0;
    LT_TRY(params_of(t, p, &n.params));
    if (who->mail[0] != '\0') {
        n.channel = "mail";
        n.to = who->mail;
        LT_TRY(incident_notice_add(t, &n, &id));
        LT_TRY(incident_notice_send_now(t, id));
    }
    if (who->hook[0] != '\0' && !lt_failed(incident_hook_known(t, who->hook))) {
        n.channel = "webhook";
        n.to = who->hook;
        LT_TRY(incident_notice_add(t, &n, &id));
        LT_TRY(incident_notice_send_now(t, id));
    }
    return say(t, p, "oncall.called", who->name, (lt_slice){0});
}

static lt_res end(struct ca_turn *t, const struct page *p, const char *status, const char *by)
{
    return store_exec(t->store, &sql[SQL_END],
                      STORE_ARGS(STORE_I(p->id), STORE_S(status), STORE_I(t->now.us), STORE_S(by)), NULL);
}

/* Calls whose turn it is, and says when the next is. */
static lt_res step(struct ca_turn *t, const struct page *p)
{
    struct rota r;
    size_t severity = 0;
    LT_TRY(load_rota(t, t->now, &r));
    while (severity + 1 < LT_COUNT(severities) && strcmp(severities[severity].name, p->severity) != 0) {
        severity++;
    }
    bool over = p->level >= (int64_t)r.count && !severities[severity].again && r.count > 0;
    if (over) {
        LT_TRY(end(t, p, "said", ""));
        return severities[severity].goes_on ? say(t, p, "oncall.unanswered", "", (lt_slice){0}) : LT_OK;
    }
    LT_TRY(r.count == 0 ? say(t, p, "oncall.nobody", "", (lt_slice){0})
                        : call_person(t, p, &r.people[p->level % (int64_t)r.count]));
    if (!severities[severity].goes_on) {
        return end(t, p, "said", "");
    }
    lt_time due = lt_time_add_seconds(t->now, r.step_s);
    return store_exec(t->store, &sql[SQL_STEP],
                      STORE_ARGS(STORE_I(p->id), STORE_I(p->level + (r.count > 0 ? 1 : 0)), STORE_I(due.us)),
                      NULL);
}

static lt_res calling_already(struct ca_turn *t, const char *subject, const char *words, bool *ret_is)
{
    struct store_rows rows;
    *ret_is = false;
    LT_TRY(store_query(t->store, &sql[SQL_PAGES_OF], STORE_ARGS(STORE_S(subject)), &rows));
    while (store_next(&rows)) {
        *ret_is = *ret_is || lt_slice_eq_cstr(store_bytes(&rows, 0), words);
    }
    return store_rows_end(&rows);
}

static lt_res add(struct ca_turn *t, struct page *p)
{
    uint8_t random[INCIDENT_TOKEN_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    char id[CA_SEAL_ID_MAX];
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_NO_ARGS, &rows));
    p->id = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    LT_TRY(store_rows_end(&rows));
    t->random(random, sizeof random);
    char *token = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "the alarm is too large");
    crypto_sha256(lt_slice_cstr(token), hash);
    if (lt_failed(ca_seal_close(t->book->seal, t->random, seal_id(p->id, id), lt_slice_cstr(token), t->arena,
                                &p->token))) {
        p->token = (lt_slice){0};
    }
    return store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(p->id), STORE_S(p->severity), STORE_S(p->subject), STORE_S(p->words),
                                 STORE_I(t->now.us), STORE_B(LT_SLICE(hash, sizeof hash)), STORE_B(p->token)),
                      NULL);
}

lt_res incident_page(struct ca_turn *t, const char *severity, const char *subject, const char *words)
{
    struct page p = {.severity = severity, .subject = subject, .opened = t->now, .calling = true};
    bool known = false;
    bool already = false;
    for (size_t i = 0; i < LT_COUNT(severities); i++) {
        known = known || strcmp(severities[i].name, severity) == 0;
    }
    LT_CHECK(known, LT_PEER_MALFORMED, "\"%.40s\" is no severity; there are critical, high and low",
             severity);
    p.words = lt_arena_cstr(t->arena, lt_slice_sub(lt_slice_cstr(words), 0, WORDS_MAX));
    LT_CHECK(p.words != NULL, LT_PEER_TOO_LARGE, "the alarm is too large");
    LT_TRY(calling_already(t, subject, p.words, &already));
    if (already) {
        return LT_OK;
    }
    LT_TRY(add(t, &p));
    return step(t, &p);
}

lt_res incident_oncall_due(struct ca_turn *t)
{
    int64_t ids[DUE_MAX];
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(t->store, &sql[SQL_DUE], STORE_ARGS(STORE_I(t->now.us)), &rows));
    while (count < DUE_MAX && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        struct page p;
        LT_TRY(load(t, &sql[SQL_PAGE], STORE_I(ids[i]), &p));
        LT_TRY(step(t, &p));
    }
    return LT_OK;
}

static lt_res acknowledge(struct ca_turn *t, const struct page *p, const char *by, lt_slice jws)
{
    LT_TRY(end(t, p, "acknowledged", by));
    return say(t, p, "oncall.acknowledged", by, jws);
}

lt_res incident_oncall_ack(struct ca_turn *t, int64_t id, const char *by, const char *note, lt_slice jws,
                           const char **ret_by)
{
    struct page p;
    LT_TRY(load(t, &sql[SQL_PAGE], STORE_I(id), &p));
    LT_CHECK(p.id != 0, LT_PEER_NOT_FOUND, "there is no alarm %lld", (long long)id);
    *ret_by = p.calling || p.ended_by[0] == '\0' ? by : p.ended_by;
    if (!p.calling && p.ended_by[0] != '\0') {
        return LT_OK;
    }
    if (note[0] != '\0') {
        char *words = lt_arena_printf(t->arena, "%s (%s)", by, note);
        LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "the note is too large");
        return acknowledge(t, &p, words, jws);
    }
    return acknowledge(t, &p, by, jws);
}

/* ---- the link in a letter ---- */

static lt_res show(struct acme_page *a, const struct page *p)
{
    char since[LT_RFC3339_SIZE];
    lt_time_rfc3339(p->opened, since);
    LT_TRY(acme_page_title(a, 200, p->calling ? "Do you have this alarm?" : "This alarm is answered"));
    LT_TRY(acme_page_text(a, p->words));
    LT_TRY(acme_page_row(a, "About", p->subject));
    LT_TRY(acme_page_row(a, "Severity", p->severity));
    LT_TRY(acme_page_row(a, "Since", since));
    if (p->calling) {
        LT_TRY(acme_page_text(a, "Nothing has happened by opening this page. Who says yes takes care of it: "
                                 "nobody else is called."));
        LT_TRY(acme_page_button(a, "ack", "Yes, I have it"));
    } else {
        LT_TRY(acme_page_row(a, "Answered by", p->ended_by[0] == '\0' ? "nobody" : p->ended_by));
    }
    return acme_page_answer(a);
}

lt_res incident_oncall_page(struct acme_page *a)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct page p;
    crypto_sha256(lt_slice_cstr(a->m->token), hash);
    LT_TRY(load(a->turn, &sql[SQL_BY_TOKEN], STORE_B(LT_SLICE(hash, sizeof hash)), &p));
    if (p.id == 0) {
        return acme_page_unknown(a);
    }
    if (a->m->post && p.calling && strcmp(acme_page_field(a, "do"), "ack") == 0) {
        char *by = lt_arena_printf(a->turn->arena, "its link, from %s", a->m->remote_address);
        LT_CHECK(by != NULL, LT_PEER_TOO_LARGE, "the page is too large");
        LT_TRY(acknowledge(a->turn, &p, by, (lt_slice){0}));
        p.calling = false;
        p.ended_by = by;
    }
    return show(a, &p);
}
