/* See notary_html.h. */
#include "role/notary_html.h"

#include <string.h>

#include "base/clock.h"

/* ---- texts ---- */

static void escape_byte(struct lt_buf *out, uint8_t c)
{
    if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') {
        lt_buf_addf(out, "&#%u;", c);
    } else {
        lt_buf_add_byte(out, c < 0x20 || c == 0x7f ? ' ' : c);
    }
}

void notary_page_escape(struct lt_buf *out, lt_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        escape_byte(out, text.ptr[i]);
    }
}

/* "2026-11-22T16:24:44Z", with or without a fraction: how many bytes at the beginning; 0: it is none. */
static size_t instant_len(lt_slice text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    enum { FRACTION_MAX = 9 };
    size_t len = sizeof form - 1;
    bool good = text.len > len;
    for (size_t i = 0; i < len && good; i++) {
        uint8_t c = text.ptr[i];
        good = form[i] == 'd' ? c >= '0' && c <= '9' : c == (uint8_t)form[i];
    }
    if (good && text.ptr[len] == '.') {
        size_t digits = 1;
        while (len + digits < text.len && digits <= FRACTION_MAX && text.ptr[len + digits] >= '0' &&
               text.ptr[len + digits] <= '9') {
            digits++;
        }
        len += digits;
    }
    return good && len < text.len && text.ptr[len] == 'Z' ? len + 1 : 0;
}

static void add_instant(struct lt_buf *out, lt_slice at)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    const uint8_t *t = at.ptr;
    size_t month = (size_t)(t[5] - '0') * 10 + (size_t)(t[6] - '0');
    if (month < 1 || month > LT_COUNT(months)) {
        lt_buf_add(out, at);
        return;
    }
    lt_buf_addf(out, "<time datetime=\"%.*s\">", LT_FMT(at));
    lt_slice day = lt_slice_sub(at, t[8] == '0' ? 9 : 8, t[8] == '0' ? 1 : 2);
    lt_buf_addf(out, "%.*s %s %.*s at %.*s UTC</time>", LT_FMT(day), months[month - 1],
                LT_FMT(lt_slice_sub(at, 0, 4)), LT_FMT(lt_slice_sub(at, 11, 5)));
}

void notary_html_text(struct lt_buf *out, lt_slice text)
{
    for (size_t i = 0; i < text.len;) {
        lt_slice rest = lt_slice_sub(text, i, SIZE_MAX);
        bool begins = i == 0 ||
                      !((text.ptr[i - 1] >= '0' && text.ptr[i - 1] <= '9') || text.ptr[i - 1] == '-');
        size_t len = begins && rest.ptr[0] >= '0' && rest.ptr[0] <= '9' ? instant_len(rest) : 0;
        if (len > 0) {
            add_instant(out, lt_slice_sub(rest, 0, len));
        } else if (rest.ptr[0] == '\n') {
            lt_buf_add_byte(out, '\n');
        } else {
            escape_byte(out, rest.ptr[0]);
        }
        i += len > 0 ? len : 1;
    }
}

void notary_html_add(struct lt_buf *out, const char *before, const char *text, const char *after)
{
    lt_buf_add_cstr(out, before);
    notary_html_text(out, lt_slice_cstr(text));
    lt_buf_add_cstr(out, after);
}

void notary_html_attribute(struct lt_buf *out, const char *before, const char *text, const char *after)
{
    lt_buf_add_cstr(out, before);
    notary_page_escape(out, lt_slice_cstr(text));
    lt_buf_add_cstr(out, after);
}

void notary_html_number(struct lt_buf *out, int64_t n)
{
    int64_t unit = 1;
    while (n / unit >= 1000) {
        unit *= 1000;
    }
    lt_buf_addf(out, "%lld", (long long)(n / unit));
    for (; unit > 1; unit /= 1000) {
        lt_buf_addf(out, ",%03lld", (long long)(n % unit / (unit / 1000)));
    }
}

static bool is_tone(const char *tone)
{
    return strcmp(tone, "good") == 0 || strcmp(tone, "warning") == 0 || strcmp(tone, "bad") == 0;
}

void notary_html_tag(struct lt_buf *out, const char *tone, const char *word)
{
    lt_buf_addf(out, "<strong class=\"tag%s%s\">", is_tone(tone) ? " " : "", is_tone(tone) ? tone : "");
    notary_html_add(out, "", word, "</strong>");
}

/* ---- head and foot ---- */

static const struct {
    const char *path;
    const char *words;
} menu[] = {
    {"/problem", "Report a problem"},  {"/affected", "Check a certificate"},      {"/status", "Status"},
    {"/hierarchy", "CA certificates"}, {"/get-certificates", "Get certificates"},
};

void notary_html_begin(struct lt_buf *out, const struct notary_frame *f)
{
    const char *name = f->name == NULL || f->name[0] == '\0' ? "Certificate authority" : f->name;
    lt_buf_add_cstr(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"color-scheme\" content=\"light dark\">\n");
    lt_buf_add_cstr(out, f->index ? "" : "<meta name=\"robots\" content=\"noindex\">\n");
    notary_html_attribute(out, "<title>", f->title, "");
    if (strcmp(f->title, name) != 0) {
        notary_html_attribute(out, " - ", name, "");
    }
    lt_buf_add_cstr(out, "</title>\n");
    lt_buf_addf(out, "<style>%s</style></head><body>\n", notary_style);
    lt_buf_add_cstr(out,
                    "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header><div class=\"in\">");
    notary_html_attribute(out, "<a class=\"brand\" href=\"/\">", name,
                          "</a>\n<nav aria-label=\"Pages\"><ul>");
    for (size_t i = 0; i < LT_COUNT(menu); i++) {
        lt_buf_addf(out, "<li><a href=\"%s\"%s>%s</a></li>", menu[i].path,
                    strcmp(menu[i].path, f->here) == 0 ? " aria-current=\"page\"" : "", menu[i].words);
    }
    lt_buf_add_cstr(out, "</ul></nav></div></header>\n<main id=\"main\" class=\"in\">\n");
    notary_html_attribute(out, "<h1>", f->title, "</h1>\n");
}

void notary_html_end(struct lt_buf *out)
{
    lt_buf_add_cstr(out,
                    "</main>\n<footer><div class=\"in\">"
                    "<p>All times are UTC. These pages set no cookies, and need nothing but a browser.</p>"
                    "<p><a href=\"/problem\">Report a problem with a certificate</a>, at any hour.</p>"
                    "</div></footer></body></html>\n");
}
