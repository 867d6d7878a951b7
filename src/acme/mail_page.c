/* The page that a letter leads to. Looking at it changes nothing, as mail filters look at every link; its
 * form approves or declines, once. */
#include <string.h>

#include "acme/mail.h"
#include "crypto/digest.h"
#include "validate/methods.h"

static lt_res find(struct acme_page *p, struct acme_letter *ret_letter)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct store_rows rows;
    lt_res r = LT_OK;
    *ret_letter = (struct acme_letter){.id = 0};
    crypto_sha256(lt_slice_cstr(p->m->token), hash);
    LT_TRY(store_query(p->turn->store, &acme_mail_rows[ACME_MAIL_BY_TOKEN],
                       STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash))), &rows));
    if (store_next(&rows)) {
        r = acme_letter_read(p->desk, p->turn, &rows, ret_letter);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    bool good = ret_letter->id != 0 && ret_letter->pending && ret_letter->expires.us > p->turn->now.us;
    ret_letter->id = good ? ret_letter->id : 0;
    return LT_OK;
}

static lt_res show(struct acme_page *p, const struct acme_letter *l)
{
    const struct validate_method *rule = validate_method_find(l->of.method, "dns");
    const struct ca_config *config = p->desk->config;
    char until[LT_RFC3339_SIZE];
    char *name = lt_arena_printf(p->turn->arena, "%s%s", l->wildcard ? "*." : "", l->of.name);
    char *by = lt_arena_printf(p->turn->arena, "%s, %s", config->name, config->base_url);
    LT_CHECK(name != NULL && by != NULL && rule != NULL, LT_PEER_TOO_LARGE, "acme: the page is too large");
    lt_time_rfc3339(l->expires, until);
    LT_TRY(acme_page_title(p, 200, "Approve a certificate?"));
    LT_TRY(acme_page_text(p,
                          "A certificate was asked for. It is made only if somebody who may answer for the "
                          "name approves it here. Nothing has happened by opening this page."));
    LT_TRY(acme_page_row(p, "Name", name));
    LT_TRY(acme_page_row(p, "Asked for by", l->subscriber));
    LT_TRY(acme_page_row(p, "Certificate authority", by));
    LT_TRY(acme_page_row(p, "You were written to at", l->recipient));
    LT_TRY(acme_page_row(p, "Rule", rule->ruleset));
    LT_TRY(acme_page_row(p, "This page works until", until));
    if (l->wildcard) {
        LT_TRY(acme_page_text(p, "The certificate would be good for every name directly below it."));
    }
    LT_TRY(acme_page_button(p, "approve", "Approve"));
    LT_TRY(acme_page_button(p, "decline", "Decline"));
    return acme_page_answer(p);
}

static lt_res write_answer(struct acme_page *p, const struct acme_letter *l, const char *status)
{
    int64_t changed = 0;
    LT_TRY(store_exec(
        p->turn->store, &acme_mail_rows[ACME_MAIL_ANSWER],
        STORE_ARGS(STORE_I(l->id), STORE_S(status), STORE_I(p->turn->now.us), STORE_S(p->m->remote_address)),
        &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "acme: the letter was answered meanwhile");
    LT_TRY(acme_mail_withdraw(p->turn, &l->of));
    char *kind = lt_arena_printf(p->turn->arena, "mail.%s", status);
    char *from = lt_arena_printf(p->turn->arena, "on the page, from %s", p->m->remote_address);
    LT_CHECK(kind != NULL && from != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    return acme_letter_event(p->turn, kind, l, from);
}

/* The validator and the perspectives look once more whether this address may answer. */
static lt_res approve(struct acme_page *p, const struct acme_letter *l)
{
    LT_TRY(write_answer(p, l, "approved"));
    LT_TRY(acme_challenge_look(p->desk, p->turn, l->of.authorization, l->of.index));
    LT_TRY(acme_page_title(p, 200, "Approved"));
    LT_TRY(acme_page_text(p,
                          "Thank you. The certificate authority now checks once more that this address may "
                          "answer for the name, and then makes the certificate."));
    return acme_page_answer(p);
}

/* Somebody in charge said no: the authorization and its orders end. */
static lt_res decline(struct acme_page *p, const struct acme_letter *l)
{
    struct acme_authorization a;
    struct ca_turn *t = p->turn;
    LT_TRY(write_answer(p, l, "declined"));
    LT_TRY(acme_authorization_load(t, l->of.authorization, &a));
    LT_CHECK(a.status == ACME_PENDING, LT_RETRY_BUSY, "acme: the authorization is %s meanwhile",
             acme_state_name(a.status));
    Ipc__Problem *why = acme_problem(t->arena, "unauthorized", "%s declined the certificate for %s.",
                                     l->recipient, l->of.name);
    LT_CHECK(why != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    LT_TRY(acme_mail_say(t, &l->of, why));
    LT_TRY(acme_authorization_step(t, &a, ACME_FAIL, a.expires, (lt_time){0}));
    LT_TRY(acme_orders_follow(p->desk, t, a.id, ACME_FAIL, why));
    LT_TRY(acme_held_release(p->desk, t, ACME_AUTHORIZATION, a.id));
    LT_TRY(acme_page_title(p, 200, "Declined"));
    LT_TRY(acme_page_text(p, "No certificate is made from this request. If somebody goes on asking for names "
                             "of yours, tell the certificate authority."));
    return acme_page_answer(p);
}

lt_res acme_mail_page(struct acme_page *p)
{
    struct acme_letter l;
    LT_TRY(find(p, &l));
    if (l.id == 0) {
        return acme_page_unknown(p);
    }
    if (!p->m->post) {
        return show(p, &l);
    }
    if (strcmp(acme_page_field(p, "do"), "approve") == 0) {
        return approve(p, &l);
    }
    return strcmp(acme_page_field(p, "do"), "decline") == 0 ? decline(p, &l) : acme_page_unknown(p);
}
