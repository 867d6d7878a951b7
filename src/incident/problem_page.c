/* The form by which anybody reports a problem. No script, no account; a report is in the book before the form
 * says thank you. */
#include <string.h>

#include "acme/pages.h"
#include "ca/book.h"
#include "ca/config.h"
#include "crypto/digest.h"
#include "incident/pages.h"
#include "incident/problem_private.h"

enum { TEXT_ROWS = 10, ABOUT_ROWS = 3, RAW_MAX = 192 * 1024, CONTACT_MAX = 320 };

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
