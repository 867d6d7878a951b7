/* One input from its name to what is printed about it. An object that no parser takes is judged all the same:
 * its broken syntax is what is found. Unreadable is only what cannot be opened, or holds nothing that could
 * be a certificate, CRL, request or OCSP response. */
#include "cmd/lint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "lint/kinds.h"

enum {
    ARENA_MAX = 1024 * 1024 * 1024,
    OUTPUT_MAX = 1024 * 1024 * 1024,
    KEYS_REMEMBERED = 4096,
    KEEP_MAX = 1024 * 1024, /* bytes of memory that a worker keeps from one file to the next */
    READ_STEP = 64 * 1024,
    COMPLAINTS_MAX = 20, /* about blocks of one file */
};

void cmd_lint_worker_init(struct cmd_lint_worker *w, const struct cmd_lint *job)
{
    *w = (struct cmd_lint_worker){.job = job, .keys = lint_keys_new(KEYS_REMEMBERED)};
    lt_arena_init(&w->arena, ARENA_MAX);
    lt_buf_init(&w->bytes, CMD_LINT_FILE_MAX);
    w->messages = calloc(job->rule_count, sizeof(w->messages[0]));
    LT_ASSERT(w->messages != NULL);
}

void cmd_lint_worker_done(struct cmd_lint_worker *w)
{
    lint_keys_free(w->keys);
    lt_arena_done(&w->arena);
    lt_buf_done(&w->bytes);
    free(w->messages);
    w->messages = NULL;
}

void cmd_lint_out_init(struct cmd_lint_out *out)
{
    *out = (struct cmd_lint_out){.tally = {.files = 0}};
    lt_buf_init(&out->text, OUTPUT_MAX);
    lt_buf_init(&out->errors, OUTPUT_MAX);
}

void cmd_lint_out_done(struct cmd_lint_out *out)
{
    lt_buf_done(&out->text);
    lt_buf_done(&out->errors);
}

void cmd_lint_complain(const struct cmd_lint *job, struct cmd_lint_out *out, const char *path,
                       const char *code, const char *detail)
{
    out->tally.unreadable++;
    if (job->json_errors) {
        lt_buf_add_cstr(&out->errors, "{\"file\":");
        lt_json_add_string(&out->errors, lt_slice_cstr(path));
        lt_buf_addf(&out->errors, ",\"error\":\"%s\",\"detail\":", code);
        lt_json_add_string(&out->errors, lt_slice_cstr(detail));
        lt_buf_add_cstr(&out->errors, "}\n");
        return;
    }
    lt_buf_add_cstr(&out->errors, "lintel lint: ");
    cmd_lint_plain(&out->errors, lt_slice_cstr(path));
    lt_buf_add_cstr(&out->errors, ": ");
    cmd_lint_plain(&out->errors, lt_slice_cstr(detail));
    lt_buf_add_byte(&out->errors, '\n');
}

static lt_res read_from(int fd, size_t hint, struct lt_buf *bytes)
{
    size_t step = hint < READ_STEP ? hint + 1 : READ_STEP;
    for (;;) {
        size_t at = bytes->len;
        uint8_t *room = lt_buf_extend(bytes, step);
        LT_CHECK(room != NULL, LT_PEER_TOO_LARGE, "more than %d MiB", CMD_LINT_FILE_MAX >> 20);
        ssize_t n = read(fd, room, step);
        if (n < 0 && errno == EINTR) {
            n = 0;
            bytes->len = at;
            continue;
        }
        bytes->len = at + (n > 0 ? (size_t)n : 0);
        LT_CHECK(n >= 0, LT_STATE_IO, "cannot be read: %s", strerror(errno));
        if (n == 0) {
            return LT_OK;
        }
        step = (size_t)n < step ? step : READ_STEP;
    }
}

/* Sizes come from the file itself: one read, and one that says that it was all. */
static lt_res read_file(const char *path, struct lt_buf *bytes)
{
    struct stat st;
    if (strcmp(path, "-") == 0) {
        return read_from(STDIN_FILENO, READ_STEP, bytes);
    }
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    LT_CHECK(fd >= 0, LT_PEER_NOT_FOUND, "cannot be opened: %s", strerror(errno));
    LT_CHECK(fstat(fd, &st) == 0, LT_STATE_IO, "cannot be read: %s", strerror(errno));
    return read_from(fd, S_ISREG(st.st_mode) && st.st_size >= 0 ? (size_t)st.st_size : READ_STEP, bytes);
}

bool cmd_lint_wanted(const struct cmd_lint *job, const struct lint_rule *rule, size_t *ret_index)
{
    size_t low = 0;
    size_t high = job->rule_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)job->places[middle].rule < (uintptr_t)rule) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    LT_ASSERT(low < job->rule_count && job->places[low].rule == rule);
    *ret_index = job->places[low].index;
    return job->wanted[*ret_index];
}

/* What was not asked for is taken out of the results. */
static void filter(const struct cmd_lint *job, struct lint_results *results)
{
    size_t kept = 0;
    enum lint_status worst = LINT_PASS;
    for (size_t i = 0; i < results->count; i++) {
        size_t index;
        if (cmd_lint_wanted(job, results->list[i].rule, &index)) {
            worst = results->list[i].level > worst ? results->list[i].level : worst;
            results->list[kept++] = results->list[i];
        }
    }
    results->count = kept;
    results->worst = results->dropped > 0 ? results->worst : worst;
}

static void count(const struct cmd_lint *job, const struct lint_results *results, struct cmd_lint_tally *t)
{
    t->objects++;
    t->worst[results->worst]++;
    t->failed += results->worst >= job->fail_on;
    for (size_t i = 0; i < results->count; i++) {
        t->findings[results->list[i].level]++;
    }
}

/* zlint says nothing of what it cannot parse but that: rows that are all NA would look like a clean one. */
static bool decodes(struct cmd_lint_worker *w, const struct cmd_lint_object *o)
{
    struct x509_cert cert;
    struct x509_crl crl;
    if (o->kind == LINT_CERTIFICATE && !w->job->bare) {
        return !lt_failed(x509_cert_decode(o->der, &w->arena, &cert));
    }
    if (o->kind == LINT_CRL && !w->job->bare) {
        return !lt_failed(x509_crl_decode(o->der, &w->arena, &crl));
    }
    return true;
}

static void judge(struct cmd_lint_worker *w, const char *path, const char *name,
                  const struct cmd_lint_object *o, struct cmd_lint_out *out)
{
    const struct cmd_lint *job = w->job;
    struct lint_input in = job->input;
    struct lint_results results;
    in.kind = (enum lint_kind)o->kind;
    in.der = o->der;
    in.keys = w->keys;
    if (job->format == CMD_LINT_ZLINT && !decodes(w, o)) {
        out->tally.objects++;
        cmd_lint_complain(job, out, path, "malformed", lt_error_last()->detail);
        return;
    }
    if (lt_failed(lint_run(&in, &w->arena, &results))) {
        cmd_lint_complain(job, out, path, lt_code_name(lt_error_last()->code), lt_error_last()->detail);
        return;
    }
    if (job->filtered) {
        filter(job, &results);
    }
    count(job, &results, &out->tally);
    switch (job->format) {
    case CMD_LINT_TEXT:
        cmd_lint_write_text(job, name, &results, &out->text);
        return;
    case CMD_LINT_JSON:
        cmd_lint_write_json(job, name, &results, &out->text);
        return;
    case CMD_LINT_ZLINT:
        cmd_lint_write_zlint(w, o->kind, &results, &out->text);
        return;
    }
}

static void forget(struct cmd_lint_worker *w)
{
    if (w->arena.used > KEEP_MAX) {
        lt_arena_done(&w->arena);
    } else {
        lt_arena_reset(&w->arena);
    }
}

/* Blocks that cannot be read, named one by one up to a bound. */
static void complain_of_block(struct cmd_lint_worker *w, const char *path, lt_res r, size_t bad,
                              struct cmd_lint_out *out)
{
    if (bad <= COMPLAINTS_MAX) {
        cmd_lint_complain(w->job, out, path, lt_code_name(r.code), lt_error_last()->detail);
    } else {
        out->tally.unreadable++;
    }
}

static void complain_of_rest(struct cmd_lint_worker *w, const char *path, size_t bad,
                             struct cmd_lint_out *out)
{
    if (bad > COMPLAINTS_MAX) {
        const char *text = lt_arena_printf(&w->arena, "%zu more blocks that cannot be read",
                                           bad - COMPLAINTS_MAX);
        out->tally.unreadable--; /* counted one by one */
        cmd_lint_complain(w->job, out, path, "malformed", text != NULL ? text : "more such blocks");
    }
}

static const char *nothing_known(lt_slice der, bool bare)
{
    return !bare && lint_kind_of(der, true) != 0
               ? "a bare TBSCertificate or TBSCertList, as it seems: --tbs judges what is to be signed"
               : "neither PEM, DER nor base64 of a certificate, CRL, request or OCSP response; --kind says "
                 "what it is meant to be";
}

/* Every object of it; zlint's format has one line for a file. */
static void judge_all(struct cmd_lint_worker *w, const char *path, struct cmd_lint_out *out)
{
    const struct cmd_lint *job = w->job;
    struct cmd_lint_reader reader;
    struct cmd_lint_object object;
    cmd_lint_open(&reader, lt_buf_slice(&w->bytes), job->bare);
    size_t total = reader.count;
    size_t bad = 0;
    for (size_t n = 1;; n++) {
        lt_res r = cmd_lint_next(&reader, &w->arena, &object);
        object.kind = job->kind != 0 && object.der.len > 0 ? job->kind : object.kind;
        if (r.code == LT_PEER_NOT_FOUND) {
            if (total == 0) {
                cmd_lint_complain(job, out, path, "malformed",
                                  "its PEM holds no certificate, CRL, request or OCSP response");
            }
            complain_of_rest(w, path, bad, out);
            return;
        }
        if (lt_failed(r)) {
            complain_of_block(w, path, r, ++bad, out);
            continue;
        }
        if (object.kind == 0) {
            cmd_lint_complain(job, out, path, "malformed", nothing_known(object.der, job->bare));
            return;
        }
        const char *name = total > 1 ? lt_arena_printf(&w->arena, "%s#%zu", path, n) : path;
        judge(w, path, name != NULL ? name : path, &object, out);
        forget(w);
        if (job->format == CMD_LINT_ZLINT) {
            return;
        }
    }
}

void cmd_lint_file(struct cmd_lint_worker *w, const char *path, struct cmd_lint_out *out)
{
    lt_buf_reset(&w->bytes);
    out->tally.files++;
    if (lt_failed(read_file(path, &w->bytes))) {
        cmd_lint_complain(w->job, out, path, lt_code_name(lt_error_last()->code), lt_error_last()->detail);
    } else {
        judge_all(w, path, out);
    }
    forget(w);
    if (w->bytes.size > KEEP_MAX) {
        lt_buf_done(&w->bytes);
    }
}
