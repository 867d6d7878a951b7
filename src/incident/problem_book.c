/* A report in the book: opened, loaded, moved, said something about, ranked. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/reasons.h"
#include "ca/seal.h"
#include "crypto/digest.h"
#include "incident/clock.h"
#include "incident/problem_private.h"

#define COLUMNS                                                                                             \
    "SELECT id, status, kind, channel, received_us, contact, reporter, may_name, authority, title, cause, " \
    "clause, upload, form, raw_sha256, raw_bytes, reading, tries, message, link, rank, rank_why, same_as, " \
    "incident, acknowledged_us, found_us, told_us, decision FROM problem WHERE "

static const struct store_sql sql[] = {
    {"problem.get", COLUMNS "id = ?1"},
    {"problem.by-link", COLUMNS "link_sha256 = ?1 LIMIT 1"},
    {"problem.by-raw",
     "SELECT id, channel, contact FROM problem WHERE raw_sha256 = ?1 AND status <> 'closed' ORDER BY id "
     "LIMIT 100"},
    {"problem.next", "SELECT coalesce(max(id), 0) + 1 FROM problem"},
    {"problem.add",
     "INSERT INTO problem (id, status, kind, channel, received_us, recorded_us, sent_us, contact, reporter, "
     "may_name, authority, title, cause, clause, upload, form, raw_sha256, raw_bytes, kept_sha256, reading, "
     "tries, due_us, message, link, link_sha256, rank, rank_why, same_as, incident, bug, acknowledged_us, "
     "triaged_us, found_us, told_us, decision, revoked_us, closed_us) VALUES (?1, 'received', 'report', ?2, "
     "?3, ?4, ?5, "
     "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, 0, '', ?19, ?20, 30, 'not read yet', "
     "0, "
     "0, '', 0, 0, 0, 0, '', 0, 0)"},
    {"problem.step", "UPDATE problem SET status = ?2, closed_us = ?3 WHERE id = ?1"},
    {"problem.rank", "UPDATE problem SET rank = ?2, rank_why = ?3 WHERE id = ?1"},
    {"problem.link", "UPDATE problem SET incident = ?2 WHERE id = ?1"},
    {"problem.word-next", "SELECT coalesce(max(idx), -1) + 1 FROM problem_word WHERE problem = ?1"},
    {"problem.word-add",
     "INSERT INTO problem_word (problem, idx, at_us, kind, by_whom, to_whom, shown, text, notice) VALUES "
     "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
};
enum {
    SQL_GET,
    SQL_BY_LINK,
    SQL_BY_RAW,
    SQL_NEXT,
    SQL_ADD,
    SQL_STEP,
    SQL_RANK,
    SQL_LINK,
    SQL_WORD_NEXT,
    SQL_WORD_ADD,
};
const struct incident_sql incident_problem_sql = {sql, LT_COUNT(sql)};

enum { LINK_LEN = 18, SEAL_ID_SIZE = 40, PROVEN_RANK = 100 };

static const char *const channels[] = {"mail", "form", "api", "phone", "acme", NULL};
static const char *const authorities[] = {"subscriber", "domain", "key", "supplier", "law", "other", NULL};

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0) {
        words++;
    }
    return *words != NULL;
}

/* ---- rows ---- */

lt_res problem_subject(struct ca_turn *t, int64_t id, const char **ret_subject)
{
    *ret_subject = lt_arena_printf(t->arena, "problem %lld", (long long)id);
    LT_CHECK(*ret_subject != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return LT_OK;
}

static const char *text_of(struct ca_turn *t, const struct store_rows *rows, int column)
{
    return lt_arena_cstr(t->arena, store_bytes(rows, column));
}

static lt_res read_row(struct ca_turn *t, const struct store_rows *rows, struct incident_problem *p)
{
    const char **const texts[] = {
        [1] = &p->status,    [2] = &p->kind,     [3] = &p->channel,   [5] = &p->contact,  [6] = &p->reporter,
        [8] = &p->authority, [9] = &p->title,    [10] = &p->cause,    [11] = &p->clause,  [13] = &p->form,
        [16] = &p->reading,  [18] = &p->message, [21] = &p->rank_why, [27] = &p->decision};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        if (texts[i] != NULL) {
            *texts[i] = text_of(t, rows, (int)i);
            LT_CHECK(*texts[i] != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        }
    }
    p->id = store_int(rows, 0);
    p->received_us = store_int(rows, 4);
    p->may_name = store_int(rows, 7) != 0;
    p->upload = lt_arena_copy(t->arena, store_bytes(rows, 12));
    p->raw_sha256 = lt_arena_copy(t->arena, store_bytes(rows, 14));
    p->raw_bytes = store_int(rows, 15);
    p->tries = store_int(rows, 17);
    p->link = lt_arena_copy(t->arena, store_bytes(rows, 19));
    p->rank = store_int(rows, 20);
    p->same_as = store_int(rows, 22);
    p->incident = store_int(rows, 23);
    p->acknowledged_us = store_int(rows, 24);
    p->found_us = store_int(rows, 25);
    p->told_us = store_int(rows, 26);
    LT_CHECK(p->upload.ptr != NULL && p->raw_sha256.ptr != NULL && p->link.ptr != NULL, LT_PEER_TOO_LARGE,
             "problem: too much at once");
    return LT_OK;
}

static lt_res find(struct ca_turn *t, int statement, struct store_value key, struct incident_problem *p)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    *p = (struct incident_problem){.id = 0};
    LT_TRY(store_query(t->store, &sql[statement], &key, 1, &rows));
    if (store_next(&rows)) {
        r = read_row(t, &rows, p);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res problem_load(struct ca_turn *t, int64_t id, struct incident_problem *ret_p)
{
    LT_TRY(find(t, SQL_GET, STORE_I(id), ret_p));
    LT_CHECK(ret_p->id != 0, LT_PEER_NOT_FOUND, "there is no problem report %lld", (long long)id);
    return LT_OK;
}

lt_res problem_by_link(struct ca_turn *t, lt_slice token, struct incident_problem *ret_p)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(token, hash);
    return find(t, SQL_BY_LINK, STORE_B(LT_SLICE(hash, sizeof hash)), ret_p);
}

static lt_res number(struct ca_turn *t, int statement, const struct store_value *values, size_t count,
                     int64_t *ret_number)
{
    struct store_rows rows;
    *ret_number = 0;
    LT_TRY(store_query(t->store, &sql[statement], values, count, &rows));
    if (store_next(&rows)) {
        *ret_number = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* From the receipt on, whatever happened since. One that was met stays met. */
static lt_res start_clock(struct ca_turn *t, int64_t id, lt_time received, const char *evidence)
{
    const char *subject = NULL;
    int64_t clock = 0;
    LT_TRY(problem_subject(t, id, &subject));
    /*= CABF-BR 4.9.5 "Within 24 hours after receiving a Certificate Problem Report, the CA SHALL investigate
     *  the facts and circumstances related to a Certificate Problem Report and provide a preliminary report
     * on its findings to both the Subscriber and the entity who filed the Certificate Problem Report." */
    const struct incident_clock_start s = {
        .duty = "cpr-findings", .subject = subject, .start = received, .evidence = evidence};
    return incident_clock_open(t, &s, &clock);
}

lt_res problem_step(struct ca_turn *t, struct incident_problem *p, const char *event)
{
    const char *to = incident_problem_next(p->status, event);
    LT_CHECK(to != NULL, LT_PEER_CONFLICT, "problem %lld is %s: it cannot be told \"%s\"", (long long)p->id,
             p->status, event);
    bool again = strcmp(p->status, "closed") == 0;
    p->status = to;
    LT_TRY(again ? start_clock(t, p->id, (lt_time){p->received_us}, "it was opened again") : LT_OK);
    return store_exec(
        t->store, &sql[SQL_STEP],
        STORE_ARGS(STORE_I(p->id), STORE_S(to), STORE_I(strcmp(to, "closed") == 0 ? t->now.us : 0)), NULL);
}

/* ---- the word of its page ---- */

static const char *seal_id(struct ca_turn *t, int64_t id)
{
    const char *text = lt_arena_printf(t->arena, "problem %lld", (long long)id);
    LT_ASSERT(text == NULL || strlen(text) < SEAL_ID_SIZE);
    return text == NULL ? "" : text;
}

struct link {
    lt_slice sealed;
    uint8_t hash[CRYPTO_SHA256_LEN];
};

/* Offline there is no seal, and so no page: the hash of nothing that anybody could send. */
static lt_res draw_link(struct ca_turn *t, int64_t id, struct link *l)
{
    uint8_t random[LINK_LEN];
    t->random(random, sizeof random);
    const char *word = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(word != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    crypto_sha256(lt_slice_cstr(word), l->hash);
    l->sealed = LT_LIT("");
    if (t->book == NULL || t->book->seal == NULL) {
        return LT_OK;
    }
    return ca_seal_close(t->book->seal, t->random, seal_id(t, id), lt_slice_cstr(word), t->arena, &l->sealed);
}

lt_res problem_page_url(struct ca_turn *t, const struct incident_problem *p, const char **ret_url)
{
    lt_slice word;
    *ret_url = "";
    if (p->link.len == 0 || t->book == NULL ||
        lt_failed(ca_seal_open(t->book->seal, seal_id(t, p->id), p->link, t->arena, &word))) {
        return LT_OK; /* sealed with another key: the report goes on without its page */
    }
    *ret_url = lt_arena_printf(t->arena, "%s/problem/%.*s", t->book->base_url, LT_FMT(word));
    LT_CHECK(*ret_url != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return LT_OK;
}

/* ---- the thread ---- */

lt_res incident_problem_say(struct ca_turn *t, int64_t id, const struct incident_said *s)
{
    int64_t idx = 0;
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(number(t, SQL_WORD_NEXT, STORE_ARGS(STORE_I(id)), &idx));
    LT_TRY(
        store_exec(t->store, &sql[SQL_WORD_ADD],
                   STORE_ARGS(STORE_I(id), STORE_I(idx), STORE_I(t->now.us), STORE_S(s->kind), STORE_S(s->by),
                              STORE_S(s->to), STORE_I(s->shown), STORE_S(s->text), STORE_I(s->notice)),
                   NULL));
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_int(&b, "word", idx);
    ca_body_str(&b, "kind", s->kind);
    ca_body_str(&b, "by", s->by);
    ca_body_str(&b, "to", s->to);
    ca_body_text(&b, "text", lt_slice_sub(lt_slice_cstr(s->text), 0, INCIDENT_PROBLEM_WORDS_MAX / 4));
    ca_body_int(&b, "notice", s->notice);
    return ca_body_event(&b, t, "problem.said", subject, s->jws);
}

/* ---- opened ---- */

static lt_res check(const struct ca_turn *t, const struct incident_report *r)
{
    LT_CHECK(is_one_of(r->channel, channels), LT_PEER_MALFORMED, "\"%.40s\" is no channel", r->channel);
    LT_CHECK(r->authority[0] == '\0' || is_one_of(r->authority, authorities), LT_PEER_MALFORMED,
             "\"%.40s\" is not one of subscriber, domain, key, supplier, law, other", r->authority);
    LT_CHECK(r->cause[0] == '\0' || ca_cause_find(lt_slice_cstr(r->cause), t->now) != NULL, LT_PEER_MALFORMED,
             "\"%.60s\" is no ground for a revocation; see lintel revoke --help", r->cause);
    LT_CHECK(r->received.us <= t->now.us, LT_PEER_MALFORMED, "received in the future");
    LT_CHECK(strlen(r->title) <= INCIDENT_PROBLEM_TITLE_MAX && strlen(r->words) <= INCIDENT_PROBLEM_WORDS_MAX,
             LT_PEER_TOO_LARGE, "a report has a title of at most %d bytes and a text of at most %d",
             INCIDENT_PROBLEM_TITLE_MAX, INCIDENT_PROBLEM_WORDS_MAX);
    return LT_OK;
}

static lt_res add_row(struct ca_turn *t, int64_t id, const struct incident_report *r, lt_slice raw_sha256,
                      int64_t raw_bytes)
{
    struct link l;
    int64_t received = r->received.us == 0 ? t->now.us : r->received.us;
    bool reads = r->upload.len > 0;
    LT_TRY(draw_link(t, id, &l));
    return store_exec(
        t->store, &sql[SQL_ADD],
        STORE_ARGS(STORE_I(id), STORE_S(r->channel), STORE_I(received), STORE_I(t->now.us),
                   STORE_I(r->sent.us), STORE_S(r->contact), STORE_S(r->reporter), STORE_I(r->may_name),
                   STORE_S(r->authority[0] == '\0' ? "other" : r->authority), STORE_S(r->title),
                   STORE_S(r->cause), STORE_S(r->clause), STORE_B(r->upload), STORE_S(reads ? r->form : ""),
                   STORE_B(raw_sha256), STORE_I(raw_bytes), STORE_B(LT_LIT("")),
                   STORE_S(reads ? "waiting" : "none"), STORE_B(l.sealed), STORE_B(LT_SLICE(l.hash, 32))),
        NULL);
}

static lt_res say_received(struct ca_turn *t, int64_t id, const struct incident_report *r,
                           lt_slice raw_sha256, int64_t raw_bytes)
{
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "channel", r->channel);
    ca_body_time(&b, "received", r->received.us == 0 ? t->now : r->received);
    ca_body_str(&b, "contact", r->contact);
    ca_body_str(&b, "title", r->title);
    ca_body_str(&b, "cause", r->cause);
    ca_body_str(&b, "clause", r->clause);
    ca_body_hex(&b, "raw_sha256", raw_sha256);
    ca_body_int(&b, "raw_bytes", raw_bytes);
    ca_body_str(&b, "by", r->by);
    return ca_body_event(&b, t, "problem.received", subject, r->jws);
}

/* The same bytes a second time: their bringer was cut off before it heard, or sends everything twice. */
static lt_res again(struct ca_turn *t, int64_t id, const struct incident_report *r)
{
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "channel", r->channel);
    ca_body_str(&b, "by", r->by);
    return ca_body_event(&b, t, "problem.again", subject, r->jws);
}

/* What nobody takes apart is known as it is. */
static lt_res settle_plain(struct ca_turn *t, int64_t id)
{
    struct incident_problem p;
    LT_TRY(problem_load(t, id, &p));
    LT_TRY(problem_step(t, &p, "read"));
    LT_TRY(problem_rank_anew(t, &p, false));
    return problem_acknowledge(t, &p);
}

static lt_res begin(struct ca_turn *t, int64_t id, const struct incident_report *r)
{
    int64_t known = 0;
    LT_TRY(start_clock(t, id, r->received.us == 0 ? t->now : r->received, "event problem.received"));
    if (r->words[0] != '\0') {
        const struct incident_said s = {.kind = "report",
                                        .by = r->by[0] == '\0' ? "reporter" : r->by,
                                        .to = "desk",
                                        .text = r->words,
                                        .shown = true};
        LT_TRY(incident_problem_say(t, id, &s));
    }
    LT_TRY(problem_items_add(t, id, r->items, r->item_count, &known));
    LT_TRY(problem_reporter_seen(t, r->contact));
    if (r->upload.len == 0) {
        return settle_plain(t, id);
    }
    return problem_reading_go(t);
}

/* The open report that the same reporter made of the same bytes; 0: none. Proofs circulate: who sends what
 * somebody else has sent has a report of their own. A form without an address may be anybody's. */
static lt_res by_raw(struct ca_turn *t, const struct incident_report *r, int64_t *ret_id)
{
    struct store_rows rows;
    /* A letter has its sender in it; the envelope's may be another one each time. */
    bool whoever = r->contact[0] == '\0' || strcmp(r->channel, "mail") == 0;
    bool anybody = strcmp(r->channel, "form") == 0 && r->contact[0] == '\0';
    *ret_id = 0;
    if (anybody) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &sql[SQL_BY_RAW], STORE_ARGS(STORE_B(r->raw_sha256)), &rows));
    while (*ret_id == 0 && store_next(&rows)) {
        bool same = lt_slice_eq_cstr(store_bytes(&rows, 1), r->channel) &&
                    (whoever || lt_slice_eq_cstr(store_bytes(&rows, 2), r->contact));
        *ret_id = same ? store_int(&rows, 0) : 0;
    }
    return store_rows_end(&rows);
}

lt_res incident_problem_open(struct ca_turn *t, const struct incident_report *r, int64_t *ret_id)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    lt_slice raw = r->raw_sha256;
    int64_t bytes = r->raw_bytes;
    LT_TRY(check(t, r));
    if (raw.len == 0) {
        crypto_sha256(lt_slice_cstr(r->words), hash);
        raw = LT_SLICE(hash, sizeof hash);
        bytes = (int64_t)strlen(r->words);
    } else {
        LT_TRY(by_raw(t, r, ret_id));
        if (*ret_id != 0) {
            return again(t, *ret_id, r);
        }
    }
    LT_TRY(number(t, SQL_NEXT, STORE_NO_ARGS, ret_id));
    if (r->upload.len > 0) {
        LT_TRY(problem_upload_take(t, r->upload, *ret_id, r->raw_parts, bytes));
    }
    LT_TRY(add_row(t, *ret_id, r, raw, bytes));
    LT_TRY(say_received(t, *ret_id, r, raw, bytes));
    return begin(t, *ret_id, r);
}

/* ---- linked, ranked ---- */

lt_res incident_problem_link(struct ca_turn *t, int64_t id, int64_t incident, const char *by)
{
    const char *subject = NULL;
    struct incident_problem p;
    struct ca_body b;
    LT_TRY(problem_load(t, id, &p));
    if (p.incident == incident) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_LINK], STORE_ARGS(STORE_I(id), STORE_I(incident)), NULL));
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_int(&b, "incident", incident);
    ca_body_int(&b, "before", p.incident);
    ca_body_str(&b, "by", by);
    return ca_body_event(&b, t, "problem.linked", subject, (lt_slice){0});
}

lt_res problem_rank(struct ca_turn *t, struct incident_problem *p, int64_t rank, const char *why)
{
    rank = rank < 0 ? 0 : rank > PROVEN_RANK ? PROVEN_RANK : rank;
    if (p->rank == PROVEN_RANK || (p->rank == rank && strcmp(p->rank_why, why) == 0)) {
        return LT_OK;
    }
    p->rank = rank;
    p->rank_why = why;
    return store_exec(t->store, &sql[SQL_RANK], STORE_ARGS(STORE_I(p->id), STORE_I(rank), STORE_S(why)),
                      NULL);
}

lt_res problem_rank_anew(struct ca_turn *t, struct incident_problem *p, bool hollow)
{
    int64_t known = 0;
    int64_t worth = 0;
    LT_TRY(problem_known(t, p->id, &known));
    LT_TRY(problem_reporter_worth(t, p->contact, &worth));
    static const struct {
        int64_t rank;
        const char *why;
    } grounds[] = {
        {85, "names certificates of ours, and claims that a key is compromised"},
        {75, "names certificates of ours, and by which rule they are wrong"},
        {65, "names certificates of ours"},
        {60, "comes from the law"},
        {45, "says what it is about, and no certificate of ours is found by it"},
        {20, "asks for content to go: no ground for a revocation"},
        {5, "says nothing that could be looked at"},
    };
    bool key = strncmp(p->cause, "key-", 4) == 0;
    size_t ground = known > 0 && key                                             ? 0
                    : known > 0 && (p->cause[0] != '\0' || p->clause[0] != '\0') ? 1
                    : known > 0                                                  ? 2
                    : strcmp(p->authority, "law") == 0                           ? 3
                    : strcmp(p->kind, "takedown") == 0                           ? 5
                    : hollow                                                     ? 6
                                                                                 : 4;
    int64_t same = p->same_as != 0 ? -10 : 0;
    const char *why = lt_arena_printf(t->arena, "%s%s%s", grounds[ground].why,
                                      p->same_as != 0 ? "; another report says the same" : "",
                                      worth > 0   ? "; its reporter was right before"
                                      : worth < 0 ? "; its reporter was wrong before"
                                                  : "");
    LT_CHECK(why != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return problem_rank(t, p, grounds[ground].rank + worth + same, why);
}

lt_res incident_problem_proven(struct ca_turn *t, int64_t id, lt_slice spki_sha256, const char *words)
{
    const char *subject = NULL;
    struct incident_problem p;
    struct ca_body b;
    LT_TRY(problem_load(t, id, &p));
    LT_TRY(problem_rank(t, &p, PROVEN_RANK, "proves that a key is compromised"));
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_hex(&b, "spki_sha256", spki_sha256);
    ca_body_str(&b, "words", words);
    LT_TRY(ca_body_event(&b, t, "problem.proven", subject, (lt_slice){0}));
    const struct incident_said s = {
        .kind = "note", .by = "desk", .to = "reporter", .text = words, .shown = true};
    return incident_problem_say(t, id, &s);
}
