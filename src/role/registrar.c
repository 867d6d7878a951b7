/* registrar: decides, and is the only writer of the book. Everything here is glue: which message goes to
 * which room, what happens at start, at each second, when a neighbour comes or goes.
 *
 * Refuses: parsing foreign bytes (the notary and the examiner do), connecting out, answering anything that is
 * not committed. It has no way to the signer but through the examiner.
 */
#include "role/registrar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme.pb-c.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "ca/body.h"
#include "ca/crl_book.h"
#include "ca/crl_watch.h"
#include "ca/eab.h"
#include "ca/event.h"
#include "ca/evidence_book.h"
#include "ca/halt.h"
#include "ca/issue.h"
#include "ca/issuer_cap.h"
#include "ca/journal.h"
#include "ca/key_block.h"
#include "ca/knot.h"
#include "ca/lint_book.h"
#include "ca/mass.h"
#include "ca/plan.h"
#include "ca/public_trust.h"
#include "ca/put_back.h"
#include "ca/ready.h"
#include "ca/responder.h"
#include "ca/revoke.h"
#include "ca/scratch_book.h"
#include "ca/service.h"
#include "ca/session.h"
#include "ca/tally.h"
#include "ca/usage.h"
#include "crypto/digest.h"
#include "incident/case.h"
#include "incident/notice.h"
#include "incident/pages.h"
#include "incident/problem.h"
#include "role/profiles.h"

enum { RETRY_INTENT_S = 3, NAMES_MAX = 256, CACHE_KIB = 32768, GROUP_ARENA_MAX = 512 * 1024 * 1024 };

static const void *body_of(const struct ipc_msg *m)
{
    return m->body;
}

static lt_res step_acme(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_call(g->desk, t, m);
}

static lt_res step_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__KeyLookup *asked = body_of(m);
    if (lt_slice_starts(lt_slice_cstr(asked->kid), LT_LIT("operator:"))) {
        return registrar_operator_key(g, t, m);
    }
    if (lt_slice_starts(lt_slice_cstr(asked->kid), LT_LIT(CA_SESSION_KID))) {
        return registrar_session_key(g, t, m);
    }
    if (lt_slice_starts(lt_slice_cstr(asked->kid), LT_LIT(CA_PASSKEY_KID))) {
        return registrar_passkey_key(g, t, m);
    }
    return acme_desk_key(g->desk, t, m);
}

static lt_res step_nonces(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_nonces(g->desk, t, m);
}

static lt_res step_page(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    bool taken = false;
    LT_TRY(incident_page_call(g->desk, t, m, &taken));
    return taken ? LT_OK : acme_desk_page(g->desk, t, m);
}

static lt_res step_mail_read(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return incident_problem_read(t, body_of(m));
}

static lt_res step_validated(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_validated(g->desk, t, m);
}

static lt_res step_corroborated(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_corroborated(g->desk, t, m);
}

static lt_res step_mailed(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__MailSent *said = body_of(m);
    return said->notice ? incident_notice_mailed(t, said) : acme_desk_mailed(g->desk, t, m);
}

static lt_res step_hooked(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return incident_notice_hooked(t, body_of(m));
}

static lt_res step_list_published(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return incident_list_published(t, body_of(m));
}

static lt_res step_crl_fetched(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_crl_fetched(t, body_of(m));
}

static lt_res step_service(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    return ca_service_request(t, g->config, &m->from, body_of(m));
}

static lt_res step_responder(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    return ca_responder_request(t, g->config, &m->from, body_of(m));
}

static lt_res step_sign_reply(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__SignReply *reply = body_of(m);
    if (strcmp(reply->outcome, "unavailable") == 0) {
        g->book->replayed = false; /* the signer may have forgotten the book: say hello again */
    }
    return ca_issue_on_reply(t, reply);
}

static lt_res step_replay(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_issue_on_replay(t, body_of(m));
}

static lt_res step_recorded(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__RevocationRecorded *reply = body_of(m);
    if (strcmp(reply->outcome, "recorded") != 0) {
        g->book->replayed = false;
    }
    return reply->mass != 0 ? ca_mass_on_recorded(t, reply) : ca_revoke_on_recorded(t, m->from.id, reply);
}

static lt_res step_members(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    bool mine = false;
    const Ipc__Members *members = body_of(m);
    (void)g;
    if (members->fix[0] != 0) {
        return incident_case_on_members(t, members);
    }
    if (members->mass == 0) {
        return ca_cap_counted(t, members);
    }
    LT_TRY(ca_lease_check(t, CA_LEASE_MASS, &mine));
    return mine ? ca_mass_on_members(t, members) : LT_OK;
}

static lt_res step_polls(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_ready_polled(t, body_of(m));
}

static lt_res step_knot(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_knot_on_signed(t, m->from.id, body_of(m));
}

static lt_res step_verdict(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__ExaminerVerdict *verdict = body_of(m);
    struct ipc_addr waiter;
    const char *json = NULL;
    LT_TRY(ca_plan_on_verdict(t, m->from.id, verdict, &waiter, &json));
    if (waiter.role == IPC_NOBODY) {
        return LT_OK;
    }
    lt_res r = LT_OK;
    if (!verdict->accepted) {
        r = lt_fail(LT_POLICY_APPROVAL, __FILE__, __LINE__, "the examiner refuses: %s", verdict->detail);
    }
    return registrar_operator_reply(g, t, &waiter, r, verdict->accepted ? json : NULL);
}

static lt_res step_refused(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_refused(t, body_of(m));
}

static lt_res step_rules(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_rules_say(t, body_of(m));
}

static lt_res step_crl_store(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_crl_store(t, &m->from, body_of(m));
}

static lt_res step_crl_published(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    return ca_crl_published(t, body_of(m));
}

/* Trigger 10 of monitoring looks at it in memory; readers look into the book. */
static lt_res step_ocsp_answered(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__OcspAnswered *said = body_of(m);
    g->book->ocsp_told = t->now;
    g->book->ocsp_answered.us = said->answered_us;
    return ca_tally_heard(t, (lt_time){said->answered_us});
}

static lt_res step_family_event(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    const Ipc__FamilyEvent *e = body_of(m);
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "detail", e->detail);
    char *kind = lt_arena_printf(t->arena, "family.%s", e->what);
    char *subject = lt_arena_printf(t->arena, "family %s %u", e->role, e->instance);
    LT_ASSERT(kind != NULL && subject != NULL);
    return ca_body_event(&b, t, kind, subject, LT_SLICE(NULL, 0));
}

static lt_res step_hold(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__Hold *h = body_of(m);
    bool changed = g->book->held != h->held;
    g->book->held = h->held; /* even if the book cannot take the event: holding is the safe side */
    (void)snprintf(g->book->held_reason, sizeof g->book->held_reason, "%s", h->reason); /* cut */
    LT_TRY(ca_halt_send(t));
    if (!changed) {
        return LT_OK;
    }
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "reason", h->reason);
    return ca_body_event(&b, t, h->held ? "issuance.held" : "issuance.released", "family", LT_SLICE(NULL, 0));
}

#define HANDLER(name_, step_)                                     \
    static lt_res name_(void *self, const struct ipc_msg *m)      \
    {                                                             \
        return registrar_run((struct registrar *)self, step_, m); \
    }
HANDLER(on_acme, step_acme)
HANDLER(on_key, step_key)
HANDLER(on_nonces, step_nonces)
HANDLER(on_page, step_page)
HANDLER(on_mail_read, step_mail_read)
HANDLER(on_validated, step_validated)
HANDLER(on_corroborated, step_corroborated)
HANDLER(on_mailed, step_mailed)
HANDLER(on_hooked, step_hooked)
HANDLER(on_list_published, step_list_published)
HANDLER(on_crl_fetched, step_crl_fetched)
HANDLER(on_service, step_service)
HANDLER(on_responder, step_responder)
HANDLER(on_operator, registrar_operator_call)
HANDLER(on_sign_reply, step_sign_reply)
HANDLER(on_replay, step_replay)
HANDLER(on_recorded, step_recorded)
HANDLER(on_members, step_members)
HANDLER(on_endpoints, registrar_endpoints)
HANDLER(on_seen, registrar_seen)
HANDLER(on_polls, step_polls)
HANDLER(on_knot, step_knot)
HANDLER(on_verdict, step_verdict)
HANDLER(on_refused, step_refused)
HANDLER(on_rules, step_rules)
HANDLER(on_crl_store, step_crl_store)
HANDLER(on_crl_published, step_crl_published)
HANDLER(on_ocsp_answered, step_ocsp_answered)
HANDLER(on_family_event, step_family_event)
HANDLER(on_hold, step_hold)

static const struct role_route routes[] = {
    {IPC_NOTARY, IPC_ACME_CALL, on_acme},
    {IPC_NOTARY, IPC_KEY_LOOKUP, on_key},
    {IPC_NOTARY, IPC_NONCE_REQUEST, on_nonces},
    {IPC_NOTARY, IPC_OPERATOR_CALL, on_operator},
    {IPC_NOTARY, IPC_PAGE_CALL, on_page},
    {IPC_NOTARY, IPC_RENEWAL_POLLS, on_polls},
    {IPC_NOTARY, IPC_SERVICE_CERTIFICATE_REQUEST, on_service},
    {IPC_OCSP_SIGNER, IPC_RESPONDER_REQUEST, on_responder},
    {IPC_VALIDATOR, IPC_VALIDATED, on_validated},
    {IPC_MAILROOM, IPC_MAILROOM_READ, on_mail_read},
    {IPC_COURIER, IPC_CORROBORATED, on_corroborated},
    {IPC_COURIER, IPC_MAIL_SENT, on_mailed},
    {IPC_COURIER, IPC_HOOK_SENT, on_hooked},
    {IPC_PUBLISHER, IPC_LIST_PUBLISHED, on_list_published},
    {IPC_COURIER, IPC_CRL_FETCHED, on_crl_fetched},
    {IPC_EXAMINER, IPC_SIGN_REPLY, on_sign_reply},
    {IPC_EXAMINER, IPC_JOURNAL_REPLAY, on_replay},
    {IPC_EXAMINER, IPC_REVOCATION_RECORDED, on_recorded},
    {IPC_READER, IPC_MEMBERS, on_members},
    {IPC_READER, IPC_ENDPOINTS, on_endpoints},
    {IPC_COURIER, IPC_USAGE_SEEN, on_seen},
    {IPC_EXAMINER, IPC_KNOT_SIGNED, on_knot},
    {IPC_EXAMINER, IPC_EXAMINER_VERDICT, on_verdict},
    {IPC_EXAMINER, IPC_REFUSED, on_refused},
    {IPC_EXAMINER, IPC_RULES, on_rules},
    {IPC_PUBLISHER, IPC_CRL_STORE, on_crl_store},
    {IPC_PUBLISHER, IPC_CRL_PUBLISHED, on_crl_published},
    {IPC_PUBLISHER, IPC_OCSP_ANSWERED, on_ocsp_answered},
    {IPC_SUPERVISOR, IPC_FAMILY_EVENT, on_family_event},
    {IPC_SUPERVISOR, IPC_HOLD, on_hold},
};

static lt_res issued(void *self, struct ca_turn *t, const struct ca_outcome *o)
{
    struct registrar *g = self;
    char name[LT_METRICS_NAME_MAX];
    (void)snprintf(name, sizeof name, "lintel_certificates_%s_total{profile=\"%.*s\"}",
                   o->issued ? "issued" : "refused", LT_FMT(o->profile)); /* cut: a shorter label */
    lt_metric_add(name, 1);
    if (strcmp(o->requester, "service") == 0) {
        return ca_service_outcome(t, o);
    }
    if (strcmp(o->requester, "ocsp") == 0) {
        return ca_responder_outcome(t, o);
    }
    return acme_desk_outcome(g->desk, t, o);
}

static lt_res revoked(void *self, struct ca_turn *t, const struct ca_revoked *r)
{
    struct registrar *g = self;
    lt_metric_add("lintel_certificates_revoked_total", 1);
    if (r->origin == CA_REVOKE_BY_OPERATOR) {
        return registrar_operator_revoked(g, t, r);
    }
    return acme_desk_revoked(g->desk, t, r);
}

enum { KEY_PARTS = 100 }; /* of blocked keys, at once */

static lt_res step_examiner_linked(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    (void)m;
    LT_TRY(ca_halt_send(t));
    ca_host_news_again(t->book, t->now);
    LT_TRY(ca_key_block_recover(t, KEY_PARTS));
    LT_TRY(ca_passkeys_tell(t, (lt_time){0}));
    return ca_issue_hello(t);
}

static lt_res step_validator_linked(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    return acme_desk_validator_linked(g->desk, t);
}

static lt_res step_courier_linked(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    bool mine = false;
    LT_TRY(acme_desk_courier_linked(g->desk, t));
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    return mine ? incident_notice_courier_linked(t) : LT_OK;
}

static lt_res step_mailroom_linked(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    (void)m;
    return incident_problem_mailroom_linked(t);
}

/* A revocation may have been committed and the hint lost. */
static lt_res step_publisher_linked(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    for (size_t i = 0; i < g->book->issuer_count; i++) {
        Ipc__PublishHint hint = IPC__PUBLISH_HINT__INIT;
        hint.issuer = g->book->issuers[i].name;
        if (!g->book->issuers[i].offline) {
            LT_TRY(ca_turn_send(t, IPC_PUBLISHER, IPC_PUBLISH_HINT, 0, &hint.base));
        }
    }
    return LT_OK;
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct registrar *g = self;
    registrar_step *step = NULL;
    (void)instance;
    ca_mass_ask_again(g->book);
    g->book->cap_asked = (lt_time){0}; /* of a reader that may be gone */
    g->book->no_courier = g->book->no_courier && peer != IPC_COURIER;
    if (peer == IPC_READER || peer == IPC_COURIER) {
        ca_usage_ask_again(g->book);
    }
    if (peer == IPC_EXAMINER) {
        g->book->examiner_linked = true;
        g->book->replayed = false;
        step = step_examiner_linked;
    } else if (peer == IPC_VALIDATOR) {
        step = step_validator_linked;
    } else if (peer == IPC_PUBLISHER) {
        step = step_publisher_linked;
    } else if (peer == IPC_COURIER) {
        step = step_courier_linked;
    } else if (peer == IPC_MAILROOM) {
        step = step_mailroom_linked;
    }
    if (step != NULL) {
        lt_ignore(registrar_run(g, step, NULL)); /* logged there; the next second tries again */
    }
}

static void unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct registrar *g = self;
    if (peer == IPC_EXAMINER) {
        g->book->examiner_linked = false;
    } else if (peer == IPC_NOTARY) {
        acme_desk_notary_gone(g->desk, instance);
    }
}

static lt_res turn_end(void *self)
{
    struct registrar *g = self;
    registrar_turn_end(g);
    registrar_mass_slices(g);
    registrar_incident_slices(g);
    return g->fatal;
}

static lt_res step_second(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    int64_t open = 0;
    LT_TRY(ca_halt_send(t));
    LT_TRY(role_draining(g->kit) ? LT_OK : ca_host_tick(t));
    LT_TRY(ca_crl_wanted(t));
    LT_TRY(ca_knot_tick(t));
    LT_TRY(ca_journal_tick(t));
    LT_TRY(ca_issue_open_count(t, &open));
    LT_TRY(ca_host_news(t));      /* last: it remembers what it told */
    g->book->mass.pending = true; /* whatever was lost: found again */
    lt_metric_set("lintel_intents_open", open);
    lt_metric_set("lintel_halts", (int64_t)g->book->halt_count);
    return LT_OK;
}

static bool may_retry(const struct registrar *g)
{
    return g->book->examiner_linked && g->book->replayed;
}

static lt_res step_readiness(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    bool mine = false;
    (void)g;
    (void)m;
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    LT_TRY(mine ? ca_ready_tick(t) : LT_OK);
    return mine ? ca_cap_tick(t) : LT_OK;
}

/* Each in a step of its own: what cannot be asked again keeps nothing else back, and least of all the halts.
 */
static lt_res step_retry_issue(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    size_t asked = 0;
    (void)m;
    return may_retry(g) ? ca_issue_retry(t, RETRY_INTENT_S, &asked) : LT_OK;
}

static lt_res step_retry_revoke(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    size_t asked = 0;
    (void)m;
    return may_retry(g) ? ca_revoke_retry(t, RETRY_INTENT_S, &asked) : LT_OK;
}

static lt_res step_tick(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    LT_TRY(ca_crl_watch_due(t));
    return acme_desk_tick(g->desk, t);
}

/* The book takes writes again, and what neighbours said meanwhile is lost: ask for all of it. */
static lt_res step_ask_again(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    LT_TRY(acme_desk_validator_linked(g->desk, t));
    return g->book->examiner_linked ? step_examiner_linked(g, t, m) : LT_OK;
}

static lt_res ask_again(struct registrar *g)
{
    if (!g->lost || g->failing || !g->book->examiner_linked) {
        return LT_OK;
    }
    ca_mass_ask_again(g->book);
    ca_usage_ask_again(g->book);
    g->lost = false; /* set again where this fails too */
    g->book->replayed = false;
    return registrar_run(g, step_ask_again, NULL);
}

static lt_res tick(void *self, lt_time now)
{
    struct registrar *g = self;
    LT_TRY(registrar_run(g, step_tick, NULL));
    LT_TRY(role_draining(g->kit) ? LT_OK : registrar_usage_tick(g));
    LT_TRY(ask_again(g));
    if (now.us - g->second.us >= LT_US_PER_SECOND || now.us < g->second.us) {
        g->second = now;
        LT_TRY(registrar_run(g, step_second, NULL));
        LT_TRY(registrar_run(g, step_retry_revoke, NULL));
        LT_TRY(registrar_run(g, step_retry_issue, NULL));
        LT_TRY(registrar_run(g, step_readiness, NULL));
        registrar_incident_second(g);
    }
    return LT_OK;
}

static lt_res step_release(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)g;
    (void)m;
    return ca_leases_release(t);
}

static bool drained(void *self)
{
    struct registrar *g = self;
    if (!g->released) {
        g->released = true;
        lt_ignore(registrar_run(g, step_release, NULL)); /* or they run out */
        registrar_commit(g);
    }
    return !g->open && !acme_desk_busy(g->desk) && !ca_revoke_awaited(g->book, lt_now());
}

/* Root-owned files: this program may parse them. All of them read, or nothing changes. */
static lt_res load_files(struct registrar *g)
{
    ca_profiles_done(&g->profiles);
    ca_operators_done(&g->operators);
    LT_TRY(ca_profiles_load(g->folder, lt_now(), &g->profiles));
    LT_CHECK(g->profiles.count > 0, LT_PEER_USAGE, "there is no profile in %s/profiles", g->folder);
    LT_TRY(g->test_ca ? ca_profiles_check_testing(&g->profiles) : LT_OK);
    LT_CLEANUP(lt_fd_closep) int fd = open(g->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_TRY(ca_operators_load(fd, "operators", &g->operators));
    struct validate_perspectives fresh;
    LT_TRY(validate_perspectives_load(fd, "perspectives", &fresh));
    validate_perspectives_done(&g->perspectives);
    g->perspectives = fresh;
    acme_desk_use_perspectives(g->desk, &g->perspectives);
    struct acme_policy policy;
    LT_TRY(acme_policy_load(fd, &policy));
    acme_policy_done(&g->policy);
    g->policy = policy;
    acme_desk_use_policy(g->desk, &g->policy);
    return LT_OK;
}

/* CABF-BR 5.4.1: the result for each name, as "3/4". */
static void corroborated(const char *name, const char *count, const char *why)
{
    lt_log(why[0] == '\0' ? LT_LOG_INFO : LT_LOG_WARN, "corroboration", "name=%s perspectives=%s why=\"%s\"",
           name, count, why);
}

/* Said at each start and reload, not only to the clients that are refused. */
static void say_public(const struct registrar *g, lt_time now)
{
    char names[NAMES_MAX];
    struct ca_public_trust trust;
    ca_public_profile_names(&g->profiles, names, sizeof names);
    if (names[0] == '\0') {
        return;
    }
    ca_public_trust_judge(g->config, &g->perspectives, now, &trust);
    for (size_t i = 0; i < trust.lack_count; i++) {
        lt_log(LT_LOG_ERROR, "nothing is issued by a public profile", "profile=\"%s\" why=\"%s\"", names,
               trust.lacks[i]);
    }
    if (trust.soon[0] != '\0') {
        lt_log(LT_LOG_WARN, "soon nothing is issued by a public profile", "profile=\"%s\" why=\"%s\"", names,
               trust.soon);
    }
}

/* What load_files has read becomes the book's. */
static lt_res step_files(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    say_public(g, t->now);
    LT_TRY(ca_book_use_profiles(t, &g->profiles));
    return ca_book_use_operators(t, &g->operators);
}

static lt_res reload(void *self, const char *config_yaml)
{
    struct registrar *g = self;
    struct ca_config *config = NULL;
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    lt_res r = load_files(g);
    if (lt_failed(r)) {
        ca_config_free(config);
        return r;
    }
    acme_desk_use_config(g->desk, config);
    ca_config_free(g->config);
    g->config = config;
    g->book->approvals_needed = config->approvals_needed;
    g->book->config = config;
    return registrar_run(g, step_files, NULL);
}

static lt_res step_started(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    LT_TRY(step_files(g, t, m));
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "build", g->book->build);
    LT_TRY(ca_body_event(&b, t, "registrar.started", "family registrar 0", LT_SLICE(NULL, 0)));
    if (g->evidence_lost != NULL) {
        struct ca_body lost;
        ca_body_init(&lost);
        ca_body_str(&lost, "detail", g->evidence_lost);
        LT_TRY(ca_body_event(&lost, t, "alarm.evidence", "family registrar 0", LT_SLICE(NULL, 0)));
    }
    return acme_desk_recover(g->desk, t);
}

/* What is gone is gone: the rest can be validated anew, and an alarm says that it must be. */
static lt_res open_evidence(struct registrar *g, const char *folder)
{
    const char *lost = NULL;
    LT_TRY(ca_evidence_open(g->book, folder, lt_now(), &g->arena, &lost));
    if (lost != NULL) {
        lt_log(LT_LOG_ERROR, "evidence that the book names is gone",
               "detail=\"%s\" mend=\"put evidence/ back from a copy\"", lost);
        g->evidence_lost = strdup(lost);
        LT_ASSERT(g->evidence_lost != NULL);
    }
    return LT_OK;
}

static lt_res open_book(struct registrar *g, const Ipc__Start *start)
{
    const char *path = start->store[0] != 0 ? start->store
                                            : lt_arena_printf(&g->arena, "%s/book/lintel.db", start->folder);
    char *chain = lt_arena_printf(&g->arena, "registrar-%.50s", start->host_id);
    LT_ASSERT(path != NULL && chain != NULL);
    char *writer = lt_arena_printf(&g->arena, "registrar:%s", g->config->host);
    LT_ASSERT(writer != NULL);
    const struct store_options options = {.path = path, .cache_kib = CACHE_KIB, .writer = writer};
    struct ca_host host;
    LT_TRY(store_open(&options, &g->store));
    LT_TRY(store_migrate(g->store));
    LT_TRY(ca_put_back_check(g->store));
    LT_TRY(ca_scratch_book_check(g->store, start->scratch));
    LT_TRY(ca_host_open(g->store, g->config->host, chain, start->build, lt_now(), &host));
    const struct ca_book_options book = {
        .store = g->store,
        .chain = chain,
        .host = &host,
        .build = strdup(start->build),
        .base_url = strdup(start->base_url),
        .public_http_url = strdup(start->public_http_url),
        .approvals_needed = g->config->approvals_needed,
        .seal_key = LT_SLICE(start->seal_key.data, start->seal_key.len),
        .listener = {g, issued, revoked},
        .now = lt_now(),
    };
    LT_ASSERT(book.build != NULL && book.base_url != NULL && book.public_http_url != NULL);
    LT_TRY(ca_book_open(&book, &g->book));
    g->book->config = g->config;
    g->book->no_courier = true;
    /* Issuance needs none of them: it is said, and doctor shows the log. */
    if (lt_failed(ca_eab_seal_fits(g->book, &g->arena))) {
        lt_log_error("secrets in the book");
    }
    return open_evidence(g, start->folder);
}

static lt_res start(struct role_kit *kit, const Ipc__Start *message, const int *listener_fds, void **ret_self)
{
    (void)listener_fds;
    struct registrar *g = calloc(1, sizeof *g);
    LT_ASSERT(g != NULL);
    *ret_self = g;
    g->kit = kit;
    crypto_start();
    g->folder = strdup(message->folder);
    LT_ASSERT(g->folder != NULL);
    lt_arena_init(&g->arena, GROUP_ARENA_MAX);
    LT_TRY(ca_config_parse(lt_slice_cstr(message->config_yaml), &g->config));
    LT_TRY(open_book(g, message));
    const struct acme_options options = {
        .config = g->config,
        .host_id = message->host_id,
        .boot_epoch = LT_SLICE(message->boot_epoch.data, message->boot_epoch.len),
        .random = lt_random,
        .corroborated = corroborated,
    };
    LT_TRY(acme_desk_open(&options, &g->desk));
    g->test_ca = message->test_ca;
    if (message->testing != NULL) {
        acme_desk_use_testing(g->desk, message->testing->nonce_reject, message->testing->authz_reuse);
    }
    if (message->testing != NULL && message->testing->always_valid) {
        acme_desk_use_always_valid(g->desk);
    }
    LT_TRY(load_files(g));
    LT_TRY(registrar_run(g, step_started, NULL));
    registrar_commit(g);
    LT_CHECK(g->book->row_count > 0, LT_RETRY_UNAVAILABLE,
             "the book did not take the profiles: see the lines above");
    return g->fatal;
}

int main(void)
{
    const struct role_spec spec = {
        .role = IPC_REGISTRAR,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_REGISTRAR],
        .message_arena_max = (size_t)512 * 1024 * 1024,
        .start = start,
        .linked = linked,
        .unlinked = unlinked,
        .turn_end = turn_end,
        .tick = tick,
        .reload = reload,
        .drained = drained,
    };
    return role_main(&spec);
}
