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
    ACME_PAGE_AREAS = 12
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
/* Some lines of text, posted with the buttons; of 0 rows, one line. */
LT_MUST_USE lt_res acme_page_area(struct acme_page *p, const char *name, const char *label, uint32_t rows);
/* A box to tick: posts "yes". */
LT_MUST_USE lt_res acme_page_flag(struct acme_page *p, const char *name, const char *label);
/* One of some: value and what people read, in turn, then NULL. */
LT_MUST_USE lt_res acme_page_choice(struct acme_page *p, const char *name, const char *label,
                                    const char *const *choices);
/* Posts do=value back to the page. */
LT_MUST_USE lt_res acme_page_button(struct acme_page *p, const char *value, const char *label);
/* A field of the posted form; "" when it is not there. */
const char *acme_page_field(const struct acme_page *p, const char *name);
/* The whole answer to a token that is none of ours. */
LT_MUST_USE lt_res acme_page_unknown(struct acme_page *p);
LT_MUST_USE lt_res acme_page_answer(struct acme_page *p);

#endif
