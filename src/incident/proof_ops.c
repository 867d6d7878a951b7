/* The changes of this area, and what is due in it. */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/ready.h"
#include "incident/problem_private.h"
#include "incident/proof.h"
#include "incident/proof_beat.h"
#include "incident/proof_book.h"

static const Ipc__DeskValue *proofs_of(const struct incident_call *c)
{
    for (size_t i = 0; i < c->m->n_values; i++) {
        if (strcmp(c->m->values[i]->name, "proofs") == 0) {
            return c->m->values[i];
        }
    }
    return NULL;
}

static void put_answer(struct lt_buf *out, const Ipc__KeyProof *p, const struct incident_proof_answer *a,
                       bool more)
{
    const struct {
        const char *key;
        const char *value;
    } texts[] = {{"kind", p->kind},       {"verdict", p->verdict},   {"why", p->why},
                 {"outcome", a->outcome}, {"key_type", p->key_type}, {"words", a->words}};
    lt_buf_add_cstr(out, more ? ",{" : "{");
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        lt_buf_addf(out, "\"%s\":", texts[i].key);
        lt_json_add_string(out, lt_slice_cstr(texts[i].value));
        lt_buf_add_cstr(out, ",");
    }
    lt_buf_add_cstr(out, "\"spki_sha256\":\"");
    lt_hex_add(out, LT_SLICE(p->spki_sha256.data, p->spki_sha256.len));
    lt_buf_addf(out, "\",\"certificates\":%lld}", (long long)a->certificates);
}

/* The report's findings are written as they are where the proof came by mail or form; its letters are those
 * of the proof. */
static lt_res say_proven(struct incident_call *c, const struct incident_proven *proven, const char *words)
{
    struct incident_problem p;
    lt_slice key = LT_SLICE(proven->proof->spki_sha256.data, proven->proof->spki_sha256.len);
    const struct problem_findings f = {
        .decision = "revoke", .words = words, .to_subscriber = "", .by = c->by, .jws = c->jws, .told = true};
    LT_TRY(incident_problem_proven(c->t, proven->problem, key, words));
    LT_TRY(problem_load(c->t, proven->problem, &p));
    bool open = p.found_us == 0 && incident_problem_next(p.status, "find") != NULL;
    return open ? problem_findings_give(c->t, &p, &f) : LT_OK;
}

static lt_res act_on_all(struct incident_call *c, const Ipc__DeskValue *v, struct lt_buf *out)
{
    char *via = lt_arena_printf(c->t->arena, "operator %s", c->by);
    LT_ASSERT(via != NULL);
    for (size_t i = 0; i < v->n_proofs; i++) {
        const struct incident_proven p = {.proof = v->proofs[i],
                                          .via = via,
                                          .problem = incident_number(c, "problem"),
                                          .filer = incident_text(c, "filer"),
                                          .received = {incident_number(c, "received")},
                                          .jws = c->jws};
        struct incident_proof_answer a;
        LT_TRY(incident_proof_act(c->t, &p, &a));
        bool compromised = strcmp(a.outcome, "revoking") == 0 || strcmp(a.outcome, "known") == 0;
        if (p.problem != 0 && compromised) {
            LT_TRY(say_proven(c, &p, a.words));
        }
        put_answer(out, v->proofs[i], &a, i > 0);
    }
    return lt_buf_check(out);
}

/* What somebody handed in, to an operator or to a machine of ours. */
static lt_res op_prove(struct incident_call *c)
{
    enum { ANSWER_MAX = 256 * 1024 };
    const Ipc__DeskValue *v = proofs_of(c);
    const char *filer = incident_text(c, "filer");
    struct ca_body b;
    struct lt_buf list;
    LT_CHECK(v != NULL, LT_PEER_MALFORMED, "proofs are wanted");
    LT_CHECK(incident_number(c, "received") <= c->t->now.us, LT_PEER_MALFORMED,
             "\"received\" is in the future");
    LT_TRY(filer[0] == '\0' ? LT_OK : ca_ready_address(lt_slice_cstr(filer)));
    lt_buf_init(&list, ANSWER_MAX);
    lt_buf_add_cstr(&list, "[");
    lt_res r = act_on_all(c, v, &list);
    lt_buf_add_cstr(&list, "]");
    ca_body_init(&b);
    ca_body_json(&b, "proofs", lt_buf_slice(&list));
    lt_buf_done(&list);
    if (lt_failed(r)) {
        ca_body_done(&b);
        return r;
    }
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res op_nonce(struct incident_call *c)
{
    char nonce[INCIDENT_PROOF_NONCE_LEN + 1];
    struct ca_body b;
    LT_TRY(incident_proof_nonce(c->t, nonce));
    char *words = lt_arena_printf(c->t->arena, INCIDENT_PROOF_NONCE_WORDS "%s", nonce);
    LT_ASSERT(words != NULL);
    ca_body_init(&b);
    ca_body_str(&b, "nonce", nonce);
    ca_body_str(&b, "words", words);
    ca_body_time(&b, "expires", lt_time_add_seconds(c->t->now, INCIDENT_PROOF_NONCE_LIFE_S));
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static const struct incident_op ops[] = {
    {"proof.prove", CA_ROLE_OPERATOR | CA_ROLE_INTAKE, op_prove},
    {"proof.nonce", CA_ROLE_VIEWER | CA_ROLE_OPERATOR | CA_ROLE_INTAKE, op_nonce},
};

const struct incident_area incident_area_proof = {
    .name = "proof",
    .ops = {ops, LT_COUNT(ops)},
    .beat = incident_proof_beat,
    .sql = {&incident_proof_book_sql, &incident_proof_beat_sql},
};
