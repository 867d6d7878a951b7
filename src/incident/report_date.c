/* Dates of reports. A small reader with a position; whatever it does not know ends the date there. */
#include "incident/report_date.h"

#include <string.h>

static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                     "july",    "august",   "september", "october", "november", "december"};

struct at {
    lt_slice text;
    size_t pos;
};

static uint8_t peek(const struct at *a, size_t ahead)
{
    return a->pos + ahead < a->text.len ? a->text.ptr[a->pos + ahead] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Between least and most digits, and no further one behind them. */
static bool number(struct at *a, size_t least, size_t most, int *ret_value)
{
    size_t n = 0;
    int value = 0;
    while (n < most && is_digit(peek(a, n))) {
        value = value * 10 + (peek(a, n) - '0');
        n++;
    }
    if (n < least || is_digit(peek(a, n))) {
        return false;
    }
    a->pos += n;
    *ret_value = value;
    return true;
}

static bool take(struct at *a, uint8_t c)
{
    if (peek(a, 0) != c) {
        return false;
    }
    a->pos++;
    return true;
}

static bool take_word(struct at *a, const char *word)
{
    lt_slice here = lt_slice_sub(a->text, a->pos, strlen(word));
    if (!lt_slice_eq_nocase(here, lt_slice_cstr(word)) || is_letter(peek(a, here.len))) {
        return false;
    }
    a->pos += here.len;
    return true;
}

/* "March", "Mar", "Mar.", "Sept." */
static bool month_word(struct at *a, int *ret_month)
{
    size_t len = 0;
    while (is_letter(peek(a, len))) {
        len++;
    }
    for (size_t i = 0; i < LT_COUNT(months) && len >= 3; i++) {
        lt_slice word = lt_slice_sub(a->text, a->pos, len);
        if (len <= strlen(months[i]) && lt_slice_eq_nocase(word, LT_SLICE(months[i], len))) {
            a->pos += len;
            (void)take(a, '.');
            *ret_month = (int)i + 1;
            return true;
        }
    }
    return false;
}

static bool iso_day(struct at *a, struct lt_date *d)
{
    return number(a, 4, 4, &d->year) && take(a, '-') && number(a, 2, 2, &d->month) && take(a, '-') &&
           number(a, 2, 2, &d->day);
}

/* "July 29, 2024" and "29 July 2024". */
static bool word_day(struct at *a, struct lt_date *d)
{
    bool month_first = is_letter(peek(a, 0));
    if (month_first ? !(month_word(a, &d->month) && take(a, ' ') && number(a, 1, 2, &d->day))
                    : !(number(a, 1, 2, &d->day) && take(a, ' ') && month_word(a, &d->month))) {
        return false;
    }
    (void)take(a, ',');
    return take(a, ' ') && number(a, 4, 4, &d->year);
}

static bool zone(struct at *a, int *ret_offset_seconds)
{
    size_t start = a->pos;
    bool named;
    bool paren;
    int hours = 0;
    int minutes = 0;
    (void)take(a, ' ');
    paren = take(a, '(');
    named = take_word(a, "UTC") || take_word(a, "GMT");
    *ret_offset_seconds = 0;
    uint8_t sign = peek(a, 0);
    if (!named && take_word(a, "Z")) {
        named = true;
    } else if ((sign == '+' || sign == '-') && is_digit(peek(a, 1))) {
        a->pos++;
        bool four = is_digit(peek(a, 1)) && is_digit(peek(a, 2));
        int both = 0;
        if (four ? !number(a, 4, 4, &both) : !number(a, 1, 2, &hours)) {
            a->pos = start;
            return false;
        }
        hours = four ? both / 100 : hours;
        minutes = four ? both % 100 : 0;
        if (!four && take(a, ':') && !number(a, 2, 2, &minutes)) {
            a->pos = start;
            return false;
        }
        *ret_offset_seconds = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
        named = true;
    }
    if (!named || (paren && !take(a, ')'))) {
        a->pos = start;
        return false;
    }
    return true;
}

/* ":05", ".123" behind hour and minute. */
static bool clock_rest(struct at *a, struct lt_date *d)
{
    if (!take(a, ':') || !number(a, 2, 2, &d->second)) {
        return false;
    }
    if (peek(a, 0) == '.' && is_digit(peek(a, 1))) {
        a->pos++;
        while (is_digit(peek(a, 0))) {
            a->pos++;
        }
    }
    return true;
}

static bool clock_time(struct at *a, struct lt_date *d)
{
    struct at b = *a;
    if (!number(&b, 1, 2, &d->hour) || !take(&b, ':') || !number(&b, 2, 2, &d->minute)) {
        d->hour = 0;
        d->minute = 0;
        return false;
    }
    if (peek(&b, 0) == ':' && is_digit(peek(&b, 1)) && !clock_rest(&b, d)) {
        return false;
    }
    *a = b;
    return true;
}

static void finish(struct at *a, struct lt_date *d, struct report_date *ret_date)
{
    int offset = 0;
    ret_date->has_zone = zone(a, &offset);
    ret_date->wrong = lt_failed(lt_time_of(d, &ret_date->time));
    ret_date->time = lt_time_add_seconds(ret_date->time, -(int64_t)offset);
}

bool report_date_read(lt_slice text, struct report_date *ret_date, size_t *ret_used)
{
    struct at a = {.text = text};
    struct lt_date d = {.year = 0};
    *ret_date = (struct report_date){.has_time = false};
    if (!iso_day(&a, &d)) {
        a.pos = 0;
        if (!word_day(&a, &d)) {
            return false;
        }
    }
    struct at b = a;
    bool between = take(&b, 'T') || take(&b, ' ');
    if (between) {
        (void)take_word(&b, "at");
        while (take(&b, ' ')) {
        }
    } else if (take(&b, ',')) {
        between = take(&b, ' ');
    }
    if (between && clock_time(&b, &d)) {
        ret_date->has_time = true;
        a = b;
    }
    finish(&a, &d, ret_date);
    *ret_used = a.pos;
    return true;
}

bool report_date_find(lt_slice text, struct report_date *ret_date)
{
    size_t used;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t before = i == 0 ? ' ' : text.ptr[i - 1];
        if (!is_digit(before) && !is_letter(before) && (is_digit(text.ptr[i]) || is_letter(text.ptr[i])) &&
            report_date_read(lt_slice_sub(text, i, text.len), ret_date, &used)) {
            return true;
        }
    }
    return false;
}

bool report_date_read_hour(lt_slice text, lt_time day, struct report_date *ret_date, size_t *ret_used)
{
    struct at a = {.text = text};
    struct lt_date d = lt_date_of(day);
    d.hour = 0;
    d.minute = 0;
    d.second = 0;
    *ret_date = (struct report_date){.has_time = true};
    if (!clock_time(&a, &d)) {
        return false;
    }
    finish(&a, &d, ret_date);
    *ret_used = a.pos;
    return true;
}
