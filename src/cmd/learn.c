/* lintel action, review, training, concern: what is learned, and what was promised. Each verb is a row: the
 * path that it asks or posts to, and which options become members. */
#include "cmd/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192, BRIEF_MAX = 30000 };

/* ---- changes ---- */

static lt_res add_time(struct cmd *c, json_t *payload, const struct learn_member *m, const char *value)
{
    lt_time when;
    char text[LT_RFC3339_SIZE];
    (void)c;
    lt_res r = lt_time_parse_or_day(lt_slice_cstr(value), &when);
    LT_CHECK(!lt_failed(r), LT_PEER_USAGE, "--%s %.40s is no time: write 2027-01-31 or 2027-01-31T12:00:00Z",
             m->option, value);
    lt_time_rfc3339(when, text);
    return json_object_set_new(payload, m->member, json_string(text)) == 0
               ? LT_OK
               : lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "--%s: no room", m->option);
}

static lt_res add_number(struct cmd *c, json_t *payload, const struct learn_member *m)
{
    uint64_t number = 0;
    LT_TRY(cmd_number(c, m->option, 0, UINT32_MAX, &number));
    return json_object_set_new(payload, m->member, json_integer((json_int_t)number)) == 0
               ? LT_OK
               : lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "--%s: no room", m->option);
}

static lt_res add_text(json_t *payload, const char *option, const char *member, const char *value)
{
    json_t *text = json_string(value);
    LT_CHECK(text != NULL, LT_PEER_USAGE, "%s is no UTF-8", option);
    LT_CHECK(json_object_set_new(payload, member, text) == 0, LT_PEER_USAGE, "%s: no room", option);
    return LT_OK;
}

/* An option that is given several times. */
static lt_res add_texts(struct cmd *c, json_t *payload, const struct learn_member *m)
{
    json_t *list = json_array();
    LT_CHECK(list != NULL && json_object_set_new(payload, m->member, list) == 0, LT_PEER_USAGE,
             "--%s: no room", m->option);
    for (size_t i = 0; cmd_value_nth(c, m->option, i) != NULL; i++) {
        LT_CHECK(json_array_append_new(list, json_string(cmd_value_nth(c, m->option, i))) == 0, LT_PEER_USAGE,
                 "--%s is no UTF-8", m->option);
    }
    return LT_OK;
}

static lt_res add_member(struct cmd *c, json_t *payload, const struct learn_member *m)
{
    const char *value = cmd_value(c, m->option);
    if (m->type == LEARN_FLAG) {
        return json_object_set_new(payload, m->member, json_boolean(cmd_flag(c, m->option))) == 0
                   ? LT_OK
                   : lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "--%s: no room", m->option);
    }
    LT_CHECK(value != NULL || !m->needed, LT_PEER_USAGE, "--%s is missing: see lintel %s --help", m->option,
             c->verb->name);
    if (value == NULL) {
        return LT_OK;
    }
    switch (m->type) {
    case LEARN_TEXTS:
        return add_texts(c, payload, m);
    case LEARN_TIME:
        return add_time(c, payload, m, value);
    case LEARN_NUMBER:
        return add_number(c, payload, m);
    case LEARN_TEXT:
    case LEARN_FLAG:
        break;
    }
    return add_text(payload, m->option, m->member, value);
}

/* A word of the command line that goes into a path. */
static lt_res check_word(const char *word)
{
    size_t len = strlen(word);
    LT_CHECK(len > 0 && len <= 63 && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-._") == len,
             LT_PEER_USAGE, "\"%.63s\" is neither a number nor a name of lower-case letters and digits",
             word);
    return LT_OK;
}

static lt_res path_of(struct cmd *c, const struct learn_change *row, char ret_path[PATH_SIZE])
{
    const char *blank = strchr(row->path, '*');
    if (blank == NULL) {
        (void)snprintf(ret_path, PATH_SIZE, "%s", row->path); /* our own, and short */
        return LT_OK;
    }
    LT_TRY(check_word(c->args.words[0]));
    (void)snprintf(ret_path, PATH_SIZE, "%.*s%s%s", (int)(blank - row->path), row->path, c->args.words[0],
                   blank + 1); /* measured above */
    return LT_OK;
}

static lt_res read_input(struct cmd *c, lt_slice *ret_text)
{
    uint8_t *text = lt_arena_alloc(&c->arena, BRIEF_MAX + 1);
    size_t len = 0;
    ssize_t n = 1;
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "no room for the text");
    while (n > 0 && len <= BRIEF_MAX) {
        n = read(STDIN_FILENO, text + len, BRIEF_MAX + 1 - len);
        LT_CHECK(n >= 0, LT_STATE_IO, "standard input: %s", strerror(errno));
        len += (size_t)n;
    }
    LT_CHECK(len <= BRIEF_MAX, LT_PEER_TOO_LARGE, "standard input has over %d bytes", BRIEF_MAX);
    *ret_text = LT_SLICE(text, len);
    return LT_OK;
}

/* A file, or standard input, as one member. */
static lt_res add_file(struct cmd *c, const char *path, const char *member, json_t *payload)
{
    lt_slice text;
    LT_TRY(strcmp(path, "-") == 0 ? read_input(c, &text)
                                  : lt_file_read(&c->arena, AT_FDCWD, path, BRIEF_MAX, &text));
    char *copy = lt_arena_cstr(&c->arena, text);
    LT_CHECK(copy != NULL && strlen(copy) == text.len, LT_PEER_USAGE, "%s has bytes that are no text", path);
    return add_text(payload, path, member, copy);
}

static lt_res say_change(struct cmd *c, const json_t *answer)
{
    const char *key;
    json_t *value;
    if (c->json) {
        return cmd_print_json(answer);
    }
    const char *url = cmd_text(answer, "url");
    if (url[0] != '\0') {
        return cmd_printf("%s\n", url);
    }
    json_object_foreach((json_t *)(uintptr_t)answer, key, value)
    {
        if (strcmp(key, "id") == 0 && json_is_integer(value)) {
            return cmd_printf("done: %lld\n", (long long)json_integer_value(value));
        }
    }
    return cmd_printf("done\n");
}

static lt_res post(struct cmd *c, const struct learn_change *row, bool end)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    size_t word = strchr(row->path, '*') != NULL ? 1 : 0;
    LT_CHECK(payload != NULL, LT_PEER_TOO_LARGE, "no room for the request");
    LT_TRY(path_of(c, row, path));
    for (size_t i = 0; i < LEARN_WORDS_MAX && row->words[i] != NULL; i++, word++) {
        LT_TRY(row->file ? add_file(c, c->args.words[word], row->words[i], payload)
                         : add_text(payload, row->words[i], row->words[i], c->args.words[word]));
    }
    for (size_t i = 0; !end && i < LEARN_MEMBERS_MAX && row->members[i].option != NULL; i++) {
        LT_TRY(add_member(c, payload, &row->members[i]));
    }
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return say_change(c, answer);
}

lt_res cmd_learn_change(struct cmd *c, const struct learn_change *row)
{
    return post(c, row, false);
}

lt_res cmd_learn_end(struct cmd *c, const struct learn_change *row)
{
    return post(c, row, true);
}

/* ---- one ---- */

static lt_res print_object(const json_t *o, const char *indent)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        size_t i;
        json_t *part;
        if (json_is_string(value) && json_string_length(value) > 0) {
            LT_TRY(cmd_printf("%s%-12s %s\n", indent, key, json_string_value(value)));
        } else if (json_is_integer(value)) {
            LT_TRY(cmd_printf("%s%-12s %lld\n", indent, key, (long long)json_integer_value(value)));
        } else if (json_is_boolean(value)) {
            LT_TRY(cmd_printf("%s%-12s %s\n", indent, key, json_is_true(value) ? "yes" : "no"));
        }
        json_array_foreach(value, i, part)
        {
            const char *done = cmd_text(part, "done");
            LT_TRY(cmd_printf("%slook         after %lld months, due %s: %s%s%s\n", indent,
                              (long long)cmd_int(part, "months"), cmd_text(part, "due"),
                              done[0] == '\0'                                ? "not taken"
                              : json_is_true(json_object_get(part, "holds")) ? "holds, "
                                                                             : "DOES NOT HOLD, ",
                              done, cmd_text(part, "evidence")));
        }
    }
    return LT_OK;
}

lt_res cmd_learn_show(struct cmd *c, const char *noun)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_TRY(check_word(c->args.words[0]));
    (void)snprintf(path, sizeof path, "%s/%s", noun, c->args.words[0]); /* measured */
    LT_TRY(cmd_api_get(c, path, &answer));
    return c->json ? cmd_print_json(answer) : print_object(answer, "");
}

lt_res cmd_learn_show_signed(struct cmd *c, const char *noun)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_TRY(check_word(c->args.words[0]));
    (void)snprintf(path, sizeof path, "%s/%s/show", noun, c->args.words[0]); /* measured */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer) : print_object(answer, "");
}
