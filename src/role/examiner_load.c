/* The root-owned files that the examiner judges by: profiles, operators, issuers' certificates. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ca/config.h"
#include "role/examiner.h"

enum { CERTIFICATE_MAX = 64 * 1024, ISSUERS_ARENA_MAX = 16 * 1024 * 1024 };

/* What a load makes; it replaces the old one as a whole. */
struct loaded {
    struct lt_arena files;
    struct ca_examine_issuer issuers[EXAMINER_ISSUERS_MAX];
    size_t issuer_count;
    struct ca_profiles profiles;
    struct ca_operators operators;
    struct ca_origins origins;
    struct validate_perspectives perspectives;
    uint32_t approvals_needed;
    const char **host_names;
    size_t host_name_count;
    const char **opinion_profiles;
    bool second_opinion;
    size_t opinion_profile_count;
    int64_t opinion_timeout_s;
};

/* The first certificate of the PEM file. */
static lt_res issuer_load(struct loaded *l, int folder_fd, const struct ca_config_issuer *i)
{
    lt_slice pem = {0};
    lt_slice label = {0};
    lt_slice der = {0};
    struct ca_examine_issuer *row = &l->issuers[l->issuer_count];
    struct x509_cert *cert = LT_NEW(&l->files, struct x509_cert);
    LT_CHECK(cert != NULL, LT_PEER_TOO_LARGE, "too many issuers");
    LT_TRY(lt_file_read(&l->files, folder_fd, i->certificate, CERTIFICATE_MAX, &pem));
    LT_TRY(lt_pem_next(&l->files, &pem, &label, &der));
    LT_CHECK(lt_slice_eq_cstr(label, "CERTIFICATE"), LT_PEER_USAGE, "%s: no certificate", i->certificate);
    LT_TRY(x509_cert_parse(der, &l->files, cert));
    row->name = lt_arena_cstr(&l->files, lt_slice_cstr(i->name));
    LT_CHECK(row->name != NULL, LT_PEER_TOO_LARGE, "too many issuers");
    row->cert = cert;
    row->offline = i->offline;
    l->issuer_count++;
    return LT_OK;
}

static lt_res copy_names(struct loaded *l, const char *const *from, uint32_t count, const char ***ret_names)
{
    const char **names = LT_NEW_ARRAY(&l->files, const char *, count);
    LT_CHECK(names != NULL, LT_PEER_TOO_LARGE, "too many names in the configuration");
    for (uint32_t i = 0; i < count; i++) {
        names[i] = lt_arena_cstr(&l->files, lt_slice_cstr(from[i]));
        LT_CHECK(names[i] != NULL, LT_PEER_TOO_LARGE, "too many names in the configuration");
    }
    *ret_names = names;
    return LT_OK;
}

/* A profile that is not there would never be asked about: that is a gate left open by a slip of the pen. */
static lt_res opinion_load(struct loaded *l, const struct ca_config_opinion *o)
{
    l->second_opinion = o->command_count > 0;
    l->opinion_timeout_s = o->timeout_s;
    l->opinion_profile_count = o->profile_count;
    for (uint32_t i = 0; i < o->profile_count; i++) {
        LT_CHECK(ca_profiles_find(&l->profiles, lt_slice_cstr(o->profiles[i])) != NULL, LT_PEER_USAGE,
                 "second-opinion.profiles: there is no profile \"%.64s\"", o->profiles[i]);
    }
    return copy_names(l, o->profiles, o->profile_count, &l->opinion_profiles);
}

static lt_res load(struct loaded *l, const char *folder, const struct ca_config *config)
{
    /* At a reload the doors are locked: the folder itself may be passed through, not read. */
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    LT_CHECK(config->issuer_count <= EXAMINER_ISSUERS_MAX, LT_PEER_TOO_LARGE, "over %d issuers",
             EXAMINER_ISSUERS_MAX);
    for (uint32_t i = 0; i < config->issuer_count; i++) {
        LT_TRY(issuer_load(l, fd, &config->issuers[i]));
    }
    const char *own[CA_CONFIG_OWN_NAMES];
    uint32_t own_count = ca_config_own_names(config, own);
    LT_TRY(copy_names(l, own, own_count, &l->host_names));
    l->host_name_count = own_count;
    LT_TRY(ca_profiles_load(folder, lt_now(), &l->profiles));
    LT_TRY(opinion_load(l, &config->opinion));
    l->approvals_needed = config->approvals_needed;
    LT_TRY(ca_operators_load(fd, "operators", &l->operators));
    ca_origins_of(config->listen_operator, config->console_name, &l->origins);
    return validate_perspectives_load(fd, "perspectives", &l->perspectives);
}

static void loaded_done(struct loaded *l)
{
    ca_profiles_done(&l->profiles);
    ca_operators_done(&l->operators);
    validate_perspectives_done(&l->perspectives);
    lt_arena_done(&l->files);
}

static void take(struct examiner *e, const struct loaded *l)
{
    e->files = l->files;
    memcpy(e->issuers, l->issuers, sizeof(e->issuers));
    e->profiles = l->profiles;
    e->operators = l->operators;
    e->origins = l->origins;
    e->operators.passkeys = ca_examiner_passkeys(e->state);
    e->operators.origins = &e->origins;
    e->perspectives = l->perspectives;
    e->x.perspectives = &e->perspectives;
    e->approvals_needed = l->approvals_needed;
    e->second_opinion = l->second_opinion;
    e->opinion_profiles = l->opinion_profiles;
    e->opinion_profile_count = l->opinion_profile_count;
    e->opinion_timeout_s = l->opinion_timeout_s;
    e->x.profiles = &e->profiles;
    e->x.issuers = e->issuers;
    e->x.issuer_count = l->issuer_count;
    e->x.host_names = l->host_names;
    e->x.host_name_count = l->host_name_count;
    e->x.public_http_url = e->public_http_url;
}

lt_res examiner_load(struct examiner *e, const char *config_yaml)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    struct loaded l = {.issuer_count = 0};
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    lt_arena_init(&l.files, ISSUERS_ARENA_MAX);
    lt_res r = load(&l, e->folder, config);
    if (!lt_failed(r) && e->test_ca) {
        r = ca_profiles_check_testing(&l.profiles);
    }
    if (lt_failed(r)) {
        loaded_done(&l);
        return r;
    }
    examiner_unload(e);
    take(e, &l);
    lt_log(LT_LOG_INFO, "judging by", "profiles=%zu operators=%zu issuers=%zu rules=%zu", e->profiles.count,
           e->operators.count, e->x.issuer_count, lint_rule_count());
    return LT_OK;
}

void examiner_unload(struct examiner *e)
{
    if (e->x.profiles == NULL) {
        return;
    }
    ca_profiles_done(&e->profiles);
    ca_operators_done(&e->operators);
    validate_perspectives_done(&e->perspectives);
    lt_arena_done(&e->files);
    e->x.profiles = NULL;
}
