/* Notices: rows and their states. */
#include "incident/notice.h"

#include <string.h>

#include "acme/desk.h"
#include "base/text.h"
#include "ca/body.h"
#include "ca/ready.h"
#include "incident/notice_private.h"
#include "incident/notice_text.h"
#include "mail.pb-c.h"

#define COLUMNS                                                                                            \
    "SELECT id, kind, subject, channel, recipient, params, account, batch, reply_to, in_reply_to, token, " \
    "status, attempts, created_us FROM notice WHERE "

static const struct store_sql sql[] = {
    {"notice.last", "SELECT coalesce(max(id), 0) FROM notice"},
    {"notice.add",
     "INSERT INTO notice (id, kind, subject, channel, recipient, params, account, batch, reply_to, "
     "in_reply_to, token, status, attempts, due_us, created_us, ended_us, said) VALUES (?1, ?2, ?3, ?4, ?5, "
     "?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?13, ?13, ?14, '')"},
    {"notice.by-id", COLUMNS "id = ?1"},
    {"notice.move", "UPDATE notice SET status = ?2, ended_us = ?3, said = ?4 WHERE id = ?1"},
};
enum { SQL_LAST, SQL_ADD, SQL_BY_ID, SQL_MOVE };
const struct incident_sql incident_notice_sql = {sql, LT_COUNT(sql)};

enum { TOKEN_LEN = 8 };

const struct incident_notice_edge incident_notice_edges[] = {
    {"queued", "sent", "sent"},           {"queued", "bounced", "bounced"}, {"queued", "refused", "refused"},
    {"queued", "withdrawn", "withdrawn"}, {"sent", "bounced", "bounced"},   {"refused", "again", "queued"},
    {"bounced", "again", "queued"},
};
const size_t incident_notice_edge_count = LT_COUNT(incident_notice_edges);

const char *incident_notice_next(const char *from, const char *event)
{
    for (size_t i = 0; i < incident_notice_edge_count; i++) {
        if (strcmp(incident_notice_edges[i].from, from) == 0 &&
            strcmp(incident_notice_edges[i].event, event) == 0) {
            return incident_notice_edges[i].to;
        }
    }
    return NULL;
}

static const char *text_of(struct ca_turn *t, const struct store_rows *rows, int column)
{
    const char *text = lt_arena_cstr(t->arena, store_bytes(rows, column));
    return text == NULL ? "" : text; /* the last one is looked at: the arena gives no more */
}

lt_res incident_notice_load(struct ca_turn *t, int64_t id, struct incident_notice_row *ret_row)
{
    struct store_rows rows;
    *ret_row = (struct incident_notice_row){.id = 0};
    LT_TRY(store_query(t->store, &sql[SQL_BY_ID], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        *ret_row = (struct incident_notice_row){
            .id = store_int(&rows, 0),
            .kind = text_of(t, &rows, 1),
            .subject = text_of(t, &rows, 2),
            .channel = text_of(t, &rows, 3),
            .to = text_of(t, &rows, 4),
            .params = text_of(t, &rows, 5),
            .account = store_int(&rows, 6),
            .batch = store_int(&rows, 7),
            .reply_to = text_of(t, &rows, 8),
            .in_reply_to = text_of(t, &rows, 9),
            .token = text_of(t, &rows, 10),
            .status = text_of(t, &rows, 11),
            .attempts = store_int(&rows, 12),
            .created = {store_int(&rows, 13)},
        };
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret_row->id == 0 || ret_row->status[0] != '\0', LT_PEER_TOO_LARGE, "the notice is too large");
    return LT_OK;
}

lt_res incident_notice_last_id(struct ca_turn *t, int64_t *ret_id)
{
    struct store_rows rows;
    *ret_id = 0;
    LT_TRY(store_query(t->store, &sql[SQL_LAST], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        *ret_id = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

static bool is_object(lt_slice json)
{
    return json.len >= 2 && json.ptr[0] == '{' && json.ptr[json.len - 1] == '}';
}

lt_res incident_params_join(struct ca_turn *t, const char *a, const char *b, const char **ret_json)
{
    lt_slice first = lt_slice_cstr(a);
    lt_slice second = lt_slice_cstr(b);
    LT_CHECK(is_object(first) && is_object(second), LT_PEER_MALFORMED, "the words are no JSON object");
    first = lt_slice_sub(first, 1, first.len - 2);
    second = lt_slice_sub(second, 1, second.len - 2);
    char *text = lt_arena_printf(t->arena, "{%.*s%s%.*s}", LT_FMT(first),
                                 first.len > 0 && second.len > 0 ? "," : "", LT_FMT(second));
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the notice is too large");
    *ret_json = text;
    return LT_OK;
}

/* ---- written ---- */

static bool is_mail(const char *channel)
{
    return strcmp(channel, "mail") == 0;
}

static const char *or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

static lt_res check_to(struct ca_turn *t, const struct incident_notice *n)
{
    if (is_mail(n->channel)) {
        return ca_ready_address(lt_slice_cstr(n->to));
    }
    if (strcmp(n->channel, "webhook") == 0) {
        return incident_hook_known(t, n->to);
    }
    LT_CHECK(strcmp(n->channel, "page") == 0, LT_PEER_MALFORMED,
             "\"%.40s\" is no channel; there are mail, webhook and page", n->channel);
    return LT_OK;
}

static lt_res check(struct ca_turn *t, const struct incident_notice *n)
{
    const struct incident_template *template = incident_template_find(n->kind);
    LT_CHECK(template != NULL, LT_PEER_MALFORMED, "there is no notice of the kind \"%.40s\"", n->kind);
    LT_CHECK(strlen(n->params) <= INCIDENT_NOTICE_PARAMS_MAX, LT_PEER_TOO_LARGE,
             "a notice of more than %d bytes", INCIDENT_NOTICE_PARAMS_MAX);
    LT_CHECK(is_object(lt_slice_cstr(n->params)), LT_PEER_MALFORMED, "the words are no JSON object");
    LT_TRY(incident_template_check(template, n->params));
    LT_CHECK(n->reply_to == NULL || n->reply_to[0] == '\0' ||
                 !lt_failed(ca_ready_address(lt_slice_cstr(n->reply_to))),
             LT_PEER_MALFORMED, "\"%.80s\" is no address to answer to", n->reply_to);
    return check_to(t, n);
}

lt_res incident_notice_put(struct ca_turn *t, const struct incident_notice *n, int64_t batch, int64_t *next)
{
    uint8_t random[TOKEN_LEN];
    t->random(random, sizeof random);
    char *token = lt_hex(t->arena, LT_SLICE(random, sizeof random));
    bool shown = strcmp(n->channel, "page") == 0;
    LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "the notice is too large");
    return store_exec(
        t->store, &sql[SQL_ADD],
        STORE_ARGS(STORE_I((*next)++), STORE_S(n->kind), STORE_S(n->subject), STORE_S(n->channel),
                   STORE_S(n->to), STORE_S(n->params), STORE_I(n->account), STORE_I(batch),
                   STORE_S(or_empty(n->reply_to)), STORE_S(or_empty(n->in_reply_to)), STORE_S(token),
                   STORE_S(shown ? "shown" : "queued"), STORE_I(t->now.us), STORE_I(shown ? t->now.us : 0)),
        NULL);
}

static void say(struct ca_body *b, const struct incident_notice_row *n)
{
    ca_body_init(b);
    ca_body_int(b, "notice", n->id);
    ca_body_str(b, "notice_kind", n->kind);
    ca_body_str(b, "channel", n->channel);
    ca_body_str(b, "to", n->to);
    if (n->account != 0) {
        ca_body_id(b, "account", n->account);
    }
}

lt_res incident_notice_add(struct ca_turn *t, const struct incident_notice *n, int64_t *ret_id)
{
    struct ca_body b;
    int64_t last = 0;
    LT_TRY(check(t, n));
    LT_TRY(incident_notice_last_id(t, &last));
    int64_t next = last + 1;
    LT_TRY(incident_notice_put(t, n, 0, &next));
    const struct incident_notice_row row = {
        .id = last + 1, .kind = n->kind, .channel = n->channel, .to = n->to, .account = n->account};
    say(&b, &row);
    ca_body_json(&b, "words", lt_slice_cstr(n->params));
    if (ret_id != NULL) {
        *ret_id = last + 1;
    }
    return ca_body_event(&b, t, strcmp(n->channel, "page") == 0 ? "notice.shown" : "notice.written",
                         n->subject, (lt_slice){0});
}

lt_res incident_notice_account(struct ca_turn *t, const struct incident_notice *n, int64_t *ret_count)
{
    struct acme_addresses a;
    struct incident_hooks hooks;
    struct incident_notice one = *n;
    *ret_count = 0;
    LT_TRY(acme_addresses_of(t, n->account, &a));
    LT_TRY(incident_hooks_of(t, n->account, &hooks));
    for (size_t i = 0; i < a.count + hooks.count; i++) {
        bool mail = i < a.count;
        one.channel = mail ? "mail" : "webhook";
        one.to = mail ? a.list[i] : hooks.list[i - a.count];
        if (mail && lt_failed(ca_ready_address(lt_slice_cstr(one.to)))) {
            continue; /* what an account says of itself need not be one */
        }
        LT_TRY(incident_notice_add(t, &one, NULL));
        (*ret_count)++;
    }
    return LT_OK;
}

/* ---- moved ---- */

/* Of many there is an event each about the notice itself: what is told of the incident is their sum. */
lt_res incident_notice_move(struct ca_turn *t, const struct incident_notice_row *n, const char *event,
                            const char *said)
{
    struct ca_body b;
    const char *to = incident_notice_next(n->status, event);
    const char *of = n->subject;
    if (to == NULL) {
        return LT_OK; /* it is known already */
    }
    char *kind = lt_arena_printf(t->arena, "notice.%s", event);
    char *own = lt_arena_printf(t->arena, "notice %lld", (long long)n->id);
    LT_CHECK(kind != NULL && own != NULL, LT_PEER_TOO_LARGE, "the notice is too large");
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(n->id), STORE_S(to), STORE_I(t->now.us), STORE_S(said)), NULL));
    say(&b, n);
    ca_body_int(&b, "attempts", n->attempts);
    ca_body_str(&b, "said", said);
    if (n->batch != 0) {
        ca_body_str(&b, "of", n->subject);
        of = own;
    }
    LT_TRY(ca_body_event(&b, t, kind, of, (lt_slice){0}));
    bool open = strcmp(n->status, "queued") == 0;
    return n->batch != 0 && open ? incident_batch_counted(t, n->batch, strcmp(to, "sent") == 0) : LT_OK;
}

static lt_res bounced(struct ca_turn *t, const struct incident_notice_row *n, const char *said)
{
    LT_TRY(incident_notice_move(t, n, "bounced", said));
    return n->account == 0 ? LT_OK : ca_ready_bounced(t, n->account, n->to, said);
}

lt_res incident_notice_returned(struct ca_turn *t, int64_t id, const char *token, const char *status,
                                const char *words)
{
    struct incident_notice_row n;
    LT_TRY(incident_notice_load(t, id, &n));
    LT_CHECK(n.id != 0 && is_mail(n.channel) && strlen(token) == strlen(n.token) &&
                 strcmp(token, n.token) == 0,
             LT_PEER_NOT_FOUND, "no letter of ours is notice %lld with that token", (long long)id);
    if (strcmp(n.status, "sent") != 0 || status == NULL) {
        return LT_OK;
    }
    char *said = lt_arena_printf(t->arena, "returned: %.16s %.170s", status, words);
    LT_CHECK(said != NULL, LT_PEER_TOO_LARGE, "the notice is too large");
    return bounced(t, &n, said);
}
