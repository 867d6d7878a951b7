/* Pages in typed words (proto/ipc/pages.proto) as HTML: tables, lists, forms. Who fills a form in is told
 * what is wrong above it, and at the field. */
#include <string.h>

#include "role/notary_html.h"

/* A page, or a section of one. */
struct part {
    size_t at; /* 0: the page; sections from 1 */
    char *const *paragraphs;
    size_t paragraph_count;
    Ipc__PageRow *const *rows;
    size_t row_count;
    char *const *items;
    size_t item_count;
    Ipc__PageArea *const *areas;
    size_t area_count;
    Ipc__PageButton *const *buttons;
    size_t button_count;
    const char *tone;
};

static void add_row(struct lt_buf *out, const Ipc__PageRow *row)
{
    notary_html_add(out, "<tr><th scope=\"row\">", row->name, "</th><td>");
    if (row->tone[0] != '\0') {
        notary_html_tag(out, row->tone, row->value);
    } else if (row->link[0] == '/' || strncmp(row->link, "https://", 8) == 0) {
        notary_html_attribute(out, "<a href=\"", row->link, "\">");
        notary_html_add(out, "", row->value, "</a>");
    } else {
        notary_html_add(out, "", row->value, "");
    }
    lt_buf_add_cstr(out, "</td></tr>\n");
}

static void add_rows(struct lt_buf *out, const struct part *p)
{
    if (p->row_count > 0) {
        lt_buf_add_cstr(out, "<table class=\"rows\">\n");
        for (size_t i = 0; i < p->row_count; i++) {
            add_row(out, p->rows[i]);
        }
        lt_buf_add_cstr(out, "</table>\n");
    }
    if (p->item_count > 0) {
        lt_buf_add_cstr(out, "<ul class=\"words-list\">\n");
        for (size_t i = 0; i < p->item_count; i++) {
            notary_html_add(out, "<li>", p->items[i], "</li>\n");
        }
        lt_buf_add_cstr(out, "</ul>\n");
    }
}

/* ---- forms ---- */

static void add_id(struct lt_buf *out, const struct part *p, const Ipc__PageArea *area, const char *end)
{
    lt_buf_addf(out, "f%zu-", p->at);
    notary_page_escape(out, lt_slice_cstr(area->name));
    lt_buf_add_cstr(out, end);
}

static void add_notes(struct lt_buf *out, const struct part *p, const Ipc__PageArea *area)
{
    if (area->hint[0] != '\0') {
        lt_buf_add_cstr(out, "<p class=\"hint\" id=\"");
        add_id(out, p, area, "-hint\">");
        notary_html_add(out, "", area->hint, "</p>\n");
    }
    if (area->wrong[0] != '\0') {
        lt_buf_add_cstr(out, "<p class=\"wrong\" id=\"");
        add_id(out, p, area, "-wrong\"><span class=\"hidden\">Error: </span>");
        notary_html_add(out, "", area->wrong, "</p>\n");
    }
}

/* id, name, and which notes it has. */
static void add_attributes(struct lt_buf *out, const struct part *p, const Ipc__PageArea *area)
{
    lt_buf_add_cstr(out, " id=\"");
    add_id(out, p, area, "\"");
    notary_html_attribute(out, " name=\"", area->name, "\"");
    if (area->hint[0] != '\0' || area->wrong[0] != '\0') {
        lt_buf_add_cstr(out, " aria-describedby=\"");
        if (area->hint[0] != '\0') {
            add_id(out, p, area, area->wrong[0] != '\0' ? "-hint " : "-hint");
        }
        if (area->wrong[0] != '\0') {
            add_id(out, p, area, "-wrong");
        }
        lt_buf_add_byte(out, '"');
    }
    lt_buf_add_cstr(out, area->wrong[0] != '\0' ? " aria-invalid=\"true\"" : "");
    if (area->complete[0] != '\0') {
        notary_html_attribute(out, " autocomplete=\"", area->complete, "\"");
    }
}

static void add_choices(struct lt_buf *out, const Ipc__PageArea *area)
{
    for (size_t i = 0; i + 1 < area->n_choices; i += 2) {
        bool chosen = area->value[0] != '\0' && strcmp(area->choices[i], area->value) == 0;
        notary_html_attribute(out, "<option value=\"", area->choices[i], chosen ? "\" selected>" : "\">");
        notary_html_attribute(out, "", area->choices[i + 1], "</option>");
    }
}

static void add_control(struct lt_buf *out, const struct part *p, const Ipc__PageArea *area)
{
    if (area->file) {
        lt_buf_add_cstr(out, "<input type=\"file\" multiple");
        add_attributes(out, p, area);
        lt_buf_add_byte(out, '>');
    } else if (area->n_choices > 0) {
        lt_buf_add_cstr(out, "<select");
        add_attributes(out, p, area);
        lt_buf_add_byte(out, '>');
        add_choices(out, area);
        lt_buf_add_cstr(out, "</select>");
    } else if (area->rows == 0) {
        lt_buf_add_cstr(out, "<input type=\"text\" maxlength=\"1000\"");
        add_attributes(out, p, area);
        notary_html_attribute(out, " value=\"", area->value, "\">");
    } else {
        lt_buf_addf(out, "<textarea rows=\"%u\" spellcheck=\"false\"", area->rows);
        add_attributes(out, p, area);
        lt_buf_add_cstr(out, ">\n"); /* the first end of line is not content */
        for (const char *c = area->value; *c != '\0'; c++) {
            if (*c == '\n') {
                lt_buf_add_byte(out, '\n');
            } else if (*c != '\r') { /* browsers end lines with both */
                notary_page_escape(out, LT_SLICE(c, 1));
            }
        }
        lt_buf_add_cstr(out, "</textarea>");
    }
}

static void add_area(struct lt_buf *out, const struct part *p, const Ipc__PageArea *area)
{
    lt_buf_addf(out, "<div class=\"field%s%s\">", area->flag ? " tick" : "",
                area->wrong[0] != '\0' ? " bad" : "");
    if (area->flag) {
        lt_buf_add_cstr(out, "<input type=\"checkbox\" value=\"yes\"");
        add_attributes(out, p, area);
        lt_buf_add_cstr(out, strcmp(area->value, "yes") == 0 ? " checked>" : ">");
    }
    lt_buf_add_cstr(out, "<label for=\"");
    add_id(out, p, area, "\">");
    notary_html_attribute(out, "", area->label, "</label>\n");
    add_notes(out, p, area);
    if (!area->flag) {
        add_control(out, p, area);
    }
    lt_buf_add_cstr(out, "</div>\n");
}

static void add_form(struct lt_buf *out, const struct part *p)
{
    bool files = false;
    if (p->button_count == 0) {
        return;
    }
    for (size_t i = 0; i < p->area_count; i++) {
        files = files || p->areas[i]->file;
    }
    lt_buf_addf(out, "<form method=\"post\"%s>\n", files ? " enctype=\"multipart/form-data\"" : "");
    for (size_t i = 0; i < p->area_count; i++) {
        add_area(out, p, p->areas[i]);
    }
    for (size_t i = 0; i < p->button_count; i++) {
        notary_html_attribute(out, "<button name=\"", p->buttons[i]->name, "\"");
        notary_html_attribute(out, " value=\"", p->buttons[i]->value, "\">");
        notary_html_attribute(out, "", p->buttons[i]->label, "</button>\n");
    }
    lt_buf_add_cstr(out, "</form>\n");
}

/* ---- all of it ---- */

static void add_wrong_of(struct lt_buf *out, const struct part *p)
{
    for (size_t i = 0; i < p->area_count; i++) {
        if (p->areas[i]->wrong[0] != '\0') {
            lt_buf_add_cstr(out, "<li><a href=\"#");
            add_id(out, p, p->areas[i], "\">");
            notary_html_add(out, "", p->areas[i]->wrong, "</a></li>\n");
        }
    }
}

static bool any_wrong(const struct part *p)
{
    bool wrong = false;
    for (size_t i = 0; i < p->area_count; i++) {
        wrong = wrong || p->areas[i]->wrong[0] != '\0';
    }
    return wrong;
}

static void add_part(struct lt_buf *out, const struct part *p)
{
    if (any_wrong(p)) {
        lt_buf_add_cstr(
            out, "<div class=\"box bad\" role=\"alert\"><h2>There is something to put right</h2><ul>\n");
        add_wrong_of(out, p);
        lt_buf_add_cstr(out, "</ul></div>\n");
    }
    for (size_t i = 0; i < p->paragraph_count; i++) {
        if (i == 0 && p->tone[0] != '\0') {
            notary_html_attribute(out, "<div class=\"box ", p->tone, "\" role=\"status\"><p>");
            notary_html_add(out, "", p->paragraphs[i], "</p></div>\n");
        } else {
            notary_html_add(out, "<p>", p->paragraphs[i], "</p>\n");
        }
    }
    add_rows(out, p);
    add_form(out, p);
}

static void add_section(struct lt_buf *out, const Ipc__PageSection *s, size_t at)
{
    const struct part part = {
        .at = at,
        .paragraphs = s->paragraphs,
        .paragraph_count = s->n_paragraphs,
        .rows = s->rows,
        .row_count = s->n_rows,
        .items = s->items,
        .item_count = s->n_items,
        .areas = s->areas,
        .area_count = s->n_areas,
        .buttons = s->buttons,
        .button_count = s->n_buttons,
        .tone = "",
    };
    notary_html_attribute(out, "<section><h2>", s->title, "</h2>\n");
    add_part(out, &part);
    lt_buf_add_cstr(out, "</section>\n");
}

void notary_page_html(struct lt_buf *out, const Ipc__PageReply *page, const char *name)
{
    const struct notary_frame frame = {.name = name, .title = page->title, .here = ""};
    const struct part part = {
        .paragraphs = page->paragraphs,
        .paragraph_count = page->n_paragraphs,
        .rows = page->rows,
        .row_count = page->n_rows,
        .items = page->items,
        .item_count = page->n_items,
        .areas = page->areas,
        .area_count = page->n_areas,
        .buttons = page->buttons,
        .button_count = page->n_buttons,
        .tone = page->tone,
    };
    notary_html_begin(out, &frame);
    add_part(out, &part);
    for (size_t i = 0; i < page->n_sections; i++) {
        add_section(out, page->sections[i], i + 1);
    }
    notary_html_end(out);
}
