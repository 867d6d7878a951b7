/* The desk's pages: the form by which anybody reports a problem, and the page of a case, to which the link in
 * our letters leads. No script, no account; a report is in the book before the form says thank you. */
#include <string.h>

#include "acme/pages.h"
#include "ca/book.h"
#include "ca/config.h"
#include "crypto/digest.h"
#include "incident/pages.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.thread-shown",
     "SELECT at_us, kind, by_whom, text FROM problem_word WHERE problem = ?1 AND shown = 1 "
     "ORDER BY idx DESC LIMIT 100"},
    {"problem.page-domains",
     "SELECT name, proven_us FROM problem_domain WHERE problem = ?1 ORDER BY name LIMIT 10"},
};
enum { SQL_THREAD, SQL_DOMAINS };
const struct incident_sql incident_problem_page_sql = {sql, LT_COUNT(sql)};

enum { TEXT_ROWS = 14, RAW_MAX = 64 * 1024, CONTACT_MAX = 320, THREAD_MAX = 100 * 1024, WORD_MAX = 8 * 1024 };

/* ---- the form ---- */

static const char *const authorities[] = {"other",      "somebody else",
                                          "subscriber", "I asked for the certificate",
                                          "domain",     "a domain in it is mine",
                                          "key",        "its private key is, or was, mine, or I have it",
                                          "supplier",   "I make software that trusts it",
                                          "law",        "I enforce the law",
                                          NULL};
static const char *const causes[] = {"",
                                     "I do not know",
                                     "key-compromise",
                                     "somebody else has the private key",
                                     "key-computable",
                                     "the private key can be computed",
                                     "not-authorized",
                                     "it was asked for without a right to do so",
                                     "validation-unreliable",
                                     "control of a name was not shown, or CAA forbids it",
                                     "misuse",
                                     "it is misused",
                                     "information-inaccurate",
                                     "what it says is not so",
                                     "not-issued-per-rules",
                                     "it breaks a rule for certificates",
                                     NULL};

static lt_res show_form(struct acme_page *p, uint32_t status, const char *why)
{
    LT_TRY(acme_page_title(p, status, "Report a problem with a certificate"));
    if (why[0] != '\0') {
        LT_TRY(acme_page_text(p, why));
    }
    LT_TRY(acme_page_text(p, "A key that is no longer private, a certificate that should not have been "
                             "issued, one that is misused: "
                             "tell us here, at any hour. You get a case number at once, and preliminary "
                             "findings within 24 hours."));
    LT_TRY(acme_page_text(p, "Proofs of a compromised key are verified by machine, within seconds: paste "
                             "them into the text as PEM, "
                             "such as a certificate request whose common name says that the key is "
                             "compromised, or the private key "
                             "itself, which is used to verify and then removed."));
    LT_TRY(acme_page_text(p, "Certificates say who holds a name, not what is on a page. To have content "
                             "taken down, ask whoever hosts "
                             "it; we look at such reports as well."));
    LT_TRY(acme_page_row(p, "Certificate authority",
                         p->turn->book->config == NULL ? "" : p->turn->book->config->name));
    LT_TRY(acme_page_area(p, "about",
                          "Which certificates: serial numbers, SHA-256 fingerprints, links to crt.sh, or "
                          "names",
                          0));
    LT_TRY(acme_page_choice(p, "cause", "What is wrong with them", causes));
    LT_TRY(acme_page_area(p, "clause", "The rule that is broken, where you know it (CABF-BR 7.1.2.7.6)", 0));
    LT_TRY(acme_page_area(p, "text", "What happened, how you know, proofs", TEXT_ROWS));
    LT_TRY(acme_page_area(p, "contact",
                          "Mail address for our answers; without one, keep the link that you will get", 0));
    LT_TRY(acme_page_area(p, "name", "Your name", 0));
    LT_TRY(acme_page_choice(p, "authority", "Who you are", authorities));
    LT_TRY(acme_page_flag(p, "consent", "You may name me in public reports"));
    LT_TRY(acme_page_button(p, "report", "Report"));
    return acme_page_answer(p);
}

static bool is_choice(const char *const *choices, const char *value)
{
    for (size_t i = 0; choices[i] != NULL; i += 2) {
        if (strcmp(choices[i], value) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_address(const char *contact)
{
    lt_slice text = lt_slice_cstr(contact);
    size_t at = lt_slice_find(text, '@');
    bool good = text.len <= CONTACT_MAX && at > 0 && at + 1 < text.len;
    for (size_t i = 0; i < text.len && good; i++) {
        good = text.ptr[i] > 0x20 && text.ptr[i] < 0x7f && strchr("<>,;\"()", text.ptr[i]) == NULL;
    }
    return good;
}

static const char *wrong_with(struct acme_page *p)
{
    const char *contact = acme_page_field(p, "contact");
    if (acme_page_field(p, "text")[0] == '\0' && acme_page_field(p, "about")[0] == '\0') {
        return "Nothing was said: say which certificate, or what happened.";
    }
    if (contact[0] != '\0' && !is_address(contact)) {
        return "That is no mail address. Leave it empty if you have none.";
    }
    if (acme_page_field(p, "authority")[0] != '\0' &&
        !is_choice(authorities, acme_page_field(p, "authority"))) {
        return "The form was changed: who you are is one of its choices.";
    }
    if (!is_choice(causes, acme_page_field(p, "cause"))) {
        return "The form was changed: what is wrong is one of its choices.";
    }
    if (strlen(acme_page_field(p, "text")) > INCIDENT_PROBLEM_WORDS_MAX) {
        return "The text is too long: send files by mail.";
    }
    return NULL;
}

/* The report as it came, in one text: what is kept, hashed, and taken apart by the mailroom. */
static lt_res raw_of(struct acme_page *p, lt_slice *ret_raw)
{
    static const char *const names[] = {"contact", "name", "authority", "cause", "clause", "about", "probe"};
    struct lt_buf raw;
    lt_buf_init(&raw, RAW_MAX);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        lt_buf_addf(&raw, "%s: %s\n", names[i], acme_page_field(p, names[i]));
    }
    lt_buf_addf(&raw, "from: %s\n\n%s\n", p->m->remote_address, acme_page_field(p, "text"));
    *ret_raw = raw.overflow ? (lt_slice){0} : lt_arena_copy(p->turn->arena, lt_buf_slice(&raw));
    lt_buf_done(&raw);
    LT_CHECK(ret_raw->ptr != NULL, LT_PEER_TOO_LARGE, "the report is too large");
    return LT_OK;
}

static lt_res keep_raw(struct acme_page *p, lt_slice raw, struct incident_report *r)
{
    uint8_t *id = lt_arena_alloc(p->turn->arena, INCIDENT_UPLOAD_LEN + CRYPTO_SHA256_LEN);
    LT_CHECK(id != NULL, LT_PEER_TOO_LARGE, "the report is too large");
    p->turn->random(id, INCIDENT_UPLOAD_LEN);
    crypto_sha256(raw, id + INCIDENT_UPLOAD_LEN);
    r->upload = LT_SLICE(id, INCIDENT_UPLOAD_LEN);
    r->raw_sha256 = LT_SLICE(id + INCIDENT_UPLOAD_LEN, CRYPTO_SHA256_LEN);
    r->raw_bytes = (int64_t)raw.len;
    r->form = "text";
    for (lt_slice rest = raw; rest.len > 0;) {
        lt_slice part = lt_slice_sub(rest, 0, INCIDENT_RAW_PART_MAX);
        rest = lt_slice_sub(rest, part.len, SIZE_MAX);
        LT_TRY(problem_upload_part(p->turn, r->upload, r->raw_parts++, part, "form"));
    }
    return LT_OK;
}

/* The link is a right: it is given to who opened the case, and to nobody who sends the same once more. */
static lt_res thank(struct acme_page *p, int64_t id, lt_slice upload)
{
    struct incident_problem row;
    const char *subject = NULL;
    const char *url = "";
    LT_TRY(problem_load(p->turn, id, &row));
    LT_TRY(problem_subject(p->turn, id, &subject));
    bool opened = lt_slice_eq(row.upload, upload);
    LT_TRY(opened ? problem_page_url(p->turn, &row, &url) : LT_OK);
    LT_TRY(acme_page_title(p, 200, "Thank you: your report is received"));
    LT_TRY(acme_page_text(
        p, "It is written down. Preliminary findings follow within 24 hours; proofs of a compromised "
           "key are being verified now. Keep the link: it shows what becomes of the report, and "
           "takes what you want to add."));
    LT_TRY(opened ? LT_OK
                  : acme_page_text(
                        p, "The same report from the same address was here before. Its link is in the "
                           "letter that we sent to that address then."));
    LT_TRY(acme_page_row(p, "Case", subject));
    LT_TRY(url[0] == '\0' ? LT_OK : acme_page_row(p, "Link", url));
    return acme_page_answer(p);
}

static lt_res take(struct acme_page *p)
{
    lt_slice raw;
    int64_t id = 0;
    struct incident_report r = {
        .channel = "form",
        .contact = acme_page_field(p, "contact"),
        .reporter = "", /* these three are the mailroom's to say: there may be a private key in any of them */
        .title = "",
        .clause = "",
        .may_name = strcmp(acme_page_field(p, "consent"), "yes") == 0,
        .authority = acme_page_field(p, "authority"),
        .words = "",
        .cause = acme_page_field(p, "cause"),
        .by = "",
    };
    LT_TRY(raw_of(p, &raw));
    LT_TRY(keep_raw(p, raw, &r));
    LT_TRY(incident_problem_open(p->turn, &r, &id));
    return thank(p, id, r.upload);
}

lt_res incident_problem_report_page(struct acme_page *p)
{
    const char *why = p->m->post ? wrong_with(p) : "";
    return !p->m->post || why != NULL ? show_form(p, p->m->post ? 400 : 200, why) : take(p);
}

/* ---- a case ---- */

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
        LT_TRY(acme_page_text(p, said));
    }
    LT_TRY(acme_page_row(p, "Case", subject));
    LT_TRY(acme_page_row(p, "Received", received));
    LT_TRY(acme_page_row(p, "State", state_words(c)));
    if (c->decision[0] != '\0') {
        LT_TRY(acme_page_row(p, "Finding", c->decision));
    }
    LT_TRY(add_domains(p, c->id));
    LT_TRY(add_thread(p, c->id));
    LT_TRY(acme_page_area(p, "text", "Something to add", TEXT_ROWS / 2));
    LT_TRY(acme_page_button(p, "say", "Add it"));
    LT_TRY(acme_page_area(p, "domain", "A domain that is yours: you can show us that", 0));
    LT_TRY(acme_page_choice(p, "method", "How",
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
    bool words = text[0] != '\0' && strlen(text) <= INCIDENT_PROBLEM_WORDS_MAX;
    const struct incident_said s = {
        .kind = "follow-up", .by = "reporter", .to = "desk", .text = text, .shown = true};
    if (words) {
        LT_TRY(incident_problem_next(c->status, "word") != NULL ? problem_step(p->turn, c, "word") : LT_OK);
        LT_TRY(incident_problem_say(p->turn, c->id, &s));
    }
    LT_TRY(prove(p, c));
    return show_case(p, c,
                     words             ? "Added."
                     : text[0] == '\0' ? "There was nothing to add."
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
