/* Plans that were carried out: approvals are for one time. Without this, who keeps two good approvals could
 * free a key again each time that it is blocked, until the plan expires.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/examiner_private.h"

enum { FILE_MAX = 1024 * 1024 };

static const char used_file[] = "used";

static void put(struct ca_examiner_state *s, lt_time expires, lt_slice plan)
{
    struct examiner_used *u = &s->used[s->used_count++];
    u->expires = expires;
    memcpy(u->plan, plan.ptr, plan.len);
    u->plan[plan.len] = 0;
}

static lt_res line_take(struct ca_examiner_state *s, lt_slice line)
{
    lt_slice w[2];
    uint64_t expires = 0;
    LT_CHECK(examiner_words(line, w, LT_COUNT(w)) && !lt_failed(lt_parse_u64(w[0], INT64_MAX, &expires)) &&
                 w[1].len <= CA_EXAMINER_WORD_MAX && s->used_count < CA_EXAMINER_USED_MAX,
             LT_STATE_CORRUPT, "examiner/used: '%.*s'", LT_FMT(line));
    put(s, (lt_time){(int64_t)expires}, w[1]);
    return LT_OK;
}

lt_res examiner_used_open(struct ca_examiner_state *s)
{
    return examiner_file_lines(s, used_file, line_take);
}

static lt_res save(const struct ca_examiner_state *s)
{
    struct lt_buf out;
    lt_buf_init(&out, FILE_MAX);
    for (size_t i = 0; i < s->used_count; i++) {
        lt_buf_addf(&out, "%lld %s\n", (long long)s->used[i].expires.us, s->used[i].plan);
    }
    lt_res r = lt_buf_check(&out);
    if (!lt_failed(r)) {
        r = lt_file_replace(s->dir_fd, used_file, 0600, lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    return r;
}

lt_res examiner_use(struct ca_examiner_state *s, const Ipc__PlanStatement *plan, lt_time now)
{
    size_t live = 0;
    LT_CHECK(examiner_word(plan->plan_id), LT_PEER_MALFORMED, "a plan's id is a word");
    for (size_t i = 0; i < s->used_count; i++) {
        LT_CHECK(strcmp(s->used[i].plan, plan->plan_id) != 0, LT_POLICY_APPROVAL,
                 "plan %s was carried out before: this needs a new one", plan->plan_id);
    }
    for (size_t i = 0; i < s->used_count; i++) {
        if (s->used[i].expires.us > now.us) {
            s->used[live++] = s->used[i];
        }
    }
    s->used_count = live;
    LT_CHECK(live < CA_EXAMINER_USED_MAX, LT_PEER_TOO_LARGE, "over %d plans are in force",
             CA_EXAMINER_USED_MAX);
    put(s, (lt_time){plan->expires_us}, lt_slice_cstr(plan->plan_id));
    return save(s);
}
