/* The findings of 24 hours (BR 4.9.5): to who filed the report, on request to everybody who filed the same,
 * and to the subscribers of the certificates that it is about. Not the preliminary incident report of 72
 * hours, which goes to the root programs (incident/report*). Their clock is met when the last letter was
 * taken, or stands on the page of the case because there is no address; a letter that comes back leaves it
 * running, and calls for a person. */
#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "incident/clock.h"
#include "incident/duty.h"
#include "incident/notice.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.found", "UPDATE problem SET found_us = ?2, told_us = ?3, decision = ?4 WHERE id = ?1"},
    {"problem.told", "UPDATE problem SET told_us = ?2 WHERE id = ?1"},
    {"problem.same-open",
     "SELECT id FROM problem WHERE same_as = ?1 AND id > ?2 AND status <> 'closed' ORDER BY "
     "id LIMIT 100"},
    {"problem.telling", "SELECT id FROM problem WHERE found_us > ?1 AND told_us = 0 AND found_us <> 0 ORDER "
                        "BY found_us LIMIT 50"},
    {"problem.letters", "SELECT n.id, n.status, n.ended_us, n.recipient, n.said, n.account FROM notice AS n "
                        "WHERE n.subject = ?1 AND "
                        "n.kind IN ('problem-findings', 'problem-findings-subscriber', 'proof-accepted', "
                        "'key-blocked') AND n.id > ?2 "
                        "ORDER BY n.id LIMIT 200"},
    {"problem.revoking",
     "SELECT id FROM problem WHERE decision = 'revoke' AND revoked_us = 0 AND found_us > ?1 "
     "ORDER BY found_us LIMIT 100"},
    {"problem.revoked-of",
     "SELECT count(*), count(r.serial), coalesce(max(r.recorded_us), 0) FROM problem_item AS i JOIN "
     "certificate "
     "AS c ON c.issuer = i.issuer AND c.serial = i.serial AND c.copy = 0 LEFT JOIN revocation AS r ON "
     "r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial WHERE i.problem = ?1 AND i.issuer <> "
     "0"},
    {"problem.revoked", "UPDATE problem SET revoked_us = ?2 WHERE id = ?1"},
};
enum { SQL_FOUND, SQL_TOLD, SQL_SAME, SQL_TELLING, SQL_LETTERS, SQL_REVOKING, SQL_REVOKED_OF, SQL_REVOKED };
const struct incident_sql incident_problem_found_sql = {sql, LT_COUNT(sql)};

enum { SAME_MAX = 100, BEAT_MAX = 50, PROVEN_RANK = 100 };

static const char *const decisions[] = {"revoke", "none", "takedown", "duplicate", "unclear"};

static bool known_decision(const char *word)
{
    for (size_t i = 0; i < LT_COUNT(decisions); i++) {
        if (strcmp(decisions[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- given ---- */

static lt_res tell_filer(struct ca_turn *t, const struct incident_problem *p,
                         const struct problem_findings *f)
{
    int64_t notice = 0;
    LT_TRY(f->told ? LT_OK : problem_write(t, p, "problem-findings", f->words, &notice));
    const struct incident_said s = {.kind = "findings",
                                    .by = f->by,
                                    .to = "reporter",
                                    .text = f->words,
                                    .notice = notice,
                                    .shown = true,
                                    .jws = f->jws};
    return incident_problem_say(t, p->id, &s);
}

static lt_res tell_subscriber(struct ca_turn *t, const struct incident_problem *p, int64_t account,
                              const char *words)
{
    const char *subject = NULL;
    const char *params = NULL;
    int64_t count = 0;
    struct ca_body b;
    LT_TRY(problem_subject(t, p->id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "case", subject);
    ca_body_str(&b, "text", words);
    char *whose = lt_arena_printf(t->arena, "%lld", (long long)account);
    char *to = lt_arena_printf(t->arena, "subscriber %lld", (long long)account);
    if (whose == NULL || to == NULL) {
        ca_body_done(&b);
        LT_FAIL(LT_PEER_TOO_LARGE, "problem: too much at once");
    }
    ca_body_str(&b, "account", whose);
    LT_TRY(ca_body_cstr(&b, t->arena, &params));
    const struct incident_notice n = {
        .kind = "problem-findings-subscriber", .subject = subject, .params = params, .account = account};
    LT_TRY(incident_notice_account(t, &n, &count));
    const char *text = count > 0 ? words : "no address of this subscriber is known: nothing went out";
    const struct incident_said s = {.kind = "findings", .by = "desk", .to = to, .text = text};
    return incident_problem_say(t, p->id, &s);
}

static lt_res tell_subscribers(struct ca_turn *t, const struct incident_problem *p, const char *words,
                               size_t *ret_count)
{
    int64_t accounts[PROBLEM_ACCOUNTS_MAX];
    LT_TRY(problem_accounts(t, p->id, accounts, ret_count));
    for (size_t i = 0; i < *ret_count; i++) {
        LT_TRY(tell_subscriber(t, p, accounts[i], words));
    }
    return LT_OK;
}

static lt_res say_found(struct ca_turn *t, const struct incident_problem *p, const struct problem_findings *f,
                        size_t subscribers)
{
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_subject(t, p->id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "decision", f->decision);
    ca_body_text(&b, "words", lt_slice_sub(lt_slice_cstr(f->words), 0, INCIDENT_PROBLEM_WORDS_MAX / 4));
    ca_body_str(&b, "by", f->by);
    ca_body_int(&b, "subscribers", (int64_t)subscribers);
    return ca_body_event(&b, t, "problem.findings", subject, f->jws);
}

/* What has to be revoked, by when: from the receipt of the report.
 *= CABF-BR 4.9.5 "The period from receipt of the Certificate Problem Report or revocation-related notice to
 *  published revocation MUST NOT exceed the time frame set forth in Section 4.9.1.1." */
static const struct incident_duty *revocation_of(const struct incident_problem *p)
{
    const char *cause = p->cause[0] != '\0' ? p->cause : p->rank == PROVEN_RANK ? "key-compromise" : "";
    return cause[0] == '\0' ? NULL : incident_duty_for_cause(lt_slice_cstr(cause), (lt_time){p->received_us});
}

static lt_res start_revocation(struct ca_turn *t, const struct incident_problem *p)
{
    const struct incident_duty *duty = revocation_of(p);
    const char *subject = NULL;
    int64_t clock = 0;
    if (duty == NULL) {
        return LT_OK;
    }
    LT_TRY(problem_subject(t, p->id, &subject));
    const struct incident_clock_start s = {.duty = duty->id,
                                           .subject = subject,
                                           .start = {p->received_us},
                                           .evidence = "event problem.findings: it is so"};
    return incident_clock_open(t, &s, &clock);
}

/* Subscribers of one that says no more than another were told by that one's. */
static lt_res give_one(struct ca_turn *t, struct incident_problem *p, const struct problem_findings *f,
                       bool subscribers_told)
{
    size_t subscribers = 0;
    bool upheld = strcmp(f->decision, "revoke") == 0;
    bool judged = upheld || strcmp(f->decision, "none") == 0;
    LT_TRY(problem_step(t, p, "find"));
    LT_TRY(judged && p->found_us == 0 ? problem_reporter_judged(t, p->contact, upheld) : LT_OK);
    p->found_us = t->now.us;
    LT_TRY(store_exec(
        t->store, &sql[SQL_FOUND],
        STORE_ARGS(STORE_I(p->id), STORE_I(p->found_us), STORE_I(p->told_us), STORE_S(f->decision)), NULL));
    LT_TRY(upheld ? start_revocation(t, p) : LT_OK);
    LT_TRY(tell_filer(t, p, f));
    if (!f->told && !subscribers_told) {
        LT_TRY(
            tell_subscribers(t, p, f->to_subscriber[0] != '\0' ? f->to_subscriber : f->words, &subscribers));
    }
    return say_found(t, p, f, subscribers);
}

static lt_res ids(struct ca_turn *t, int statement, const struct store_value *values, size_t count,
                  int64_t ret_ids[SAME_MAX], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(t->store, &sql[statement], values, count, &rows));
    while (n < SAME_MAX && store_next(&rows)) {
        ret_ids[n++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    *ret_count = n;
    return LT_OK;
}

lt_res problem_findings_give(struct ca_turn *t, struct incident_problem *p, const struct problem_findings *f)
{
    int64_t same[SAME_MAX];
    size_t count = 0;
    LT_CHECK(known_decision(f->decision), LT_PEER_MALFORMED,
             "\"%.40s\" is none of revoke, none, takedown, duplicate, unclear", f->decision);
    LT_CHECK(f->words[0] != '\0', LT_PEER_MALFORMED, "findings without words");
    LT_TRY(give_one(t, p, f, false));
    if (!f->same) {
        return LT_OK; /* what others wrote has to be read first: each has its clock */
    }
    LT_TRY(ids(t, SQL_SAME, STORE_ARGS(STORE_I(p->id), STORE_I(0)), same, &count));
    for (size_t i = 0; i < count; i++) {
        struct incident_problem other;
        LT_TRY(problem_load(t, same[i], &other));
        LT_TRY(other.found_us == 0 && incident_problem_next(other.status, "find") != NULL
                   ? give_one(t, &other, f, true)
                   : LT_OK);
    }
    return LT_OK;
}

/* ---- told ---- */

struct delivery {
    size_t waiting;
    size_t failed;
    lt_time last;
    char where[160]; /* the first that failed */
};

static lt_res delivery_of(struct ca_turn *t, const char *subject, lt_time found, struct delivery *d)
{
    struct store_rows rows;
    *d = (struct delivery){.last = found};
    LT_TRY(store_query(t->store, &sql[SQL_LETTERS], STORE_ARGS(STORE_S(subject), STORE_I(0)), &rows));
    while (store_next(&rows)) {
        lt_slice status = store_bytes(&rows, 1);
        bool sent = lt_slice_eq_cstr(status, "sent") || lt_slice_eq_cstr(status, "shown");
        bool waits = lt_slice_eq_cstr(status, "queued");
        d->waiting += waits;
        d->last.us = sent && store_int(&rows, 2) > d->last.us ? store_int(&rows, 2) : d->last.us;
        if (!sent && !waits && d->failed++ == 0) {
            (void)snprintf(d->where, sizeof d->where, "%.60s: %.90s", store_cstr(&rows, 3), /* cut */
                           store_cstr(&rows, 4));
        }
    }
    return store_rows_end(&rows);
}

static lt_res undelivered(struct ca_turn *t, const struct incident_problem *p, const char *subject,
                          const struct delivery *d)
{
    LT_TRY(store_exec(t->store, &sql[SQL_TOLD], STORE_ARGS(STORE_I(p->id), STORE_I(-1)), NULL));
    char *words = lt_arena_printf(t->arena, "findings came back, the clock runs on: %s", d->where);
    LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    const struct incident_said s = {.kind = "undelivered", .by = "desk", .to = "desk", .text = words};
    LT_TRY(incident_problem_say(t, p->id, &s));
    return incident_page(t, "high", subject, words);
}

lt_res problem_findings_told(struct ca_turn *t, struct incident_problem *p, lt_time when, const char *how)
{
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_subject(t, p->id, &subject));
    p->told_us = when.us;
    LT_TRY(store_exec(t->store, &sql[SQL_TOLD], STORE_ARGS(STORE_I(p->id), STORE_I(when.us)), NULL));
    ca_body_init(&b);
    ca_body_time(&b, "sent", when);
    ca_body_str(&b, "proof", how);
    LT_TRY(ca_body_event(&b, t, "problem.findings-sent", subject, (lt_slice){0}));
    return incident_clock_meet(t, subject, "cpr-findings", when, how);
}

static lt_res told_one(struct ca_turn *t, int64_t id)
{
    struct incident_problem p;
    const char *subject = NULL;
    struct delivery d;
    LT_TRY(problem_load(t, id, &p));
    LT_TRY(problem_subject(t, id, &subject));
    LT_TRY(delivery_of(t, subject, (lt_time){p.found_us}, &d));
    if (d.waiting > 0) {
        return LT_OK;
    }
    return d.failed > 0 ? undelivered(t, &p, subject, &d)
                        : problem_findings_told(t, &p, d.last, "events notice.sent of this report");
}

/* All that the report names: revoked, or not yet. */
static lt_res revoked_one(struct ca_turn *t, int64_t id)
{
    struct incident_problem p;
    struct store_rows rows;
    struct ca_body b;
    const char *subject = NULL;
    int64_t known = 0;
    int64_t gone = 0;
    lt_time last = {0};
    LT_TRY(store_query(t->store, &sql[SQL_REVOKED_OF], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        known = store_int(&rows, 0);
        gone = store_int(&rows, 1);
        last.us = store_int(&rows, 2);
    }
    LT_TRY(store_rows_end(&rows));
    if (gone < known) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_REVOKED],
                      STORE_ARGS(STORE_I(id), STORE_I(known == 0 ? -1 : last.us)), NULL));
    if (known == 0) {
        return LT_OK;
    }
    LT_TRY(problem_load(t, id, &p));
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_int(&b, "certificates", known);
    ca_body_time(&b, "revoked", last);
    LT_TRY(ca_body_event(&b, t, "problem.revoked", subject, (lt_slice){0}));
    const struct incident_duty *duty = revocation_of(&p);
    return duty == NULL ? LT_OK : incident_clock_meet(t, subject, duty->id, last, "event problem.revoked");
}

static lt_res revoked_beat(struct ca_turn *t)
{
    int64_t due[SAME_MAX];
    size_t count = 0;
    LT_TRY(
        ids(t, SQL_REVOKING, STORE_ARGS(STORE_I(lt_time_add_seconds(t->now, -90 * 86400).us)), due, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(revoked_one(t, due[i]));
    }
    return LT_OK;
}

lt_res problem_findings_beat(struct ca_turn *t, bool *ret_more)
{
    int64_t due[SAME_MAX];
    size_t count = 0;
    (void)ret_more; /* letters take longer than a second */
    LT_TRY(
        ids(t, SQL_TELLING, STORE_ARGS(STORE_I(lt_time_add_seconds(t->now, -30 * 86400).us)), due, &count));
    for (size_t i = 0; i < count && i < BEAT_MAX; i++) {
        LT_TRY(told_one(t, due[i]));
    }
    return revoked_beat(t);
}
