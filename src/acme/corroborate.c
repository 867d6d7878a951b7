/* Multi-Perspective Issuance Corroboration: after the primary perspective saw control, every remote one is
 * asked, each with a nonce that is drawn for it; what comes back counts when its signature, nonce, question,
 * name and method are right. Only when enough of them say the same does the authorization become valid. */
#include <stdlib.h>
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "crypto/digest.h"

enum {
    CORROBORATIONS_MAX = 4096,
    ARENA_MAX = 4 * 1024 * 1024,
    PATIENCE_S = 22, /* below ACME_VALIDATION_PATIENCE_S less a validation */
    GRACE_S = 2,     /* for the rest, when it is decided */
    TRIES_MAX = 3,   /* who did not answer is asked so often, */
    AGAIN_S = 2,     /* the first time after so long, then after twice that */
    WHY_MAX = 200,
};

static const char method_caa[] = "caa";
static const char our_fault[] = "serverInternal";

struct asked {
    struct validate_perspective is; /* a copy: the files may be read again meanwhile */
    uint8_t nonce[ACME_STATEMENT_NONCE];
    uint8_t digest[CRYPTO_SHA256_LEN];
    bool answered;
    bool agrees;
    const char *why;                  /* it does not agree; "" when it does */
    const char *problem;              /* type; NULL: it said none */
    const Ipc__SignedStatement *said; /* NULL: nothing that counts */
};

struct acme_corroboration {
    struct acme_corroboration *next;
    struct lt_arena arena; /* owned: all of it but this struct */
    const Ipc__Validated *primary;
    const Ipc__Validate *question; /* without nonce and perspective: each has its own */
    bool caa_asked;
    lt_time until;
    lt_time again; /* those that did not answer are asked once more; 0: not yet, or no more */
    unsigned tries;
    struct asked *asked;
    size_t count;
    size_t answered;
};

bool acme_corroboration_wanted(const struct acme_desk *d)
{
    return d->perspectives != NULL && d->perspectives->count > 0;
}

static void free_one(struct acme_corroboration *c)
{
    lt_arena_done(&c->arena);
    free(c);
}

/* Takes c out of the list, if it is there, and frees it. */
static void drop(struct acme_desk *d, const struct acme_corroboration *gone)
{
    for (struct acme_corroboration **at = &d->corroborations; *at != NULL; at = &(*at)->next) {
        if (*at == gone) {
            struct acme_corroboration *c = *at;
            *at = c->next;
            d->corroboration_count--;
            free_one(c);
            return;
        }
    }
}

void acme_corroborations_forget(struct acme_desk *d)
{
    while (d->corroborations != NULL) {
        drop(d, d->corroborations);
    }
}

/* The same question: a challenge is known by its number. Checks of CAA have none, several orders may have one
 * under way for a name: those are the same whose nonce is. */
static struct acme_corroboration *find(const struct acme_desk *d, const Ipc__Validated *primary)
{
    struct acme_corroboration *c = d->corroborations;
    for (; c != NULL; c = c->next) {
        const Ipc__Validated *p = c->primary;
        if (p->authorization_id == primary->authorization_id &&
            p->challenge_index == primary->challenge_index && strcmp(p->method, primary->method) == 0 &&
            (strcmp(p->method, method_caa) != 0 ||
             lt_slice_eq(acme_bytes(p->nonce), acme_bytes(primary->nonce)))) {
            return c;
        }
    }
    return NULL;
}

static lt_res copy_perspective(struct lt_arena *a, const struct validate_perspective *from,
                               struct validate_perspective *ret)
{
    *ret = *from;
    ret->name = lt_arena_cstr(a, lt_slice_cstr(from->name));
    ret->url = "";
    ret->spki = lt_arena_copy(a, from->spki);
    LT_CHECK(ret->name != NULL && ret->spki.ptr != NULL, LT_PEER_TOO_LARGE, "acme: too many perspectives");
    return LT_OK;
}

static lt_res keep(struct ca_turn *t, enum ipc_type type, const ProtobufCMessage *m, struct lt_arena *a,
                   const ProtobufCMessage **ret_copy)
{
    lt_slice packed;
    LT_TRY(ipc_pack(m, t->arena, &packed));
    return ipc_unpack(type, packed, a, ret_copy);
}

static void question_of(const struct acme_corroboration *c, const struct asked *a,
                        Ipc__Validate *ret_question)
{
    *ret_question = *c->question;
    ret_question->nonce = (ProtobufCBinaryData){sizeof a->nonce, (uint8_t *)(uintptr_t)a->nonce};
    ret_question->perspective = (char *)(uintptr_t)a->is.name; /* only read */
}

/* What its answer will be held against. */
static lt_res prepare(struct acme_desk *d, struct ca_turn *t, const struct acme_corroboration *c,
                      struct asked *a)
{
    Ipc__Validate question;
    d->random(a->nonce, sizeof a->nonce);
    a->why = "no answer";
    question_of(c, a, &question);
    return validate_question_digest(&question, t->arena, a->digest);
}

/* Asks those that have not answered. */
static lt_res ask_rest(struct ca_turn *t, const struct acme_corroboration *c)
{
    Ipc__Corroborate m = IPC__CORROBORATE__INIT;
    Ipc__Validate *rows = LT_NEW_ARRAY(t->arena, Ipc__Validate, c->count);
    m.questions = LT_NEW_ARRAY(t->arena, Ipc__Validate *, c->count);
    LT_CHECK(rows != NULL && m.questions != NULL, LT_PEER_TOO_LARGE, "acme: too many perspectives");
    for (size_t i = 0; i < c->count; i++) {
        if (!c->asked[i].answered) {
            question_of(c, &c->asked[i], &rows[m.n_questions]);
            m.questions[m.n_questions] = &rows[m.n_questions];
            m.n_questions++;
        }
    }
    return ca_turn_send(t, IPC_COURIER, IPC_CORROBORATE, (uint64_t)c->primary->authorization_id, &m.base);
}

static lt_res fill(struct acme_desk *d, struct ca_turn *t, const Ipc__Validate *question,
                   const Ipc__Validated *primary, struct acme_corroboration *c)
{
    const ProtobufCMessage *copy;
    c->count = d->perspectives->count;
    c->caa_asked = question->n_issuer_domains > 0 && strcmp(question->identifier->type, "dns") == 0;
    c->until = lt_time_add_seconds(t->now, PATIENCE_S);
    c->asked = LT_NEW_ARRAY(&c->arena, struct asked, c->count);
    LT_CHECK(c->asked != NULL, LT_PEER_TOO_LARGE, "acme: too many perspectives");
    LT_TRY(keep(t, IPC_VALIDATED, &primary->base, &c->arena, &copy));
    c->primary = (const Ipc__Validated *)(const void *)copy;
    LT_TRY(keep(t, IPC_VALIDATE, &question->base, &c->arena, &copy));
    c->question = (const Ipc__Validate *)(const void *)copy;
    for (size_t i = 0; i < c->count; i++) {
        LT_TRY(copy_perspective(&c->arena, &d->perspectives->list[i], &c->asked[i].is));
        LT_TRY(prepare(d, t, c, &c->asked[i]));
    }
    return ask_rest(t, c);
}

/* A courier that died took the questions with it: the same ones again, and time for them. */
lt_res acme_corroborations_ask_again(struct acme_desk *d, struct ca_turn *t)
{
    for (struct acme_corroboration *c = d->corroborations; c != NULL; c = c->next) {
        if (c->answered < c->count) {
            c->until = lt_time_add_seconds(t->now, PATIENCE_S);
            LT_TRY(ask_rest(t, c));
        }
    }
    return LT_OK;
}

/* The message that began it was not handled: its questions never left. What others began goes on. */
void acme_corroboration_lost(struct acme_desk *d, const struct ipc_msg *m)
{
    const Ipc__Validated *v = (const Ipc__Validated *)(const void *)m->body;
    for (const struct acme_corroboration *c = d->corroborations; m->type == IPC_VALIDATED && c != NULL;
         c = c->next) {
        if (c->answered == 0 && lt_slice_eq(acme_bytes(c->primary->nonce), acme_bytes(v->nonce))) {
            drop(d, c);
            return;
        }
    }
}

lt_res acme_corroboration_begin(struct acme_desk *d, struct ca_turn *t, const Ipc__Validate *question,
                                const Ipc__Validated *primary)
{
    struct acme_corroboration *same = find(d, primary);
    if (same != NULL && lt_slice_eq(acme_bytes(same->primary->nonce), acme_bytes(primary->nonce))) {
        return LT_OK; /* the validator said it twice */
    }
    LT_CHECK(d->corroboration_count < CORROBORATIONS_MAX, LT_RETRY_BUSY,
             "acme: too many wait for perspectives");
    struct acme_corroboration *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    lt_arena_init(&c->arena, ARENA_MAX);
    lt_res r = fill(d, t, question, primary, c);
    if (lt_failed(r)) {
        free_one(c);
        return r;
    }
    if (same != NULL) {
        drop(d, same); /* of a validation that was asked again since */
    }
    c->next = d->corroborations;
    d->corroborations = c;
    d->corroboration_count++;
    return LT_OK;
}

/* Nothing signed about the client's name came from it: silent, cut off, with another key, or out of order by
 * its own word. Then it cannot agree, and the client is not to blame. */
static bool is_absent(const struct asked *a)
{
    return !a->agrees &&
           (!a->answered || a->said == NULL || (a->problem != NULL && strcmp(a->problem, our_fault) == 0));
}

static void count(const struct acme_corroboration *c, bool absent_agree, lt_time now,
                  struct validate_quorum *ret_quorum)
{
    struct validate_vote votes[VALIDATE_PERSPECTIVES_MAX];
    for (size_t i = 0; i < c->count; i++) {
        const struct asked *a = &c->asked[i];
        votes[i] = (struct validate_vote){&a->is, a->agrees || (absent_agree && is_absent(a))};
    }
    validate_quorum_count(votes, c->count, now, ret_quorum);
}

/* NULL: it is the answer to what this perspective was asked. */
static const char *mismatch(const struct acme_corroboration *c, const struct asked *a,
                            const Ipc__Validated *v)
{
    const Ipc__Validated *p = c->primary;
    if (!crypto_equal(acme_bytes(v->nonce), LT_SLICE(a->nonce, sizeof a->nonce))) {
        return "its statement is for another nonce";
    }
    if (!lt_slice_eq(acme_bytes(v->question_sha256), LT_SLICE(a->digest, sizeof a->digest))) {
        return "its statement is for another question";
    }
    if (v->authorization_id != p->authorization_id || v->identifier == NULL ||
        strcmp(v->identifier->type, p->identifier->type) != 0 ||
        strcmp(v->identifier->value, p->identifier->value) != 0 || strcmp(v->method, p->method) != 0) {
        return "its statement is about another name or method";
    }
    return NULL;
}

static const char *cut(struct lt_arena *arena, const char *text)
{
    const char *copy = lt_arena_cstr(arena, lt_slice_sub(lt_slice_cstr(text), 0, WHY_MAX));
    return copy == NULL ? "" : copy;
}

/* Signed well, about this question: what it says counts. */
static void take_statement(struct acme_corroboration *c, struct asked *a, const Ipc__SignedStatement *said,
                           const Ipc__Validated *v)
{
    a->said = said;
    a->agrees = validate_statement_permits(v, c->caa_asked);
    if (a->agrees) {
        a->why = "";
    } else if (!v->ok && v->problem != NULL && acme_problem_status(v->problem->type) != 0) {
        a->problem = v->problem->type; /* in our arena */
        a->why = cut(&c->arena, v->problem->detail);
    } else {
        a->problem = v->ok ? "caa" : NULL;
        a->why = v->ok && v->caa != NULL ? cut(&c->arena, v->caa->why)
                                         : "it does not permit, and says no more";
    }
}

static void take_answer(struct acme_corroboration *c, struct asked *a, const Ipc__Corroborated *m)
{
    Ipc__SignedStatement *said = LT_NEW(&c->arena, Ipc__SignedStatement);
    const Ipc__Validated *v = NULL;
    if (m->statement == NULL || said == NULL) {
        a->why = cut(&c->arena, m->why);
        return;
    }
    ipc__signed_statement__init(said);
    lt_slice statement = lt_arena_copy(&c->arena, acme_bytes(m->statement->statement));
    lt_slice signature = lt_arena_copy(&c->arena, acme_bytes(m->statement->signature));
    said->statement = (ProtobufCBinaryData){statement.len, (uint8_t *)(uintptr_t)statement.ptr};
    said->signature = (ProtobufCBinaryData){signature.len, (uint8_t *)(uintptr_t)signature.ptr};
    said->perspective = lt_arena_cstr(&c->arena, lt_slice_cstr(m->statement->perspective));
    if (statement.ptr == NULL || signature.ptr == NULL || said->perspective == NULL) {
        a->why = "its statement is too large";
    } else if (lt_failed(validate_statement_verify(&a->is, said, &c->arena, &v))) {
        a->why = cut(&c->arena, lt_error_last()->detail);
    } else if (mismatch(c, a, v) != NULL) {
        a->why = mismatch(c, a, v);
    } else {
        take_statement(c, a, said, v);
    }
}

/* The primary's success as a failure, in the words of the first that saw something else. */
static lt_res refuse(struct ca_turn *t, const struct acme_corroboration *c, const struct validate_quorum *q,
                     Ipc__Validated *v)
{
    const struct asked *first = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct asked *a = &c->asked[i];
        bool objects = !a->agrees && !is_absent(a);
        first = objects && (first == NULL || (first->problem == NULL && a->problem != NULL)) ? a : first;
    }
    const char *type = first != NULL && first->problem != NULL ? first->problem : "connection";
    v->ok = false;
    v->problem = acme_problem(
        t->arena, type, "Only %u of %u remote perspectives saw what the primary one saw%s%s. %s: %s",
        q->agreeing, q->asked, q->corroborated ? ": " : "", q->corroborated ? q->why : "",
        first == NULL ? "" : first->is.name, first == NULL ? "" : first->why);
    LT_CHECK(v->problem != NULL, LT_PEER_TOO_LARGE, "acme: the outcome is too large");
    return LT_OK;
}

/* Too few answered. Why, and where they stand, is for the book and for who runs the CA. */
static lt_res blame_us(struct ca_turn *t, Ipc__Validated *v)
{
    v->ok = false;
    v->problem = acme_problem(t->arena, our_fault,
                              "Too few of this CA's remote perspectives answered. That is a fault of the CA, "
                              "not of the name; try again later.");
    LT_CHECK(v->problem != NULL, LT_PEER_TOO_LARGE, "acme: the outcome is too large");
    return LT_OK;
}

/* Where something is issued for browsers, their rules hold for every name: number and regions. */
static bool is_enough(const struct acme_desk *d, const struct ca_turn *t, const struct validate_quorum *q)
{
    return q->corroborated && (q->met || !q->blocking || !acme_public_wanted(d, t));
}

/* Would it be enough if all that did not answer agreed? */
static bool could_be_enough(const struct acme_desk *d, const struct ca_turn *t,
                            const struct acme_corroboration *c)
{
    struct validate_quorum most;
    count(c, true, t->now, &most);
    return is_enough(d, t, &most);
}

/* The book first, then what memory believes: a lost turn leaves c to the tick. */
static lt_res finish(struct acme_desk *d, struct ca_turn *t, const struct acme_corroboration *c)
{
    struct validate_quorum q;
    Ipc__Validated v = *c->primary;
    char *text = NULL;
    count(c, false, t->now, &q);
    if (!is_enough(d, t, &q)) {
        LT_TRY(could_be_enough(d, t, c) ? blame_us(t, &v) : refuse(t, c, &q, &v));
    }
    bool caa = strcmp(v.method, method_caa) == 0;
    LT_TRY(caa ? acme_caa_settle(d, t, &v, c) : acme_challenge_settle(d, t, &v, c));
    text = lt_arena_printf(t->arena, "%u/%u", q.agreeing, q.asked);
    if (d->corroborated != NULL && text != NULL) {
        d->corroborated(c->primary->identifier->value, text, q.why);
    }
    drop(d, c);
    return LT_OK;
}

/* Nobody said no, and too few said yes: after a while the silent ones are asked again, a few times. */
static bool waits_for_silent(const struct acme_desk *d, const struct ca_turn *t, struct acme_corroboration *c)
{
    struct validate_quorum least;
    lt_time again = lt_time_add_seconds(t->now, (int64_t)AGAIN_S << c->tries);
    count(c, false, t->now, &least);
    if (is_enough(d, t, &least) || !could_be_enough(d, t, c) || c->tries + 1 >= TRIES_MAX ||
        again.us >= c->until.us) {
        return false;
    }
    c->again = again;
    return true;
}

static lt_res ask_silent(struct ca_turn *t, struct acme_corroboration *c)
{
    c->again = (lt_time){0};
    c->tries++;
    for (size_t i = 0; i < c->count; i++) {
        struct asked *a = &c->asked[i];
        if (a->answered && is_absent(a)) {
            a->answered = false;
            a->said = NULL;
            a->problem = NULL;
            c->answered--;
        }
    }
    return ask_rest(t, c);
}

static lt_res go_on(struct acme_desk *d, struct ca_turn *t, struct acme_corroboration *c)
{
    struct validate_quorum least;
    struct validate_quorum most;
    count(c, false, t->now, &least);
    count(c, true, t->now, &most);
    if (c->answered == c->count) {
        return waits_for_silent(d, t, c) ? LT_OK : finish(d, t, c);
    }
    /* What may still come would not change it, but belongs to the evidence. */
    lt_time grace = lt_time_add_seconds(t->now, GRACE_S);
    bool decided = !most.corroborated || (least.corroborated && least.met);
    if (decided && grace.us < c->until.us) {
        c->until = grace;
    }
    return LT_OK;
}

/* Which of the perspectives of this corroboration it is that answers; NULL: none. */
static struct asked *answers(const struct acme_corroboration *c, const Ipc__Corroborated *said)
{
    if (c->primary->authorization_id != said->authorization_id ||
        c->primary->challenge_index != said->challenge_index) {
        return NULL;
    }
    for (size_t i = 0; i < c->count; i++) {
        struct asked *a = &c->asked[i];
        if (!a->answered && strcmp(a->is.name, said->perspective) == 0 &&
            crypto_equal(acme_bytes(said->nonce), LT_SLICE(a->nonce, sizeof a->nonce))) {
            return a;
        }
    }
    return NULL;
}

lt_res acme_desk_corroborated(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__Corroborated *said = (const Ipc__Corroborated *)(const void *)m->body;
    for (struct acme_corroboration *c = d->corroborations; c != NULL; c = c->next) {
        struct asked *a = answers(c, said);
        if (a != NULL) {
            take_answer(c, a, said);
            a->answered = true;
            c->answered++;
            return go_on(d, t, c);
        }
    }
    return LT_OK; /* late, or twice */
}

lt_res acme_corroborations_tick(struct acme_desk *d, struct ca_turn *t)
{
    struct acme_corroboration *next = NULL;
    for (struct acme_corroboration *c = d->corroborations; c != NULL; c = next) {
        next = c->next;
        bool waits = c->again.us != 0;
        bool again = waits && c->again.us <= t->now.us;
        bool over = c->until.us <= t->now.us || (c->answered == c->count && !waits);
        lt_res r = over ? finish(d, t, c) : again ? ask_silent(t, c) : LT_OK;
        if (lt_failed(r)) {
            drop(d, c); /* it is asked again as a whole, and keeps no other waiting */
            return r;
        }
    }
    return LT_OK;
}

void acme_corroboration_event(const struct acme_corroboration *c, lt_time now, struct lt_buf *out)
{
    struct validate_quorum q;
    const char *comma = "";
    count(c, false, now, &q);
    lt_buf_addf(out, ",\"corroboration\":\"%u/%u\",\"regions\":%u,\"quorum\":%s,\"dissent\":{", q.agreeing,
                q.asked, q.rirs, q.met ? "true" : "false");
    for (size_t i = 0; i < c->count; i++) {
        if (!c->asked[i].agrees) {
            lt_buf_addf(out, "%s\"%s\":", comma, c->asked[i].is.name);
            lt_json_add_string(out, lt_slice_cstr(c->asked[i].why));
            comma = ",";
        }
    }
    lt_buf_add_byte(out, '}');
}

void acme_corroboration_quorum(const struct acme_corroboration *c, lt_time now,
                               struct validate_quorum *ret_quorum)
{
    count(c, false, now, ret_quorum);
}

const Ipc__Validated *acme_corroboration_primary(const struct acme_corroboration *c)
{
    return c->primary;
}

bool acme_corroboration_voice(const struct acme_corroboration *c, size_t i, struct acme_voice *ret_voice)
{
    if (i >= c->count) {
        return false;
    }
    const struct asked *a = &c->asked[i];
    *ret_voice = (struct acme_voice){&a->is, a->agrees, a->why, a->said};
    return true;
}

void acme_corroboration_set(const struct acme_corroboration *c, struct lt_buf *ret_names,
                            uint64_t *ret_agreeing, uint64_t *ret_dissenting)
{
    lt_buf_add_cstr(ret_names, c->primary->perspective);
    *ret_agreeing = 1;
    *ret_dissenting = 0;
    for (size_t i = 0; i < c->count; i++) {
        lt_buf_addf(ret_names, ",%s", c->asked[i].is.name);
        *(c->asked[i].agrees ? ret_agreeing : ret_dissenting) |= UINT64_C(1) << (i + 1);
    }
}
