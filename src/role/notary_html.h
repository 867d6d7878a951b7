#ifndef ROLE_NOTARY_HTML_H
#define ROLE_NOTARY_HTML_H
/* The one look of all pages for people: head, foot, style, and how texts, times and numbers are written. No
 * script, no foreign resource; a page is one answer, and prints. */
#include "base/buf.h"
#include "pages.pb-c.h"

struct notary_frame {
    const char *name;  /* of the certificate authority; NULL: not known */
    const char *title; /* of the page */
    const char *here;  /* path of it, where it is one of the menu's; else "" */
    bool index;        /* may search engines have it? */
};

void notary_html_begin(struct lt_buf *out, const struct notary_frame *f);
void notary_html_end(struct lt_buf *out);
/* The style element's bytes, of which the policy names the hash. */
extern const char notary_style[];

/* Between tags and in quoted attributes; control characters become blanks. */
void notary_page_escape(struct lt_buf *out, lt_slice text);
/* Between tags: ends of lines stay, and an instant (RFC 3339, UTC) is written as people read it. */
void notary_html_text(struct lt_buf *out, lt_slice text);
/* before, text as above, after */
void notary_html_add(struct lt_buf *out, const char *before, const char *text, const char *after);
/* The same escaped alone: for attributes. */
void notary_html_attribute(struct lt_buf *out, const char *before, const char *text, const char *after);
/* 1,234,567 */
void notary_html_number(struct lt_buf *out, int64_t n);
/* A word with a colour; tone "": without. */
void notary_html_tag(struct lt_buf *out, const char *tone, const char *word);

/* A page in typed words: the whole document. */
void notary_page_html(struct lt_buf *out, const Ipc__PageReply *page, const char *name);

#endif
