/* The desk's pages: the form by which anybody reports a problem, and the page of a case, to which the link in
 * our letters leads. No script, no account; a report is in the book before the form says thank you. */
#include <string.h>

#include "acme/pages.h"
#include "base/text.h"
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
    {"problem.page-certificates", "SELECT i.serial, r.revoked_us FROM problem_item i JOIN certificate c ON "
                                  "c.issuer = i.issuer AND c.serial = "
                                  "i.serial AND c.copy = 0 LEFT JOIN revocation r ON r.issuer = c.issuer AND "
                                  "r.shard = c.shard AND r.serial = "
                                  "c.serial WHERE i.problem = ?1 AND i.issuer <> 0 ORDER BY i.idx LIMIT 20"},
};
enum { SQL_THREAD, SQL_DOMAINS, SQL_CERTIFICATES };
const struct incident_sql incident_problem_page_sql = {sql, LT_COUNT(sql)};

enum {
    TEXT_ROWS = 10,
    ABOUT_ROWS = 3,
    RAW_MAX = 192 * 1024,
    CONTACT_MAX = 320,
    THREAD_MAX = 100 * 1024,
    WORD_MAX = 8 * 1024
};
/*= CABF-BR 4.9.5 "Within 24 hours after receiving a Certificate Problem Report, the CA SHALL investigate the
 * facts and circumstances related to a Certificate Problem Report and provide a preliminary report on its
 * findings to both the Subscriber and the entity who filed the Certificate Problem Report." */
static const int64_t FINDINGS_US = INT64_C(24) * 3600 * LT_US_PER_SECOND;

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

/* What is to be put right, and in which field. */
struct wrong {
    const char *field; /* NULL: nothing */
    const char *words;
};

/* What was written stays in its place; files have to be chosen again. */
static lt_res keep(struct acme_page *p, const struct wrong *w, const char *field, const char *hint)
{
    LT_TRY(hint[0] == '\0' ? LT_OK : acme_page_hint(p, hint));
    LT_TRY(p->m->post ? acme_page_value(p, acme_page_field(p, field)) : LT_OK);
    return w->field != NULL && strcmp(w->field, field) == 0 ? acme_page_wrong(p, w->words) : LT_OK;
}

static lt_res show_words(struct acme_page *p)
{
    const char *name = p->turn->book->config == NULL ? "" : p->turn->book->config->name;
    char *line = lt_arena_printf(p->turn->arena,
                                 "A key that is no longer private, a certificate that should not have been "
                                 "issued, one that is misused: tell %s here, at any hour.",
                                 name[0] == '\0' ? "us" : name);
    LT_CHECK(line != NULL, LT_PEER_TOO_LARGE, "the page is too large");
    LT_TRY(acme_page_text(p, line));
    LT_TRY(acme_page_text(p, "You get a case number and a link at once, and preliminary findings within 24 "
                             "hours. Proofs of a compromised key are verified by machine, within seconds."));
    return acme_page_text(p,
                          "Certificates say who holds a name, not what is on a page. To have content taken "
                          "down, ask whoever hosts it; we look at such reports as well.");
}

static lt_res show_case_fields(struct acme_page *p, const struct wrong *w)
{
    LT_TRY(acme_page_area(p, "about", "Which certificates?", ABOUT_ROWS));
    LT_TRY(keep(p, w, "about",
                "Serial numbers, SHA-256 fingerprints, links to crt.sh, names, or certificates as PEM."));
    LT_TRY(acme_page_choice(p, "cause", "What is wrong with them?", causes));
    LT_TRY(keep(p, w, "cause", ""));
    LT_TRY(acme_page_area(p, "text", "What happened, and how do you know?", TEXT_ROWS));
    LT_TRY(keep(p, w, "text", "Proofs may stand in it as PEM."));
    LT_TRY(acme_page_file(p, "file", "Files"));
    LT_TRY(acme_page_hint(p, "Certificates, certificate requests that say the key is compromised, or the "
                             "private key itself, which is used to verify and then removed. PEM or DER, at "
                             "most 8 files, 60 kB together. Anything larger: send it by mail."));
    LT_TRY(acme_page_area(p, "clause", "Which rule is broken, if you know? (optional)", 0));
    return keep(p, w, "clause", "For example: CABF-BR 7.1.2.7.6");
}

static lt_res show_reporter_fields(struct acme_page *p, const struct wrong *w)
{
    LT_TRY(acme_page_area(p, "contact", "Your mail address (optional)", 0));
    LT_TRY(keep(p, w, "contact", "For our answers. Without one, keep the link that you will get."));
    LT_TRY(acme_page_complete(p, "email"));
    LT_TRY(acme_page_area(p, "name", "Your name (optional)", 0));
    LT_TRY(keep(p, w, "name", ""));
    LT_TRY(acme_page_complete(p, "name"));
    LT_TRY(acme_page_choice(p, "authority", "Who are you?", authorities));
    LT_TRY(keep(p, w, "authority", ""));
    LT_TRY(acme_page_flag(p, "consent", "You may name me in public reports"));
    return keep(p, w, "consent", "");
}

static lt_res show_form(struct acme_page *p, const struct wrong *w)
{
    LT_TRY(acme_page_title(p, w->field == NULL ? 200 : 400, "Report a problem with a certificate"));
    LT_TRY(show_words(p));
    LT_TRY(show_case_fields(p, w));
    LT_TRY(show_reporter_fields(p, w));
    LT_TRY(acme_page_button(p, "report", "Send the report"));
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

static struct wrong wrong_with(const struct acme_page *p)
{
    const char *contact = acme_page_field(p, "contact");
    bool empty = acme_page_field(p, "text")[0] == '\0' && acme_page_field(p, "about")[0] == '\0' &&
                 acme_page_field(p, "file")[0] == '\0';
    const struct {
        bool is;
        struct wrong wrong;
    } rows[] = {
        {empty, {"about", "Nothing was said: say which certificate, or what happened."}},
        {contact[0] != '\0' && !is_address(contact),
         {"contact", "That is no mail address. Leave it empty if you have none."}},
        {acme_page_field(p, "authority")[0] != '\0' &&
             !is_choice(authorities, acme_page_field(p, "authority")),
         {"authority", "The form was changed: who you are is one of its choices."}},
        {!is_choice(causes, acme_page_field(p, "cause")),
         {"cause", "The form was changed: what is wrong is one of its choices."}},
        {strlen(acme_page_field(p, "text")) > INCIDENT_PROBLEM_WORDS_MAX,
         {"text", "The text is too long: choose it as a file, or send it by mail."}},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (rows[i].is) {
            return rows[i].wrong;
        }
    }
    return (struct wrong){NULL, ""};
}

/* What has lines cannot stand in the head of the text. */
static bool has_lines(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

/* The report as it came, in one text: what is kept, hashed, and taken apart by the mailroom. */
static lt_res raw_of(struct acme_page *p, lt_slice *ret_raw)
{
    static const char *const names[] = {"contact", "name", "authority", "cause", "clause", "about", "probe"};
    struct lt_buf raw;
    lt_buf_init(&raw, RAW_MAX);
    const char *about = acme_page_field(p, "about");
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        const char *value = acme_page_field(p, names[i]);
        lt_buf_addf(&raw, "%s: %s\n", names[i], has_lines(value) ? "see below" : value);
    }
    lt_buf_addf(&raw, "from: %s\n\n", p->m->remote_address);
    if (has_lines(about)) {
        lt_buf_addf(&raw, "%s\n\n", about);
    }
    lt_buf_addf(&raw, "%s\n%s", acme_page_field(p, "text"), acme_page_field(p, "file"));
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
    LT_TRY(acme_page_tone(p, "good"));
    LT_TRY(acme_page_text(
        p, opened
               ? "It is written down. Keep the link below: it shows what becomes of the report, and takes "
                 "what you want to add."
               : "It is written down. The same report from the same address was here before: its link is in "
                 "the letter that we sent to that address then."));
    LT_TRY(acme_page_row(p, "Case", subject));
    LT_TRY(url[0] == '\0' ? LT_OK : acme_page_row_link(p, "Link", url, url));
    LT_TRY(acme_page_section(p, "What happens next"));
    LT_TRY(acme_page_item(
        p, "Proofs of a compromised key are being verified now. What is proven is blocked, and "
           "its certificates are revoked, without a person in between."));
    LT_TRY(acme_page_item(p, "You get preliminary findings within 24 hours."));
    LT_TRY(acme_page_item(p,
                          "Where a certificate has to be revoked, that is done within 24 hours or 5 days, as "
                          "the Baseline Requirements say."));
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
    const struct wrong wrong = p->m->post ? wrong_with(p) : (struct wrong){NULL, ""};
    return p->m->post && wrong.field == NULL ? take(p) : show_form(p, &wrong);
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
