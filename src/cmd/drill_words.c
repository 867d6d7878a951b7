/* What stands in a step: words, quotes, variables; and what is taken out of an answer.
 *
 *   {name}            a variable that an earlier step kept, or one of ours: folder, out, certificates, build,
 * reacting, mode, title {now+24h}         a time, RFC 3339: from now, or from {detected+…} 'several words'
 * one word
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "cmd/drill.h"

enum { FILLED_MAX = 64 * 1024, NAME_SIZE = 64 };

static lt_res add_time(struct drill *d, lt_slice name, struct lt_buf *out, bool *ret_known)
{
    char text[LT_RFC3339_SIZE];
    char span[NAME_SIZE];
    int64_t us = 0;
    bool from_now = lt_slice_starts(name, LT_LIT("now"));
    size_t head = from_now ? 3 : sizeof "detected" - 1;
    *ret_known = from_now || lt_slice_starts(name, LT_LIT("detected"));
    if (!*ret_known) {
        return LT_OK;
    }
    int64_t base_us = from_now ? lt_now().us : d->detected_us;
    if (name.len > head) {
        char sign = (char)name.ptr[head];
        lt_slice rest = lt_slice_sub(name, head + 1, name.len);
        LT_CHECK((sign == '+' || sign == '-') && rest.len < sizeof span, LT_PEER_MALFORMED, "{%.*s}: no time",
                 LT_FMT(name));
        (void)snprintf(span, sizeof span, "%.*s", LT_FMT(rest));
        LT_TRY(drill_span(span, &us));
        base_us += sign == '+' ? us : -us;
    }
    lt_time_rfc3339((lt_time){base_us}, text);
    lt_buf_add_cstr(out, text);
    return LT_OK;
}

static lt_res add_variable(struct drill *d, lt_slice name, struct lt_buf *out)
{
    bool known = false;
    char key[NAME_SIZE];
    LT_CHECK(name.len > 0 && name.len < sizeof key, LT_PEER_MALFORMED, "{%.*s}: no variable",
             LT_FMT(lt_slice_sub(name, 0, 60)));
    (void)snprintf(key, sizeof key, "%.*s", LT_FMT(name));
    if (strcmp(key, "folder") == 0) {
        lt_buf_add_cstr(out, d->folder);
    } else if (strcmp(key, "out") == 0) {
        lt_buf_addf(out, "%s/drill/out", d->folder);
    } else if (strcmp(key, "certificates") == 0) {
        lt_buf_addf(out, "%llu", (unsigned long long)d->certificates);
    } else if (strcmp(key, "build") == 0) {
        lt_buf_add_cstr(out, lt_version);
    } else if (strcmp(key, "reacting") == 0) {
        lt_buf_addf(out, "%llu", (unsigned long long)d->reacting);
    } else if (strcmp(key, "mode") == 0) {
        lt_buf_add_cstr(out, d->mode);
    } else if (strcmp(key, "title") == 0) {
        lt_buf_add_cstr(out, d->scenario.title);
    } else {
        const char *value = json_string_value(json_object_get(d->kept, key));
        LT_TRY(value != NULL ? LT_OK : add_time(d, name, out, &known));
        LT_CHECK(value != NULL || known, LT_PEER_MALFORMED, "no step has kept {%s}", key);
        lt_buf_add_cstr(out, value != NULL ? value : "");
    }
    return LT_OK;
}

lt_res drill_fill(struct drill *d, lt_slice text, const char **ret_text)
{
    struct lt_buf out;
    lt_res r = LT_OK;
    lt_buf_init(&out, FILLED_MAX);
    while (text.len > 0 && !lt_failed(r)) {
        size_t open = lt_slice_find(text, '{');
        lt_buf_add(&out, lt_slice_sub(text, 0, open));
        text = lt_slice_sub(text, open, text.len);
        size_t close = lt_slice_find(text, '}');
        if (text.len == 0 || close == text.len) {
            lt_buf_add(&out, text);
            break;
        }
        lt_slice name = lt_slice_sub(text, 1, close - 1);
        bool set = lt_slice_find(name, ',') < name.len; /* of a scope: {1000, 1001} */
        if (set) {
            lt_buf_add(&out, lt_slice_sub(text, 0, close + 1));
        }
        r = set ? LT_OK : add_variable(d, name, &out);
        text = lt_slice_sub(text, close + 1, text.len);
    }
    *ret_text = lt_failed(r) ? NULL : lt_arena_cstr(&d->c->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_TRY(r);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "a step is too long");
    return LT_OK;
}

/* The next word, its quotes taken away. */
static bool next_word(lt_slice *line, lt_slice *ret_word)
{
    while (line->len > 0 && (line->ptr[0] == ' ' || line->ptr[0] == '\n')) {
        *line = lt_slice_sub(*line, 1, line->len);
    }
    if (line->len == 0) {
        return false;
    }
    bool quoted = line->ptr[0] == '\'';
    lt_slice rest = quoted ? lt_slice_sub(*line, 1, line->len) : *line;
    size_t end = 0;
    while (end < rest.len &&
           (quoted ? rest.ptr[end] != '\'' : rest.ptr[end] != ' ' && rest.ptr[end] != '\n')) {
        end++;
    }
    *ret_word = lt_slice_sub(rest, 0, end);
    *line = lt_slice_sub(rest, end + (quoted && end < rest.len), rest.len);
    return true;
}

lt_res drill_words(struct drill *d, const char *line, char **ret_words, size_t *ret_count)
{
    lt_slice rest = lt_slice_cstr(line);
    lt_slice word;
    *ret_count = 0;
    while (next_word(&rest, &word)) {
        const char *filled = NULL;
        LT_CHECK(*ret_count + 1 < DRILL_WORDS_MAX, LT_PEER_TOO_LARGE, "a step has too many words");
        LT_TRY(drill_fill(d, word, &filled));
        ret_words[(*ret_count)++] = (char *)(uintptr_t)filled; /* argv: only read */
    }
    ret_words[*ret_count] = NULL;
    return LT_OK;
}

const json_t *drill_member(const json_t *json, lt_slice path)
{
    lt_slice part;
    while (json != NULL && lt_slice_split(&path, '.', &part)) {
        char key[NAME_SIZE];
        uint64_t index = 0;
        (void)snprintf(key, sizeof key, "%.*s", LT_FMT(lt_slice_sub(part, 0, sizeof key - 1)));
        if (json_is_array(json)) {
            bool number = !lt_failed(lt_parse_u64(part, UINT32_MAX, &index));
            json = number ? json_array_get(json, (size_t)index) : NULL;
        } else {
            json = json_object_get(json, key);
        }
    }
    return json;
}

const char *drill_text(struct drill *d, const json_t *value)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        const char *digits = lt_arena_printf(&d->c->arena, "%lld", (long long)json_integer_value(value));
        return digits == NULL ? "" : digits;
    }
    return json_is_true(value) ? "true" : json_is_false(value) ? "false" : "";
}

bool drill_holds(struct drill *d, const json_t *json, const char *rule)
{
    lt_slice whole = lt_slice_cstr(rule);
    size_t equals = lt_slice_find(whole, '=');
    const char *filled = NULL;
    const char *has = drill_text(d, drill_member(json, lt_slice_sub(whole, 0, equals)));
    if (equals == whole.len ||
        lt_failed(drill_fill(d, lt_slice_sub(whole, equals + 1, whole.len), &filled))) {
        return false;
    }
    lt_slice values = lt_slice_cstr(filled);
    lt_slice one;
    while (lt_slice_split(&values, '|', &one)) {
        if (lt_slice_eq_cstr(one, has)) {
            return true;
        }
    }
    return false;
}

lt_res drill_keep(struct drill *d, const json_t *json, const char *rule)
{
    lt_slice rest = lt_slice_cstr(rule);
    lt_slice one;
    while (next_word(&rest, &one)) {
        char key[NAME_SIZE];
        size_t equals = lt_slice_find(one, '=');
        (void)snprintf(key, sizeof key, "%.*s", LT_FMT(lt_slice_sub(one, 0, equals)));
        const json_t *value = drill_member(json, lt_slice_sub(one, equals + 1, one.len));
        LT_CHECK(value != NULL, LT_PEER_NOT_FOUND, "the answer has no member for \"%.*s\"", LT_FMT(one));
        LT_ASSERT(json_object_set_new(d->kept, key, json_string(drill_text(d, value))) == 0);
    }
    return LT_OK;
}
