/* The second opinion: another linter, in a process of its own, is asked about the very bytes before the
 * signer is. It sees a certificate with a signature that no key made, and can only say no: what it lets pass
 * is judged here once more, as halts may have come meanwhile.
 *
 * Its silence, its crash and its nonsense are a no, too. Only where it was never asked (it is not there, or
 * has too much to do) may the registrar ask again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "ca/examine_dummy.h"
#include "role/examiner.h"

enum { VERDICT_ARENA_MAX = 4 * 1024 * 1024, CERTIFICATE_MAX = 128 * 1024, GRACE_S = 30 };

static const char word[] = "second-opinion";

bool examiner_wants_opinion(const struct examiner *e, const struct ca_profile *profile)
{
    if (!e->second_opinion || e->opinion_profile_count == 0) {
        return e->second_opinion && profile->kind == CA_PROFILE_SUBSCRIBER && ca_profile_by_tls_br(profile);
    }
    for (size_t i = 0; i < e->opinion_profile_count; i++) {
        if (strcmp(e->opinion_profiles[i], profile->name) == 0) {
            return true;
        }
    }
    return false;
}

/* The registrar asks again for what takes long: the answer then goes to who asked last. */
static bool asked_already(struct examiner *e, const struct ipc_msg *m)
{
    const Ipc__SignRequest *asked = (const Ipc__SignRequest *)m->body;
    for (size_t i = 0; i < EXAMINER_SLOTS && e->busy > 0; i++) {
        struct examiner_slot *s = &e->slots[i];
        if (s->id != 0 && s->opinion && s->intent_id == asked->intent_id) {
            s->to = m->from;
            return true;
        }
    }
    return false;
}

static lt_res send_question(struct examiner *e, const struct examiner_slot *s, const Ipc__SignRequest *asked)
{
    const struct ca_examine_issuer *issuer = ca_examine_issuer(&e->x, asked->issuer);
    LT_CHECK(issuer != NULL, LT_POLICY_REFUSED, "there is no issuer '%.64s'", asked->issuer);
    struct lt_buf der;
    lt_buf_init(&der, CERTIFICATE_MAX);
    lt_res r = ca_dummy_certificate(LT_SLICE(asked->tbs.data, asked->tbs.len), &issuer->cert->spki, &der);
    if (!lt_failed(r)) {
        Ipc__OpinionRequest q = IPC__OPINION_REQUEST__INIT;
        q.certificate = (ProtobufCBinaryData){der.len, der.ptr};
        q.profile = asked->profile;
        r = role_send(e->kit, IPC_OPINION, ROLE_ANY, IPC_OPINION_REQUEST, s->id, &q.base);
    }
    lt_buf_done(&der);
    return r;
}

static void tell_away(struct examiner *e, const char *detail)
{
    static char subject[] = "second-opinion";
    static char kind[] = "lint.second-opinion";
    static char refusal[] = "unavailable";
    char why[120];
    (void)snprintf(why, sizeof(why), "%s", detail);
    Ipc__Refused told = IPC__REFUSED__INIT;
    told.subject = subject;
    told.kind = kind;
    told.refusal = refusal;
    told.detail = why;
    examiner_tell(e, &told);
}

void examiner_ask_opinion(struct examiner *e, const struct ipc_msg *m, struct ca_verdict *v)
{
    const Ipc__SignRequest *asked = (const Ipc__SignRequest *)m->body;
    if (asked_already(e, m)) {
        return;
    }
    struct examiner_slot *s = examiner_slot_take(e, &m->from, asked->issuer);
    if (s == NULL) {
        examiner_not_now(v, "too much is under way");
        return;
    }
    s->opinion = true;
    s->until_ms = lt_monotonic_ms() + (e->opinion_timeout_s + GRACE_S) * 1000;
    s->intent_id = asked->intent_id;
    s->asked_len = ipc__sign_request__get_packed_size(asked);
    s->asked = malloc(s->asked_len);
    LT_ASSERT(s->asked != NULL);
    (void)ipc__sign_request__pack(asked, s->asked); /* exactly as long as was measured */
    if (lt_failed(send_question(e, s, asked))) {
        examiner_slot_free(e, s);
        examiner_not_now(v, "the second opinion is not there");
        tell_away(e, v->detail);
    }
}

static void *take(void *arena, size_t size)
{
    return lt_arena_alloc(arena, size);
}

static void give_back(void *arena, void *p)
{
    (void)arena; /* the arena goes at once */
    (void)p;
}

/* The other linter lets it pass: judged again as of now, and on to the signer. */
static lt_res go_on(struct examiner *e, const struct ipc_addr *to, const Ipc__SignRequest *asked,
                    struct lt_arena *a)
{
    struct ca_verdict v;
    ca_examine_certificate(&e->x, asked, lt_now(), a, &v);
    if (v.refusal == NULL) {
        examiner_certificate_order(e, to, asked, &v);
    }
    return v.refusal == NULL ? LT_OK : examiner_refuse(e, to, asked, &(struct examiner_no){.v = &v});
}

static lt_res conclude(struct examiner *e, struct examiner_slot *s, const Ipc__Opinion *m, bool later)
{
    struct lt_arena a;
    struct ipc_addr to = s->to;
    lt_arena_init(&a, VERDICT_ARENA_MAX);
    ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = &a};
    const Ipc__SignRequest *asked = ipc__sign_request__unpack(&allocator, s->asked_len, s->asked);
    LT_ASSERT(asked != NULL); /* packed here */
    examiner_slot_free(e, s);
    lt_res r = LT_OK;
    if (strcmp(m->outcome, "clean") == 0) {
        r = go_on(e, &to, asked, &a);
    } else {
        struct ca_verdict v = {.refusal = later ? "unavailable" : word, .later = later, .detail = m->detail};
        v.profile = ca_profiles_find(&e->profiles, lt_slice_cstr(asked->profile));
        lt_metric_add("lintel_second_opinion_refusals_total", 1);
        r = examiner_refuse(e, &to, asked, &(struct examiner_no){.v = &v, .opinion = m});
    }
    lt_arena_done(&a);
    return r;
}

lt_res examiner_on_opinion(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__Opinion *o = (const Ipc__Opinion *)m->body;
    struct examiner_slot *s = examiner_slot_find(e, m->from.id);
    static const char *const outcomes[] = {"clean", "findings", "failed", "busy"};
    bool known = false;
    for (size_t i = 0; i < LT_COUNT(outcomes); i++) {
        known = known || strcmp(o->outcome, outcomes[i]) == 0;
    }
    LT_CHECK(known && m->from.id <= e->next_id && (s == NULL || s->opinion), LT_PEER_MALFORMED,
             "an opinion on nothing that was asked");
    return s == NULL ? LT_OK : conclude(e, s, o, strcmp(o->outcome, "busy") == 0);
}

lt_res examiner_opinion_missing(struct examiner *e, struct examiner_slot *s, const char *detail, bool later)
{
    static char failed[] = "failed";
    char why[120];
    Ipc__Opinion none = IPC__OPINION__INIT;
    (void)snprintf(why, sizeof(why), "%s", detail);
    none.outcome = failed;
    none.detail = why;
    if (later) {
        tell_away(e, detail);
    }
    return conclude(e, s, &none, later);
}
