/* The concern box: anybody of the staff who has its link writes down what worries them, and a case is opened
 * that says nothing of who it was. The link is one for all; no address, no name and no credentials come this
 * far (the notary hands none on for this page, the gateway logs none), and none is kept.
 *
 * Whoever filed gets a link of their own, by which they read the answer: it, too, names nobody. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "crypto/digest.h"
#include "incident/case_internal.h"
#include "incident/clock.h"
#include "incident/learn.h"
#include "incident/pages.h"

enum {
    TOKEN_LEN = 24,
    WORDS_MAX = 16384,
    ANSWER_MAX = 16384,
    A_DAY_MOST = 50, /* of one link that came into wrong hands */
};

static void hash_of(const char *text, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    crypto_sha256(lt_slice_cstr(text), ret_hash);
}

static lt_res new_token(struct ca_turn *t, const char **ret_token, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    uint8_t random[TOKEN_LEN];
    t->random(random, sizeof random);
    *ret_token = lt_base64url(t->arena, LT_SLICE(random, sizeof random));
    LT_CHECK(*ret_token != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    hash_of(*ret_token, ret_hash);
    return LT_OK;
}

/* ---- what operators say ---- */

/* Those who see what comes by the link, as a list with blanks between: operators that there are. */
static lt_res keepers_of(struct incident_call *c, const char **ret_keepers)
{
    const char *list = NULL;
    for (size_t i = 0; incident_text_nth(c, "keepers", i) != NULL; i++) {
        const char *name = incident_text_nth(c, "keepers", i);
        LT_CHECK(incident_case_roles[i] != NULL, LT_PEER_TOO_LARGE, "there are too many keepers");
        LT_CHECK(ca_operator_by_name(&c->t->book->operators, lt_slice_cstr(name)) != NULL, LT_PEER_NOT_FOUND,
                 "there is no operator \"%.63s\" (lintel operator list)", name);
        list = list == NULL ? name : lt_arena_printf(c->t->arena, "%s %s", list, name);
        LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    }
    *ret_keepers = list == NULL ? c->by : list;
    return LT_OK;
}

lt_res incident_op_concern_link(struct incident_call *c)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    const char *token = NULL;
    const char *keepers = NULL;
    struct ca_body b;
    LT_TRY(keepers_of(c, &keepers));
    LT_TRY(new_token(c->t, &token, hash));
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_LINK_END], STORE_ARGS(STORE_I(c->t->now.us)),
                      NULL));
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_LINK_ADD],
                      STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(c->t->now.us), STORE_S(c->by),
                                 STORE_S(keepers)),
                      NULL));
    ca_body_init(&b);
    ca_body_str(&b, "keepers", keepers);
    ca_body_str(&b, "operator", c->by); /* without the token, which is a right */
    LT_TRY(ca_body_event(&b, c->t, "concern.link", "concern box", c->jws));
    char *url = lt_arena_printf(c->t->arena, "%s/concern/%s", c->t->book->base_url, token);
    LT_CHECK(url != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ca_body_init(&b);
    ca_body_str(&b, "url", url);
    ca_body_str(&b, "keepers", keepers);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

struct kept {
    int64_t id;
    int64_t incident;
    int64_t received_us;
    const char *words;
    const char *answer;
    int64_t answered_us;
};

/* Who has no role in its incident hears that there is none. */
static lt_res load(struct incident_call *c, struct kept *ret)
{
    struct store_rows rows;
    struct incident_case in;
    LT_TRY(incident_id(c, &ret->id));
    LT_TRY(store_query(c->t->store, &incident_learn_sql[LEARN_CONCERN_GET], STORE_ARGS(STORE_I(ret->id)),
                       &rows));
    bool found = store_next(&rows);
    if (found) {
        ret->incident = store_int(&rows, 0);
        ret->received_us = store_int(&rows, 1);
        ret->words = lt_arena_cstr(c->t->arena, store_bytes(&rows, 2));
        ret->answer = lt_arena_cstr(c->t->arena, store_bytes(&rows, 3));
        ret->answered_us = store_int(&rows, 4);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no concern %lld", (long long)ret->id);
    LT_CHECK(ret->words != NULL && ret->answer != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(incident_load(c->t, ret->incident, &in));
    lt_res may = incident_may_see(c->t, &in, c->by);
    LT_CHECK(may.code != LT_PEER_NOT_FOUND, LT_PEER_NOT_FOUND, "there is no concern %lld that you may see",
             (long long)ret->id);
    return may;
}

lt_res incident_op_concern_show(struct incident_call *c)
{
    struct kept k = {0};
    struct ca_body b;
    LT_TRY(load(c, &k));
    ca_body_init(&b);
    ca_body_int(&b, "id", k.id);
    ca_body_int(&b, "incident", k.incident);
    ca_body_time(&b, "received", (lt_time){k.received_us});
    ca_body_str(&b, "words", k.words);
    ca_body_str(&b, "answer", k.answer);
    if (k.answered_us != 0) {
        ca_body_time(&b, "answered", (lt_time){k.answered_us});
    }
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

lt_res incident_op_concern_answer(struct incident_call *c)
{
    struct kept k = {0};
    struct ca_body b;
    const char *words = incident_text(c, "words");
    LT_TRY(load(c, &k));
    LT_TRY(incident_learn_text("words", words, ANSWER_MAX));
    LT_TRY(store_exec(c->t->store, &incident_learn_sql[LEARN_CONCERN_ANSWER],
                      STORE_ARGS(STORE_I(k.id), STORE_S(words), STORE_I(c->t->now.us)), NULL));
    char *subject = lt_arena_printf(c->t->arena, "concern %lld", (long long)k.id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (int i = 0; i < 2; i++) { /* the event and the answer say the same */
        ca_body_init(&b);
        ca_body_int(&b, "id", k.id);
        ca_body_int(&b, "incident", k.incident);
        ca_body_str(&b, "operator", c->by);
        LT_TRY(i == 0 ? ca_body_event(&b, c->t, "concern.answered", subject, c->jws)
                      : ca_body_cstr(&b, c->t->arena, &c->json));
    }
    return LT_OK;
}

/* ---- the page ---- */

/* ret_keepers NULL: it is no link that works. */
static lt_res find_link(struct ca_turn *t, lt_slice hash, const char **ret_keepers)
{
    struct store_rows rows;
    *ret_keepers = NULL;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_LINK_GET], STORE_ARGS(STORE_B(hash)), &rows));
    if (store_next(&rows) && store_int(&rows, 0) == 0) {
        *ret_keepers = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
    }
    return store_rows_end(&rows);
}

/* The incident is restricted: who keeps the box has a role in it from the first moment on. */
static lt_res give_roles(struct ca_turn *t, int64_t incident, const char *keepers)
{
    struct incident_call c = {.t = t, .by = "concern box"};
    lt_slice rest = lt_slice_cstr(keepers);
    lt_slice name;
    for (size_t i = 0; incident_case_roles[i] != NULL && lt_slice_split(&rest, ' ', &name); i++) {
        const char *holder = lt_arena_cstr(t->arena, name);
        LT_CHECK(holder != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
        LT_TRY(
            incident_case_give_role(&c, incident, incident_case_roles[i], holder, "keeps the concern box"));
    }
    return LT_OK;
}

/* Restricted to protect who filed it; whether it is security-sensitive, nobody has said yet. */
static lt_res not_sensitive(struct ca_turn *t, int64_t incident)
{
    return incident_clock_void(t, incident_case_subject(t, incident), "irg-11",
                               "a concern of the staff, restricted for the sake of who filed it");
}

/* Has the one that is so many before the next come within a day? */
static lt_res too_many(struct ca_turn *t, int64_t next, bool *ret_too_many)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &incident_learn_sql[LEARN_CONCERN_GET],
                       STORE_ARGS(STORE_I(next - A_DAY_MOST)), &rows));
    *ret_too_many = store_next(&rows) && store_int(&rows, 1) > t->now.us - INCIDENT_DAY_US;
    return store_rows_end(&rows);
}

static lt_res write_event(struct ca_turn *t, const char *subject, int64_t incident, const char *words)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct ca_body b;
    hash_of(words, hash);
    ca_body_init(&b);
    ca_body_int(&b, "incident", incident);
    ca_body_hex(&b, "words_sha256", LT_SLICE(hash, sizeof hash)); /* the case alone has the words */
    return ca_body_event(&b, t, "concern.received", subject, LT_SLICE(NULL, 0));
}

lt_res incident_concern_file(struct ca_turn *t, const struct incident_concern *filed, int64_t *ret_id,
                             const char **ret_token)
{
    const char *words = filed->words;
    uint8_t hash[CRYPTO_SHA256_LEN];
    int64_t incident = 0;
    bool flooded = false;
    LT_TRY(incident_learn_text("text", words, WORDS_MAX));
    LT_TRY(incident_learn_next(t, &incident_learn_sql[LEARN_CONCERN_MAX], ret_id));
    LT_TRY(too_many(t, *ret_id, &flooded));
    LT_CHECK(!flooded, LT_POLICY_RATE_LIMITED, "%d concerns have come today: tell somebody by word of mouth",
             A_DAY_MOST);
    char *subject = lt_arena_printf(t->arena, "concern %lld", (long long)*ret_id);
    char *title = lt_arena_printf(t->arena, "Concern %lld of the staff", (long long)*ret_id);
    LT_CHECK(subject != NULL && title != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    const struct incident_opening o = {.title = title,
                                       .source = "person",
                                       .cause = "",
                                       .severity = "medium",
                                       .restricted = true,
                                       .aware = t->now,
                                       .scope = "",
                                       .by = "concern box"};
    LT_TRY(incident_open(t, &o, &incident));
    LT_TRY(give_roles(t, incident, filed->keepers));
    LT_TRY(not_sensitive(t, incident));
    LT_TRY(new_token(t, ret_token, hash));
    LT_TRY(store_exec(t->store, &incident_learn_sql[LEARN_CONCERN_ADD],
                      STORE_ARGS(STORE_I(*ret_id), STORE_I(incident), STORE_S(words), STORE_I(t->now.us),
                                 STORE_B(LT_SLICE(hash, sizeof hash))),
                      NULL));
    LT_TRY(write_event(t, subject, incident, words));
    return incident_learn_alarm(t, "low", subject, "somebody of the staff is worried: lintel concern list");
}

static lt_res show_form(struct acme_page *p, const char *wrong)
{
    LT_TRY(acme_page_title(p, wrong == NULL ? 200 : 400, "Something worries you?"));
    LT_TRY(wrong == NULL ? LT_OK : acme_page_text(p, wrong));
    LT_TRY(acme_page_text(p, "Write down what you saw, and where. It opens a case that the incident desk has "
                             "to look at."));
    LT_TRY(acme_page_text(p, "Nobody is told who you are: this link is the same for all of the staff, and "
                             "neither your address nor your name is kept. Mind that your words do not name "
                             "you either."));
    LT_TRY(acme_page_area(p, "text", "What is wrong, or may be", 12));
    LT_TRY(acme_page_button(p, "file", "Hand it in"));
    return acme_page_answer(p);
}

static lt_res file(struct acme_page *p, const char *keepers)
{
    const struct incident_concern filed = {acme_page_field(p, "text"), keepers};
    int64_t id = 0;
    const char *token = NULL;
    lt_res r = incident_concern_file(p->turn, &filed, &id, &token);
    if (lt_class_of(r.code) == LT_CLASS_PEER || lt_class_of(r.code) == LT_CLASS_POLICY) {
        char why[sizeof lt_error_last()->detail];
        (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail); /* cut: for people */
        return show_form(p, why);
    }
    LT_TRY(r);
    char *link = lt_arena_printf(p->turn->arena, "%s/concern/%s", p->turn->book->base_url, token);
    LT_CHECK(link != NULL, LT_PEER_TOO_LARGE, "the page is too large");
    LT_TRY(acme_page_title(p, 200, "Thank you"));
    LT_TRY(acme_page_text(p, "A case has been opened. Keep this link: it leads to the answer, and is shown "
                             "this once."));
    LT_TRY(acme_page_row(p, "Your link", link));
    return acme_page_answer(p);
}

/* The filer comes back. */
static lt_res show_answer(struct acme_page *p, lt_slice hash)
{
    struct store_rows rows;
    char received[LT_RFC3339_SIZE] = "";
    char answered[LT_RFC3339_SIZE] = "not yet";
    const char *words = NULL;
    LT_TRY(store_query(p->turn->store, &incident_learn_sql[LEARN_CONCERN_BY_TOKEN], STORE_ARGS(STORE_B(hash)),
                       &rows));
    bool found = store_next(&rows);
    if (found) {
        lt_time_rfc3339((lt_time){store_int(&rows, 2)}, received);
        words = lt_arena_cstr(p->turn->arena, store_bytes(&rows, 3));
        if (store_int(&rows, 4) != 0) {
            lt_time_rfc3339((lt_time){store_int(&rows, 4)}, answered);
        }
    }
    LT_TRY(store_rows_end(&rows));
    if (!found || words == NULL) {
        return acme_page_unknown(p);
    }
    LT_TRY(acme_page_title(p, 200, "What you told us"));
    LT_TRY(acme_page_row(p, "Received", received));
    LT_TRY(acme_page_row(p, "Answered", answered));
    LT_TRY(words[0] == '\0' ? LT_OK : acme_page_text(p, words));
    return acme_page_answer(p);
}

lt_res incident_concern_page(struct acme_page *p)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    const char *keepers = NULL;
    hash_of(p->m->token, hash);
    LT_TRY(find_link(p->turn, LT_SLICE(hash, sizeof hash), &keepers));
    if (keepers == NULL) {
        return p->m->post ? acme_page_unknown(p) : show_answer(p, LT_SLICE(hash, sizeof hash));
    }
    return p->m->post ? file(p, keepers) : show_form(p, NULL);
}
