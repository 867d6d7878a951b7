/* Whom the family needs out there, and who does not answer: perspectives, the resolver, the mail relay. The
 * programs that ask them say so on their boards; here it becomes a line of status and an event, when it
 * begins and when it is over. A board is written by a program that speaks to strangers: nothing of it is
 * believed but a short name and a number.
 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "role/supervisor.h"

#define PREFIX "lintel_silent_since_seconds{what=\""
#define SUFFIX "\"}"

/* False: it is another row, or no name that we would repeat. */
static bool read_row(const struct lt_metric *row, struct silence *ret)
{
    lt_slice name = LT_SLICE(row->name, strnlen(row->name, sizeof row->name));
    size_t around = sizeof PREFIX + sizeof SUFFIX - 2;
    if (!lt_slice_starts(name, LT_LIT(PREFIX)) || !lt_slice_ends(name, LT_LIT(SUFFIX)) ||
        name.len <= around || name.len - around >= sizeof ret->what) {
        return false;
    }
    lt_slice what = lt_slice_sub(name, sizeof PREFIX - 1, name.len - around);
    for (size_t i = 0; i < what.len; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789- ", what.ptr[i]) == NULL || what.ptr[i] == 0) {
            return false;
        }
    }
    memset(ret, 0, sizeof *ret);
    memcpy(ret->what, what.ptr, what.len);
    ret->since_s = (int64_t)row->value;
    return true;
}

static const struct silence *find(const struct silence *list, size_t count, const struct silence *like)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].process == like->process && strcmp(list[i].what, like->what) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

static void say(struct supervisor *s, const struct silence *x, bool begins)
{
    const struct process *p = &s->processes[x->process];
    lt_log(begins ? LT_LOG_ERROR : LT_LOG_INFO, begins ? "no answer from outside" : "it answers again",
           "what=\"%s\" asked_by=%s", x->what, p->name);
    control_event(s, p, begins ? "silent" : "answers", x->what);
}

static void read_board(const struct supervisor *s, uint32_t at, struct silence *list, size_t *count)
{
    struct lt_metrics board; /* 30 KB */
    ssize_t n = pread(s->processes[at].board_reader_fd, &board, sizeof board, 0);
    for (size_t i = 0; n == (ssize_t)sizeof board && i < LT_METRICS_ROWS && *count < MAX_SILENCES; i++) {
        struct silence x;
        if (board.row[i].kind != 0 && read_row(&board.row[i], &x) && x.since_s > 0) {
            x.process = at;
            list[(*count)++] = x;
        }
    }
}

void silence_look(struct supervisor *s)
{
    struct silence now[MAX_SILENCES];
    size_t count = 0;
    for (uint32_t i = 0; i < s->process_count; i++) {
        if (s->processes[i].role == IPC_COURIER || s->processes[i].role == IPC_VALIDATOR) {
            read_board(s, i, now, &count);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (find(s->silences, s->silence_count, &now[i]) == NULL) {
            say(s, &now[i], true);
        }
    }
    for (size_t i = 0; i < s->silence_count; i++) {
        if (find(now, count, &s->silences[i]) == NULL) {
            say(s, &s->silences[i], false);
        }
    }
    memcpy(s->silences, now, count * sizeof now[0]);
    s->silence_count = count;
}

void silence_add(const struct supervisor *s, struct lt_buf *out)
{
    lt_buf_add_cstr(out, ",\"silent\":[");
    for (size_t i = 0; i < s->silence_count; i++) {
        char since[LT_RFC3339_SIZE];
        lt_time_rfc3339(lt_time_from_seconds(s->silences[i].since_s), since);
        lt_buf_addf(out, "%s{\"what\":\"%s\",\"since\":\"%s\",\"asked_by\":\"%s\"}", i == 0 ? "" : ",",
                    s->silences[i].what, since, s->processes[s->silences[i].process].name);
    }
    lt_buf_add_byte(out, ']');
}
