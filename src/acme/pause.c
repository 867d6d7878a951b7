/* Names of an account that only fail: after so many failures in a row (pausing in lintel.yaml) they are
 * ordered no more until the subscriber says go on, on a page to which the refusal leads. A client that
 * renews a name which is long gone costs its CA a validation a day for years; nearly half of all orders at
 * a large CA were of that kind.
 *
 * An account with paused names has a row in account_pause, so that a new order costs one look-up. Its token
 * is the right to resume, drawn when the first name is paused and gone with the last. */
#include <stdio.h>
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "ca/body.h"

enum {
    RESUME_STEP = 1000, /* names in one turn */
    SHOWN = 200,        /* on the page */
    PAUSE_TOKEN_LEN = 24,
};

struct pause_row {
    int64_t failures; /* 0: there is no row */
    lt_time last;
    bool paused;
};

static lt_res load_row(struct ca_turn *t, int64_t account, const char *type, const char *name,
                       struct pause_row *ret_row)
{
    struct store_rows rows;
    *ret_row = (struct pause_row){0};
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_PAUSE],
                       STORE_ARGS(STORE_I(account), STORE_S(type), STORE_S(name)), &rows));
    if (store_next(&rows)) {
        ret_row->failures = store_int(&rows, 0);
        ret_row->last.us = store_int(&rows, 1);
        ret_row->paused = !store_is_null(&rows, 2);
    }
    return store_rows_end(&rows);
}

/* NULL when nothing of the account is paused. */
static lt_res token_of(struct ca_turn *t, int64_t account, const char **ret_token)
{
    struct store_rows rows;
    *ret_token = NULL;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_PAUSE_TOKEN], STORE_ARGS(STORE_I(account)), &rows));
    if (store_next(&rows)) {
        *ret_token = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res draw_token(struct acme_desk *d, struct ca_turn *t, int64_t account)
{
    uint8_t random[PAUSE_TOKEN_LEN];
    const char *token = NULL;
    LT_TRY(token_of(t, account, &token));
    if (token != NULL) {
        return LT_OK;
    }
    d->random(random, sizeof random);
    token = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "acme: the pause is too large");
    return store_exec(t->store, &acme_sql[ACME_SQL_PAUSE_TOKEN_ADD],
                      STORE_ARGS(STORE_I(account), STORE_S(token), STORE_I(t->now.us)), NULL);
}

static lt_res say_paused(struct ca_turn *t, int64_t account, const char *name, int64_t failures)
{
    struct ca_body b;
    char subject[64];
    (void)snprintf(subject, sizeof subject, "account %lld", (long long)account);
    ca_body_init(&b);
    ca_body_str(&b, "identifier", name);
    ca_body_int(&b, "failures", failures);
    return ca_body_event(&b, t, "name.paused", subject, (lt_slice){0});
}

lt_res acme_pause_count(struct acme_desk *d, struct ca_turn *t, const struct acme_authorization *a,
                        const Ipc__Problem *problem)
{
    struct pause_row row;
    uint32_t most = d->config->pause_failures;
    if (most == 0 || lt_slice_eq_cstr(lt_slice_cstr(problem->type), "serverInternal")) {
        return LT_OK; /* off; or our fault, not the client's */
    }
    LT_TRY(load_row(t, a->account, a->type, a->identifier, &row));
    lt_time again = lt_time_add_seconds(row.last, d->config->pause_quiet_s);
    bool begins = row.failures == 0 || (!row.paused && again.us < t->now.us);
    int64_t failures = begins ? 1 : row.failures + 1;
    bool pauses = row.paused || failures >= (int64_t)most;
    LT_TRY(
        store_exec(t->store, &acme_sql[ACME_SQL_PAUSE_PUT],
                   STORE_ARGS(STORE_I(a->account), STORE_S(a->type), STORE_S(a->identifier),
                              STORE_I(failures), STORE_I(t->now.us), pauses ? STORE_I(t->now.us) : STORE_N),
                   NULL));
    if (!pauses || row.paused) {
        return LT_OK;
    }
    LT_TRY(draw_token(d, t, a->account));
    return say_paused(t, a->account, a->identifier, failures);
}

/* The token goes with the last paused name. */
static lt_res drop_token(struct ca_turn *t, int64_t account)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_PAUSE_NAMES], STORE_ARGS(STORE_I(account), STORE_I(1)),
                       &rows));
    bool more = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    return more ? LT_OK
                : store_exec(t->store, &acme_sql[ACME_SQL_PAUSE_TOKEN_DROP], STORE_ARGS(STORE_I(account)),
                             NULL);
}

lt_res acme_pause_clear(struct ca_turn *t, const struct acme_authorization *a)
{
    int64_t gone = 0;
    LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_PAUSE_DROP],
                      STORE_ARGS(STORE_I(a->account), STORE_S(a->type), STORE_S(a->identifier)), &gone));
    return gone == 0 ? LT_OK : drop_token(t, a->account);
}

/* --- orders --------------------------------------------------------------------------------------------- */

lt_res acme_pause_check(struct acme_call *c, const struct acme_name_set *names, Ipc__Problem **ret_problem)
{
    struct lt_arena *a = c->turn->arena;
    const char *token = NULL;
    Ipc__Problem *p = NULL;
    *ret_problem = NULL;
    LT_TRY(token_of(c->turn, c->account.id, &token));
    for (size_t i = 0; i < names->count && token != NULL; i++) {
        struct pause_row row;
        const Ipc__Identifier *name = names->list[i];
        LT_TRY(load_row(c->turn, c->account.id, name->type, acme_name_base(name->value), &row));
        if (!row.paused) {
            continue;
        }
        if (p == NULL) {
            p = acme_problem(a, "rateLimited",
                             "This account's orders for %s are paused: its validation only failed. When that "
                             "is mended, resume at %s/acme/resume/%s.",
                             name->value, c->desk->config->base_url, token);
        }
        char *detail = lt_arena_printf(a, "paused after %lld failed validations in a row",
                                       (long long)row.failures);
        LT_CHECK(p != NULL && detail != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        LT_TRY(acme_problem_add(a, p, "rateLimited", name, detail));
    }
    *ret_problem = p;
    return LT_OK;
}

/* --- resuming ------------------------------------------------------------------------------------------- */

struct resumed {
    size_t count;
    bool more;           /* than fit into one turn */
    struct lt_buf names; /* JSON array, cut where the event is full */
};

static lt_res drop_all(struct ca_turn *t, int64_t account, const char *only, struct resumed *r)
{
    struct name {
        const char *type;
        const char *value;
    } *names = LT_NEW_ARRAY(t->arena, struct name, RESUME_STEP);
    struct store_rows rows;
    size_t count = 0;
    LT_CHECK(names != NULL, LT_PEER_TOO_LARGE, "acme: too many names at once");
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_PAUSE_NAMES],
                       STORE_ARGS(STORE_I(account), STORE_I(RESUME_STEP)), &rows));
    while (count < RESUME_STEP && store_next(&rows)) {
        names[count].type = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        names[count].value = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(names[i].type != NULL && names[i].value != NULL, LT_PEER_TOO_LARGE,
                 "acme: too many names at once");
        if (only[0] != '\0' && strcmp(only, names[i].value) != 0) {
            continue;
        }
        LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_PAUSE_DROP],
                          STORE_ARGS(STORE_I(account), STORE_S(names[i].type), STORE_S(names[i].value)),
                          NULL));
        if (r->names.len < ACME_EVENT_MAX / 2) {
            lt_buf_add_cstr(&r->names, r->count == 0 ? "[" : ",");
            lt_json_add_string(&r->names, lt_slice_cstr(names[i].value));
        }
        r->count++;
    }
    r->more = count == RESUME_STEP;
    return drop_token(t, account);
}

static lt_res say_resumed(struct ca_turn *t, int64_t account, const char *by, lt_slice jws,
                          const struct resumed *r)
{
    struct ca_body b;
    char subject[64];
    (void)snprintf(subject, sizeof subject, "account %lld", (long long)account);
    ca_body_init(&b);
    ca_body_str(&b, "by", by);
    ca_body_int(&b, "names", (int64_t)r->count);
    ca_body_json(&b, "identifiers", lt_buf_slice(&r->names));
    return ca_body_event(&b, t, "account.resumed", subject, jws);
}

/* only: one name, or "" for all of them. */
static lt_res resume(struct ca_turn *t, int64_t account, const char *only, const char *by, lt_slice jws,
                     struct resumed *ret_resumed)
{
    struct resumed r = {0};
    lt_buf_init(&r.names, ACME_EVENT_MAX);
    lt_res done = drop_all(t, account, only, &r);
    if (!lt_failed(done) && r.count > 0) {
        lt_buf_add_byte(&r.names, ']');
        done = say_resumed(t, account, by, jws, &r);
    }
    lt_buf_done(&r.names);
    *ret_resumed = r;
    return done;
}

lt_res acme_pause_resume(struct ca_turn *t, const struct acme_resume_request *q, const char **ret_json)
{
    struct resumed r;
    struct ca_body b;
    LT_TRY(resume(t, q->account, q->name, q->by, q->jws, &r));
    LT_CHECK(r.count > 0, LT_PEER_NOT_FOUND, "nothing of account %lld is paused%s%s", (long long)q->account,
             q->name[0] == '\0' ? "" : " by the name ", q->name);
    ca_body_init(&b);
    ca_body_id(&b, "account", q->account);
    ca_body_int(&b, "resumed", (int64_t)r.count);
    ca_body_bool(&b, "more", r.more);
    return ca_body_cstr(&b, t->arena, ret_json);
}

/* --- the page ------------------------------------------------------------------------------------------- */

static lt_res account_of(struct ca_turn *t, const char *token, int64_t *ret_account)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_PAUSE_BY_TOKEN], STORE_ARGS(STORE_S(token)), &rows));
    *ret_account = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res add_names(struct acme_page *p, int64_t account)
{
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    LT_TRY(store_query(p->turn->store, &acme_sql[ACME_SQL_PAUSE_NAMES],
                       STORE_ARGS(STORE_I(account), STORE_I(SHOWN + 1)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        char *name = lt_arena_cstr(p->turn->arena, store_bytes(&rows, 1));
        LT_CHECK(name != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
        r = acme_page_item(p, count < SHOWN ? name : "… and more");
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res show(struct acme_page *p, int64_t account)
{
    char *url = lt_arena_printf(p->turn->arena, "%s/acme/account/%lld", p->desk->config->base_url,
                                (long long)account);
    LT_CHECK(url != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    LT_TRY(acme_page_title(p, 200, "Paused names"));
    LT_TRY(acme_page_text(p, "The validation of these names failed again and again and never succeeded, so "
                             "that this account's orders for them are refused for now. Its other names and "
                             "its certificates are not touched."));
    LT_TRY(acme_page_text(p, "Mend what is wrong, or take names that are gone out of your client's settings. "
                             "Then resume: orders are taken again at once."));
    LT_TRY(acme_page_row(p, "Account", url));
    LT_TRY(add_names(p, account));
    LT_TRY(acme_page_button(p, "resume", "Resume all of them"));
    return acme_page_answer(p);
}

lt_res acme_pause_page(struct acme_page *p)
{
    int64_t account = 0;
    struct resumed r;
    char text[100];
    LT_TRY(account_of(p->turn, p->m->token, &account));
    if (account == 0) {
        return acme_page_unknown(p);
    }
    if (!p->m->post) {
        return show(p, account);
    }
    if (strcmp(acme_page_field(p, "do"), "resume") != 0) {
        return acme_page_unknown(p);
    }
    char *by = lt_arena_printf(p->turn->arena, "link, from %s", p->m->remote_address);
    LT_CHECK(by != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    LT_TRY(resume(p->turn, account, "", by, (lt_slice){0}, &r));
    LT_TRY(acme_page_title(p, 200, "Resumed"));
    (void)snprintf(text, sizeof text, "%zu %s can be ordered again.", r.count,
                   r.count == 1 ? "name" : "names");
    LT_TRY(acme_page_text(p, text));
    if (r.more) {
        LT_TRY(acme_page_text(p, "There are more: go on."));
        LT_TRY(acme_page_button(p, "resume", "Resume the others, too"));
    }
    return acme_page_answer(p);
}
