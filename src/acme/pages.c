/* What pages for people say, in typed words (proto/ipc/pages.proto): the notary writes the HTML. */
#include <string.h>

#include "acme/contact.h"
#include "acme/mail.h"

static const struct acme_page_row pages[] = {
    {"resume", acme_pause_page},
    {"validate", acme_mail_page},
    {"contact", acme_contact_page},
    {"reissue", acme_reissue_page},
};

enum { PAGE_MAX = 250 * 1024 }; /* of what IPC_PAGE_REPLY may have */

lt_res acme_page_answer(struct acme_page *p)
{
    static char title[] = "Too much for a page";
    static char words[] = "What was sent is written down. The page of it is too large to be shown.";
    static char *paragraphs[] = {words};
    p->reply.status = p->reply.status == 0 ? 200 : p->reply.status;
    if (ipc__page_reply__get_packed_size(&p->reply) > PAGE_MAX) { /* an answer in any case, never silence */
        ipc__page_reply__init(&p->reply);
        p->reply.status = 500;
        p->reply.title = title;
        p->reply.paragraphs = paragraphs;
        p->reply.n_paragraphs = 1;
    }
    return ca_turn_reply(p->turn, &p->from, IPC_PAGE_REPLY, &p->reply.base);
}

static lt_res copy(struct acme_page *p, const char *text, char **ret_text)
{
    *ret_text = lt_arena_cstr(p->turn->arena, lt_slice_cstr(text));
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    return LT_OK;
}

lt_res acme_page_title(struct acme_page *p, uint32_t status, const char *title)
{
    p->reply.status = status;
    return copy(p, title, &p->reply.title);
}

static lt_res full(void)
{
    LT_FAIL(LT_PEER_TOO_LARGE, "acme: the page is too large");
}

lt_res acme_page_tone(struct acme_page *p, const char *tone)
{
    return copy(p, tone, &p->reply.tone);
}

lt_res acme_page_section(struct acme_page *p, const char *title)
{
    struct acme_page_section *s = LT_NEW(p->turn->arena, struct acme_page_section);
    p->reply.sections = p->sections;
    if (s == NULL || p->reply.n_sections == LT_COUNT(p->sections)) {
        return full();
    }
    ipc__page_section__init(&s->m);
    s->m.paragraphs = s->paragraphs;
    s->m.items = s->items;
    s->m.rows = s->rows;
    s->m.buttons = s->buttons;
    s->m.areas = s->areas;
    p->section = s;
    p->sections[p->reply.n_sections++] = &s->m;
    return copy(p, title, &s->m.title);
}

lt_res acme_page_text(struct acme_page *p, const char *text)
{
    size_t *count = p->section == NULL ? &p->reply.n_paragraphs : &p->section->m.n_paragraphs;
    char **list = p->section == NULL ? p->paragraphs : p->section->paragraphs;
    p->reply.paragraphs = p->paragraphs;
    return *count == ACME_PAGE_TEXTS ? full() : copy(p, text, &list[(*count)++]);
}

lt_res acme_page_item(struct acme_page *p, const char *text)
{
    size_t *count = p->section == NULL ? &p->reply.n_items : &p->section->m.n_items;
    char **list = p->section == NULL ? p->items : p->section->items;
    p->reply.items = p->items;
    return *count == ACME_PAGE_ITEMS ? full() : copy(p, text, &list[(*count)++]);
}

static lt_res add_row(struct acme_page *p, Ipc__PageRow **ret_row)
{
    size_t *count = p->section == NULL ? &p->reply.n_rows : &p->section->m.n_rows;
    Ipc__PageRow **list = p->section == NULL ? p->rows : p->section->rows;
    Ipc__PageRow *row = LT_NEW(p->turn->arena, Ipc__PageRow);
    p->reply.rows = p->rows;
    if (row == NULL || *count == ACME_PAGE_ROWS) {
        return full();
    }
    ipc__page_row__init(row);
    list[(*count)++] = row;
    *ret_row = row;
    return LT_OK;
}

lt_res acme_page_row(struct acme_page *p, const char *name, const char *value)
{
    Ipc__PageRow *row = NULL;
    LT_TRY(add_row(p, &row));
    LT_TRY(copy(p, name, &row->name));
    return copy(p, value, &row->value);
}

lt_res acme_page_row_toned(struct acme_page *p, const char *name, const char *value, const char *tone)
{
    Ipc__PageRow *row = NULL;
    LT_TRY(add_row(p, &row));
    LT_TRY(copy(p, name, &row->name));
    LT_TRY(copy(p, tone, &row->tone));
    return copy(p, value, &row->value);
}

lt_res acme_page_row_link(struct acme_page *p, const char *name, const char *value, const char *link)
{
    Ipc__PageRow *row = NULL;
    LT_TRY(add_row(p, &row));
    LT_TRY(copy(p, name, &row->name));
    LT_TRY(copy(p, link, &row->link));
    return copy(p, value, &row->value);
}

static lt_res add_area(struct acme_page *p, const char *name, const char *label, Ipc__PageArea **ret_area)
{
    size_t *count = p->section == NULL ? &p->reply.n_areas : &p->section->m.n_areas;
    Ipc__PageArea **list = p->section == NULL ? p->areas : p->section->areas;
    Ipc__PageArea *area = LT_NEW(p->turn->arena, Ipc__PageArea);
    p->reply.areas = p->areas;
    if (area == NULL || *count == ACME_PAGE_AREAS) {
        return full();
    }
    ipc__page_area__init(area);
    list[(*count)++] = area;
    *ret_area = area;
    LT_TRY(copy(p, name, &area->name));
    return copy(p, label, &area->label);
}

static Ipc__PageArea *last_area(const struct acme_page *p)
{
    size_t count = p->section == NULL ? p->reply.n_areas : p->section->m.n_areas;
    LT_ASSERT(count > 0);
    return p->section == NULL ? p->areas[count - 1] : p->section->areas[count - 1];
}

lt_res acme_page_hint(struct acme_page *p, const char *hint)
{
    return copy(p, hint, &last_area(p)->hint);
}

lt_res acme_page_value(struct acme_page *p, const char *value)
{
    return copy(p, value, &last_area(p)->value);
}

lt_res acme_page_wrong(struct acme_page *p, const char *words)
{
    return copy(p, words, &last_area(p)->wrong);
}

lt_res acme_page_complete(struct acme_page *p, const char *what)
{
    return copy(p, what, &last_area(p)->complete);
}

lt_res acme_page_area(struct acme_page *p, const char *name, const char *label, uint32_t rows)
{
    Ipc__PageArea *area = NULL;
    LT_TRY(add_area(p, name, label, &area));
    area->rows = rows;
    return LT_OK;
}

lt_res acme_page_flag(struct acme_page *p, const char *name, const char *label)
{
    Ipc__PageArea *area = NULL;
    LT_TRY(add_area(p, name, label, &area));
    area->flag = true;
    return LT_OK;
}

lt_res acme_page_file(struct acme_page *p, const char *name, const char *label)
{
    Ipc__PageArea *area = NULL;
    LT_TRY(add_area(p, name, label, &area));
    area->file = true;
    return LT_OK;
}

lt_res acme_page_choice(struct acme_page *p, const char *name, const char *label, const char *const *choices)
{
    Ipc__PageArea *area = NULL;
    size_t count = 0;
    while (choices[count] != NULL) {
        count++;
    }
    LT_TRY(add_area(p, name, label, &area));
    area->choices = LT_NEW_ARRAY(p->turn->arena, char *, count + 1);
    LT_CHECK(area->choices != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    for (size_t i = 0; i < count; i++) {
        LT_TRY(copy(p, choices[i], &area->choices[area->n_choices++]));
    }
    return LT_OK;
}

lt_res acme_page_button(struct acme_page *p, const char *value, const char *label)
{
    size_t *count = p->section == NULL ? &p->reply.n_buttons : &p->section->m.n_buttons;
    Ipc__PageButton **list = p->section == NULL ? p->buttons : p->section->buttons;
    Ipc__PageButton *button = LT_NEW(p->turn->arena, Ipc__PageButton);
    p->reply.buttons = p->buttons;
    if (button == NULL || *count == ACME_PAGE_BUTTONS) {
        return full();
    }
    ipc__page_button__init(button);
    list[(*count)++] = button;
    LT_TRY(copy(p, "do", &button->name));
    LT_TRY(copy(p, value, &button->value));
    return copy(p, label, &button->label);
}

const char *acme_page_field(const struct acme_page *p, const char *name)
{
    for (size_t i = 0; i < p->m->n_fields; i++) {
        if (strcmp(p->m->fields[i]->name, name) == 0) {
            return p->m->fields[i]->value;
        }
    }
    return "";
}

lt_res acme_page_unknown(struct acme_page *p)
{
    LT_TRY(acme_page_title(p, 404, "Nothing here"));
    LT_TRY(acme_page_text(p, "This link leads nowhere. It may have been used already, or its time is up."));
    return acme_page_answer(p);
}

static struct acme_page *page_of(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    struct acme_page *p = LT_NEW(t->arena, struct acme_page);
    if (p != NULL) {
        *p = (struct acme_page){.desk = d,
                                .turn = t,
                                .from = m->from,
                                .m = (const Ipc__PageCall *)(const void *)m->body,
                                .reply = IPC__PAGE_REPLY__INIT};
    }
    return p;
}

lt_res acme_page_serve(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m,
                       const struct acme_page_row *rows, size_t count, bool *ret_taken)
{
    struct acme_page *p = page_of(d, t, m);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    *ret_taken = false;
    for (size_t i = 0; i < count && !*ret_taken; i++) {
        if (strcmp(rows[i].page, p->m->page) == 0) {
            *ret_taken = true;
            LT_TRY(rows[i].handle(p));
        }
    }
    return LT_OK;
}

lt_res acme_desk_page(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    bool taken = false;
    LT_TRY(acme_page_serve(d, t, m, pages, LT_COUNT(pages), &taken));
    if (taken) {
        return LT_OK;
    }
    struct acme_page *p = page_of(d, t, m);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    return acme_page_unknown(p);
}

lt_res acme_page_failed(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    struct acme_page *p = page_of(d, t, m);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    LT_TRY(acme_page_title(p, 503, "Not just now"));
    LT_TRY(acme_page_text(p, "This could not be written down; nothing has happened. Try again in a moment."));
    return acme_page_answer(p);
}
