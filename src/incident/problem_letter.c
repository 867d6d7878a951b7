/* What the desk writes to who filed a report: always with the case and the link to its page, and never more
 * than one acknowledgement. Without an address there is nothing to write: the page has it all. */
#include <string.h>

#include "ca/body.h"
#include "incident/notice.h"
#include "incident/problem_private.h"

static const struct store_sql sql[] = {
    {"problem.acknowledged", "UPDATE problem SET acknowledged_us = ?2 WHERE id = ?1"},
    {"problem.acknowledged-lately",
     "SELECT acknowledged_us FROM problem WHERE contact = ?1 AND contact <> '' ORDER BY id DESC LIMIT ?2"},
};
enum { SQL_ACKNOWLEDGED, SQL_LATELY };
enum { LETTERS_MAX = 10, LOOKED_MAX = 100, HOUR_S = 3600 };
const struct incident_sql incident_problem_letter_sql = {sql, LT_COUNT(sql)};

/* An address, or words of a person about where somebody can be reached. */
static bool is_address(const char *contact)
{
    lt_slice text = lt_slice_cstr(contact);
    size_t at = lt_slice_find(text, '@');
    return at > 0 && at + 1 < text.len && lt_slice_find(text, ' ') == text.len;
}

lt_res problem_write(struct ca_turn *t, const struct incident_problem *p, const char *kind, const char *text,
                     int64_t *ret_notice)
{
    const char *subject = NULL;
    const char *url = NULL;
    const char *params = NULL;
    struct ca_body b;
    char received[LT_RFC3339_SIZE];
    *ret_notice = 0;
    if (!is_address(p->contact)) {
        return LT_OK;
    }
    LT_TRY(problem_subject(t, p->id, &subject));
    LT_TRY(problem_page_url(t, p, &url));
    lt_time_rfc3339((lt_time){p->received_us}, received);
    ca_body_init(&b);
    ca_body_str(&b, "case", subject);
    ca_body_str(&b, "received", received);
    ca_body_str(&b, "title", p->title[0] == '\0' ? "your report" : p->title);
    if (url[0] != '\0') {
        ca_body_str(&b, "page", url);
    }
    if (text[0] != '\0') {
        ca_body_str(&b, "text", text);
    }
    LT_TRY(ca_body_cstr(&b, t->arena, &params));
    const struct incident_notice n = {.kind = kind,
                                      .subject = subject,
                                      .channel = "mail",
                                      .to = p->contact,
                                      .params = params,
                                      .in_reply_to = p->message[0] == '\0' ? NULL : p->message};
    return incident_notice_add(t, &n, ret_notice);
}

/* Anybody can name anybody's address: who has many reports in an hour gets the first few letters, and each
 * report has its page, its clock and its findings all the same. */
static lt_res too_many(struct ca_turn *t, const struct incident_problem *p, bool *ret_many)
{
    struct store_rows rows;
    int64_t since = lt_time_add_seconds(t->now, -HOUR_S).us;
    size_t count = 0;
    LT_TRY(
        store_query(t->store, &sql[SQL_LATELY], STORE_ARGS(STORE_S(p->contact), STORE_I(LOOKED_MAX)), &rows));
    while (store_next(&rows)) {
        count += store_int(&rows, 0) > since;
    }
    *ret_many = p->contact[0] != '\0' && count >= LETTERS_MAX;
    return store_rows_end(&rows);
}

lt_res problem_acknowledge(struct ca_turn *t, struct incident_problem *p)
{
    int64_t notice = 0;
    const char *subject = NULL;
    struct ca_body b;
    bool takedown = strcmp(p->kind, "takedown") == 0;
    if (p->acknowledged_us != 0) {
        return LT_OK;
    }
    bool many = false;
    LT_TRY(too_many(t, p, &many));
    LT_TRY(many ? LT_OK
                : problem_write(t, p, takedown ? "problem-takedown" : "problem-received", "", &notice));
    p->acknowledged_us = t->now.us;
    LT_TRY(
        store_exec(t->store, &sql[SQL_ACKNOWLEDGED], STORE_ARGS(STORE_I(p->id), STORE_I(t->now.us)), NULL));
    LT_TRY(problem_subject(t, p->id, &subject));
    ca_body_init(&b);
    ca_body_str(&b, "to", p->contact);
    ca_body_int(&b, "notice", notice);
    ca_body_bool(&b, "too_many_letters", many);
    LT_TRY(ca_body_event(&b, t, "problem.acknowledged", subject, (lt_slice){0}));
    const struct incident_said s = {
        .kind = takedown ? "takedown" : "acknowledgement",
        .by = "desk",
        .to = "reporter",
        .text = takedown
                    ? "Received. It asks for content to go, which is no ground for a revocation; a person "
                      "looks at it nevertheless."
                    : "Received. Preliminary findings follow within 24 hours.",
        .notice = notice,
        .shown = true};
    return incident_problem_say(t, p->id, &s);
}
