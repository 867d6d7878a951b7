/* Lines of a frame: cut at the width by characters, not bytes, and free of anything that a terminal obeys. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/top.h"

enum { LINE_MAX = 2048, BAR_CELLS = 20, SPARK_STEPS = 8 };

static const char *const sgr[] = {
    [TOP_PLAIN] = "",           [TOP_BOLD] = "\033[1m",   [TOP_DIM] = "\033[2m",    [TOP_OK] = "\033[32m",
    [TOP_WARNING] = "\033[33m", [TOP_BAD] = "\033[1;31m", [TOP_CHOSEN] = "\033[7m",
};

static bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* C0, DEL, and C1 as UTF-8 has it. */
static bool is_control(const char *at)
{
    uint8_t c = (uint8_t)at[0];
    return c < 0x20 || c == 0x7f || (c == 0xc2 && (uint8_t)at[1] >= 0x80 && (uint8_t)at[1] < 0xa0);
}

static void add_cut(const struct top_frame *f, const char *text)
{
    size_t cells = 0;
    for (const char *at = text; *at != '\0';) {
        size_t len = 1;
        while (continues((uint8_t)at[len])) {
            len++;
        }
        if (f->screen && ++cells > f->width) {
            return;
        }
        bool shown = !is_control(at) && (f->utf8 || (uint8_t)at[0] < 0x80);
        lt_buf_add(f->out, shown ? LT_SLICE(at, len) : LT_LIT("?"));
        at += len;
    }
}

void top_line(struct top_frame *f, enum top_style style, const char *format, ...)
{
    char text[LINE_MAX];
    va_list args;
    if (f->screen && f->row + 1 >= f->height) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* a longer one is cut */
    va_end(args);
    bool styled = f->colour && style != TOP_PLAIN;
    lt_buf_add_cstr(f->out, styled ? sgr[style] : "");
    add_cut(f, text);
    lt_buf_add_cstr(f->out, styled ? "\033[0m" : "");
    lt_buf_add_cstr(f->out, f->screen ? "\033[K\n" : "\n");
    f->row++;
}

void top_foot(struct top_frame *f, const char *text)
{
    if (!f->screen) {
        return;
    }
    lt_buf_addf(f->out, "\033[J\033[%zu;1H", f->height);
    lt_buf_add_cstr(f->out, f->colour ? sgr[TOP_DIM] : "");
    add_cut(f, text);
    lt_buf_add_cstr(f->out, f->colour ? "\033[0m" : "");
    lt_buf_add_cstr(f->out, "\033[K");
}

const char *top_number(char text[TOP_TEXT], int64_t n)
{
    char digits[TOP_TEXT];
    size_t at = 0;
    int len = snprintf(digits, sizeof digits, "%llu",
                       (unsigned long long)(n < 0 ? -(uint64_t)n : (uint64_t)n));
    if (n < 0) {
        text[at++] = '-';
    }
    for (int i = 0; i < len && at + 2 < TOP_TEXT; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            text[at++] = ',';
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

const char *top_span(char text[TOP_TEXT], int64_t seconds)
{
    const char *sign = seconds < 0 ? "-" : "";
    long long s = seconds < 0 ? -seconds : seconds;
    if (s >= 86400) {
        (void)snprintf(text, TOP_TEXT, "%s%lld d %lld h", sign, s / 86400, s % 86400 / 3600);
    } else if (s >= 3600) {
        (void)snprintf(text, TOP_TEXT, "%s%lld h %lld min", sign, s / 3600, s % 3600 / 60);
    } else {
        (void)snprintf(text, TOP_TEXT, "%s%lld min %02lld s", sign, s / 60, s % 60);
    }
    return text;
}

const char *top_bar(const struct top_frame *f, char picture[TOP_PICTURE], int64_t part, int64_t whole)
{
    int64_t full = whole <= 0 ? 0 : (int64_t)((double)part * BAR_CELLS / (double)whole);
    char *at = picture;
    full = full < 0 ? 0 : full > BAR_CELLS ? BAR_CELLS : full;
    for (int64_t i = 0; i < BAR_CELLS; i++) {
        const char *sign = f->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "-");
        size_t len = strlen(sign);
        memcpy(at, sign, len);
        at += len;
    }
    *at = '\0';
    return picture;
}

const char *top_spark(const struct top_frame *f, char picture[TOP_PICTURE], const int64_t *values,
                      size_t count)
{
    static const char *const blocks[SPARK_STEPS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const signs[SPARK_STEPS] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    int64_t most = 1;
    char *at = picture;
    for (size_t i = 0; i < count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    for (size_t i = 0; i < count && (size_t)(at - picture) + 4 < TOP_PICTURE; i++) {
        size_t step = values[i] <= 0 ? 0
                                     : (size_t)((double)values[i] * (SPARK_STEPS - 1) / (double)most + 0.5);
        const char *sign = f->utf8 ? blocks[step] : signs[step];
        size_t len = strlen(sign);
        memcpy(at, sign, len);
        at += len;
    }
    *at = '\0';
    return picture;
}

enum top_style top_style_of(const char *level)
{
    return strcmp(level, "bad") == 0 ? TOP_BAD : strcmp(level, "warning") == 0 ? TOP_WARNING : TOP_OK;
}
