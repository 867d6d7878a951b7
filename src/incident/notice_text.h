#ifndef INCIDENT_NOTICE_TEXT_H
#define INCIDENT_NOTICE_TEXT_H
/* What a notice says: a template of data/notices (compiled in by notices.py) with its words filled in. Knows
 * no book: the courier makes letters of it, the command line shows them.
 *
 * A word stands in for {word}, as it is: what is in it is never looked into for braces. A paragraph that
 * names a word which may be left out, and was, is left out. Refuses: templates that are none, and words that
 * are missing. */
#include "base/buf.h"

struct incident_template {
    const char *kind;
    const char *title;   /* what it is for */
    const char *words;   /* that it needs, blank-separated */
    const char *maybe;   /* that it may have */
    const char *subject; /* one line */
    const char *body;
};
extern const struct incident_template incident_templates[];
extern const size_t incident_template_count;
/* NULL: there is none. */
const struct incident_template *incident_template_find(const char *kind);
/* Does the JSON have a member for each word that is needed? Looks for the names alone: what the registrar,
 * which parses nothing, can know of it. LT_PEER_MALFORMED names the one that is missing. */
LT_MUST_USE lt_res incident_template_check(const struct incident_template *t, const char *json);

struct incident_letter {
    const char *kind;
    const char *words; /* JSON object; values are strings, numbers, true and false */
    const char *ca;
    const char *host;
    const char *to;
    const char *about; /* "incident 12" */
};
/* Subject: one line without control characters. Body: lines that end with '\n'; control characters in words
 * are blanks. LT_PEER_MALFORMED, LT_PEER_TOO_LARGE. */
LT_MUST_USE lt_res incident_letter_write(const struct incident_letter *l, struct lt_buf *subject,
                                         struct lt_buf *body);

#endif
