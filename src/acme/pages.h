#ifndef ACME_PAGES_H
#define ACME_PAGES_H
/* Pages for people, the registrar's half: what a page says, in typed words (proto/ipc/pages.proto), out of
 * which the notary makes HTML. A handler looks at p->m, fills in p->reply and answers. For every room that
 * has pages. */
#include "acme/desk.h"
#include "pages.pb-c.h"

enum {
    ACME_PAGE_ITEMS = 256,
    ACME_PAGE_ROWS = 32,
    ACME_PAGE_TEXTS = 16,
    ACME_PAGE_BUTTONS = 4,
    ACME_PAGE_AREAS = 12,
    ACME_PAGE_SECTIONS = 8
};

/* A section being written: what is added goes there. */
struct acme_page_section {
    Ipc__PageSection m;
    char *paragraphs[ACME_PAGE_TEXTS];
    char *items[ACME_PAGE_ITEMS];
    Ipc__PageRow *rows[ACME_PAGE_ROWS];
    Ipc__PageButton *buttons[ACME_PAGE_BUTTONS];
    Ipc__PageArea *areas[ACME_PAGE_AREAS];
};

struct acme_page {
    struct acme_desk *desk;
    struct ca_turn *turn;
    struct ipc_addr from;
    const Ipc__PageCall *m;
    Ipc__PageReply reply;
    char *paragraphs[ACME_PAGE_TEXTS];
    char *items[ACME_PAGE_ITEMS];
    Ipc__PageRow *rows[ACME_PAGE_ROWS];
    Ipc__PageButton *buttons[ACME_PAGE_BUTTONS];
    Ipc__PageArea *areas[ACME_PAGE_AREAS];
    Ipc__PageSection *sections[ACME_PAGE_SECTIONS];
    struct acme_page_section *section; /* NULL: the page itself */
};
typedef lt_res acme_page_handler(struct acme_page *p);

/* A room's pages: by the word of the notary's table. */
struct acme_page_row {
    const char *page;
    acme_page_handler *handle;
};
/* *ret_taken false: it is none of these, and nothing was answered. */
LT_MUST_USE lt_res acme_page_serve(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m,
                                   const struct acme_page_row *pages, size_t count, bool *ret_taken);

/* Texts are copied. acme_page_title first, acme_page_answer last; the others in any order. */
LT_MUST_USE lt_res acme_page_title(struct acme_page *p, uint32_t status, const char *title);
LT_MUST_USE lt_res acme_page_text(struct acme_page *p, const char *text);
LT_MUST_USE lt_res acme_page_row(struct acme_page *p, const char *name, const char *value);
LT_MUST_USE lt_res acme_page_item(struct acme_page *p, const char *text);
/* "good", "warning", "bad": what the first paragraph says. */
LT_MUST_USE lt_res acme_page_tone(struct acme_page *p, const char *tone);
/* A row that leads somewhere, or has a tone. "" for neither. */
LT_MUST_USE lt_res acme_page_row_toned(struct acme_page *p, const char *name, const char *value,
                                       const char *tone);
LT_MUST_USE lt_res acme_page_row_link(struct acme_page *p, const char *name, const char *value,
                                      const char *link);
/* What is added from here on has this heading, and a form of its own. */
LT_MUST_USE lt_res acme_page_section(struct acme_page *p, const char *title);
/* Some lines of text, posted with the buttons; of 0 rows, one line. */
LT_MUST_USE lt_res acme_page_area(struct acme_page *p, const char *name, const char *label, uint32_t rows);
/* A box to tick: posts "yes". */
LT_MUST_USE lt_res acme_page_flag(struct acme_page *p, const char *name, const char *label);
/* One of some: value and what people read, in turn, then NULL. */
LT_MUST_USE lt_res acme_page_choice(struct acme_page *p, const char *name, const char *label,
                                    const char *const *choices);
/* Of the area that was added last: words below its label; what stands in it, or is chosen. */
LT_MUST_USE lt_res acme_page_hint(struct acme_page *p, const char *hint);
LT_MUST_USE lt_res acme_page_value(struct acme_page *p, const char *value);
/* What has to be put right in it. */
LT_MUST_USE lt_res acme_page_wrong(struct acme_page *p, const char *words);
/* What browsers may fill in. */
LT_MUST_USE lt_res acme_page_complete(struct acme_page *p, const char *what);
/* Files are chosen: the notary hands on what is in them as one text, in the field of that name. */
LT_MUST_USE lt_res acme_page_file(struct acme_page *p, const char *name, const char *label);
/* Posts do=value back to the page. */
LT_MUST_USE lt_res acme_page_button(struct acme_page *p, const char *value, const char *label);
/* A field of the posted form; "" when it is not there. */
const char *acme_page_field(const struct acme_page *p, const char *name);
/* The whole answer to a token that is none of ours. */
LT_MUST_USE lt_res acme_page_unknown(struct acme_page *p);
LT_MUST_USE lt_res acme_page_answer(struct acme_page *p);

#endif
