/* Literals: read by the type of their field, compared, and written in the one way that is canonical. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scope/private.h"
#include "x509/dnsname.h"

enum { TEXT_VALUE_MAX = 256, HEX_VALUE_MAX = 64, SERIAL_LEN_MAX = 20, YEARS_MAX = 200 };
#define DAY_US (LT_SECONDS_PER_DAY * LT_US_PER_SECOND)
#define DURATION_MAX ((int64_t)YEARS_MAX * 366 * DAY_US)

const char *scope_type_name(enum scope_type type)
{
    static const char *const names[] = {
        [TYPE_FLAG] = "flag",     [TYPE_TEXT] = "text",       [TYPE_WORD] = "word",
        [TYPE_NUMBER] = "number", [TYPE_TIME] = "time",       [TYPE_DURATION] = "duration",
        [TYPE_HEX] = "hex",       [TYPE_VERSION] = "version", [TYPE_MEMBER] = "text",
        [TYPE_NAME] = "name",     [TYPE_SUFFIX] = "domain",
    };
    return names[type];
}

const char *scope_op_name(enum scope_op op)
{
    static const char *const names[] = {[OP_EQ] = "=", [OP_NE] = "!=", [OP_LT] = "<",  [OP_LE] = "<=",
                                        [OP_GT] = ">", [OP_GE] = ">=", [OP_IN] = "in", [OP_IS] = ""};
    return names[op];
}

/* ---- durations ---- */

static const struct {
    char name;
    int64_t us;
} units[] = {
    {'w', 7 * DAY_US},       {'d', DAY_US}, {'h', 3600 * LT_US_PER_SECOND}, {'m', 60 * LT_US_PER_SECOND},
    {'s', LT_US_PER_SECOND},
};

/* "8h", "1d12h". */
static bool read_duration(lt_slice text, int64_t *ret_us)
{
    int64_t sum = 0;
    size_t at = 0;
    bool any = false;
    while (at < text.len) {
        int64_t number = 0;
        int64_t unit = 0;
        size_t begin = at;
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9' && number < DURATION_MAX; at++) {
            number = number * 10 + (text.ptr[at] - '0');
        }
        for (size_t i = 0; at > begin && at < text.len && i < LT_COUNT(units); i++) {
            unit = text.ptr[at] == (uint8_t)units[i].name ? units[i].us : unit;
        }
        if (unit == 0 || number > DURATION_MAX / unit || sum > DURATION_MAX - number * unit) {
            return false;
        }
        sum += number * unit;
        any = true;
        at++;
    }
    *ret_us = sum;
    return any;
}

void scope_duration_write(int64_t us, struct lt_buf *out)
{
    for (size_t i = 1; i < LT_COUNT(units); i++) { /* weeks are for typing only */
        if (us % units[i].us == 0 && (us != 0 || i + 1 == LT_COUNT(units))) {
            lt_buf_addf(out, "%" PRId64 "%c", us / units[i].us, units[i].name);
            return;
        }
    }
    lt_buf_addf(out, "%" PRId64 "us", us); /* nobody can type it */
}

/* ---- points in time ---- */

static bool digits(lt_slice s, size_t from, size_t len, int *ret_number)
{
    int number = 0;
    if (s.len < from + len) {
        return false;
    }
    for (size_t i = from; i < from + len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
        number = number * 10 + (s.ptr[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* "2026", "2026-02": until where the next begins. */
static bool read_long(lt_slice text, struct scope_value *v)
{
    int year = 0;
    int month = 1;
    bool whole = text.len == 4;
    lt_time from;
    lt_time until;
    if (!digits(text, 0, 4, &year) || year < 1970 || year > 9998) {
        return false;
    }
    if (!whole && (text.len != 7 || text.ptr[4] != '-' || !digits(text, 5, 2, &month))) {
        return false;
    }
    struct lt_date d = {.year = year, .month = month, .day = 1};
    if (lt_failed(lt_time_of(&d, &from))) {
        return false;
    }
    bool over = whole || month == 12;
    d = (struct lt_date){.year = year + (over ? 1 : 0), .month = over ? 1 : month + 1, .day = 1};
    if (lt_failed(lt_time_of(&d, &until))) {
        return false;
    }
    v->from = (struct scope_instant){false, from.us};
    v->until = (struct scope_instant){false, until.us};
    return true;
}

static bool read_relative(lt_slice text, struct scope_value *v)
{
    const lt_slice now = LT_LIT("now");
    int64_t us = 0;
    if (!lt_slice_starts(text, now)) {
        return false;
    }
    if (text.len > now.len) {
        uint8_t sign = text.ptr[now.len];
        if ((sign != '-' && sign != '+') || !read_duration(lt_slice_sub(text, now.len + 1, SIZE_MAX), &us)) {
            return false;
        }
        us = sign == '-' ? -us : us;
    }
    v->from = (struct scope_instant){true, us};
    v->until = (struct scope_instant){true, us + LT_US_PER_SECOND};
    return true;
}

static bool read_time(lt_slice text, struct scope_value *v)
{
    enum { DAY_LEN = 10 };
    lt_time from;
    if (read_relative(text, v) || read_long(text, v)) {
        return true;
    }
    if (lt_failed(lt_time_parse_or_day(text, &from)) || from.us % LT_US_PER_SECOND != 0 || from.us < 0) {
        return false;
    }
    v->from = (struct scope_instant){false, from.us};
    v->until = (struct scope_instant){false, from.us + (text.len == DAY_LEN ? DAY_US : LT_US_PER_SECOND)};
    return true;
}

void scope_instant_write(struct scope_instant i, struct lt_buf *out)
{
    char text[LT_RFC3339_SIZE];
    if (!i.relative) {
        lt_time_rfc3339((lt_time){i.us}, text);
        lt_buf_add_cstr(out, text);
        return;
    }
    lt_buf_add_cstr(out, i.us == 0 ? "now" : i.us < 0 ? "now-" : "now+");
    if (i.us != 0) {
        scope_duration_write(i.us < 0 ? -i.us : i.us, out);
    }
}

/* ---- names ---- */

static bool is_host(lt_slice name, bool suffix, struct lt_arena *a)
{
    if (!suffix) {
        return !lt_failed(x509_dns_check(name, X509_DNS_WILDCARD));
    }
    /* A suffix may be a single label: a name below it has two. */
    char *below = lt_arena_printf(a, "x.%.*s", LT_FMT(name));
    return below != NULL && name.len + 2 <= X509_DNS_MAX &&
           !lt_failed(x509_dns_check(lt_slice_cstr(below), 0));
}

static lt_slice folded(struct lt_arena *a, lt_slice text)
{
    uint8_t *lower = lt_arena_alloc(a, text.len + 1);
    for (size_t i = 0; lower != NULL && i < text.len; i++) {
        uint8_t c = text.ptr[i];
        lower[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
    }
    return lower == NULL ? (lt_slice){NULL, 0} : LT_SLICE(lower, text.len);
}

static bool read_name(struct lt_arena *a, bool suffix, lt_slice text, lt_slice *ret_text, lt_slice *ret_key)
{
    struct lt_buf b;
    struct x509_ip ip;
    bool rooted = text.len > 1 && text.ptr[text.len - 1] == '.'; /* as DNS writes it in full */
    text = rooted ? lt_slice_sub(text, 0, text.len - 1) : text;
    if (text.len == 0 || text.len > X509_DNS_MAX + 2 || (text = folded(a, text)).ptr == NULL) {
        return false;
    }
    bool dotted = suffix && (lt_slice_starts(text, LT_LIT("*.")) || lt_slice_starts(text, LT_LIT(".")));
    text = dotted ? lt_slice_sub(text, text.ptr[0] == '*' ? 2 : 1, SIZE_MAX) : text;
    bool is_ip = !lt_failed(x509_ip_parse(text, &ip));
    bool is_mail = !suffix && lt_slice_find(text, '@') < text.len;
    bool good = is_ip ? !suffix && !rooted : is_mail || is_host(text, suffix, a);
    lt_buf_init(&b, 1024);
    if (good && is_ip) {
        good = !lt_failed(x509_ip_text(LT_SLICE(ip.bytes, ip.len), &b));
        text = lt_arena_copy(a, lt_buf_slice(&b));
    } else if (good && !is_mail) {
        x509_dns_reverse(text, &b);
    } else if (good) {
        lt_buf_add(&b, text);
    }
    *ret_text = text;
    *ret_key = lt_arena_copy(a, lt_buf_slice(&b));
    lt_buf_done(&b);
    return good && ret_key->ptr != NULL && ret_text->ptr != NULL;
}

lt_res scope_name_read(lt_slice text, bool suffix, struct lt_arena *a, lt_slice *ret_text, lt_slice *ret_key)
{
    LT_CHECK(read_name(a, suffix, text, ret_text, ret_key), LT_PEER_MALFORMED,
             suffix ? "\"%.*s\" is no domain (IDNs as xn--...)"
                    : "\"%.*s\" is no host name and no address (IDNs as xn--...)",
             (int)(text.len > 80 ? 80 : text.len), (const char *)text.ptr);
    return LT_OK;
}

/* ---- all of them ---- */

static lt_res read_word(const struct scope_lexer *l, const struct scope_field *f, const struct scope_token *t,
                        struct scope_value *v)
{
    char all[120];
    size_t len = 0;
    all[0] = 0;
    for (const struct scope_word *w = f->list; w->name != NULL; w++) {
        if (lt_slice_eq_nocase(t->text, lt_slice_cstr(w->name))) {
            v->text = lt_slice_cstr(w->name);
            v->number = w->number;
            return LT_OK;
        }
        int n = snprintf(all + len, sizeof(all) - len, " %s", w->name);
        len += n > 0 && (size_t)n < sizeof(all) - len ? (size_t)n : 0;
        all[len] = 0;
    }
    return scope_fail(l->error, t->offset, t->len, "%s is one of:%s", f->name, all);
}

static bool read_hex(const struct scope_lexer *l, const struct scope_field *f, lt_slice text,
                     struct scope_value *v)
{
    return text.len <= (size_t)2 * HEX_VALUE_MAX && !lt_failed(lt_unhex(l->arena, text, &v->text)) &&
           (f->hex_len != 0 ? v->text.len == f->hex_len : v->text.len > 0 && v->text.len <= SERIAL_LEN_MAX);
}

static bool read_number(lt_slice text, int64_t *ret_number)
{
    uint64_t number = 0;
    bool good = !lt_failed(lt_parse_u64(text, INT64_MAX, &number));
    *ret_number = (int64_t)number;
    return good;
}

static const char *const wants[] = {
    [TYPE_FLAG] = "nothing",
    [TYPE_TEXT] = "a text of 1 to 256 characters",
    [TYPE_WORD] = "a word",
    [TYPE_NUMBER] = "a whole number",
    [TYPE_TIME] = "a day (2026-02-28), a month, a year, a second (2026-02-28T12:00:00Z), or now-30d",
    [TYPE_DURATION] = "a duration (90s, 15m, 8h, 30d, 1d12h)",
    [TYPE_HEX] = "hexadecimal digits, as many as it has",
    [TYPE_VERSION] = "a version (1.4.2)",
    [TYPE_MEMBER] = "a text of 1 to 256 characters",
    [TYPE_NAME] = "a host name or an address (IDNs as xn--...)",
    [TYPE_SUFFIX] = "a domain (IDNs as xn--...)",
};

static bool is_digit(lt_slice s, size_t i)
{
    return i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9';
}

lt_res scope_value_read(const struct scope_lexer *l, const struct scope_field *f, const struct scope_token *t,
                        struct scope_value *ret_value)
{
    bool good = t->kind == TOKEN_WORD || t->kind == TOKEN_TEXT;
    *ret_value = (struct scope_value){.offset = t->offset, .len = t->len, .text = t->text};
    if (!good) {
        return scope_fail(l->error, t->offset, t->len, "here stands %s for %s", wants[f->type], f->name);
    }
    switch (f->type) {
    case TYPE_FLAG:
        good = false;
        break;
    case TYPE_TEXT:
    case TYPE_MEMBER:
        good = t->text.len > 0 && t->text.len <= TEXT_VALUE_MAX;
        break;
    case TYPE_VERSION: /* a word would be held against numbers, byte by byte */
        good = t->text.len <= TEXT_VALUE_MAX && is_digit(t->text, 0);
        break;
    case TYPE_WORD:
        return read_word(l, f, t, ret_value);
    case TYPE_NUMBER:
        good = read_number(t->text, &ret_value->number);
        break;
    case TYPE_TIME:
        good = read_time(t->text, ret_value);
        break;
    case TYPE_DURATION:
        good = read_duration(t->text, &ret_value->number);
        break;
    case TYPE_HEX:
        good = read_hex(l, f, t->text, ret_value);
        break;
    case TYPE_NAME:
    case TYPE_SUFFIX:
        good = read_name(l->arena, f->type == TYPE_SUFFIX, t->text, &ret_value->text, &ret_value->key);
        break;
    }
    return good ? LT_OK : scope_fail(l->error, t->offset, t->len, "%s takes %s", f->name, wants[f->type]);
}

/* The digits from *at on, without leading zeros. */
static lt_slice take_number(lt_slice s, size_t *at)
{
    while (is_digit(s, *at) && s.ptr[*at] == '0') {
        (*at)++;
    }
    size_t begin = *at;
    while (is_digit(s, *at)) {
        (*at)++;
    }
    return lt_slice_sub(s, begin, *at - begin);
}

int scope_version_cmp(lt_slice a, lt_slice b)
{
    size_t i = 0;
    size_t k = 0;
    while (i < a.len && k < b.len) {
        if (is_digit(a, i) && is_digit(b, k)) {
            lt_slice x = take_number(a, &i);
            lt_slice y = take_number(b, &k);
            int c = x.len != y.len ? (x.len < y.len ? -1 : 1) : lt_slice_cmp(x, y);
            if (c != 0) {
                return c < 0 ? -1 : 1;
            }
        } else if (a.ptr[i] != b.ptr[k]) {
            return a.ptr[i] < b.ptr[k] ? -1 : 1;
        } else {
            i++;
            k++;
        }
    }
    return i < a.len ? 1 : k < b.len ? -1 : 0;
}

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

int scope_value_cmp(const struct scope_field *f, const struct scope_value *a, const struct scope_value *b)
{
    switch (f->type) {
    case TYPE_NUMBER:
    case TYPE_DURATION:
        return compare(a->number, b->number);
    case TYPE_TIME:
        if (a->from.relative != b->from.relative) {
            return a->from.relative ? 1 : -1;
        }
        return a->from.us != b->from.us ? compare(a->from.us, b->from.us) : compare(a->until.us, b->until.us);
    case TYPE_FLAG:
    case TYPE_TEXT:
    case TYPE_WORD:
    case TYPE_HEX:
    case TYPE_VERSION:
    case TYPE_MEMBER:
    case TYPE_NAME:
    case TYPE_SUFFIX:
        break;
    }
    return lt_slice_cmp(a->text, b->text);
}

/* Without quotation marks where it reads the same without them. */
static void write_text(lt_slice s, struct lt_buf *out)
{
    bool plain = s.len > 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        plain = plain &&
                ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                 c == '_' || (c == '.' && !(i + 1 < s.len && s.ptr[i + 1] == '.') && i + 1 < s.len));
    }
    if (plain) {
        lt_buf_add(out, s);
        return;
    }
    lt_buf_add_byte(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\') {
            lt_buf_add_byte(out, '\\');
        }
        lt_buf_add_byte(out, s.ptr[i]);
    }
    lt_buf_add_byte(out, '"');
}

void scope_value_write(const struct scope_field *f, const struct scope_value *v, struct lt_buf *out)
{
    switch (f->type) {
    case TYPE_NUMBER:
        lt_buf_addf(out, "%" PRId64, v->number);
        return;
    case TYPE_DURATION:
        scope_duration_write(v->number, out);
        return;
    case TYPE_TIME:
        scope_instant_write(v->from, out);
        return;
    case TYPE_HEX:
        lt_hex_add(out, v->text);
        return;
    case TYPE_FLAG:
    case TYPE_TEXT:
    case TYPE_WORD:
    case TYPE_VERSION:
    case TYPE_MEMBER:
    case TYPE_NAME:
    case TYPE_SUFFIX:
        break;
    }
    write_text(v->text, out);
}
