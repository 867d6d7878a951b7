/* Whom to write to: the five addresses that can be constructed, or those that the DNS names. */
#include <string.h>

#include "acme/mail.h"
#include "crypto/digest.h"
#include "validate/contacts.h"

enum { PATIENCE_S = 40, AGAIN_S = 600 /* whoever asks for a letter twice has not looked yet */ };

/*= CABF-BR 3.2.2.4.4 "Sending an email to one or more addresses created by using" */
static bool is_constructed(const char *method)
{
    return strcmp(method, "email-constructed") == 0;
}

static lt_res ask(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f, const char *contact)
{
    Ipc__Validate v = IPC__VALIDATE__INIT;
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    uint8_t nonce[ACME_STATEMENT_NONCE];
    d->random(nonce, sizeof nonce);
    name.type = lt_arena_cstr(t->arena, LT_LIT("dns"));
    name.value = lt_arena_cstr(t->arena, lt_slice_cstr(f->name));
    v.authorization_id = f->authorization;
    v.challenge_index = f->index;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.identifier = &name;
    v.method = lt_arena_cstr(t->arena, lt_slice_cstr(f->method));
    v.topmost = lt_arena_cstr(t->arena, lt_slice_cstr(acme_name_topmost(d->names, f->name)));
    LT_CHECK(name.type != NULL && name.value != NULL && v.method != NULL && v.topmost != NULL,
             LT_PEER_TOO_LARGE, "acme: the question is too large");
    LT_TRY(
        store_exec(t->store, &acme_mail_rows[ACME_MAIL_LOOKUP_PUT],
                   STORE_ARGS(STORE_I(f->authorization), STORE_I(f->index),
                              STORE_B(LT_SLICE(nonce, sizeof nonce)), STORE_I(t->now.us), STORE_S(contact)),
                   NULL));
    return ca_turn_send(t, IPC_VALIDATOR, IPC_VALIDATE, (uint64_t)f->authorization, &v.base);
}

static lt_res write_constructed(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f,
                                const char *contact)
{
    const char *domain = acme_name_topmost(d->names, f->name);
    if (validate_contact_constructed(lt_slice_cstr(contact), lt_slice_cstr(f->name), lt_slice_cstr(domain))) {
        return acme_letter_add(d, t, f, contact);
    }
    for (size_t i = 0; validate_contact_locals[i] != NULL; i++) {
        char *address = lt_arena_printf(t->arena, "%s@%s", validate_contact_locals[i], domain);
        LT_CHECK(address != NULL, LT_PEER_TOO_LARGE, "acme: the letter is too large");
        if (validate_contact_is(lt_slice_cstr(address))) { /* not where the name is too long */
            LT_TRY(acme_letter_add(d, t, f, address));
        }
    }
    return LT_OK;
}

lt_res acme_mail_begin(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f,
                       const char *contact)
{
    LT_CHECK(d->config->mail_relay[0] != '\0', LT_PEER_UNSUPPORTED,
             "this CA sends no mail (mail.relay in lintel.yaml)");
    return is_constructed(f->method) ? write_constructed(d, t, f, contact) : ask(d, t, f, contact);
}

/* --- the answer ----------------------------------------------------------------------------------------- */

struct asked {
    bool there;
    bool pending; /* the authorization still waits */
    lt_slice nonce;
    const char *contact;
    struct acme_mail_for of;
};

static lt_res load(struct ca_turn *t, int64_t authorization, uint32_t index, struct asked *a)
{
    struct store_rows rows;
    *a = (struct asked){.there = false};
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_LOOKUP],
                       STORE_ARGS(STORE_I(authorization), STORE_I(index)), &rows));
    if (store_next(&rows)) {
        a->there = true;
        a->nonce = lt_arena_copy(t->arena, store_bytes(&rows, 0));
        a->contact = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        a->of = (struct acme_mail_for){.authorization = authorization, .index = index};
        a->of.method = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        a->of.name = lt_arena_cstr(t->arena, store_bytes(&rows, 3));
        a->of.expires.us = store_int(&rows, 4);
        a->pending = lt_slice_eq_cstr(store_bytes(&rows, 5), acme_state_name(ACME_PENDING)) &&
                     a->of.expires.us > t->now.us;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!a->there ||
                 (a->nonce.ptr != NULL && a->contact != NULL && a->of.method != NULL && a->of.name != NULL),
             LT_PEER_TOO_LARGE, "acme: the question is too large");
    return LT_OK;
}

static lt_res drop(struct ca_turn *t, const struct acme_mail_for *f)
{
    return store_exec(t->store, &acme_mail_rows[ACME_MAIL_LOOKUP_DROP],
                      STORE_ARGS(STORE_I(f->authorization), STORE_I(f->index)), NULL);
}

/* NULL: it answers what was asked. */
static const char *why_discarded(const struct acme_desk *d, const struct ca_turn *t, const struct asked *a,
                                 const Ipc__Validated *v)
{
    if (!crypto_equal(a->nonce, acme_bytes(v->nonce))) {
        return "it is for another nonce";
    }
    const struct acme_asked asked = {.type = "dns", .name = a->of.name, .method = a->of.method};
    const char *why = acme_statement_refusal(d, t, &asked, v);
    if (why != NULL) {
        return why;
    }
    if (!v->ok && (v->problem == NULL || acme_problem_status(v->problem->type) == 0)) {
        return "it fails without a known reason";
    }
    /*= CABF-BR 3.2.2.4 "For e-mail Domain Validation methods described in sections 3.2.2.4.4, 3.2.2.4.13,
     * 3.2.2.4.14, DNSSEC validation back to the IANA DNSSEC root trust anchor MUST be performed" */
    return v->ok && strcmp(v->dnssec, "bogus") == 0 ? "it claims success over a bogus answer" : NULL;
}

static bool names(const Ipc__Validated *v, const char *contact)
{
    for (size_t i = 0; i < v->n_contacts; i++) {
        if (validate_contact_equal(lt_slice_cstr(v->contacts[i]), lt_slice_cstr(contact))) {
            return true;
        }
    }
    return false;
}

/*= CABF-BR 3.2.2.4.13 "The Random Value MUST be sent to a DNS CAA Email Contact." */
static lt_res write_to(struct acme_desk *d, struct ca_turn *t, const struct asked *a, const Ipc__Validated *v)
{
    bool wanted = names(v, a->contact);
    size_t count = 0;
    for (size_t i = 0; i < v->n_contacts && count < ACME_MAIL_RECIPIENTS_MAX; i++) {
        lt_slice contact = lt_slice_cstr(v->contacts[i]);
        bool fits = !wanted || validate_contact_equal(contact, lt_slice_cstr(a->contact));
        if (fits && validate_contact_is(contact)) {
            LT_TRY(acme_letter_add(d, t, &a->of, v->contacts[i]));
            count++;
        }
    }
    if (count > 0) {
        return LT_OK;
    }
    Ipc__Problem *p = acme_problem(t->arena, "unauthorized", "%s names nobody who could be written to.",
                                   a->of.name);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the outcome is too large");
    return acme_mail_say(t, &a->of, p);
}

lt_res acme_mail_contacts(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v, bool *ret_taken)
{
    struct asked a;
    *ret_taken = false;
    if (!acme_mail_is(v->method)) {
        return LT_OK;
    }
    LT_TRY(load(t, v->authorization_id, v->challenge_index, &a));
    if (!a.there) {
        return LT_OK;
    }
    *ret_taken = true;
    const char *why = why_discarded(d, t, &a, v);
    if (why != NULL) {
        return acme_statement_discard(t, v, why);
    }
    if (!v->ok && strcmp(v->problem->type, "serverInternal") == 0) {
        return LT_OK; /* the validator's fault: it is asked again */
    }
    LT_TRY(drop(t, &a.of));
    if (!a.pending) {
        return LT_OK;
    }
    return v->ok ? write_to(d, t, &a, v) : acme_mail_say(t, &a.of, v->problem);
}

lt_res acme_mail_ask_again(struct acme_desk *d, struct ca_turn *t)
{
    struct asked *old = LT_NEW_ARRAY(t->arena, struct asked, ACME_MAIL_STEP);
    struct store_rows rows;
    size_t count = 0;
    lt_time before = lt_time_add_seconds(t->now, -PATIENCE_S);
    LT_CHECK(old != NULL, LT_PEER_TOO_LARGE, "acme: too many questions at once");
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_LOOKUP_OLD],
                       STORE_ARGS(STORE_I(before.us), STORE_I(ACME_MAIL_STEP)), &rows));
    while (count < ACME_MAIL_STEP && store_next(&rows)) {
        struct asked *a = &old[count++];
        a->of.authorization = store_int(&rows, 0);
        a->of.index = (uint32_t)store_int(&rows, 1);
        a->contact = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        a->of.method = lt_arena_cstr(t->arena, store_bytes(&rows, 3));
        a->of.name = lt_arena_cstr(t->arena, store_bytes(&rows, 4));
        a->pending = lt_slice_eq_cstr(store_bytes(&rows, 6), acme_state_name(ACME_PENDING)) &&
                     store_int(&rows, 5) > t->now.us;
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(old[i].contact != NULL && old[i].of.method != NULL && old[i].of.name != NULL,
                 LT_PEER_TOO_LARGE, "acme: too many questions at once");
        LT_TRY(old[i].pending ? ask(d, t, &old[i].of, old[i].contact) : drop(t, &old[i].of));
    }
    return LT_OK;
}

/* --- later ---------------------------------------------------------------------------------------------- */

/* The address that approved; "" for none yet. *ret_open: letters that can still be answered. */
static lt_res approved(struct ca_turn *t, const struct acme_mail_for *f, const char **ret_address,
                       size_t *ret_open)
{
    struct store_rows rows;
    *ret_address = "";
    *ret_open = 0;
    LT_TRY(store_query(t->store, &acme_mail_rows[ACME_MAIL_OF],
                       STORE_ARGS(STORE_I(f->authorization), STORE_I(f->index), STORE_I(ACME_MAIL_STEP)),
                       &rows));
    while (store_next(&rows)) {
        if (lt_slice_eq_cstr(store_bytes(&rows, 1), "approved")) {
            *ret_address = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        } else {
            (*ret_open)++;
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(*ret_address != NULL, LT_PEER_TOO_LARGE, "acme: the question is too large");
    return LT_OK;
}

lt_res acme_mail_again(struct acme_desk *d, struct ca_turn *t, const struct acme_mail_for *f, bool *ret_look)
{
    const char *address = NULL;
    size_t open = 0;
    LT_TRY(approved(t, f, &address, &open));
    *ret_look = address[0] != '\0';
    if (*ret_look) {
        return LT_OK;
    }
    /*= CABF-BR 3.2.2.4.13 "The email MAY be re-sent in its entirety, including the re-use of the Random
     * Value, provided that its entire contents and recipient(s) SHALL remain unchanged." */
    return open == 0 ? acme_mail_begin(d, t, f, "")
                     : store_exec(t->store, &acme_mail_rows[ACME_MAIL_AGAIN],
                                  STORE_ARGS(STORE_I(f->authorization), STORE_I(f->index), STORE_I(t->now.us),
                                             STORE_I(lt_time_add_seconds(t->now, -AGAIN_S).us)),
                                  NULL);
}

lt_res acme_mail_question(struct ca_turn *t, const struct acme_mail_for *f, Ipc__Validate *v)
{
    const char *address = NULL;
    size_t open = 0;
    LT_TRY(approved(t, f, &address, &open));
    LT_CHECK(address[0] != '\0', LT_STATE_CORRUPT, "acme: nobody has approved authorization %lld",
             (long long)f->authorization);
    v->expected = (char *)(uintptr_t)address; /* only read */
    return LT_OK;
}
