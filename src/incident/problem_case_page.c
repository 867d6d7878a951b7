/* The page of a case, to which the link in our letters leads: what was said and done, which certificates it
 * is about and what became of them, and forms to add something. The link is the right. */
#include <string.h>

#include "acme/pages.h"
#include "base/text.h"
#include "incident/pages.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.thread-shown",
     "SELECT at_us, kind, by_whom, text FROM problem_word WHERE problem = ?1 AND shown = 1 "
     "ORDER BY idx DESC LIMIT 100"},
    {"problem.page-domains",
     "SELECT name, proven_us FROM problem_domain WHERE problem = ?1 ORDER BY name LIMIT 10"},
    {"problem.page-certificates", "SELECT i.serial, r.revoked_us FROM problem_item i JOIN certificate c ON "
                                  "c.issuer = i.issuer AND c.serial = "
                                  "i.serial AND c.copy = 0 LEFT JOIN revocation r ON r.issuer = c.issuer AND "
                                  "r.shard = c.shard AND r.serial = "
                                  "c.serial WHERE i.problem = ?1 AND i.issuer <> 0 ORDER BY i.idx LIMIT 20"},
};
enum { SQL_THREAD, SQL_DOMAINS, SQL_CERTIFICATES };
const struct incident_sql incident_problem_page_sql = {sql, LT_COUNT(sql)};

enum { TEXT_ROWS = 5, THREAD_MAX = 100 * 1024, WORD_MAX = 8 * 1024 };
/*= CABF-BR 4.9.5 "Within 24 hours after receiving a Certificate Problem Report, the CA SHALL investigate the
 * facts and circumstances related to a Certificate Problem Report and provide a preliminary report on its
 * findings to both the Subscriber and the entity who filed the Certificate Problem Report." */
static const int64_t FINDINGS_US = INT64_C(24) * 3600 * LT_US_PER_SECOND;

/* Not in the middle of a letter. */
static lt_slice cut(lt_slice text, size_t most)
{
    size_t len = text.len < most ? text.len : most;
    while (len < text.len && len > 0 && (text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return lt_slice_sub(text, 0, len);
}

/* The newest first, as much as a page holds: findings are seen however much was written before them. */
static lt_res add_thread(struct acme_page *p, int64_t id)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    size_t room = THREAD_MAX;
    LT_TRY(store_query(p->turn->store, &sql[SQL_THREAD], STORE_ARGS(STORE_I(id)), &rows));
    while (!lt_failed(r) && room > 0 && store_next(&rows)) {
        char at[LT_RFC3339_SIZE];
        lt_time_rfc3339((lt_time){store_int(&rows, 0)}, at);
        bool reporter = lt_slice_eq_cstr(store_bytes(&rows, 2), "reporter");
        lt_slice whole = store_bytes(&rows, 3);
        lt_slice words = cut(whole, room < WORD_MAX ? room : WORD_MAX);
        char *text = lt_arena_printf(p->turn->arena, "%s, %s, %.*s: %.*s%s", at, reporter ? "you" : "we",
                                     LT_FMT(store_bytes(&rows, 1)), LT_FMT(words),
                                     words.len < whole.len ? " \xe2\x80\xa6" : "");
        room -= words.len;
        r = text == NULL ? LT_OK : acme_page_item(p, text);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res add_domains(struct acme_page *p, int64_t id)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(p->turn->store, &sql[SQL_DOMAINS], STORE_ARGS(STORE_I(id)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        char *text = lt_arena_printf(p->turn->arena, "%.*s", LT_FMT(store_bytes(&rows, 0)));
        r = text == NULL
                ? LT_OK
                : acme_page_row(p, text,
                                store_int(&rows, 1) == 0 ? "control is not shown yet" : "control was shown");
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* Those of ours that the report names, and what became of them; some are named in two ways. */
static lt_res add_certificates(struct acme_page *p, int64_t id)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    const char *last = "";
    LT_TRY(store_query(p->turn->store, &sql[SQL_CERTIFICATES], STORE_ARGS(STORE_I(id)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        char at[LT_RFC3339_SIZE];
        bool revoked = !store_is_null(&rows, 1);
        char *hex = lt_hex(p->turn->arena, store_bytes(&rows, 0));
        lt_time_rfc3339((lt_time){revoked ? store_int(&rows, 1) : 0}, at);
        char *name = lt_arena_printf(p->turn->arena, "Certificate %s", hex == NULL ? "" : hex);
        char *value = lt_arena_printf(p->turn->arena, "revoked on %s", at);
        if (name == NULL || value == NULL) {
            break; /* as many as there is room for */
        }
        r = strcmp(name, last) == 0
                ? LT_OK
                : acme_page_row_toned(p, name, revoked ? value : "not revoked", revoked ? "good" : "plain");
        last = name;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static const char *decision_words(const char *decision)
{
    static const struct {
        const char *decision;
        const char *words;
    } rows[] = {
        {"revoke", "Certificates have to be revoked."},
        {"none", "Nothing has to be revoked."},
        {"takedown", "This is about content, not about certificates: ask whoever hosts it."},
        {"duplicate", "Another report says the same; it is answered there."},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (strcmp(rows[i].decision, decision) == 0) {
            return rows[i].words;
        }
    }
    return decision;
}

static const char *state_words(const struct incident_problem *c)
{
    static const struct {
        const char *status;
        const char *words;
    } rows[] = {
        {"received", "received, and being read"},
        {"open", "being looked into"},
        {"waiting-reporter", "we asked you something; the clock runs on"},
        {"waiting-requester", "we asked the subscriber something; the clock runs on"},
        {"waiting-provider", "we asked a provider something; the clock runs on"},
        {"answered", "preliminary findings were given"},
        {"closed", "closed"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (strcmp(rows[i].status, c->status) == 0) {
            return rows[i].words;
        }
    }
    return c->status;
}

static lt_res show_case(struct acme_page *p, const struct incident_problem *c, const char *said)
{
    const char *subject = NULL;
    char received[LT_RFC3339_SIZE];
    LT_TRY(problem_subject(p->turn, c->id, &subject));
    lt_time_rfc3339((lt_time){c->received_us}, received);
    LT_TRY(acme_page_title(p, 200, "Your report"));
    if (said[0] != '\0') {
        LT_TRY(acme_page_tone(p, "good"));
        LT_TRY(acme_page_text(p, said));
    }
    LT_TRY(acme_page_row(p, "Case", subject));
    LT_TRY(acme_page_row(p, "Received", received));
    LT_TRY(
        acme_page_row_toned(p, "State", state_words(c), strcmp(c->status, "closed") == 0 ? "good" : "plain"));
    if (c->decision[0] != '\0') {
        LT_TRY(acme_page_row(p, "Finding", decision_words(c->decision)));
    } else {
        lt_time_rfc3339((lt_time){c->received_us + FINDINGS_US}, received);
        LT_TRY(acme_page_row(p, "Findings by", received));
    }
    LT_TRY(add_certificates(p, c->id));
    LT_TRY(add_domains(p, c->id));
    LT_TRY(acme_page_section(p, "What was said and done"));
    LT_TRY(add_thread(p, c->id));
    LT_TRY(acme_page_section(p, "Add something"));
    LT_TRY(acme_page_area(p, "text", "What do you want to add?", TEXT_ROWS));
    LT_TRY(acme_page_file(p, "file", "Files"));
    LT_TRY(acme_page_hint(
        p, "Proofs that the key is compromised: PEM or DER, at most 8 files, 30 kB together."));
    LT_TRY(acme_page_button(p, "say", "Add it"));
    LT_TRY(acme_page_section(p, "Show that a domain is yours"));
    LT_TRY(acme_page_text(p, "Not needed for a report; where you show it, we know who asks."));
    LT_TRY(acme_page_area(p, "domain", "Domain", 0));
    LT_TRY(acme_page_choice(p, "method", "How do you want to show it?",
                            (const char *const[]){"dns-change", "a TXT record in the DNS", "website-change",
                                                  "a file on the web server", NULL}));
    LT_TRY(acme_page_button(p, "domain", "What do I have to do?"));
    LT_TRY(acme_page_button(p, "check", "It is in its place: look now"));
    return acme_page_answer(p);
}

/* A proof that comes later is a proof. The notary has looked: there is no private key in the text any more.
 */
static lt_res prove(struct acme_page *p, struct incident_problem *c)
{
    bool done = false;
    for (size_t i = 0; i < p->m->n_proofs; i++) {
        const struct problem_proof proof = {
            .proof = p->m->proofs[i], .via = "form", .received = p->turn->now};
        LT_TRY(strcmp(proof.proof->verdict, "nothing") == 0 ? LT_OK
                                                            : problem_prove(p->turn, c, &proof, &done));
    }
    return LT_OK;
}

static lt_res add_words(struct acme_page *p, struct incident_problem *c)
{
    const char *text = acme_page_field(p, "text");
    const char *file = acme_page_field(p, "file");
    char *all = lt_arena_printf(p->turn->arena, "%s%s", text, file);
    LT_CHECK(all != NULL, LT_PEER_TOO_LARGE, "the page is too large");
    bool words = all[0] != '\0' && strlen(all) <= INCIDENT_PROBLEM_WORDS_MAX;
    const struct incident_said s = {
        .kind = "follow-up", .by = "reporter", .to = "desk", .text = all, .shown = true};
    if (words) {
        LT_TRY(incident_problem_next(c->status, "word") != NULL ? problem_step(p->turn, c, "word") : LT_OK);
        LT_TRY(incident_problem_say(p->turn, c->id, &s));
    }
    LT_TRY(prove(p, c));
    return show_case(p, c,
                     words            ? "Added."
                     : all[0] == '\0' ? "There was nothing to add."
                                      : "That is too long: send it by mail.");
}

static lt_res domain(struct acme_page *p, struct incident_problem *c, bool check)
{
    const char *words = NULL;
    const char *name = acme_page_field(p, "domain");
    const struct problem_domain_ask ask = {
        .name = name, .method = acme_page_field(p, "method"), .by = "reporter"};
    lt_res r = check ? problem_domain_check(p->desk, p->turn, c, name, &words)
                     : problem_domain_begin(p->desk, p->turn, c, &ask, &words);
    if (lt_class_of(r.code) == LT_CLASS_PEER || lt_class_of(r.code) == LT_CLASS_POLICY) {
        words = lt_arena_cstr(p->turn->arena, lt_slice_cstr(lt_error_last()->detail));
        r = LT_OK;
    }
    LT_TRY(r);
    return show_case(p, c, words == NULL ? "" : words);
}

lt_res incident_problem_case_page(struct acme_page *p)
{
    struct incident_problem c;
    LT_TRY(problem_by_link(p->turn, lt_slice_cstr(p->m->token), &c));
    if (c.id == 0) {
        return acme_page_unknown(p);
    }
    const char *what = p->m->post ? acme_page_field(p, "do") : "";
    return strcmp(what, "say") == 0 ? add_words(p, &c)
           : strcmp(what, "domain") == 0 || strcmp(what, "check") == 0
               ? domain(p, &c, strcmp(what, "check") == 0)
               : show_case(p, &c, "");
}
