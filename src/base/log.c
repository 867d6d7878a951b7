/* One line per event on standard error. A line is built whole and written with one write(2), so that lines of
 * the family never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

static const char *log_role = "lintel";
static enum lt_log_format log_format = LT_LOG_TEXT;
static enum lt_log_level log_least = LT_LOG_INFO;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

enum { LINE_MAX_BYTES = 8192 };

void lt_log_init(const char *role, enum lt_log_format format, enum lt_log_level least)
{
    log_role = role;
    log_format = format;
    log_least = least;
}

/* One "key=value" of the pairs, value perhaps quoted; false at the end. */
static bool next_pair(const char **at, lt_slice *ret_key, lt_slice *ret_value)
{
    const char *p = *at;
    p += strspn(p, " ");
    const char *eq = strchr(p, '=');
    if (*p == 0 || eq == NULL) {
        return false;
    }
    *ret_key = LT_SLICE(p, (size_t)(eq - p));
    const char *value = eq + 1;
    size_t len;
    if (*value == '"') {
        const char *close = strchr(value + 1, '"');
        len = close == NULL ? strlen(value + 1) : (size_t)(close - value - 1);
        *ret_value = LT_SLICE(value + 1, len);
        *at = close == NULL ? value + 1 + len : close + 1;
    } else {
        len = strcspn(value, " ");
        *ret_value = LT_SLICE(value, len);
        *at = value + len;
    }
    return true;
}

static void add_json(struct lt_buf *line, const char *time, enum lt_log_level level, const char *what,
                     const char *pairs)
{
    lt_buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"role\":\"%s\",\"msg\":", time, level_names[level],
                log_role);
    lt_json_add_string(line, lt_slice_cstr(what));
    lt_slice key;
    lt_slice value;
    while (next_pair(&pairs, &key, &value)) {
        lt_buf_add_byte(line, ',');
        lt_json_add_string(line, key);
        lt_buf_add_byte(line, ':');
        lt_json_add_string(line, value);
    }
    lt_buf_add_cstr(line, "}\n");
}

void lt_log(enum lt_log_level level, const char *what, const char *format, ...)
{
    if (level < log_least) {
        return;
    }
    char pairs[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(pairs, sizeof pairs, format, args); /* a longer line is cut: it is a log */
    va_end(args);
    for (char *p = pairs; *p != 0; p++) {
        if ((unsigned char)*p < 0x20) {
            *p = ' '; /* no line breaks from outside */
        }
    }
    char time[LT_RFC3339_SIZE];
    lt_time_rfc3339(lt_now(), time);
    struct lt_buf line;
    lt_buf_init(&line, LINE_MAX_BYTES);
    if (log_format == LT_LOG_JSON) {
        add_json(&line, time, level, what, pairs);
    } else {
        lt_buf_addf(&line, "%.19sZ %-5s %-10s %s%s%s\n", time, level_names[level], log_role, what,
                    pairs[0] == 0 ? "" : "  ", pairs);
    }
    lt_slice out = lt_buf_slice(&line);
    ssize_t n = write(STDERR_FILENO, out.ptr, out.len);
    (void)n; /* a log that cannot be written must not stop the CA */
    lt_buf_done(&line);
}

const char *lt_log_plain(const char *text, char *ret_text, size_t size)
{
    size_t len = 0;
    LT_ASSERT(size > 0);
    for (; text[len] != 0 && len + 1 < size; len++) {
        ret_text[len] = text[len] == '"' ? '\'' : text[len];
    }
    ret_text[len] = 0;
    return ret_text;
}

void lt_log_error(const char *what)
{
    const struct lt_error *e = lt_error_last();
    char detail[sizeof e->detail];
    lt_log(LT_LOG_ERROR, what, "code=%s detail=\"%s\" at=%s:%d", lt_code_name(e->code),
           lt_log_plain(e->detail, detail, sizeof detail), e->file == NULL ? "?" : e->file, e->line);
}
