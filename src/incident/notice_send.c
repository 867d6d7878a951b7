/* How notices leave: handed to the courier, those to many as fast as mail.rate allows, all others before
 * them; tried again while they are not taken. */
#include <string.h>

#include "ca/ready.h"
#include "incident/notice_private.h"
#include "mail.pb-c.h"

static const struct store_sql sql[] = {
    {"notice.due",
     "SELECT id FROM notice WHERE status = 'queued' AND batch = 0 AND due_us <= ?1 ORDER BY due_us "
     "LIMIT ?2"},
    {"notice.due-of-batch",
     "SELECT id FROM notice WHERE status = 'queued' AND batch > 0 AND due_us <= ?1 ORDER BY "
     "due_us LIMIT ?2"},
    {"notice.try", "UPDATE notice SET attempts = attempts + 1, due_us = ?2 WHERE id = ?1"},
    {"notice.put-off",
     "UPDATE notice SET due_us = ?3, said = ?4 WHERE id = ?1 AND status = 'queued' AND attempts = ?2"},
    {"notice.resume",
     "UPDATE notice SET due_us = ?1 WHERE status = 'queued' AND batch = 0 AND due_us > ?1 AND due_us "
     "<= ?2 AND said = ''"},
    {"notice.resume-of-batch",
     "UPDATE notice SET due_us = ?1 WHERE status = 'queued' AND batch > 0 AND due_us > ?1 "
     "AND due_us <= ?2 AND said = ''"},
    {"notice.pace", "SELECT at_us, left_over, behind FROM notice_pace WHERE id = 1"},
    {"notice.pace-set",
     "INSERT INTO notice_pace (id, at_us, left_over, behind) VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO "
     "UPDATE SET at_us = excluded.at_us, left_over = excluded.left_over, behind = excluded.behind"},
};
enum {
    SQL_DUE,
    SQL_DUE_OF_BATCH,
    SQL_TRY,
    SQL_PUT_OFF,
    SQL_RESUME,
    SQL_RESUME_OF_BATCH,
    SQL_PACE,
    SQL_PACE_SET
};
const struct incident_sql incident_notice_send_sql = {sql, LT_COUNT(sql)};

/* After each attempt that was not taken; then it is given up. A day in all: what we have to say is late then.
 */
static const int64_t pauses_s[] = {5, 60, 300, 900, 3600, 7200, 14400, 28800, 28800};

static char *words(const char *text)
{
    return (char *)(uintptr_t)text; /* the message has no const; it is only read */
}

static lt_res send_mail(struct ca_turn *t, const struct ca_config *config,
                        const struct incident_notice_row *n, const char *params)
{
    Ipc__MailSend m = IPC__MAIL_SEND__INIT;
    m.mail_id = n->id;
    m.attempt = (uint32_t)n->attempts + 1;
    m.kind = words("notice");
    m.relay = words(config->mail_relay);
    m.from = words(config->mail_from);
    m.to = words(n->to);
    m.ca = words(config->name);
    m.host = words(config->host_names[0]);
    m.created_us = n->created.us;
    m.notice = words(n->kind);
    m.subject = words(n->subject);
    m.words = words(params);
    m.token = words(n->token);
    m.reply_to = words(n->reply_to);
    m.in_reply_to = words(n->in_reply_to);
    return ca_turn_send(t, IPC_COURIER, IPC_MAIL_SEND, (uint64_t)n->id, &m.base);
}

/* Its words are those of all of the batch, and its own. */
static lt_res params_of(struct ca_turn *t, const struct incident_notice_row *n, const char **ret_params)
{
    const char *common = NULL;
    *ret_params = n->params;
    if (n->batch == 0) {
        return LT_OK;
    }
    LT_TRY(incident_batch_params(t, n->batch, &common));
    return incident_params_join(t, common, n->params, ret_params);
}

static lt_res send_one(struct incident_beat *b, int64_t id)
{
    struct incident_notice_row n;
    const char *params = NULL;
    struct ca_turn *t = b->t;
    lt_time later = lt_time_add_seconds(t->now, INCIDENT_NOTICE_PATIENCE_S);
    LT_TRY(incident_notice_load(t, id, &n));
    LT_CHECK(n.id != 0, LT_STATE_CORRUPT, "notice %lld is gone", (long long)id);
    LT_TRY(store_exec(t->store, &sql[SQL_TRY], STORE_ARGS(STORE_I(id), STORE_I(later.us)), NULL));
    LT_TRY(params_of(t, &n, &params));
    if (strcmp(n.channel, "mail") != 0) {
        return incident_hook_send(t, b->config, &n, params);
    }
    return b->config->mail_relay[0] == '\0' ? LT_OK : send_mail(t, b->config, &n, params);
}

/* ---- as fast as is allowed ---- */

struct pace {
    lt_time at;
    int64_t left;
    bool behind;
};

static lt_res load_pace(struct ca_turn *t, struct pace *p)
{
    struct store_rows rows;
    *p = (struct pace){.left = 0};
    LT_TRY(store_query(t->store, &sql[SQL_PACE], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        *p = (struct pace){{store_int(&rows, 0)}, store_int(&rows, 1), store_int(&rows, 2) != 0};
    }
    return store_rows_end(&rows);
}

/* A second's worth each second; after a standstill no more than that, while letters waited all of it: a clock
 * that jumps (a drill) is as if they had left one by one. */
static void fill(struct pace *p, lt_time now, uint32_t rate)
{
    int64_t passed_s = (now.us - p->at.us) / LT_US_PER_SECOND;
    if (passed_s <= 0 && now.us >= p->at.us) {
        return;
    }
    passed_s = passed_s > LT_SECONDS_PER_DAY ? LT_SECONDS_PER_DAY : passed_s;
    p->left = p->behind && passed_s > 0 ? p->left + passed_s * rate : rate;
    p->at = now;
}

struct due {
    int64_t ids[INCIDENT_NOTICE_STEP];
    size_t count;
};

static lt_res load_due(struct ca_turn *t, int statement, struct due *d)
{
    struct store_rows rows;
    d->count = 0;
    LT_TRY(store_query(t->store, &sql[statement],
                       STORE_ARGS(STORE_I(t->now.us), STORE_I(INCIDENT_NOTICE_STEP)), &rows));
    while (d->count < INCIDENT_NOTICE_STEP && store_next(&rows)) {
        d->ids[d->count++] = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

/* What was written by itself (an answer, findings, an alarm) goes at once, whatever else waits. */
static lt_res send_single(struct incident_beat *b, bool *ret_more)
{
    struct due d;
    LT_TRY(load_due(b->t, SQL_DUE, &d));
    for (size_t i = 0; i < d.count; i++) {
        LT_TRY(send_one(b, d.ids[i]));
    }
    *ret_more = *ret_more || d.count == INCIDENT_NOTICE_STEP;
    return LT_OK;
}

lt_res incident_notice_send_due(struct incident_beat *b, bool *ret_more)
{
    struct due d;
    struct pace p;
    struct ca_turn *t = b->t;
    LT_TRY(send_single(b, ret_more));
    LT_TRY(load_pace(t, &p));
    fill(&p, t->now, b->config->mail_rate);
    int64_t most = p.left < INCIDENT_NOTICE_STEP ? p.left : INCIDENT_NOTICE_STEP;
    LT_TRY(load_due(t, SQL_DUE_OF_BATCH, &d));
    if (d.count == 0 && !p.behind) {
        return LT_OK; /* the pace is written where it counts */
    }
    p.behind = d.count > (size_t)most || d.count == INCIDENT_NOTICE_STEP;
    for (size_t i = 0; i < d.count && i < (size_t)most; i++) {
        LT_TRY(send_one(b, d.ids[i]));
        p.left--;
    }
    *ret_more = *ret_more || (p.behind && p.left > 0);
    return store_exec(t->store, &sql[SQL_PACE_SET],
                      STORE_ARGS(STORE_I(p.at.us), STORE_I(p.left), STORE_I(p.behind ? 1 : 0)), NULL);
}

lt_res incident_notice_send_now(struct ca_turn *t, int64_t id)
{
    struct incident_beat b = {.t = t, .config = t->book->config};
    return b.config == NULL ? LT_OK : send_one(&b, id);
}

/* ---- what came of it ---- */

static lt_res put_off(struct ca_turn *t, const struct incident_notice_row *n, const char *said)
{
    size_t tried = (size_t)n->attempts;
    if (tried > LT_COUNT(pauses_s)) {
        return incident_notice_move(t, n, "refused", said);
    }
    lt_time due = lt_time_add_seconds(t->now, pauses_s[tried == 0 ? 0 : tried - 1]);
    return store_exec(t->store, &sql[SQL_PUT_OFF],
                      STORE_ARGS(STORE_I(n->id), STORE_I(n->attempts), STORE_I(due.us), STORE_S(said)), NULL);
}

static bool is_last(const struct incident_notice_row *n, uint32_t attempt)
{
    return n->id != 0 && strcmp(n->status, "queued") == 0 && n->attempts == (int64_t)attempt;
}

lt_res incident_notice_mailed(struct ca_turn *t, const Ipc__MailSent *said)
{
    struct incident_notice_row n;
    LT_TRY(incident_notice_load(t, said->mail_id, &n));
    if (!is_last(&n, said->attempt)) {
        return LT_OK; /* of an attempt before */
    }
    if (said->accepted) {
        return incident_notice_move(t, &n, "sent", said->said);
    }
    if (!said->final) {
        return put_off(t, &n, said->why);
    }
    LT_TRY(incident_notice_move(t, &n, "bounced", said->why));
    return n.account == 0 ? LT_OK : ca_ready_bounced(t, n.account, n.to, said->why);
}

lt_res incident_notice_hooked(struct ca_turn *t, const Ipc__HookSent *said)
{
    struct incident_notice_row n;
    LT_TRY(incident_notice_load(t, said->notice_id, &n));
    if (!is_last(&n, said->attempt)) {
        return LT_OK;
    }
    if (!said->accepted && !said->final) {
        return put_off(t, &n, said->said);
    }
    return incident_notice_move(t, &n, said->accepted ? "sent" : "refused", said->said);
}

/* What was put off has words and waits for its time; what the one before had in its hands has none. */
lt_res incident_notice_courier_linked(struct ca_turn *t)
{
    lt_time later = lt_time_add_seconds(t->now, INCIDENT_NOTICE_PATIENCE_S);
    LT_TRY(store_exec(t->store, &sql[SQL_RESUME], STORE_ARGS(STORE_I(t->now.us), STORE_I(later.us)), NULL));
    return store_exec(t->store, &sql[SQL_RESUME_OF_BATCH], STORE_ARGS(STORE_I(t->now.us), STORE_I(later.us)),
                      NULL);
}
