/* examiner: reads the exact bytes that are to be signed and passes those same bytes on, or says why not. It
 * has the only link to the signer, and believes neither registrar nor publisher.
 *
 * Refuses: whatever ca/examine.h refuses; a lift of a halt, a key's release or a lint exception without the
 * approvals that ca/examiner_state.h asks for. Never silent: every question gets an answer, "unavailable"
 * while the signer is away. Opens no book, no key, no network.
 */
#include "role/examiner.h"
#include "ca/approval.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"
#include "lint/keys.h"
#include "role/profiles.h"

/* A CRL of a few million entries, decoded, with the one before beside it. */
enum { MESSAGE_ARENA_MAX = 600 * 1024 * 1024, KEYS_REMEMBERED = 4096, SIGNATURES_REMEMBERED = 16384 };

static const void *body_of(const struct ipc_msg *m)
{
    return m->body;
}

/* ---- orders under way ---- */

struct examiner_slot *examiner_slot_take(struct examiner *e, const struct ipc_addr *to, const char *issuer)
{
    size_t len = strlen(issuer);
    for (size_t tries = 0; tries < EXAMINER_SLOTS && len < sizeof(e->slots[0].issuer); tries++) {
        uint64_t id = ++e->next_id;
        struct examiner_slot *s = &e->slots[id % EXAMINER_SLOTS];
        if (s->id == 0) {
            *s = (struct examiner_slot){
                .id = id, .to = *to, .until_ms = lt_monotonic_ms() + EXAMINER_ORDER_WAIT_MS};
            memcpy(s->issuer, issuer, len + 1);
            e->busy++;
            return s;
        }
    }
    return NULL;
}

struct examiner_slot *examiner_slot_find(struct examiner *e, uint64_t id)
{
    struct examiner_slot *s = &e->slots[id % EXAMINER_SLOTS];
    return id != 0 && s->id == id ? s : NULL;
}

void examiner_slot_free(struct examiner *e, struct examiner_slot *s)
{
    LT_ASSERT(s->id != 0 && e->busy > 0);
    free(s->asked);
    s->asked = NULL;
    s->id = 0;
    e->busy--;
}

static lt_res slot_answer(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m)
{
    lt_res r = s->crl ? examiner_crl_result(e, s, m) : examiner_certificate_result(e, s, m);
    examiner_slot_free(e, s);
    return r;
}

static lt_res on_sign_result(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    struct examiner_slot *s = examiner_slot_find(e, m->from.id);
    LT_CHECK(m->from.id <= e->next_id && (s == NULL || !s->opinion), LT_PEER_MALFORMED,
             "an answer to nothing that was asked");
    return s == NULL ? LT_OK : slot_answer(e, s, body_of(m)); /* NULL: too late */
}

static lt_res slot_missing(struct examiner *e, struct examiner_slot *s, const char *detail, bool died)
{
    static char unavailable[] = "unavailable";
    char why[64];
    if (s->opinion) {
        return examiner_opinion_missing(e, s, detail, !died);
    }
    Ipc__SignResult none = IPC__SIGN_RESULT__INIT;
    (void)snprintf(why, sizeof(why), "%s", detail);
    none.outcome = unavailable;
    none.detail = why;
    return slot_answer(e, s, &none);
}

/* Nobody waits for ever: what signer or second opinion keep to themselves is answered for them. */
static void give_up(struct examiner *e, int64_t before_ms)
{
    for (size_t i = 0; i < EXAMINER_SLOTS && e->busy > 0; i++) {
        struct examiner_slot *s = &e->slots[i];
        if (s->id != 0 && s->until_ms <= before_ms &&
            lt_failed(slot_missing(
                e, s, s->opinion ? "the second opinion does not answer" : "the signer does not answer",
                false))) {
            lt_log_error("an order is not answered");
        }
    }
}

/* All that waited for the one that died. */
static void give_up_on(struct examiner *e, bool opinion, const char *detail)
{
    for (size_t i = 0; i < EXAMINER_SLOTS && e->busy > 0; i++) {
        struct examiner_slot *s = &e->slots[i];
        if (s->id != 0 && s->opinion == opinion && lt_failed(slot_missing(e, s, detail, true))) {
            lt_log_error("an order is not answered");
        }
    }
}

static lt_res tick(void *self, lt_time now)
{
    struct examiner *e = self;
    (void)now; /* orders wait on the monotonic clock */
    if (lt_monotonic_ms() >= e->next_look_ms) {
        e->next_look_ms = lt_monotonic_ms() + 1000;
        give_up(e, lt_monotonic_ms());
    }
    return LT_OK;
}

/* ---- what is passed on as it is ---- */

/* Journaled before it is answered; ids are the registrar's own and mean the same in each of its lives. */
static lt_res on_revocation(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__RevocationRecord *r = body_of(m);
    bool batch = r->root.len > 0;
    LT_CHECK(ca_examine_issuer(&e->x, r->issuer) != NULL && r->reason <= 10 && r->serial.len <= 20 &&
                 (batch ? r->serial.len == 0 && r->mass != 0 : r->serial.len > 0),
             LT_PEER_MALFORMED, "a revocation without issuer, serial or reason");
    lt_res sent = role_send(e->kit, IPC_SIGNER, ROLE_ANY, IPC_REVOCATION_RECORD, m->from.id, m->body);
    if (!lt_failed(sent)) {
        return LT_OK;
    }
    static char unavailable[] = "unavailable";
    Ipc__RevocationRecorded answer = IPC__REVOCATION_RECORDED__INIT;
    answer.outcome = unavailable;
    answer.mass = r->mass;
    answer.batch = r->batch;
    return role_reply(e->kit, &m->from, IPC_REVOCATION_RECORDED, &answer.base);
}

/* An empty signature says: not now. */
static lt_res on_knot(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__Knot *k = body_of(m);
    LT_CHECK(k->head.len == 32 && k->chain[0] != 0 && strlen(k->chain) < 64 && strchr(k->chain, '\n') == NULL,
             LT_PEER_MALFORMED, "a knot without chain or head");
    lt_res sent = role_send(e->kit, IPC_SIGNER, ROLE_ANY, IPC_KNOT, m->from.id, m->body);
    if (!lt_failed(sent)) {
        return LT_OK;
    }
    Ipc__KnotSigned answer = IPC__KNOT_SIGNED__INIT;
    return role_reply(e->kit, &m->from, IPC_KNOT_SIGNED, &answer.base);
}

static lt_res to_registrar(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    lt_res sent = role_send(e->kit, IPC_REGISTRAR, ROLE_ANY, m->type, m->from.id, m->body);
    if (lt_failed(sent)) {
        lt_log_error("the registrar did not take what the signer said"); /* it asks for a replay */
    }
    return LT_OK;
}

static lt_res hello_signer(struct examiner *e, bool hello)
{
    Ipc__JournalAck ack = IPC__JOURNAL_ACK__INIT;
    ack.sequence = e->acknowledged;
    ack.book_hello = hello;
    lt_res sent = role_send(e->kit, IPC_SIGNER, ROLE_ANY, IPC_JOURNAL_ACK, 0, &ack.base);
    return lt_class_of(sent.code) == LT_CLASS_RETRY ? LT_OK : sent; /* said again when the signer is there */
}

static lt_res on_ack(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__JournalAck *ack = body_of(m);
    e->acknowledged = ack->sequence;
    e->hello_known = e->hello_known || ack->book_hello;
    return hello_signer(e, ack->book_hello);
}

/* ---- halts, keys, exceptions ---- */

static lt_res on_halts(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    LT_TRY(ca_examiner_halts(e->state, body_of(m), lt_now()));
    lt_metric_set("lintel_examiner_halts", (int64_t)ca_examiner_halt_count(e->state));
    return LT_OK;
}

/* What was asked is done or refused, and either is said; a file that cannot be written ends us. */
static lt_res verdict(struct examiner *e, const struct ipc_msg *m, lt_res r, const char *what)
{
    if (lt_class_of(r.code) == LT_CLASS_STATE) {
        return r;
    }
    static char none[] = "";
    char detail[sizeof(lt_error_last()->detail)];
    Ipc__ExaminerVerdict answer = IPC__EXAMINER_VERDICT__INIT;
    memcpy(detail, lt_error_last()->detail, sizeof(detail));
    answer.accepted = !lt_failed(r);
    answer.detail = lt_failed(r) ? detail : none;
    lt_log(lt_failed(r) ? LT_LOG_WARN : LT_LOG_INFO, what, "accepted=%d detail=\"%s\"", !lt_failed(r),
           answer.detail);
    return role_reply(e->kit, &m->from, IPC_EXAMINER_VERDICT, &answer.base);
}

static struct ca_approvers approvers(const struct examiner *e)
{
    return (struct ca_approvers){&e->operators, e->approvals_needed};
}

static lt_res on_lift(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    struct ca_approvers by = approvers(e);
    return verdict(e, m, ca_examiner_lift(e->state, &by, body_of(m), lt_now()), "lifting a halt");
}

static lt_res on_block(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    return verdict(e, m, ca_examiner_block(e->state, body_of(m)), "blocking a key");
}

static lt_res on_passkey(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    return verdict(e, m, ca_examiner_passkey(e->state, &e->operators, body_of(m), lt_now()), "a passkey");
}

static lt_res on_unblock(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    struct ca_approvers by = approvers(e);
    return verdict(e, m, ca_examiner_unblock(e->state, &by, body_of(m), lt_now()), "unblocking a key");
}

static lt_res on_exception(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    struct ca_approvers by = approvers(e);
    return verdict(e, m, ca_examiner_except(e->state, &by, body_of(m), lt_now()), "a lint exception");
}

/* For actions that change nothing here: are the approvals enough? */
static lt_res on_plan_check(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__PlanCheck *p = body_of(m);
    LT_CHECK(p->plan != NULL, LT_PEER_MALFORMED, "a check without a plan");
    struct ca_approval_policy policy = ca_approval_policy_of(p->plan->action, e->approvals_needed);
    lt_time now = lt_now();
    lt_res r = ca_examiner_plan_life(p->plan, now);
    if (!lt_failed(r)) {
        r = ca_approvals_suffice(&e->operators, p->plan, p->approvals, p->n_approvals, &policy, now);
    }
    return verdict(e, m, r, "approvals of a plan");
}

/* ---- life ---- */

static void tell_rules(struct examiner *e)
{
    Ipc__Rules m = IPC__RULES__INIT;
    m.rule_set = (char *)(uintptr_t)lint_rule_set(); /* packed, not kept */
    if (lt_failed(role_send(e->kit, IPC_REGISTRAR, ROLE_ANY, IPC_RULES, 0, &m.base))) {
        lt_log_error("the registrar did not take the name of the rules");
    }
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct examiner *e = self;
    (void)instance; /* there is one of each */
    if (peer == IPC_REGISTRAR) {
        ca_examiner_forget_list(e->state);
        tell_rules(e);
    }
    if (peer == IPC_SIGNER && e->hello_known && lt_failed(hello_signer(e, true))) {
        lt_log_error("the signer did not take the hello");
    }
}

static void unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct examiner *e = self;
    (void)instance; /* there is one of each */
    if (peer == IPC_REGISTRAR) {
        ca_examiner_forget_list(e->state);
        e->hello_known = false;
    }
    if (peer == IPC_SIGNER) {
        give_up_on(e, false, "the signer is gone");
    }
    if (peer == IPC_OPINION) {
        give_up_on(e, true, "the second opinion died over it");
    }
}

static lt_res open_folder(struct examiner *e, const char *folder)
{
    LT_CLEANUP(lt_fd_closep) int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(root >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    e->dir_fd = openat(root, "examiner", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(e->dir_fd >= 0, LT_STATE_IO, "%s/examiner: %s", folder, strerror(errno));
    LT_CHECK(mkdirat(e->dir_fd, "crl", 0700) == 0 || errno == EEXIST, LT_STATE_IO, "%s/examiner/crl: %s",
             folder, strerror(errno));
    return LT_OK;
}

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    struct examiner *e = calloc(1, sizeof(*e));
    LT_ASSERT(e != NULL);
    e->kit = kit;
    e->folder = m->folder;
    e->public_http_url = m->public_http_url;
    e->test_ca = m->test_ca;
    e->slots = calloc(EXAMINER_SLOTS, sizeof(e->slots[0]));
    LT_ASSERT(e->slots != NULL);
    e->keys = lint_keys_new(KEYS_REMEMBERED);
    e->verified = validate_verified_new(SIGNATURES_REMEMBERED);
    e->findings = calloc(1, sizeof(*e->findings));
    LT_ASSERT(e->keys != NULL && e->findings != NULL);
    crypto_start();
    lt_log(LT_LOG_INFO, "rules", "set=%s", lint_rule_set());
    LT_TRY(open_folder(e, m->folder));
    LT_TRY(ca_examiner_state_open(e->dir_fd, &e->state));
    LT_TRY(examiner_load(e, m->config_yaml));
    e->x.state = e->state;
    e->x.keys = e->keys;
    e->x.verified = e->verified;
    *ret_self = e;
    return LT_OK;
}

static lt_res turn_end(void *self)
{
    struct examiner *e = self;
    return examiner_crls_go_on(e);
}

static lt_res reload(void *self, const char *config_yaml)
{
    struct examiner *e = self;
    LT_TRY(examiner_crls_give_up(e, "the configuration is read again"));
    if (lt_failed(examiner_load(e, config_yaml))) {
        lt_log_error("the files as they were stay in force");
    }
    return LT_OK;
}

static bool drained(void *self)
{
    const struct examiner *e = self;
    return e->busy == 0 && e->crls == NULL;
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_SIGN_REQUEST, examiner_on_sign_request},
    {IPC_REGISTRAR, IPC_HALT_LIST, on_halts},
    {IPC_REGISTRAR, IPC_HALT_LIFT, on_lift},
    {IPC_REGISTRAR, IPC_KEY_BLOCK, on_block},
    {IPC_REGISTRAR, IPC_KEY_UNBLOCK, on_unblock},
    {IPC_REGISTRAR, IPC_PASSKEY_ADD, on_passkey},
    {IPC_REGISTRAR, IPC_LINT_EXCEPTION, on_exception},
    {IPC_REGISTRAR, IPC_PLAN_CHECK, on_plan_check},
    {IPC_REGISTRAR, IPC_REVOCATION_RECORD, on_revocation},
    {IPC_REGISTRAR, IPC_KNOT, on_knot},
    {IPC_REGISTRAR, IPC_JOURNAL_ACK, on_ack},
    {IPC_PUBLISHER, IPC_CRL_SIGN_REQUEST, examiner_on_crl_request},
    {IPC_OPINION, IPC_OPINION_GIVEN, examiner_on_opinion},
    {IPC_SIGNER, IPC_SIGN_RESULT, on_sign_result},
    {IPC_SIGNER, IPC_REVOCATION_RECORDED, to_registrar},
    {IPC_SIGNER, IPC_KNOT_SIGNED, to_registrar},
    {IPC_SIGNER, IPC_JOURNAL_REPLAY, to_registrar},
};

int main(void)
{
    const struct role_spec spec = {
        .role = IPC_EXAMINER,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_EXAMINER],
        .message_arena_max = MESSAGE_ARENA_MAX,
        .start = start,
        .linked = linked,
        .unlinked = unlinked,
        .tick = tick,
        .turn_end = turn_end,
        .reload = reload,
        .drained = drained,
    };
    return role_main(&spec);
}
