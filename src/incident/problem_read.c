/* Reports on their way to the mailroom and what comes back. Few are on their way at a time, so that one that
 * kills the mailroom takes few along; those are then asked for one by one, and the one that kills it three
 * times is put before a person as it is. What the mailroom says is words and hashes: nothing here looks into
 * a stranger's bytes. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "crypto/digest.h"
#include "incident/clock.h"
#include "incident/notice.h"
#include "incident/problem_private.h"
#include "incident/proof_book.h"

static const struct store_sql sql[] = {
    {"problem.waiting",
     "SELECT id, upload, form, tries FROM problem WHERE reading = 'waiting' AND due_us <= ?1 "
     "ORDER BY due_us, id LIMIT ?2"},
    {"problem.asked", "SELECT id, tries FROM problem WHERE reading = 'asked' ORDER BY due_us LIMIT 64"},
    {"problem.overdue",
     "SELECT id, tries FROM problem WHERE reading = 'asked' AND due_us <= ?1 ORDER BY due_us "
     "LIMIT 64"},
    {"problem.ask", "UPDATE problem SET reading = 'asked', tries = tries + 1, due_us = ?2 WHERE id = ?1 AND "
                    "reading = 'waiting'"},
    {"problem.wait",
     "UPDATE problem SET reading = 'waiting', due_us = ?2 WHERE id = ?1 AND reading = 'asked'"},
    {"problem.read", "UPDATE problem SET reading = ?2 WHERE id = ?1"},
    {"problem.learn",
     "UPDATE problem SET kind = ?2, sent_us = ?3, contact = ?4, reporter = ?5, title = ?6, message = ?7, "
     "received_us = ?8, authority = ?9, clause = ?10 WHERE id = ?1"},
    {"problem.kept", "UPDATE problem SET kept_sha256 = ?2 WHERE id = ?1"},
    {"problem.file-add", "INSERT INTO problem_file (problem, idx, name, type, bytes, sha256) VALUES "
                         "(?1, ?2, ?3, ?4, ?5, ?6)"},
    {"problem.thread",
     "SELECT w.problem FROM problem_word AS w WHERE w.notice = ?1 AND w.notice <> 0 LIMIT 1"},
    {"problem.decide", "UPDATE problem SET decision = ?2, same_as = ?3 WHERE id = ?1"},
};
enum {
    SQL_WAITING,
    SQL_ASKED,
    SQL_OVERDUE,
    SQL_ASK,
    SQL_WAIT,
    SQL_READ,
    SQL_LEARN,
    SQL_KEPT,
    SQL_FILE_ADD,
    SQL_THREAD,
    SQL_DECIDE,
};
const struct incident_sql incident_problem_read_sql = {sql, LT_COUNT(sql)};

enum {
    ON_THEIR_WAY_MAX = 16,
    PATIENCE_S = 30,
    TRIES_MAX = 3, /* once among others, twice alone: who pulls the plug is not the letter */
    FILES_MAX = 100,
    LINE_MAX_LEN = 1000,
    RECEIVED_BEFORE_S = 7 * 86400, /* a relay that kept it longer has a clock that is wrong */
};

/* ---- there ---- */

struct asked {
    int64_t id;
    int64_t tries;
};

static lt_res asked_rows(struct ca_turn *t, int statement, const struct store_value *values, size_t count,
                         struct asked list[64], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(t->store, &sql[statement], values, count, &rows));
    while (n < 64 && store_next(&rows)) {
        list[n++] = (struct asked){store_int(&rows, 0), store_int(&rows, 1)};
    }
    LT_TRY(store_rows_end(&rows));
    *ret_count = n;
    return LT_OK;
}

struct waiting {
    int64_t id;
    lt_slice upload;
    const char *form;
    int64_t tries;
};

static lt_res send_one(struct ca_turn *t, const struct waiting *w)
{
    Ipc__RawWanted m = IPC__RAW_WANTED__INIT;
    m.problem = w->id;
    m.upload = (ProtobufCBinaryData){w->upload.len,
                                     (uint8_t *)(uintptr_t)w->upload.ptr}; /* packed, not kept */
    m.form = (char *)(uintptr_t)w->form;
    LT_TRY(store_exec(t->store, &sql[SQL_ASK],
                      STORE_ARGS(STORE_I(w->id), STORE_I(lt_time_add_seconds(t->now, PATIENCE_S).us)), NULL));
    return ca_turn_send(t, IPC_READER, IPC_RAW_WANTED, 0, &m.base);
}

lt_res problem_reading_go(struct ca_turn *t)
{
    struct asked away[64];
    struct waiting list[ON_THEIR_WAY_MAX];
    struct store_rows rows;
    size_t count = 0;
    size_t n = 0;
    LT_TRY(asked_rows(t, SQL_ASKED, STORE_NO_ARGS, away, &count));
    for (size_t i = 0; i < count; i++) {
        if (away[i].tries > 1) {
            return LT_OK; /* it may be the one: alone until it has come back */
        }
    }
    size_t room = count < ON_THEIR_WAY_MAX ? ON_THEIR_WAY_MAX - count : 0;
    if (room == 0) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &sql[SQL_WAITING], STORE_ARGS(STORE_I(t->now.us), STORE_I(room)), &rows));
    while (n < room && store_next(&rows)) {
        list[n] = (struct waiting){store_int(&rows, 0), lt_arena_copy(t->arena, store_bytes(&rows, 1)),
                                   lt_arena_cstr(t->arena, store_bytes(&rows, 2)), store_int(&rows, 3)};
        LT_CHECK(list[n].upload.ptr != NULL && list[n].form != NULL, LT_PEER_TOO_LARGE,
                 "problem: too much at once");
        n++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < n; i++) {
        bool again = list[i].tries > 0;
        if (again && (count > 0 || i > 0)) {
            continue; /* when those before it are back */
        }
        LT_TRY(send_one(t, &list[i]));
        if (again) {
            break;
        }
    }
    return LT_OK;
}

static lt_res give_up(struct ca_turn *t, int64_t id, const char *why)
{
    struct incident_problem p;
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_load(t, id, &p));
    LT_TRY(store_exec(t->store, &sql[SQL_READ], STORE_ARGS(STORE_I(id), STORE_S("failed")), NULL));
    if (strcmp(p.status, "received") == 0) {
        LT_TRY(problem_step(t, &p, "unreadable"));
    }
    LT_TRY(problem_rank(t, &p, 80, "could not be taken apart: somebody has to read it"));
    LT_TRY(problem_subject(t, id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "why", why);
    LT_TRY(ca_body_event(&b, t, "problem.unreadable", subject, (lt_slice){0}));
    LT_TRY(incident_page(t, "high", subject,
                         "a problem report could not be taken apart; a person has to read it"));
    return problem_acknowledge(t, &p);
}

/* Those that were away when the mailroom died, or that nobody answered for. */
static lt_res back(struct ca_turn *t, const struct asked *list, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++) {
        LT_TRY(list[i].tries >= TRIES_MAX
                   ? give_up(t, list[i].id, why)
                   : store_exec(t->store, &sql[SQL_WAIT], STORE_ARGS(STORE_I(list[i].id), STORE_I(t->now.us)),
                                NULL));
    }
    return problem_reading_go(t);
}

lt_res incident_problem_mailroom_linked(struct ca_turn *t)
{
    struct asked list[64];
    size_t count = 0;
    LT_TRY(asked_rows(t, SQL_ASKED, STORE_NO_ARGS, list, &count));
    return back(t, list, count, "the mailroom died over it");
}

lt_res problem_reading_beat(struct ca_turn *t, bool *ret_more)
{
    struct asked list[64];
    size_t count = 0;
    (void)ret_more; /* what waits is sent when something comes back */
    LT_TRY(asked_rows(t, SQL_OVERDUE, STORE_ARGS(STORE_I(t->now.us)), list, &count));
    return back(t, list, count, "the mailroom said nothing about it");
}

/* ---- and back ---- */

struct reading {
    struct ca_turn *t;
    struct incident_problem p;
    const Ipc__MailroomRead *m;
    const char *subject;
    int64_t known;
    bool proof_done; /* a key was proven, or a proof answered: findings are given */
};

/* It reached us when our own relay took it, which may have been long before it was brought here. */
static lt_res move_clock(struct reading *r)
{
    int64_t relay = r->m->received_us;
    bool better = relay > 0 && relay < r->p.received_us &&
                  relay > lt_time_add_seconds((lt_time){r->p.received_us}, -RECEIVED_BEFORE_S).us &&
                  strcmp(r->p.channel, "mail") == 0;
    int64_t clock = 0;
    if (!better) {
        return LT_OK;
    }
    r->p.received_us = relay;
    LT_TRY(incident_clock_void(r->t, r->subject, "cpr-findings", "the relay had taken it before"));
    const struct incident_clock_start s = {.duty = "cpr-findings",
                                           .subject = r->subject,
                                           .start = {relay},
                                           .evidence = "the relay's line in the letter's head"};
    return incident_clock_open(r->t, &s, &clock);
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text[0] != '\0' ? text : otherwise;
}

/* Of a letter its own sender: that of the envelope may be whoever passed it on. */
static const char *filer(const struct reading *r)
{
    return strcmp(r->p.channel, "mail") == 0 ? or_else(r->m->from, r->p.contact)
                                             : or_else(r->p.contact, r->m->from);
}

static lt_res learn(struct reading *r)
{
    const Ipc__MailroomRead *m = r->m;
    struct incident_problem *p = &r->p;
    const char *before = p->contact;
    LT_TRY(move_clock(r));
    p->kind = m->takedown ? "takedown" : "report";
    p->contact = filer(r);
    p->reporter = or_else(p->reporter, m->from_name);
    p->title = or_else(p->title, m->subject);
    p->clause = or_else(p->clause, m->clause);
    p->message = m->message_id;
    p->authority = m->authority[0] != '\0' && strcmp(p->authority, "other") == 0 ? m->authority
                                                                                 : p->authority;
    LT_TRY(store_exec(r->t->store, &sql[SQL_LEARN],
                      STORE_ARGS(STORE_I(p->id), STORE_S(p->kind), STORE_I(m->date_us), STORE_S(p->contact),
                                 STORE_S(p->reporter), STORE_S(p->title), STORE_S(p->message),
                                 STORE_I(p->received_us), STORE_S(p->authority), STORE_S(p->clause)),
                      NULL));
    return strcmp(before, p->contact) != 0 ? problem_reporter_seen(r->t, p->contact) : LT_OK;
}

static lt_res keep(struct reading *r)
{
    const Ipc__MailroomRead *m = r->m;
    struct ca_turn *t = r->t;
    uint8_t hash[32];
    for (size_t i = 0; i < m->n_files && i < FILES_MAX; i++) {
        const Ipc__MailroomFile *f = m->files[i];
        LT_TRY(store_exec(t->store, &sql[SQL_FILE_ADD],
                          STORE_ARGS(STORE_I(r->p.id), STORE_I(i), STORE_S(f->name), STORE_S(f->type),
                                     STORE_I(f->bytes), STORE_B(LT_SLICE(f->sha256.data, f->sha256.len))),
                          NULL));
    }
    if (m->kept.len == 0) {
        return LT_OK;
    }
    lt_slice kept = LT_SLICE(m->kept.data, m->kept.len);
    crypto_sha256(kept, hash);
    LT_TRY(problem_upload_replace(t, r->p.upload, kept));
    return store_exec(t->store, &sql[SQL_KEPT],
                      STORE_ARGS(STORE_I(r->p.id), STORE_B(LT_SLICE(hash, sizeof hash))), NULL);
}

static lt_res items(struct reading *r)
{
    struct incident_item list[INCIDENT_PROBLEM_ITEMS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < r->m->n_items && count < LT_COUNT(list); i++) {
        list[count++] = (struct incident_item){r->m->items[i]->kind, r->m->items[i]->value};
    }
    LT_TRY(problem_items_add(r->t, r->p.id, list, count, &r->known));
    return problem_same(r->t, r->p.id, &r->p.same_as);
}

static lt_res say_read(struct reading *r)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "from", r->m->from);
    ca_body_str(&b, "subject", r->m->subject);
    ca_body_str(&b, "clause", r->m->clause);
    ca_body_time(&b, "received", (lt_time){r->p.received_us});
    ca_body_int(&b, "files", (int64_t)r->m->n_files);
    ca_body_int(&b, "items", (int64_t)r->m->n_items);
    ca_body_int(&b, "proofs", (int64_t)r->m->n_proofs);
    ca_body_str(&b, "kind", r->p.kind);
    ca_body_bool(&b, "private_key_taken_out", r->m->kept.len > 0);
    return ca_body_event(&b, r->t, "problem.read", r->subject, (lt_slice){0});
}

static lt_res text(struct reading *r, int64_t problem, const char *kind)
{
    if (r->m->text[0] == '\0') {
        return LT_OK;
    }
    const struct incident_said s = {
        .kind = kind, .by = "reporter", .to = "desk", .text = r->m->text, .shown = true};
    return incident_problem_say(r->t, problem, &s);
}

/* ---- what is no report ---- */

static lt_res put_away(struct reading *r, const char *kind, int64_t of, const char *why)
{
    r->p.kind = kind;
    LT_TRY(store_exec(r->t->store, &sql[SQL_LEARN],
                      STORE_ARGS(STORE_I(r->p.id), STORE_S(kind), STORE_I(r->m->date_us), STORE_S(filer(r)),
                                 STORE_S(r->m->from_name), STORE_S(or_else(r->p.title, r->m->subject)),
                                 STORE_S(r->m->message_id), STORE_I(r->p.received_us),
                                 STORE_S(r->p.authority), STORE_S(r->p.clause)),
                      NULL));
    LT_TRY(keep(r)); /* put away is not thrown away, and has no private key either */
    LT_TRY(store_exec(r->t->store, &sql[SQL_DECIDE], STORE_ARGS(STORE_I(r->p.id), STORE_S(kind), STORE_I(of)),
                      NULL));
    LT_TRY(say_read(r));
    LT_TRY(problem_step(r->t, &r->p, "close"));
    return incident_clock_void(r->t, r->subject, "cpr-findings", why);
}

/* The number in "<notice-12.word@host>"; 0: it is none of ours. */
static int64_t notice_of(const char *message_id, lt_slice *ret_token)
{
    lt_slice rest = lt_slice_cstr(message_id);
    lt_slice head;
    uint64_t id = 0;
    const lt_slice begin = LT_LIT("<notice-");
    if (!lt_slice_starts(rest, begin)) {
        return 0;
    }
    rest = lt_slice_sub(rest, begin.len, SIZE_MAX);
    if (!lt_slice_split(&rest, '.', &head) || lt_failed(lt_parse_u64(head, INT64_MAX, &id)) ||
        !lt_slice_split(&rest, '@', ret_token)) {
        return 0;
    }
    return (int64_t)id;
}

/* Anybody can write what looks like a delivery report: only one with the word of a letter that we sent, and
 * without a proof of anything, is put away. */
static lt_res bounce(struct reading *r, bool *ret_taken)
{
    lt_slice token = {0};
    int64_t notice = notice_of(r->m->bounce_of, &token);
    char *word = lt_arena_cstr(r->t->arena, token);
    *ret_taken = false;
    LT_CHECK(word != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    if (notice == 0) {
        return LT_OK;
    }
    lt_res known = incident_notice_returned(r->t, notice, word, r->m->delayed ? NULL : r->m->bounce_status,
                                            r->m->bounce_words);
    if (known.code == LT_PEER_NOT_FOUND) {
        return LT_OK;
    }
    LT_TRY(known);
    *ret_taken = r->m->n_proofs == 0 && r->m->kept.len == 0;
    return !*ret_taken ? LT_OK
                       : put_away(r, "bounce", 0,
                                  r->m->delayed ? "a letter of ours is on its way still"
                                                : "a letter of ours came back; its notice says so");
}

static lt_res thread_of(struct reading *r, int64_t *ret_problem)
{
    *ret_problem = 0;
    for (size_t i = 0; i < r->m->n_references && *ret_problem == 0; i++) {
        lt_slice token = {0};
        struct store_rows rows;
        int64_t notice = notice_of(r->m->references[i], &token);
        char *word = lt_arena_cstr(r->t->arena, token);
        LT_CHECK(word != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        lt_res ours = notice == 0 ? (lt_res){LT_PEER_NOT_FOUND}
                                  : incident_notice_returned(r->t, notice, word, NULL, "");
        if (ours.code == LT_PEER_NOT_FOUND) {
            continue; /* its number alone can be guessed */
        }
        LT_TRY(ours);
        LT_TRY(store_query(r->t->store, &sql[SQL_THREAD], STORE_ARGS(STORE_I(notice)), &rows));
        *ret_problem = store_next(&rows) ? store_int(&rows, 0) : 0;
        LT_TRY(store_rows_end(&rows));
    }
    return LT_OK;
}

/* A word of the same person in the same thread. From somebody else, or with something new to look at, it
 * stays a report of its own: a guess at a Message-ID may not hide one. */
static lt_res follow_up(struct reading *r, bool *ret_taken)
{
    struct incident_problem parent;
    int64_t of = 0;
    *ret_taken = false;
    LT_TRY(thread_of(r, &of));
    if (of == 0 || of == r->p.id) {
        return LT_OK;
    }
    LT_TRY(problem_load(r->t, of, &parent));
    if (parent.contact[0] == '\0' || strcmp(parent.contact, r->m->from) != 0 || r->m->n_proofs > 0 ||
        r->m->n_items > 0) {
        return LT_OK;
    }
    *ret_taken = true;
    LT_TRY(text(r, of, "follow-up"));
    LT_TRY(incident_problem_next(parent.status, "word") != NULL ? problem_step(r->t, &parent, "word")
                                                                : LT_OK);
    char *why = lt_arena_printf(r->t->arena, "a word in the thread of problem %lld, and nothing new",
                                (long long)of);
    LT_CHECK(why != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return put_away(r, "follow-up", of, why);
}

/* ---- proofs ---- */

lt_res problem_prove(struct ca_turn *t, struct incident_problem *p, const struct problem_proof *proof,
                     bool *ret_done)
{
    struct incident_proof_answer a = {.outcome = ""};
    const struct incident_proven proven = {.proof = proof->proof,
                                           .via = proof->via,
                                           .problem = p->id,
                                           .filer = p->contact,
                                           .received = proof->received};
    LT_TRY(incident_proof_act(t, &proven, &a));
    bool compromised = strcmp(a.outcome, "revoking") == 0 || strcmp(a.outcome, "known") == 0;
    if (compromised) {
        LT_TRY(incident_problem_proven(
            t, p->id, LT_SLICE(proof->proof->spki_sha256.data, proof->proof->spki_sha256.len), a.words));
        LT_TRY(problem_load(t, p->id, p));
    } else {
        const struct incident_said s = {
            .kind = "note", .by = "desk", .to = "reporter", .text = a.words, .shown = true};
        LT_TRY(incident_problem_say(t, p->id, &s));
    }
    bool settled = compromised || (strcmp(a.outcome, "unknown-key") == 0 && proof->alone);
    if (!settled || p->found_us != 0) {
        return LT_OK;
    }
    *ret_done = true;
    const struct problem_findings f = {.decision = compromised ? "revoke" : "none",
                                       .words = a.words,
                                       .to_subscriber = "",
                                       .by = "desk",
                                       .told = compromised};
    return problem_findings_give(t, p, &f);
}

static lt_res act(struct reading *r, const Ipc__KeyProof *proof)
{
    /* A key that is none of ours, beside certificates that are: the rest is for a person. */
    const struct problem_proof p = {.proof = proof,
                                    .via = r->p.channel,
                                    .received = {r->p.received_us},
                                    .alone = r->known == 0 && r->m->n_proofs == 1};
    return problem_prove(r->t, &r->p, &p, &r->proof_done);
}

/* ---- all of it ---- */

static lt_res take_report(struct reading *r)
{
    LT_TRY(learn(r));
    LT_TRY(text(r, r->p.id, "report"));
    LT_TRY(keep(r));
    LT_TRY(items(r));
    LT_TRY(say_read(r));
    /* Findings may have been given before it was read. */
    LT_TRY(strcmp(r->p.status, "received") == 0 ? problem_step(r->t, &r->p, "read") : LT_OK);
    LT_TRY(problem_rank_anew(r->t, &r->p, r->m->hollow));
    for (size_t i = 0; i < r->m->n_proofs; i++) {
        LT_TRY(act(r, r->m->proofs[i]));
    }
    if (r->m->automatic || r->proof_done) {
        return LT_OK; /* nobody reads it, or the findings say it all */
    }
    return problem_acknowledge(r->t, &r->p);
}

static lt_res take(struct reading *r)
{
    bool done = false;
    LT_TRY(store_exec(r->t->store, &sql[SQL_READ], STORE_ARGS(STORE_I(r->p.id), STORE_S("done")), NULL));
    if (r->m->probe[0] != '\0') {
        LT_TRY(problem_probe_seen(r->t, r->m->probe, &done));
        if (done) {
            return put_away(r, "probe", 0, "our own daily report");
        }
    }
    LT_TRY(bounce(r, &done));
    LT_TRY(done ? LT_OK : follow_up(r, &done));
    return done ? LT_OK : take_report(r);
}

/* The mailroom may have been taken over by what it read: it says what it can say, in the lengths that it has.
 */
static lt_res check_said(const Ipc__MailroomRead *m)
{
    static const char *const kinds[] = {"serial", "sha256", "spki", "crtsh", "name", "clause"};
    const char *const lines[] = {m->from,      m->from_name, m->subject,       m->message_id,
                                 m->bounce_to, m->bounce_of, m->bounce_status, m->probe,
                                 m->failed,    m->authority, m->clause,        m->bounce_words};
    bool good = strlen(m->text) <= INCIDENT_PROBLEM_WORDS_MAX &&
                m->kept.len <= 2 * (size_t)INCIDENT_RAW_MAX && m->n_items <= INCIDENT_PROBLEM_ITEMS_MAX &&
                m->n_files <= 2 * FILES_MAX && m->n_references <= FILES_MAX && m->n_proofs <= FILES_MAX;
    for (size_t i = 0; i < LT_COUNT(lines) && good; i++) {
        good = strlen(lines[i]) <= LINE_MAX_LEN;
    }
    for (size_t i = 0; i < m->n_references && good; i++) {
        good = strlen(m->references[i]) <= LINE_MAX_LEN;
    }
    for (size_t i = 0; i < m->n_files && good; i++) {
        good = m->files[i]->sha256.len == CRYPTO_SHA256_LEN && strlen(m->files[i]->name) <= LINE_MAX_LEN &&
               strlen(m->files[i]->type) <= LINE_MAX_LEN;
    }
    for (size_t i = 0; i < m->n_items && good; i++) {
        size_t k = 0;
        while (k < LT_COUNT(kinds) && strcmp(kinds[k], m->items[i]->kind) != 0) {
            k++;
        }
        good = k < LT_COUNT(kinds) && strlen(m->items[i]->value) <= LINE_MAX_LEN;
    }
    LT_CHECK(good, LT_PEER_MALFORMED, "the mailroom says what it cannot have read");
    return LT_OK;
}

lt_res incident_problem_read(struct ca_turn *t, const struct Ipc__MailroomRead *m)
{
    struct reading r = {.t = t, .m = m};
    LT_TRY(check_said(m));
    LT_TRY(problem_load(t, m->problem, &r.p));
    if (strcmp(r.p.reading, "asked") != 0 && strcmp(r.p.reading, "waiting") != 0) {
        return LT_OK; /* said twice */
    }
    LT_TRY(problem_subject(t, r.p.id, &r.subject));
    if (m->failed[0] != '\0') {
        LT_TRY(give_up(t, r.p.id, m->failed));
    } else {
        LT_TRY(take(&r));
    }
    return problem_reading_go(t);
}
