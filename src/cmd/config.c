/* lintel config check: lintel.yaml, profiles, operators, the policy of names and perspectives, read as the
 * programs read them, and what does not go together. Every mistake with file, line and column. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acme/names_policy.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/config_values.h"
#include "ca/operator.h"
#include "ca/public_trust.h"
#include "cmd/verbs.h"
#include "validate/perspective.h"
#include "x509/cert.h"

enum {
    CERT_FILE_MAX = 256 * 1024,
    WARNING_MAX = 600,
    REVIEW_LEAST_S = 24 * 3600,
    NAMES_MAX = 256,
    ANCHOR_MAX = 64 * 1024
};

#define ROOT_ANCHOR "/usr/share/dns/root.key"

struct check {
    struct cmd *c;
    const char *folder;
    int dir;
    struct ca_config *config;                  /* owned */
    struct ca_profiles profiles;               /* owned */
    struct acme_policy policy;                 /* owned */
    struct validate_perspectives perspectives; /* owned */
    size_t warnings;
    bool test_ca;
};

/* What can be read and will not do what was meant. */
LT_PRINTF(2, 3) static lt_res warn(struct check *k, const char *format, ...)
{
    char text[WARNING_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* cut */
    va_end(args);
    const char *before = k->warnings++ == 0 ? "" : ",";
    if (!k->c->json) {
        return cmd_printf("warning: %s\n", text);
    }
    struct lt_buf out;
    lt_buf_init(&out, (size_t)WARNING_MAX * 8);
    lt_json_add_string(&out, lt_slice_cstr(text));
    lt_res r = cmd_printf("%s%.*s", before, LT_FMT(lt_buf_slice(&out)));
    lt_buf_done(&out);
    return r;
}

static bool has_responder(const struct check *k, const char *issuer)
{
    for (size_t i = 0; i < k->profiles.count; i++) {
        const struct ca_profile *p = k->profiles.rows[i];
        if (p->kind == CA_PROFILE_RESPONDER && strcmp(p->issuer, issuer) == 0) {
            return true;
        }
    }
    return false;
}

/* Who answers has a certificate for it, and who is pointed to answers. */
static lt_res check_ocsp(const struct check *k)
{
    for (uint32_t i = 0; i < k->config->issuer_count; i++) {
        const struct ca_config_issuer *issuer = &k->config->issuers[i];
        LT_CHECK(!issuer->ocsp || has_responder(k, issuer->name), LT_PEER_USAGE,
                 "issuer %s has ocsp: true, and profiles/ has none of kind responder for it", issuer->name);
    }
    for (size_t i = 0; i < k->profiles.count; i++) {
        const struct ca_profile *p = k->profiles.rows[i];
        const struct ca_config_issuer *issuer = ca_config_issuer(k->config, lt_slice_cstr(p->issuer));
        LT_CHECK(!p->ocsp_url || (issuer != NULL && issuer->ocsp && k->config->public_http_url[0] != 0),
                 LT_PEER_USAGE,
                 "profiles/%s.yaml has ocsp-url: its issuer needs ocsp: true, and " CA_CONFIG_FILE
                 " a public-http-url",
                 p->name);
    }
    return LT_OK;
}

static lt_res check_profiles(struct check *k)
{
    LT_TRY(ca_profiles_load(k->folder, k->c->now, &k->profiles));
    for (size_t i = 0; i < k->profiles.count; i++) {
        const struct ca_profile *p = k->profiles.rows[i];
        LT_CHECK(p->kind == CA_PROFILE_CA || ca_config_issuer(k->config, lt_slice_cstr(p->issuer)) != NULL,
                 LT_PEER_USAGE, "profiles/%s.yaml: issuer %s is not among the issuers of " CA_CONFIG_FILE,
                 p->name, p->issuer);
        LT_CHECK(p->kind == CA_PROFILE_CA || !p->crl_distribution || k->config->public_http_url[0] != 0,
                 LT_PEER_USAGE,
                 "profiles/%s.yaml wants CRL URLs, and " CA_CONFIG_FILE " has no public-http-url", p->name);
    }
    LT_TRY(check_ocsp(k));
    const struct ca_profile *usual = ca_profiles_find(&k->profiles,
                                                      lt_slice_cstr(k->config->default_profile));
    LT_CHECK(usual != NULL && usual->kind == CA_PROFILE_SUBSCRIBER, LT_PEER_USAGE,
             CA_CONFIG_FILE ": default-profile: \"%s\" is no profile for subscribers",
             k->config->default_profile);
    return LT_OK;
}

/* The examiner refuses the same at its start; here it is said before that. */
static lt_res check_opinion(const struct check *k)
{
    const struct ca_config_opinion *o = &k->config->opinion;
    for (uint32_t i = 0; i < o->profile_count; i++) {
        LT_CHECK(ca_profiles_find(&k->profiles, lt_slice_cstr(o->profiles[i])) != NULL, LT_PEER_USAGE,
                 CA_CONFIG_FILE ": second-opinion.profiles: there is no profile \"%.64s\"", o->profiles[i]);
    }
    LT_CHECK(o->command_count == 0 || access(o->command[0], X_OK) == 0, LT_PEER_USAGE,
             CA_CONFIG_FILE ": second-opinion.command: %.200s: %s", o->command[0], strerror(errno));
    return LT_OK;
}

/* As the validator reads it at its start. */
static lt_res check_anchor(struct check *k)
{
    struct lt_arena a;
    lt_slice text;
    const char *file = k->config->trust_anchor;
    if (!k->config->dnssec || file[0] == 0) {
        return LT_OK;
    }
    lt_arena_init(&a, (size_t)ANCHOR_MAX * 2);
    lt_res r = lt_file_read(&a, k->dir, file, ANCHOR_MAX, &text);
    if (lt_failed(r)) {
        char why[256];
        (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail);
        r = lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, CA_CONFIG_FILE ": validation.trust-anchor: %s", why);
    } else {
        r = ca_value_anchors(file, text);
    }
    lt_arena_done(&a);
    return r;
}

static lt_res check_issuer(const struct check *k, const struct ca_config_issuer *issuer)
{
    struct lt_arena a;
    lt_slice pem;
    lt_slice label;
    lt_slice der;
    struct x509_cert cert;
    lt_arena_init(&a, (size_t)CERT_FILE_MAX * 16);
    lt_res r = lt_file_read(&a, k->dir, issuer->certificate, CERT_FILE_MAX, &pem);
    r = lt_failed(r) ? r : lt_pem_next(&a, &pem, &label, &der);
    r = lt_failed(r) ? r : x509_cert_parse(der, &a, &cert);
    bool in_force = !lt_failed(r) && k->c->now.us >= cert.not_before.us && k->c->now.us < cert.not_after.us;
    lt_arena_done(&a);
    LT_TRY(r);
    LT_CHECK(in_force, LT_PEER_USAGE, "issuer %s: %s is not in force today", issuer->name,
             issuer->certificate);
    LT_CHECK(issuer->key[0] == 0 || faccessat(k->dir, issuer->key, F_OK, 0) == 0, LT_PEER_USAGE,
             "issuer %s: %s: %s", issuer->name, issuer->key, strerror(errno));
    return LT_OK;
}

static lt_res check_policy(const struct check *k)
{
    for (size_t i = 0; i < k->policy.count; i++) {
        const struct acme_policy_row *row = &k->policy.rows[i];
        LT_CHECK(row->profile == NULL || ca_profiles_find(&k->profiles, lt_slice_cstr(row->profile)) != NULL,
                 LT_PEER_USAGE, ACME_POLICY_FILE ": row %s: there is no profile \"%.64s\"", row->id,
                 row->profile);
    }
    return LT_OK;
}

/* Profiles that can be read and that the gate would let nothing through for. */
static lt_res say_contradictions(struct check *k)
{
    for (size_t i = 0; i < k->profiles.count; i++) {
        const char *why = ca_profile_contradiction(k->profiles.rows[i]);
        if (why != NULL) {
            LT_TRY(warn(k, "profiles/%s.yaml: %s: the linter will stop every order",
                        k->profiles.rows[i]->name, why));
        }
    }
    return LT_OK;
}

/* What public certificates need beside their profile. */
static lt_res say_public(struct check *k)
{
    char names[NAMES_MAX];
    struct ca_public_trust trust;
    ca_public_profile_names(&k->profiles, names, sizeof names);
    if (names[0] == '\0') {
        return LT_OK;
    }
    ca_public_trust_judge(k->config, &k->perspectives, k->c->now, &trust);
    for (size_t i = 0; i < trust.lack_count; i++) {
        LT_TRY(
            warn(k, "profiles %s are public, and every order by them is refused: %s", names, trust.lacks[i]));
    }
    k->c->findings += (int)trust.lack_count; /* whoever asks in a script shall see it; few */
    return trust.soon[0] == '\0'
               ? LT_OK
               : warn(k, "profiles %s are public, and soon every order by them is refused: %s", names,
                      trust.soon);
}

/* A person wants a night. */
static lt_res say_reviews(struct check *k)
{
    for (size_t i = 0; i < k->policy.count; i++) {
        if (k->policy.rows[i].action == ACME_POLICY_REVIEW && k->config->order_lifetime_s < REVIEW_LEAST_S) {
            return warn(k,
                        ACME_POLICY_FILE ": row %s waits for a person, and acme.order-lifetime is %lld "
                                         "minutes: the order ends before anybody has looked",
                        k->policy.rows[i].id, (long long)k->config->order_lifetime_s / 60);
        }
    }
    return LT_OK;
}

static lt_res say_warnings(struct check *k)
{
    LT_TRY(say_contradictions(k));
    LT_TRY(say_public(k));
    LT_TRY(say_reviews(k));
    if (k->test_ca) {
        LT_TRY(warn(k, "this is a test CA: nobody may trust what it issues"));
    }
    if (k->config->dnssec && k->config->allow_private) {
        LT_TRY(warn(
            k, "validation.allow-private: true: a name may be proven by a server on a private or loopback "
               "address; only for a private network"));
    }
    if (k->config->dnssec && k->config->trust_anchor[0] == 0 && access(ROOT_ANCHOR, R_OK) != 0) {
        LT_TRY(warn(k, ROOT_ANCHOR ": %s: no answer of the DNS can be proven; install dns-root-data",
                    strerror(errno)));
    }
    return k->config->dnssec
               ? LT_OK
               : warn(k, "validation.dnssec: none: answers of the DNS are believed as they come; "
                         "only for a private network");
}

static lt_res check_all(struct check *k)
{
    struct ca_operators operators = {.count = 0};
    LT_TRY(ca_config_load(k->folder, &k->config));
    LT_TRY(cmd_testing_check(k->folder, k->config, k->c->now, &k->test_ca));
    LT_TRY(check_profiles(k));
    LT_TRY(check_opinion(k));
    LT_TRY(check_anchor(k));
    LT_TRY(acme_policy_load(k->dir, &k->policy));
    LT_TRY(check_policy(k));
    LT_TRY(validate_perspectives_load(k->dir, "perspectives", &k->perspectives));
    for (uint32_t i = 0; i < k->config->issuer_count; i++) {
        LT_TRY(check_issuer(k, &k->config->issuers[i]));
    }
    LT_TRY(ca_operators_load(k->dir, "operators", &operators));
    size_t approvers = 0;
    for (size_t i = 0; i < operators.count; i++) {
        approvers += (operators.list[i].roles & CA_ROLE_APPROVER) != 0;
    }
    size_t count = operators.count;
    ca_operators_done(&operators);
    if (k->c->json) {
        LT_TRY(cmd_printf("{\"profiles\":%zu,\"issuers\":%u,\"operators\":%zu,\"approvers\":%zu,"
                          "\"approvals_needed\":%u,\"policy_rows\":%zu,\"perspectives\":%zu,\"warnings\":[",
                          k->profiles.count, k->config->issuer_count, count, approvers,
                          k->config->approvals_needed, k->policy.count, k->perspectives.count));
        LT_TRY(say_warnings(k));
        return cmd_printf("],\"ok\":%s}\n", k->c->findings == 0 ? "true" : "false");
    }
    LT_TRY(say_warnings(k));
    LT_TRY(cmd_printf("%s: %zu profiles, %u issuers, %zu operators, %zu rows of policy, %zu perspectives\n",
                      k->c->findings == 0 ? "ok" : "NOT OK", k->profiles.count, k->config->issuer_count,
                      count, k->policy.count, k->perspectives.count));
    if (approvers < k->config->approvals_needed) {
        return cmd_printf("note: %zu approvers, and plans need %u approvals: lintel operator add NAME --role "
                          "approver\n",
                          approvers, k->config->approvals_needed);
    }
    return LT_OK;
}

static lt_res run(struct cmd *c)
{
    struct check k = {.c = c};
    LT_TRY(cmd_folder(c, &k.folder));
    k.dir = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k.dir >= 0, LT_PEER_USAGE, "%s: %s", k.folder, strerror(errno));
    lt_res r = check_all(&k);
    ca_profiles_done(&k.profiles);
    acme_policy_done(&k.policy);
    validate_perspectives_done(&k.perspectives);
    ca_config_free(k.config);
    (void)close(k.dir); /* only read */
    return r;
}

const struct cmd_verb cmd_config_check = {
    .name = "config check",
    .words = "",
    .summary = "check lintel.yaml, profiles, operators, policy and perspectives before they are taken up",
    .help = "Exit status 1 when something cannot be read or cannot work, 6 when it can be read and every "
            "order by\n"
            "a public profile would be refused; warnings alone leave it 0.\n\nexamples:\n  lintel config "
            "check --dir /srv/ca && systemctl reload lintel\n",
    .options = NULL,
    .option_count = 0,
    .run = run,
};
