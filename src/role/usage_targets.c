/* usage/targets, read and asked. */
#include "role/usage_targets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"

enum { NAME_MAX_LEN = 254, LINE_MAX_LEN = 512 }; /* with the dot of a suffix */
#define TARGETS_FILE "usage/targets"

static bool is_name(lt_slice name)
{
    bool good = name.len > 0 && name.len <= NAME_MAX_LEN;
    for (size_t i = 0; i < name.len && good; i++) {
        uint8_t c = name.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' ||
               (c == '.' && i + 1 < name.len && name.ptr[i + 1] != '.');
    }
    return good;
}

/* "10.0.0.7", "10.0.0.7:8443", "2001:db8::1", "[2001:db8::1]:8443" */
static lt_res read_address(lt_slice text, struct usage_target *ret)
{
    lt_slice port = {0};
    uint64_t number = 0;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t end = lt_slice_find(text, ']');
        LT_CHECK(end < text.len, LT_PEER_MALFORMED, "an address without its \"]\"");
        port = lt_slice_sub(text, end + 1, SIZE_MAX);
        LT_CHECK(port.len > 1 && port.ptr[0] == ':', LT_PEER_MALFORMED, "a port belongs behind \"]\"");
        port = lt_slice_sub(port, 1, SIZE_MAX);
        text = lt_slice_sub(text, 1, end - 1);
    } else {
        size_t colon = lt_slice_find(text, ':');
        lt_slice rest = lt_slice_sub(text, colon + 1, SIZE_MAX);
        if (colon < text.len && lt_slice_find(rest, ':') == rest.len) {
            port = rest;
            text = lt_slice_sub(text, 0, colon);
            LT_CHECK(port.len > 0, LT_PEER_MALFORMED, "a port belongs behind \":\"");
        }
    }
    LT_TRY(validate_address_parse(text, &ret->address));
    if (port.len > 0) {
        LT_TRY(lt_parse_u64(port, UINT16_MAX, &number));
        LT_CHECK(number > 0, LT_PEER_MALFORMED, "0 is no port");
    }
    ret->port = (uint16_t)number;
    return LT_OK;
}

static lt_slice trimmed(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && strchr(" \t\r", s.ptr[s.len - 1]) != NULL) {
        s.len--;
    }
    return s;
}

static size_t first_blank(lt_slice s)
{
    size_t space = lt_slice_find(s, ' ');
    size_t tab = lt_slice_find(s, '\t');
    return space < tab ? space : tab;
}

/* name empty: the line says nothing. */
static lt_res read_line(lt_slice line, struct usage_target *ret)
{
    *ret = (struct usage_target){.name = LT_LIT("")};
    line = trimmed(lt_slice_sub(line, 0, lt_slice_find(line, '#')));
    if (line.len == 0) {
        return LT_OK;
    }
    size_t blank = first_blank(line);
    lt_slice name = lt_slice_sub(line, 0, blank);
    lt_slice where = trimmed(lt_slice_sub(line, blank, SIZE_MAX));
    LT_CHECK(is_name(name), LT_PEER_MALFORMED, "\"%.*s\" is no name in lower case",
             (int)(name.len > 80 ? 80 : name.len), (const char *)name.ptr);
    LT_CHECK(where.len > 0, LT_PEER_MALFORMED, "an address, or \"-\", belongs behind the name");
    ret->skip = lt_slice_eq_cstr(where, "-");
    LT_CHECK(ret->skip || name.ptr[0] != '.', LT_PEER_MALFORMED,
             "all below a name cannot have one address: only \"-\"");
    LT_TRY(ret->skip ? LT_OK : read_address(where, ret));
    ret->name = name;
    return LT_OK;
}

static int by_name(const void *a, const void *b)
{
    return lt_slice_cmp(((const struct usage_target *)a)->name, ((const struct usage_target *)b)->name);
}

static lt_res sort(struct usage_targets *t)
{
    if (t->count > 1) {
        qsort(t->list, t->count, sizeof *t->list, by_name);
    }
    for (size_t i = 1; i < t->count; i++) {
        LT_CHECK(by_name(&t->list[i - 1], &t->list[i]) != 0, LT_PEER_MALFORMED,
                 TARGETS_FILE ": %.*s stands twice", LT_FMT(t->list[i].name));
    }
    return LT_OK;
}

static lt_res read_lines(struct usage_targets *t, lt_slice text)
{
    lt_slice line;
    size_t number = 0;
    size_t room = 0;
    while (lt_slice_split(&text, '\n', &line)) {
        struct usage_target one;
        number++;
        lt_res r = line.len > LINE_MAX_LEN
                       ? lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "%zu characters", line.len)
                       : read_line(line, &one);
        if (lt_failed(r)) {
            char why[sizeof lt_error_last()->detail];
            (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail); /* fits */
            LT_FAIL(r.code, TARGETS_FILE ":%zu: %s", number, why);
        }
        if (one.name.len == 0) {
            continue;
        }
        LT_CHECK(t->count < USAGE_TARGETS_MAX, LT_PEER_TOO_LARGE, TARGETS_FILE ": more than %d lines",
                 USAGE_TARGETS_MAX);
        if (t->count == room) {
            room = room == 0 ? 64 : room * 2;
            t->list = realloc(t->list, room * sizeof *t->list);
            LT_ASSERT(t->list != NULL);
        }
        t->list[t->count++] = one;
    }
    return sort(t);
}

lt_res usage_targets_parse(lt_slice text, struct usage_targets *ret_targets)
{
    struct usage_targets t = {.text = malloc(text.len + 1)};
    LT_ASSERT(t.text != NULL);
    if (text.len > 0) {
        memcpy(t.text, text.ptr, text.len);
    }
    lt_res r = read_lines(&t, LT_SLICE(t.text, text.len));
    if (lt_failed(r)) {
        usage_targets_done(&t);
        return r;
    }
    *ret_targets = t;
    return LT_OK;
}

lt_res usage_targets_load(const char *folder, struct usage_targets *ret_targets)
{
    struct lt_arena a;
    lt_slice text;
    *ret_targets = (struct usage_targets){.list = NULL};
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    lt_arena_init(&a, (size_t)2 * USAGE_TARGETS_BYTES);
    lt_res r = lt_file_read(&a, dir, TARGETS_FILE, USAGE_TARGETS_BYTES, &text);
    if (r.code == LT_PEER_NOT_FOUND) {
        r = LT_OK;
    } else if (!lt_failed(r)) {
        r = usage_targets_parse(text, ret_targets);
    }
    lt_arena_done(&a);
    return r;
}

void usage_targets_done(struct usage_targets *t)
{
    free(t->list);
    free(t->text);
    *t = (struct usage_targets){.list = NULL};
}

static const struct usage_target *find(const struct usage_targets *t, lt_slice name)
{
    const struct usage_target key = {.name = name};
    return t->count == 0 ? NULL : bsearch(&key, t->list, t->count, sizeof key, by_name);
}

const struct usage_target *usage_targets_find(const struct usage_targets *t, lt_slice name)
{
    const struct usage_target *found = find(t, name);
    uint8_t suffix[NAME_MAX_LEN + 1] = {'.'};
    if (found != NULL || name.len > NAME_MAX_LEN - 1) {
        return found;
    }
    if (name.len > 0) {
        memcpy(suffix + 1, name.ptr, name.len);
    }
    lt_slice at = LT_SLICE(suffix, name.len + 1); /* ".www.example.com", ".example.com", ".com" */
    while (at.len > 1) {
        found = find(t, at);
        if (found != NULL) {
            return found;
        }
        at = lt_slice_sub(at, 1, SIZE_MAX);
        at = lt_slice_sub(at, lt_slice_find(at, '.'), SIZE_MAX);
    }
    return NULL;
}
