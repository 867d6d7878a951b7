/* What people change at the problem desk, and what is due in it. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/reasons.h"
#include "crypto/digest.h"
#include "incident/case.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.edit",
     "UPDATE problem SET contact = ?2, authority = ?3, cause = ?4, clause = ?5, bug = ?6 WHERE id = ?1"},
    {"problem.bug", "SELECT bug FROM problem WHERE id = ?1"},
    {"problem.triage", "UPDATE problem SET triaged_us = ?2 WHERE id = ?1"},
    {"problem.kind", "UPDATE problem SET kind = ?2 WHERE id = ?1"},
};
enum { SQL_EDIT, SQL_BUG, SQL_TRIAGED, SQL_KIND };
const struct incident_sql incident_problem_ops_sql = {sql, LT_COUNT(sql)};

/* Who asks, as events and threads have it. */
static lt_res whom(struct incident_call *c, const char **ret_by)
{
    *ret_by = lt_arena_printf(c->t->arena, "operator %s", c->by);
    LT_CHECK(*ret_by != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return LT_OK;
}

static lt_res load(struct incident_call *c, struct incident_problem *p)
{
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    return problem_load(c->t, id, p);
}

/* The report as it is now. */
static lt_res answer(struct incident_call *c, int64_t id)
{
    struct incident_problem p;
    struct ca_body b;
    const char *url = NULL;
    LT_TRY(problem_load(c->t, id, &p));
    LT_TRY(problem_page_url(c->t, &p, &url));
    ca_body_init(&b);
    ca_body_int(&b, "id", id);
    ca_body_str(&b, "status", p.status);
    ca_body_str(&b, "kind", p.kind);
    ca_body_int(&b, "rank", p.rank);
    ca_body_time(&b, "received", (lt_time){p.received_us});
    ca_body_str(&b, "reading", p.reading);
    ca_body_str(&b, "page", url);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res say(struct incident_call *c, int64_t id, const char *kind, const char *to, const char *text,
                  bool shown)
{
    struct incident_said s = {.kind = kind, .to = to, .text = text, .shown = shown, .jws = c->jws};
    LT_TRY(whom(c, &s.by));
    return incident_problem_say(c->t, id, &s);
}

/* ---- brought in ---- */

static lt_res op_part(struct incident_call *c)
{
    LT_TRY(problem_upload_part(c->t, incident_data(c, "upload"), incident_number(c, "part"),
                               incident_data(c, "data"), c->by));
    c->json = "{}";
    return LT_OK;
}

/* "serial 0a1b", "example.com", a hash by its length. */
static void item_of(const char *text, struct incident_item *i)
{
    static const char *const kinds[] = {"serial", "sha256", "spki", "name", "clause", "crtsh"};
    for (size_t k = 0; k < LT_COUNT(kinds); k++) {
        size_t len = strlen(kinds[k]);
        if (strncmp(text, kinds[k], len) == 0 && text[len] == ' ') {
            *i = (struct incident_item){kinds[k], text + len + 1};
            return;
        }
    }
    size_t hex = strspn(text, "0123456789abcdefABCDEF:");
    bool whole = text[hex] == '\0' && hex > 0;
    *i = (struct incident_item){whole ? (hex == 64 ? "sha256" : "serial") : "name", text};
}

static lt_res items_of(struct incident_call *c, struct incident_item list[INCIDENT_PROBLEM_ITEMS_MAX],
                       size_t *ret_count)
{
    const char *text = NULL;
    *ret_count = 0;
    while (*ret_count < INCIDENT_PROBLEM_ITEMS_MAX &&
           (text = incident_text_nth(c, "about", *ret_count)) != NULL) {
        struct incident_item *i = &list[(*ret_count)++];
        item_of(text, i);
        char *value = lt_arena_cstr(c->t->arena, lt_slice_cstr(i->value));
        LT_CHECK(value != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        size_t at = 0;
        for (const char *s = i->value; *s != '\0'; s++) {
            if (*s != ':' || strcmp(i->kind, "name") == 0 || strcmp(i->kind, "crtsh") == 0) {
                value[at++] = (char)(*s >= 'A' && *s <= 'Z' && strcmp(i->kind, "clause") != 0 ? *s + 32 : *s);
            }
        }
        value[at] = '\0';
        i->value = value;
    }
    return LT_OK;
}

/* One letter in one request: the upload is made here, by the hash of what came. */
static lt_res upload_of(struct incident_call *c, struct incident_report *r)
{
    lt_slice data = incident_data(c, "data");
    r->upload = incident_data(c, "upload");
    r->raw_sha256 = incident_data(c, "sha256");
    r->raw_bytes = incident_number(c, "bytes");
    r->raw_parts = incident_number(c, "parts");
    r->form = incident_text(c, "form");
    if (data.len > 0) {
        uint8_t *id = lt_arena_alloc(c->t->arena, INCIDENT_UPLOAD_LEN + 32);
        LT_CHECK(id != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
        c->t->random(id, INCIDENT_UPLOAD_LEN);
        crypto_sha256(data, id + INCIDENT_UPLOAD_LEN);
        r->upload = LT_SLICE(id, INCIDENT_UPLOAD_LEN);
        r->raw_sha256 = LT_SLICE(id + INCIDENT_UPLOAD_LEN, 32);
        r->raw_bytes = (int64_t)data.len;
        r->raw_parts = 1;
        LT_TRY(problem_upload_part(c->t, r->upload, 0, data, c->by));
    }
    LT_CHECK(r->upload.len == 0 || strcmp(r->form, "mail") == 0 || strcmp(r->form, "text") == 0,
             LT_PEER_MALFORMED, "\"form\" is mail or text");
    LT_CHECK(r->upload.len == 0 || r->raw_sha256.len == 32, LT_PEER_MALFORMED, "\"sha256\" is missing");
    LT_CHECK(r->upload.len > 0 || r->words[0] != '\0', LT_PEER_MALFORMED, "a report without a word");
    return LT_OK;
}

static lt_res op_open(struct incident_call *c)
{
    struct incident_item items[INCIDENT_PROBLEM_ITEMS_MAX];
    struct incident_report r = {
        .channel = incident_text(c, "channel"),
        .received = {incident_number(c, "received")},
        .sent = {incident_number(c, "sent")},
        .contact = incident_text(c, "contact"),
        .reporter = incident_text(c, "reporter"),
        .may_name = incident_number(c, "may-name") != 0,
        .authority = incident_text(c, "authority"),
        .title = incident_text(c, "title"),
        .words = incident_text(c, "text"),
        .cause = incident_text(c, "cause"),
        .clause = incident_text(c, "clause"),
        .items = items,
        .jws = c->jws,
    };
    int64_t id = 0;
    LT_TRY(whom(c, &r.by));
    LT_TRY(items_of(c, items, &r.item_count));
    LT_TRY(upload_of(c, &r));
    if (r.upload.len > 0) {
        r.jws = (lt_slice){0}; /* the bytes are kept once, and the event has their hash */
    }
    LT_TRY(incident_problem_open(c->t, &r, &id));
    return answer(c, id);
}

/* ---- the thread ---- */

static lt_res op_reply(struct incident_call *c)
{
    struct incident_problem p;
    int64_t notice = 0;
    const char *text = incident_text(c, "text");
    LT_TRY(load(c, &p));
    LT_TRY(problem_write(c->t, &p, "problem-reply", text, &notice));
    struct incident_said s = {
        .kind = "reply", .to = "reporter", .text = text, .notice = notice, .shown = true, .jws = c->jws};
    LT_TRY(whom(c, &s.by));
    LT_TRY(incident_problem_say(c->t, p.id, &s));
    LT_TRY(incident_number(c, "wait") != 0 ? problem_step(c->t, &p, "wait-reporter") : LT_OK);
    return answer(c, p.id);
}

static lt_res op_takedown(struct incident_call *c)
{
    struct incident_problem p;
    int64_t notice = 0;
    LT_TRY(load(c, &p));
    p.kind = "takedown";
    LT_TRY(store_exec(c->t->store, &sql[SQL_KIND], STORE_ARGS(STORE_I(p.id), STORE_S(p.kind)), NULL));
    LT_TRY(problem_write(c->t, &p, "problem-takedown", "", &notice));
    struct incident_said s = {
        .kind = "takedown",
        .to = "reporter",
        .text = "It asks for content to go: where that is asked for, and why a certificate is "
                "not the place.",
        .notice = notice,
        .shown = true,
        .jws = c->jws};
    LT_TRY(whom(c, &s.by));
    LT_TRY(incident_problem_say(c->t, p.id, &s));
    LT_TRY(problem_rank_anew(c->t, &p, false));
    return answer(c, p.id);
}

static lt_res op_wait(struct incident_call *c)
{
    static const struct {
        const char *on;
        const char *event;
    } rows[] = {
        {"reporter", "wait-reporter"}, {"requester", "wait-requester"}, {"provider", "wait-provider"}};
    struct incident_problem p;
    const char *on = incident_text(c, "on");
    size_t i = 0;
    LT_TRY(load(c, &p));
    while (i < LT_COUNT(rows) && strcmp(rows[i].on, on) != 0) {
        i++;
    }
    LT_CHECK(i < LT_COUNT(rows), LT_PEER_MALFORMED, "\"%.40s\" is none of reporter, requester, provider", on);
    LT_TRY(problem_step(c->t, &p, rows[i].event));
    struct ca_body b;
    const char *subject = NULL;
    LT_TRY(problem_subject(c->t, p.id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "on", on);
    ca_body_str(&b, "by", c->by);
    LT_TRY(ca_body_event(&b, c->t, "problem.waits", subject, (lt_slice){0}));
    LT_TRY(say(c, p.id, "note", on, incident_text(c, "text"), strcmp(on, "reporter") == 0));
    return answer(c, p.id);
}

/* What somebody said on the phone, or wrote to a person. */
static lt_res op_word(struct incident_call *c)
{
    struct incident_problem p;
    const char *from = incident_text(c, "from");
    LT_TRY(load(c, &p));
    LT_TRY(incident_problem_next(p.status, "word") != NULL ? problem_step(c->t, &p, "word") : LT_OK);
    const struct incident_said s = {.kind = "follow-up",
                                    .by = from,
                                    .to = "desk",
                                    .text = incident_text(c, "text"),
                                    .shown = strcmp(from, "reporter") == 0,
                                    .jws = c->jws};
    LT_TRY(incident_problem_say(c->t, p.id, &s));
    return answer(c, p.id);
}

static lt_res op_note(struct incident_call *c)
{
    struct incident_problem p;
    LT_TRY(load(c, &p));
    LT_TRY(say(c, p.id, "note", "desk", incident_text(c, "text"), false));
    return answer(c, p.id);
}

/* ---- judged ---- */

static lt_res op_triaged(struct incident_call *c)
{
    struct incident_problem p;
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(load(c, &p));
    LT_TRY(
        store_exec(c->t->store, &sql[SQL_TRIAGED], STORE_ARGS(STORE_I(p.id), STORE_I(c->t->now.us)), NULL));
    LT_TRY(problem_subject(c->t, p.id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "by", c->by);
    ca_body_str(&b, "words", incident_text(c, "text"));
    LT_TRY(ca_body_event(&b, c->t, "problem.triaged", subject, c->jws));
    return answer(c, p.id);
}

static lt_res op_findings(struct incident_call *c)
{
    struct incident_problem p;
    struct problem_findings f = {
        .decision = incident_text(c, "decision"),
        .words = incident_text(c, "text"),
        .to_subscriber = incident_text(c, "to-subscriber"),
        .same = incident_number(c, "same") != 0,
        .jws = c->jws,
    };
    LT_TRY(whom(c, &f.by));
    LT_TRY(load(c, &p));
    LT_TRY(problem_findings_give(c->t, &p, &f));
    return answer(c, p.id);
}

static lt_res op_delivered(struct incident_call *c)
{
    struct incident_problem p;
    int64_t when = incident_number(c, "when");
    LT_TRY(load(c, &p));
    LT_CHECK(p.found_us != 0, LT_PEER_CONFLICT, "no findings were given; say lintel problem findings first");
    LT_CHECK(when <= c->t->now.us, LT_PEER_MALFORMED, "delivered in the future");
    LT_TRY(say(c, p.id, "note", "desk", incident_text(c, "how"), false));
    LT_TRY(problem_findings_told(c->t, &p, when == 0 ? c->t->now : (lt_time){when}, incident_text(c, "how")));
    return answer(c, p.id);
}

/* ---- what is known of it ---- */

static const char *given_or(struct incident_call *c, const char *name, const char *before)
{
    return incident_given(c, name) ? incident_text(c, name) : before;
}

static lt_res bug_of(struct incident_call *c, int64_t id, const char **ret_bug)
{
    struct store_rows rows;
    LT_TRY(store_query(c->t->store, &sql[SQL_BUG], STORE_ARGS(STORE_I(id)), &rows));
    *ret_bug = store_next(&rows) ? lt_arena_cstr(c->t->arena, store_bytes(&rows, 0)) : "";
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(*ret_bug != NULL, LT_PEER_TOO_LARGE, "problem: too much at once");
    return LT_OK;
}

static lt_res put(struct incident_call *c, const struct incident_problem *p, const char *bug)
{
    return store_exec(c->t->store, &sql[SQL_EDIT],
                      STORE_ARGS(STORE_I(p->id), STORE_S(p->contact), STORE_S(p->authority),
                                 STORE_S(p->cause), STORE_S(p->clause), STORE_S(bug)),
                      NULL);
}

static lt_res op_edit(struct incident_call *c)
{
    struct incident_problem p;
    struct incident_item items[INCIDENT_PROBLEM_ITEMS_MAX];
    size_t count = 0;
    int64_t known = 0;
    const char *bug = NULL;
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(load(c, &p));
    p.contact = given_or(c, "contact", p.contact);
    p.authority = given_or(c, "authority", p.authority);
    p.cause = given_or(c, "cause", p.cause);
    p.clause = given_or(c, "clause", p.clause);
    LT_CHECK(p.cause[0] == '\0' || ca_cause_find(lt_slice_cstr(p.cause), c->t->now) != NULL,
             LT_PEER_MALFORMED, "\"%.60s\" is no ground for a revocation; see lintel revoke --help", p.cause);
    LT_TRY(bug_of(c, p.id, &bug));
    LT_TRY(put(c, &p, bug));
    LT_TRY(items_of(c, items, &count));
    LT_TRY(problem_items_add(c->t, p.id, items, count, &known));
    LT_TRY(problem_rank_anew(c->t, &p, false));
    LT_TRY(problem_subject(c->t, p.id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "contact", p.contact);
    ca_body_str(&b, "authority", p.authority);
    ca_body_str(&b, "cause", p.cause);
    ca_body_str(&b, "clause", p.clause);
    ca_body_int(&b, "items", (int64_t)count);
    ca_body_str(&b, "by", c->by);
    LT_TRY(ca_body_event(&b, c->t, "problem.edited", subject, c->jws));
    return answer(c, p.id);
}

static lt_res op_link(struct incident_call *c)
{
    struct incident_problem p;
    const char *bug = incident_text(c, "bug");
    int64_t incident = incident_number(c, "incident");
    const char *by = NULL;
    LT_TRY(load(c, &p));
    LT_TRY(whom(c, &by));
    LT_CHECK(incident != 0 || bug[0] != '\0', LT_PEER_MALFORMED, "link it to what? \"incident\" or \"bug\"");
    LT_TRY(incident != 0 ? incident_link_problem(c->t, incident, p.id, by) : LT_OK);
    LT_TRY(incident != 0 ? incident_problem_link(c->t, p.id, incident, by) : LT_OK);
    if (bug[0] != '\0') {
        LT_TRY(put(c, &p, bug));
        LT_TRY(say(c, p.id, "note", "desk", lt_arena_printf(c->t->arena, "bug %s", bug), false));
    }
    return answer(c, p.id);
}

static lt_res op_domain(struct incident_call *c)
{
    struct incident_problem p;
    const char *method = incident_text(c, "method");
    struct ca_body b;
    const char *words = NULL;
    struct problem_domain_ask ask = {.name = incident_text(c, "name"),
                                     .method = method[0] == '\0' ? "dns-change" : method};
    LT_TRY(whom(c, &ask.by));
    LT_TRY(load(c, &p));
    LT_TRY(problem_domain_begin(c->desk, c->t, &p, &ask, &words));
    ca_body_init(&b);
    ca_body_int(&b, "id", p.id);
    ca_body_str(&b, "words", words);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res op_domain_check(struct incident_call *c)
{
    struct incident_problem p;
    struct ca_body b;
    const char *words = NULL;
    LT_TRY(load(c, &p));
    LT_TRY(problem_domain_check(c->desk, c->t, &p, incident_text(c, "name"), &words));
    ca_body_init(&b);
    ca_body_int(&b, "id", p.id);
    ca_body_str(&b, "words", words);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

/* ---- ended ---- */

static lt_res end_event(struct incident_call *c, int64_t id, const char *kind)
{
    const char *subject = NULL;
    struct ca_body b;
    LT_TRY(problem_subject(c->t, id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "words", incident_text(c, "text"));
    ca_body_str(&b, "by", c->by);
    return ca_body_event(&b, c->t, kind, subject, c->jws);
}

static lt_res op_close(struct incident_call *c)
{
    struct incident_problem p;
    LT_TRY(load(c, &p));
    /*= CABF-BR 4.9.5 "provide a preliminary report on its findings to both the Subscriber and the entity who
     * filed the Certificate Problem Report" */
    LT_CHECK(
        p.found_us != 0 && p.told_us > 0, LT_PEER_CONFLICT,
        "problem %lld has no findings that have reached its filer: give them, or say how they were delivered",
        (long long)p.id);
    LT_TRY(problem_step(c->t, &p, "close"));
    LT_TRY(end_event(c, p.id, "problem.closed"));
    return answer(c, p.id);
}

static lt_res op_reopen(struct incident_call *c)
{
    struct incident_problem p;
    LT_TRY(load(c, &p));
    LT_TRY(problem_step(c->t, &p, "reopen"));
    LT_TRY(end_event(c, p.id, "problem.reopened"));
    return answer(c, p.id);
}

/* ---- channels ---- */

static lt_res op_channel(struct incident_call *c)
{
    int64_t minutes = incident_number(c, "minutes");
    c->json = "{}";
    return problem_channel_put(c->t, incident_text(c, "name"), minutes == 0 ? 60 : minutes, c->by, c->jws);
}

static lt_res op_channel_remove(struct incident_call *c)
{
    c->json = "{}";
    return problem_channel_remove(c->t, incident_text(c, "name"), c->jws);
}

static lt_res op_probe(struct incident_call *c)
{
    const char *word = NULL;
    struct ca_body b;
    LT_TRY(problem_probe_send(c->t, incident_text(c, "name"), &word));
    bool mail = strncmp(incident_text(c, "name"), "mail ", 5) == 0;
    ca_body_init(&b);
    ca_body_str(&b, "channel", incident_text(c, "name"));
    ca_body_str(&b, "word", mail ? "" : word); /* a letter has it with it */
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static const struct incident_op ops[] = {
    {"problem.part", CA_ROLE_OPERATOR | CA_ROLE_INTAKE, op_part},
    {"problem.open", CA_ROLE_OPERATOR | CA_ROLE_INTAKE, op_open},
    {"problem.reply", CA_ROLE_OPERATOR, op_reply},
    {"problem.takedown", CA_ROLE_OPERATOR, op_takedown},
    {"problem.wait", CA_ROLE_OPERATOR, op_wait},
    {"problem.word", CA_ROLE_OPERATOR, op_word},
    {"problem.note", CA_ROLE_OPERATOR, op_note},
    {"problem.triaged", CA_ROLE_OPERATOR, op_triaged},
    {"problem.findings", CA_ROLE_OPERATOR, op_findings},
    {"problem.delivered", CA_ROLE_OPERATOR, op_delivered},
    {"problem.edit", CA_ROLE_OPERATOR, op_edit},
    {"problem.link", CA_ROLE_OPERATOR, op_link},
    {"problem.domain", CA_ROLE_OPERATOR, op_domain},
    {"problem.domain-check", CA_ROLE_OPERATOR, op_domain_check},
    {"problem.close", CA_ROLE_OPERATOR, op_close},
    {"problem.reopen", CA_ROLE_OPERATOR, op_reopen},
    {"problem.channel", CA_ROLE_OPERATOR, op_channel},
    {"problem.channel-remove", CA_ROLE_OPERATOR, op_channel_remove},
    {"problem.probe", CA_ROLE_OPERATOR | CA_ROLE_INTAKE, op_probe},
};

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    LT_TRY(problem_reading_beat(b->t, ret_more));
    LT_TRY(problem_findings_beat(b->t, ret_more));
    LT_TRY(problem_domain_beat(b, ret_more));
    LT_TRY(problem_probe_beat(b, ret_more));
    return problem_upload_beat(b->t, ret_more);
}

const struct incident_area incident_area_problem = {
    .name = "problem",
    .ops = {ops, LT_COUNT(ops)},
    .beat = beat,
    .sql = {&incident_problem_sql, &incident_problem_item_sql, &incident_problem_letter_sql,
            &incident_problem_found_sql, &incident_problem_upload_sql, &incident_problem_read_sql,
            &incident_problem_probe_sql, &incident_problem_domain_sql, &incident_problem_ops_sql,
            &incident_problem_page_sql},
};
