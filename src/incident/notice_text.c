/* See notice_text.h. */
#include "incident/notice_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_SIZE = 24, SUBJECT_MAX = 200 };

struct filling {
    const struct incident_letter *l;
    const struct incident_template *t;
    const json_t *words;      /* borrowed */
    char number[NUMBER_SIZE]; /* of the word asked for last */
};

static bool listed(const char *list, lt_slice word)
{
    lt_slice rest = lt_slice_cstr(list);
    lt_slice one;
    while (lt_slice_split(&rest, ' ', &one)) {
        if (lt_slice_eq(one, word)) {
            return true;
        }
    }
    return false;
}

/* Empty where it is not there. */
static lt_slice word_of(struct filling *f, lt_slice name)
{
    const struct {
        const char *name;
        const char *value;
    } always[] = {{"ca", f->l->ca}, {"host", f->l->host}, {"to", f->l->to}, {"about", f->l->about}};
    for (size_t i = 0; i < LT_COUNT(always); i++) {
        if (lt_slice_eq_cstr(name, always[i].name)) {
            return lt_slice_cstr(always[i].value);
        }
    }
    const json_t *v = json_object_getn(f->words, (const char *)name.ptr, name.len);
    if (json_is_string(v)) {
        return LT_SLICE(json_string_value(v), json_string_length(v));
    }
    if (json_is_integer(v)) {
        (void)snprintf(f->number, sizeof f->number, "%lld", (long long)json_integer_value(v)); /* it fits */
        return lt_slice_cstr(f->number);
    }
    return lt_slice_cstr(json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "");
}

/* What could end a line, or change what a terminal shows, is a blank. keep: ends of lines are the writer's.
 */
static void add_value(struct lt_buf *out, lt_slice text, bool keep)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '\r' && keep) {
            continue;
        }
        lt_buf_add_byte(out, (c < 0x20 && !(keep && c == '\n')) || c == 0x7f ? ' ' : c);
    }
}

static void fill(struct filling *f, lt_slice text, bool keep, struct lt_buf *out)
{
    while (text.len > 0) {
        size_t open = lt_slice_find(text, '{');
        lt_buf_add(out, lt_slice_sub(text, 0, open));
        text = lt_slice_sub(text, open + 1, SIZE_MAX);
        if (text.len > 0) {
            size_t close = lt_slice_find(text, '}');
            add_value(out, word_of(f, lt_slice_sub(text, 0, close)), keep);
            text = lt_slice_sub(text, close + 1, SIZE_MAX);
        }
    }
}

/* A word that may be left out, and was. */
static bool lacks(struct filling *f, lt_slice paragraph)
{
    while (paragraph.len > 0) {
        paragraph = lt_slice_sub(paragraph, lt_slice_find(paragraph, '{') + 1, SIZE_MAX);
        lt_slice word = lt_slice_sub(paragraph, 0, lt_slice_find(paragraph, '}'));
        if (word.len < paragraph.len && listed(f->t->maybe, word) && word_of(f, word).len == 0) {
            return true;
        }
    }
    return false;
}

/* The paragraph at the start of text; *ret_whole has the empty lines behind it, too. */
static lt_slice paragraph_of(lt_slice text, size_t *ret_whole)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] == '\n' && text.ptr[i + 1] == '\n') {
            size_t end = i + 1;
            while (end < text.len && text.ptr[end] == '\n') {
                end++;
            }
            *ret_whole = end;
            return lt_slice_sub(text, 0, i + 1);
        }
    }
    *ret_whole = text.len;
    return text;
}

static lt_res check_words(struct filling *f)
{
    lt_slice words = lt_slice_cstr(f->t->words);
    lt_slice word;
    while (lt_slice_split(&words, ' ', &word)) {
        LT_CHECK(word_of(f, word).len > 0, LT_PEER_MALFORMED, "a notice \"%s\" needs \"%.*s\"", f->t->kind,
                 LT_FMT(word));
    }
    return LT_OK;
}

static lt_res write_all(struct filling *f, struct lt_buf *subject, struct lt_buf *body)
{
    lt_slice text = lt_slice_cstr(f->t->body);
    struct lt_buf line;
    LT_TRY(check_words(f));
    lt_buf_init(&line, (size_t)256 * 1024);
    fill(f, lt_slice_cstr(f->t->subject), false, &line);
    lt_buf_add(subject, lt_slice_sub(lt_buf_slice(&line), 0, SUBJECT_MAX));
    lt_buf_done(&line);
    while (text.len > 0) {
        size_t whole = 0;
        lt_slice paragraph = paragraph_of(text, &whole);
        if (!lacks(f, paragraph)) {
            fill(f, lt_slice_sub(text, 0, whole), true, body);
        }
        text = lt_slice_sub(text, whole, SIZE_MAX);
    }
    LT_TRY(lt_buf_check(subject));
    return lt_buf_check(body);
}

lt_res incident_letter_write(const struct incident_letter *l, struct lt_buf *subject, struct lt_buf *body)
{
    json_error_t error;
    struct filling f = {.l = l, .t = incident_template_find(l->kind)};
    LT_CHECK(f.t != NULL, LT_PEER_MALFORMED, "there is no notice of the kind \"%.40s\"", l->kind);
    json_t *words = json_loads(l->words, JSON_REJECT_DUPLICATES, &error);
    lt_res r = {0};
    if (json_is_object(words)) {
        f.words = words;
        r = write_all(&f, subject, body);
    } else {
        r = lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__,
                    "the words of a notice \"%s\" are no JSON object: %s", l->kind,
                    words == NULL ? error.text : "of another type");
    }
    json_decref(words);
    return r;
}
