/* lintel.yaml → struct ca_config. The schema is one flat table per section; what a schema cannot say
 * (durations, addresses, combinations) is checked afterwards, with the position of the value. */
#include "ca/config.h"

#include "ca/crl_shard.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca/config_values.h"
#include "ca/yaml_load.h"

enum {
    ARENA_MAX = 4 * 1024 * 1024,
    STRING_MAX = 1024,
    HOSTS_MAX = 32,
    ISSUERS_MAX = 64,
    DEFAULT_UID_BASE = 71000,
    OPINION_WORDS_MAX = 32,
    BOOK_GROUP = 90, /* above every role number */
    CAP_MAX = 2000000000,
    TERMS_VERSION_MAX = 64,
};

struct raw_issuer {
    const char *name;
    const char *key;
    const char *pkcs11_uri;
    const char *certificate;
    const bool *crl;
    bool offline;
    bool ocsp;
    const char *crl_shards;
    const char *cap;
};

/* What the schema fills: c directly where the types agree, the rest to be converted. Sections of the file
 * are flattened into it. */
struct raw {
    struct ca_config c;
    struct raw_issuer *issuers;
    uint32_t issuer_count;
    const char *console_session;
    const char *order_lifetime;
    const char *authorization_lifetime;
    const char *proof_lifetime;
    const char *accounts_per_address;
    const char *orders_per_account;
    const char *failures_per_name;
    const char *crl_interval;
    const char *crl_lifetime;
    const char *opinion_timeout;
    const char *opinion_processes;
    const char *gateways;
    const char *notaries;
    const char *readers;
    const char *validation_http_port;
    const char *validation_https_port;
    const char *dnssec;
    const char *pending_authorizations;
    const char *names_per_order;
    const char *pause_failures;
    const char *pause_quiet;
    const char *approvals_needed;
    const char *revoke_alone;
    const char *mail_rate;
    const char *uid_base;
    const char *testing_nonce_reject;
    const char *testing_authz_reuse;
    const char *testing_sleep;
};

#define STRING(key_, member_) \
    CYAML_FIELD_STRING_PTR(key_, CYAML_FLAG_OPTIONAL, struct raw, member_, 0, STRING_MAX)
#define BOOL(key_, member_) CA_YAML_BOOL(key_, CYAML_FLAG_OPTIONAL, struct raw, member_)
#define LIST(key_, member_, count_, entry_, max_)                                                           \
    CYAML_FIELD_SEQUENCE_COUNT(key_, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, member_, count_, \
                               entry_, 0, max_)
/* A section that is written into the same struct as the file around it. */
#define SECTION(key_, fields_)               \
    {                                        \
        .key = key_, .data_offset = 0,       \
        .value = {                           \
            .type = CYAML_MAPPING,           \
            .flags = CYAML_FLAG_OPTIONAL,    \
            .data_size = sizeof(struct raw), \
            .mapping = {.fields = fields_},  \
        },                                   \
    }

static const cyaml_schema_value_t string_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, STRING_MAX),
};

#define ISSUER_STRING(key_, member_, flags_) \
    CYAML_FIELD_STRING_PTR(key_, flags_, struct raw_issuer, member_, 0, STRING_MAX)
static const cyaml_schema_field_t issuer_fields[] = {
    ISSUER_STRING("name", name, CYAML_FLAG_DEFAULT),
    ISSUER_STRING("key", key, CYAML_FLAG_OPTIONAL),
    ISSUER_STRING("pkcs11-uri", pkcs11_uri, CYAML_FLAG_OPTIONAL),
    ISSUER_STRING("certificate", certificate, CYAML_FLAG_DEFAULT),
    CYAML_FIELD_ENUM_PTR("crl", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
                         struct raw_issuer, crl, ca_yaml_truth, 2),
    CA_YAML_BOOL("offline", CYAML_FLAG_OPTIONAL, struct raw_issuer, offline),
    CA_YAML_BOOL("ocsp", CYAML_FLAG_OPTIONAL, struct raw_issuer, ocsp),
    ISSUER_STRING("crl-shards", crl_shards, CYAML_FLAG_OPTIONAL),
    ISSUER_STRING("cap", cap, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t issuer_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_issuer, issuer_fields),
};

static const cyaml_schema_field_t listen_fields[] = {
    STRING("https", c.listen_https),
    STRING("http", c.listen_http),
    STRING("operator", c.listen_operator),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t console_fields[] = {
    STRING("name", c.console_name),
    STRING("session", console_session),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t acme_fields[] = {
    STRING("terms-of-service", c.terms_of_service),
    STRING("terms-version", c.terms_version),
    BOOL("terms-revocation-clause", c.terms_clause),
    STRING("website", c.website),
    LIST("caa-identities", c.caa_identities, c.caa_identity_count, &string_entry, HOSTS_MAX),
    STRING("order-lifetime", order_lifetime),
    STRING("authorization-lifetime", authorization_lifetime),
    BOOL("external-account-required", c.external_account_required),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t enrolment_fields[] = {
    STRING("proof-lifetime", proof_lifetime),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t validation_fields[] = {
    STRING("resolver", c.resolver),
    STRING("http-port", validation_http_port),
    STRING("https-port", validation_https_port),
    STRING("trust-anchor", c.trust_anchor),
    STRING("dnssec", dnssec),
    BOOL("allow-private", c.allow_private),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t rate_fields[] = {
    STRING("accounts-per-address", accounts_per_address),
    STRING("orders-per-account", orders_per_account),
    STRING("failures-per-name", failures_per_name),
    STRING("pending-authorizations-per-account", pending_authorizations),
    STRING("names-per-order", names_per_order),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t pausing_fields[] = {
    STRING("failures", pause_failures),
    STRING("quiet", pause_quiet),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t crl_fields[] = {
    STRING("interval", crl_interval),
    STRING("lifetime", crl_lifetime),
    CA_YAML_BOOL("fetch-back", CYAML_FLAG_OPTIONAL, struct raw, c.crl_fetch_back),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t usage_fields[] = {
    CA_YAML_BOOL("scan", CYAML_FLAG_OPTIONAL, struct raw, c.usage_scan),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t approval_fields[] = {
    STRING("needed", approvals_needed),
    STRING("revoke-alone", revoke_alone),
    CYAML_FIELD_END,
};
static const cyaml_strval_t opinion_formats[] = {{"zlint", CA_OPINION_ZLINT}, {"status", CA_OPINION_STATUS}};
static const cyaml_strval_t opinion_levels[] = {
    {"error", CA_OPINION_ERROR}, {"warn", CA_OPINION_WARN}, {"notice", CA_OPINION_NOTICE}};
static const cyaml_schema_field_t opinion_fields[] = {
    LIST("command", c.opinion.command, c.opinion.command_count, &string_entry, OPINION_WORDS_MAX),
    STRING("timeout", opinion_timeout),
    LIST("profiles", c.opinion.profiles, c.opinion.profile_count, &string_entry, OPINION_WORDS_MAX),
    LIST("paths", c.opinion.paths, c.opinion.path_count, &string_entry, OPINION_WORDS_MAX),
    CYAML_FIELD_ENUM("format", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, c.opinion.format,
                     opinion_formats, LT_COUNT(opinion_formats)),
    CYAML_FIELD_ENUM("fail-on", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, c.opinion.fail_on,
                     opinion_levels, LT_COUNT(opinion_levels)),
    STRING("processes", opinion_processes),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t testing_fields[] = {
    STRING("management", c.testing.management),   STRING("nonce-reject", testing_nonce_reject),
    STRING("authz-reuse", testing_authz_reuse),   STRING("sleep", testing_sleep),
    BOOL("always-valid", c.testing.always_valid), CYAML_FIELD_END,
};
static const cyaml_schema_field_t mail_fields[] = {
    STRING("relay", c.mail_relay),
    STRING("from", c.mail_from),
    STRING("rate", mail_rate),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t hook_fields[] = {
    CA_YAML_BOOL("send", CYAML_FLAG_OPTIONAL, struct raw, c.hooks),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t token_fields[] = {
    STRING("module", c.token_module),
    STRING("pin-file", c.token_pin_file),
    CYAML_FIELD_END,
};
static const cyaml_strval_t log_formats[] = {
    {"auto", CA_LOG_AUTO}, {"json", CA_LOG_JSON}, {"text", CA_LOG_TEXT}};
static const cyaml_strval_t log_levels[] = {
    {"debug", 1}, {"info", 2}, {"warn", 3}, {"error", 4}}; /* 0: not written */
static const cyaml_schema_field_t log_fields[] = {
    CYAML_FIELD_ENUM("format", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, c.log_format, log_formats,
                     LT_COUNT(log_formats)),
    CYAML_FIELD_ENUM("level", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, c.log_level, log_levels,
                     LT_COUNT(log_levels)),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t fields[] = {
    STRING("name", c.name),
    LIST("host-names", c.host_names, c.host_name_count, &string_entry, HOSTS_MAX),
    SECTION("listen", listen_fields),
    SECTION("console", console_fields),
    STRING("base-url", c.base_url),
    STRING("public-http-url", c.public_http_url),
    STRING("gateways", gateways),
    STRING("notaries", notaries),
    STRING("readers", readers),
    STRING("passphrase-file", c.passphrase_file),
    STRING("journal-mirror", c.journal_mirror),
    STRING("store", c.store),
    STRING("host", c.host),
    LIST("issuers", issuers, issuer_count, &issuer_entry, ISSUERS_MAX),
    STRING("default-profile", c.default_profile),
    SECTION("acme", acme_fields),
    SECTION("enrolment", enrolment_fields),
    SECTION("validation", validation_fields),
    SECTION("rate-limits", rate_fields),
    SECTION("pausing", pausing_fields),
    SECTION("crl", crl_fields),
    SECTION("usage", usage_fields),
    SECTION("approvals", approval_fields),
    SECTION("second-opinion", opinion_fields),
    SECTION("mail", mail_fields),
    SECTION("hooks", hook_fields),
    SECTION("token", token_fields),
    SECTION("testing", testing_fields),
    STRING("uid-base", uid_base),
    SECTION("log", log_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, fields)};

/* What stands for a string that is not written down. */
static const struct {
    size_t offset; /* in struct raw */
    const char *value;
} string_defaults[] = {
    {offsetof(struct raw, c.name), "Lintel"},
    {offsetof(struct raw, c.listen_https), "127.0.0.1:14000"},
    {offsetof(struct raw, c.listen_http), "127.0.0.1:14080"},
    {offsetof(struct raw, c.listen_operator), "127.0.0.1:14001"},
    {offsetof(struct raw, c.console_name), "localhost"},
    {offsetof(struct raw, console_session), "1h"},
    {offsetof(struct raw, c.passphrase_file), "secrets/passphrase"},
    {offsetof(struct raw, c.journal_mirror), ""},
    {offsetof(struct raw, c.store), ""},
    {offsetof(struct raw, c.host), CA_CONFIG_HOST_MAIN},
    {offsetof(struct raw, c.default_profile), "tls-server"},
    {offsetof(struct raw, c.terms_of_service), ""},
    {offsetof(struct raw, c.terms_version), ""},
    {offsetof(struct raw, c.website), ""},
    {offsetof(struct raw, c.resolver), ""},
    {offsetof(struct raw, c.trust_anchor), ""},
    {offsetof(struct raw, dnssec), "root"},
    {offsetof(struct raw, c.mail_relay), ""},
    {offsetof(struct raw, c.mail_from), ""},
    {offsetof(struct raw, c.token_module), ""},
    {offsetof(struct raw, c.token_pin_file), ""},
    {offsetof(struct raw, order_lifetime), "7d"},
    /* Shorter than the eight hours for which a CAA check holds, so that none has to be repeated. */
    {offsetof(struct raw, authorization_lifetime), "7h"},
    {offsetof(struct raw, proof_lifetime), "30d"},
    {offsetof(struct raw, accounts_per_address), "1000/1h"},
    {offsetof(struct raw, orders_per_account), "1000000/1h"},
    {offsetof(struct raw, failures_per_name), "60/1h"},
    {offsetof(struct raw, pause_quiet), "30d"},
    {offsetof(struct raw, crl_interval), "6h"},
    {offsetof(struct raw, crl_lifetime), "7d"},
    {offsetof(struct raw, opinion_timeout), "10s"},
};

/* Numbers: what stands for one that is not written, and the range. */
static const struct {
    size_t from; /* const char * in struct raw */
    size_t to;   /* uint32_t in struct raw */
    const char *path;
    uint32_t value;
    uint32_t least;
    uint32_t most;
} number_rules[] = {
    {offsetof(struct raw, gateways), offsetof(struct raw, c.gateways), "gateways", 2, 1, IPC_MAX_INSTANCES},
    {offsetof(struct raw, notaries), offsetof(struct raw, c.notaries), "notaries", 2, 1, IPC_MAX_INSTANCES},
    {offsetof(struct raw, readers), offsetof(struct raw, c.readers), "readers", 1, 1, IPC_MAX_INSTANCES},
    {offsetof(struct raw, validation_http_port), offsetof(struct raw, c.validation_http_port),
     "validation.http-port", 80, 1, 65535},
    {offsetof(struct raw, validation_https_port), offsetof(struct raw, c.validation_https_port),
     "validation.https-port", 443, 1, 65535},
    {offsetof(struct raw, pending_authorizations), offsetof(struct raw, c.pending_authorizations_per_account),
     "rate-limits.pending-authorizations-per-account", 10000, 1, 10000000},
    {offsetof(struct raw, names_per_order), offsetof(struct raw, c.names_per_order),
     "rate-limits.names-per-order", 100, 1, 100},
    {offsetof(struct raw, pause_failures), offsetof(struct raw, c.pause_failures), "pausing.failures", 20, 0,
     1000000},
    {offsetof(struct raw, approvals_needed), offsetof(struct raw, c.approvals_needed), "approvals.needed", 2,
     1, 16},
    {offsetof(struct raw, revoke_alone), offsetof(struct raw, c.revoke_alone), "approvals.revoke-alone",
     CA_REVOKE_ALONE, 0, 1000000},
    {offsetof(struct raw, mail_rate), offsetof(struct raw, c.mail_rate), "mail.rate", 20, 1, 1000},
    {offsetof(struct raw, opinion_processes), offsetof(struct raw, c.opinion.processes),
     "second-opinion.processes", 2, 1, 16},
    {offsetof(struct raw, uid_base), offsetof(struct raw, c.uid_base), "uid-base", DEFAULT_UID_BASE, 0,
     INT32_MAX},
    {offsetof(struct raw, testing_nonce_reject), offsetof(struct raw, c.testing.nonce_reject),
     "testing.nonce-reject", 0, 0, 100},
    {offsetof(struct raw, testing_authz_reuse), offsetof(struct raw, c.testing.authz_reuse),
     "testing.authz-reuse", 100, 0, 100},
    {offsetof(struct raw, testing_sleep), offsetof(struct raw, c.testing.sleep_s), "testing.sleep", 0, 0, 30},
};

static const struct {
    size_t from; /* const char * in struct raw */
    size_t to;   /* int64_t in struct raw */
    const char *path;
    int64_t least;
    int64_t most;
} duration_rules[] = {
    {offsetof(struct raw, console_session), offsetof(struct raw, c.console_session_s), "console.session", 60,
     28800},
    {offsetof(struct raw, order_lifetime), offsetof(struct raw, c.order_lifetime_s), "acme.order-lifetime",
     60, 90 * LT_SECONDS_PER_DAY},
    {offsetof(struct raw, authorization_lifetime), offsetof(struct raw, c.authorization_lifetime_s),
     "acme.authorization-lifetime", 60, 200 * LT_SECONDS_PER_DAY},
    {offsetof(struct raw, proof_lifetime), offsetof(struct raw, c.proof_lifetime_s),
     "enrolment.proof-lifetime", 60, 200 * LT_SECONDS_PER_DAY},
    {offsetof(struct raw, pause_quiet), offsetof(struct raw, c.pause_quiet_s), "pausing.quiet", 60,
     3650 * LT_SECONDS_PER_DAY},
    {offsetof(struct raw, crl_interval), offsetof(struct raw, c.crl_interval_s), "crl.interval", 60,
     4 * LT_SECONDS_PER_DAY},
    {offsetof(struct raw, crl_lifetime), offsetof(struct raw, c.crl_lifetime_s), "crl.lifetime", 600,
     10 * LT_SECONDS_PER_DAY},
    {offsetof(struct raw, opinion_timeout), offsetof(struct raw, c.opinion.timeout_s),
     "second-opinion.timeout", 1, 300},
};

static const struct {
    size_t from;
    size_t to; /* struct ca_config_rate */
    const char *path;
} rate_rules[] = {
    {offsetof(struct raw, accounts_per_address), offsetof(struct raw, c.accounts_per_address),
     "rate-limits.accounts-per-address"},
    {offsetof(struct raw, orders_per_account), offsetof(struct raw, c.orders_per_account),
     "rate-limits.orders-per-account"},
    {offsetof(struct raw, failures_per_name), offsetof(struct raw, c.failures_per_name),
     "rate-limits.failures-per-name"},
};

static void *member(struct raw *raw, size_t offset)
{
    return (char *)raw + offset;
}

static lt_res apply_numbers(const struct ca_yaml *y, struct raw *raw)
{
    for (size_t i = 0; i < LT_COUNT(string_defaults); i++) {
        const char **s = member(raw, string_defaults[i].offset);
        *s = *s != NULL ? *s : string_defaults[i].value;
    }
    for (size_t i = 0; i < LT_COUNT(number_rules); i++) {
        const char *text = *(const char *const *)member(raw, number_rules[i].from);
        uint32_t *n = member(raw, number_rules[i].to);
        *n = number_rules[i].value;
        if (text != NULL) {
            LT_TRY(ca_yaml_number(y, number_rules[i].path, text, number_rules[i].least, number_rules[i].most,
                                  n));
        }
    }
    if (raw->c.uid_base != 0 && raw->c.uid_base < 1000) {
        return ca_yaml_refuse(y, "uid-base",
                              "%u may belong to people or the system; write 0 for none, or 1000 "
                              "and above",
                              raw->c.uid_base);
    }
    raw->c.log_level = raw->c.log_level == 0 ? 1 : raw->c.log_level - 1;
    return LT_OK;
}

static lt_res apply_durations(const struct ca_yaml *y, struct raw *raw)
{
    for (size_t i = 0; i < LT_COUNT(duration_rules); i++) {
        const char *const *text = member(raw, duration_rules[i].from);
        int64_t *seconds = member(raw, duration_rules[i].to);
        LT_TRY(ca_yaml_duration(y, duration_rules[i].path, *text, seconds));
        if (*seconds < duration_rules[i].least || *seconds > duration_rules[i].most) {
            bool days = duration_rules[i].most >= LT_SECONDS_PER_DAY;
            return ca_yaml_refuse(y, duration_rules[i].path, "%s is out of range; write %llds to %lld%s",
                                  *text, (long long)duration_rules[i].least,
                                  (long long)(duration_rules[i].most / (days ? LT_SECONDS_PER_DAY : 1)),
                                  days ? "d" : "s");
        }
    }
    if (raw->c.crl_interval_s >= raw->c.crl_lifetime_s) {
        return ca_yaml_refuse(y, "crl.interval",
                              "not shorter than crl.lifetime: each CRL would be out of date "
                              "before the next one");
    }
    return LT_OK;
}

static lt_res apply_rates(const struct ca_yaml *y, struct raw *raw)
{
    for (size_t i = 0; i < LT_COUNT(rate_rules); i++) {
        const char *text = *(const char *const *)member(raw, rate_rules[i].from);
        struct ca_config_rate *rate = member(raw, rate_rules[i].to);
        if (strcmp(text, "none") == 0) {
            continue;
        }
        size_t slash = strcspn(text, "/");
        uint64_t count = 0;
        if (text[slash] == 0 || lt_failed(lt_parse_u64(LT_SLICE(text, slash), UINT32_MAX, &count)) ||
            count == 0) {
            return ca_yaml_refuse(y, rate_rules[i].path, "\"%.40s\" is no rate; write 300/3h, or none", text);
        }
        LT_TRY(ca_yaml_duration(y, rate_rules[i].path, text + slash + 1, &rate->per_s));
        if (rate->per_s < 1) {
            return ca_yaml_refuse(y, rate_rules[i].path, "a rate needs a period; write 300/3h, or none");
        }
        rate->count = (uint32_t)count;
    }
    return LT_OK;
}

static bool name_ok(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
           name[0] != '-';
}

/* A path below the folder: relative, without "..". */
static bool path_below(const char *path)
{
    lt_slice rest = lt_slice_cstr(path);
    lt_slice part;
    if (rest.len == 0 || path[0] == '/') {
        return false;
    }
    while (lt_slice_split(&rest, '/', &part)) {
        if (part.len == 0 || lt_slice_eq_cstr(part, "..") || lt_slice_eq_cstr(part, ".")) {
            return false;
        }
    }
    return true;
}

static lt_res check_issuer(const struct ca_yaml *y, const struct raw *raw, uint32_t index)
{
    const struct ca_config_issuer *issuer = &raw->c.issuers[index];
    char path[64];
    (void)snprintf(path, sizeof(path), "issuers.%u", index);
    bool key = issuer->key[0] != 0;
    bool uri = issuer->pkcs11_uri[0] != 0;
    if (!name_ok(issuer->name)) {
        return ca_yaml_refuse(y, path, "the name \"%.40s\" must be 1 to 32 of a-z 0-9 -", issuer->name);
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(raw->c.issuers[i].name, issuer->name) == 0) {
            return ca_yaml_refuse(y, path, "a second issuer is named \"%s\"", issuer->name);
        }
    }
    if (!path_below(issuer->certificate) || (key && !path_below(issuer->key))) {
        return ca_yaml_refuse(y, path, "certificate and key are paths below the CA folder, without \"..\"");
    }
    if (issuer->offline ? (key || uri) : (key == uri)) {
        return ca_yaml_refuse(y, path, "%s",
                              issuer->offline ? "offline, so it can have neither key nor pkcs11-uri"
                                              : "write one of key, pkcs11-uri, offline: true");
    }
    if (issuer->ocsp && (issuer->offline || strcmp(issuer->name, "root") == 0)) {
        return ca_yaml_refuse(y, path, "\"%s\" certifies no OCSP responder by itself: leave ocsp out",
                              issuer->name);
    }
    if (uri && (strncmp(issuer->pkcs11_uri, "pkcs11:", 7) != 0 || raw->c.token_module[0] == 0)) {
        return ca_yaml_refuse(y, path, "pkcs11-uri begins \"pkcs11:\" and needs token.module");
    }
    return LT_OK;
}

static lt_res apply_shards(const struct ca_yaml *y, const struct raw_issuer *in, uint32_t index,
                           struct ca_config_issuer *issuer)
{
    char path[48];
    if (in->crl_shards == NULL) {
        return LT_OK;
    }
    (void)snprintf(path, sizeof path, "issuers.%u.crl-shards", index);
    LT_TRY(ca_yaml_number(y, path, in->crl_shards, 0, CA_CRL_SHARDS_MAX, &issuer->crl_shards));
    if (issuer->crl_shards > 0 && (!issuer->crl || issuer->offline)) {
        return ca_yaml_refuse(y, path, "there is no CRL of \"%s\" that could have shards", issuer->name);
    }
    return LT_OK;
}

static lt_res apply_cap(const struct ca_yaml *y, const struct raw_issuer *in, uint32_t index,
                        struct ca_config_issuer *issuer)
{
    char path[48];
    if (in->cap == NULL) {
        return LT_OK;
    }
    (void)snprintf(path, sizeof path, "issuers.%u.cap", index);
    return ca_yaml_number(y, path, in->cap, 1, CAP_MAX, &issuer->cap);
}

static lt_res apply_issuers(const struct ca_yaml *y, struct raw *raw)
{
    struct ca_config_issuer *out = LT_NEW_ARRAY(&raw->c.arena, struct ca_config_issuer,
                                                raw->issuer_count + 1);
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "%s:1:1: too many issuers", y->file);
    raw->c.issuers = out;
    raw->c.issuer_count = raw->issuer_count;
    for (uint32_t i = 0; i < raw->issuer_count; i++) {
        const struct raw_issuer *in = &raw->issuers[i];
        out[i] = (struct ca_config_issuer){
            .name = in->name,
            .key = in->key != NULL ? in->key : "",
            .pkcs11_uri = in->pkcs11_uri != NULL ? in->pkcs11_uri : "",
            .certificate = in->certificate,
            .crl = in->crl == NULL || *in->crl,
            .offline = in->offline,
            .ocsp = in->ocsp,
        };
        LT_TRY(check_issuer(y, raw, i));
        LT_TRY(apply_shards(y, in, i, &out[i]));
        LT_TRY(apply_cap(y, in, i, &out[i]));
    }
    return LT_OK;
}

/* An absolute path, as nobody's PATH decides what judges here. */
static lt_res check_opinion(const struct ca_yaml *y, struct raw *raw)
{
    struct ca_config_opinion *o = &raw->c.opinion;
    o->fail_on = o->fail_on == 0 ? CA_OPINION_ERROR : o->fail_on;
    if (o->command_count == 0) {
        if (o->profile_count + o->path_count > 0 || o->format != CA_OPINION_AUTO) {
            return ca_yaml_refuse(y, "second-opinion", "there is no command; write [/usr/bin/zlint, \"-\"]");
        }
        return LT_OK;
    }
    for (uint32_t i = 0; i <= o->path_count; i++) {
        const char *path = i == 0 ? o->command[0] : o->paths[i - 1];
        if (path[0] != '/') {
            return ca_yaml_refuse(y, i == 0 ? "second-opinion.command" : "second-opinion.paths",
                                  "\"%.60s\" is no absolute path; write [/usr/bin/zlint, \"-\"]", path);
        }
    }
    const char *base = strrchr(o->command[0], '/') + 1;
    if (o->format == CA_OPINION_AUTO) {
        o->format = strcmp(base, "zlint") == 0 ? CA_OPINION_ZLINT : CA_OPINION_STATUS;
    }
    return LT_OK;
}

lt_res ca_config_split_address(struct lt_arena *a, const char *address, const char **ret_host,
                               uint16_t *ret_port)
{
    lt_slice s = lt_slice_cstr(address);
    const char *colon = strrchr(address, ':');
    uint64_t port = 0;
    LT_CHECK(colon != NULL && !lt_failed(lt_parse_u64(lt_slice_cstr(colon + 1), 65535, &port)), LT_PEER_USAGE,
             "\"%.60s\" is no ADDRESS:PORT", address);
    lt_slice host = lt_slice_sub(s, 0, (size_t)(colon - address));
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        host = lt_slice_sub(host, 1, host.len - 2);
    } else {
        LT_CHECK(lt_slice_find(host, ':') == host.len, LT_PEER_USAGE,
                 "\"%.60s\": write an IPv6 address in brackets, [::1]:443", address);
    }
    LT_CHECK(host.len > 0, LT_PEER_USAGE, "\"%.60s\" has no address; write 0.0.0.0 or [::] for all", address);
    *ret_host = lt_arena_cstr(a, host);
    LT_CHECK(*ret_host != NULL, LT_PEER_TOO_LARGE, "\"%.60s\" is too long", address);
    *ret_port = (uint16_t)port;
    return LT_OK;
}

/* "root": down from the trust anchor. "none" is for the names of a private network, which no anchor knows. */
static lt_res apply_dnssec(const struct ca_yaml *y, struct raw *raw)
{
    raw->c.dnssec = strcmp(raw->dnssec, "none") != 0;
    if (raw->c.dnssec && strcmp(raw->dnssec, "root") != 0) {
        return ca_yaml_refuse(y, "validation.dnssec", "\"%.40s\" is neither root nor none", raw->dnssec);
    }
    /*= CABF-BR 3.2.2.8.1 "CAs MUST NOT use local policy to disable DNSSEC validation" */
    if (!raw->c.dnssec && !raw->c.allow_private) {
        return ca_yaml_refuse(y, "validation.dnssec",
                              "none is for a private network: it needs allow-private: true");
    }
    return LT_OK;
}

/* What the validator could not start with, or no CAA record could name. */
static lt_res check_validation(const struct ca_yaml *y, const struct raw *raw)
{
    if (raw->c.resolver[0] != 0 && !ca_value_is_resolver(raw->c.resolver)) {
        return ca_yaml_refuse(y, "validation.resolver",
                              "\"%.60s\" is no address; write ADDRESS or ADDRESS@PORT", raw->c.resolver);
    }
    for (uint32_t i = 0; i < raw->c.caa_identity_count; i++) {
        if (!ca_value_is_issuer_domain(raw->c.caa_identities[i])) {
            return ca_yaml_refuse(y, "acme.caa-identities",
                                  "\"%.60s\" is no domain that a CAA record could name; write ca.example.com",
                                  raw->c.caa_identities[i]);
        }
    }
    return LT_OK;
}

/* Written down without a management listener it is a mistake: that is where tests find out where they are. */
static lt_res apply_testing(const struct ca_yaml *y, struct raw *raw)
{
    struct ca_config_testing *t = &raw->c.testing;
    bool more = raw->testing_nonce_reject != NULL || raw->testing_authz_reuse != NULL ||
                raw->testing_sleep != NULL || t->always_valid;
    t->wanted = t->management != NULL;
    if (!t->wanted && more) {
        return ca_yaml_refuse(y, "testing", "needs management: ADDRESS:PORT; write 127.0.0.1:15000");
    }
    t->management = t->wanted ? t->management : "";
    return LT_OK;
}

static lt_res check_addresses(const struct ca_yaml *y, struct raw *raw)
{
    const struct {
        const char *path;
        const char *value;
        bool may_be_empty;
    } rows[] = {
        {"listen.https", raw->c.listen_https, false},
        {"listen.http", raw->c.listen_http, true},
        {"listen.operator", raw->c.listen_operator, true},
        {"testing.management", raw->c.testing.management, true},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const char *host = NULL;
        uint16_t port = 0;
        if (rows[i].value[0] == 0 && rows[i].may_be_empty) {
            continue;
        }
        if (lt_failed(ca_config_split_address(&raw->c.arena, rows[i].value, &host, &port))) {
            char why[201];
            (void)snprintf(why, sizeof(why), "%s", lt_error_last()->detail);
            return ca_yaml_refuse(y, rows[i].path, "%s", why);
        }
        if (!ca_value_is_listen_host(host)) {
            return ca_yaml_refuse(y, rows[i].path,
                                  "\"%.60s\" is no address of this machine; write 127.0.0.1:%u", host, port);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(rows[i].value, rows[j].value) == 0) {
                return ca_yaml_refuse(y, rows[i].path, "the same address as %s", rows[j].path);
            }
        }
    }
    return LT_OK;
}

static lt_res default_url(struct raw *raw, const char *scheme, const char *address, const char **url)
{
    const char *host = NULL;
    uint16_t port = 0;
    if (*url != NULL) {
        return LT_OK;
    }
    if (address[0] == 0) {
        *url = "";
        return LT_OK;
    }
    LT_TRY(ca_config_split_address(&raw->c.arena, address, &host, &port));
    bool ip6 = strchr(raw->c.host_names[0], ':') != NULL;
    *url = ip6 ? lt_arena_printf(&raw->c.arena, "%s://[%s]:%u", scheme, raw->c.host_names[0], port)
               : lt_arena_printf(&raw->c.arena, "%s://%s:%u", scheme, raw->c.host_names[0], port);
    LT_CHECK(*url != NULL, LT_PEER_TOO_LARGE, "lintel.yaml: host-names: too long");
    return LT_OK;
}

static lt_res check_urls(const struct ca_yaml *y, struct raw *raw)
{
    LT_TRY(default_url(raw, "https", raw->c.listen_https, &raw->c.base_url));
    LT_TRY(default_url(raw, "http", raw->c.listen_http, &raw->c.public_http_url));
    const struct {
        const char *path;
        const char *value;
        const char *scheme;
    } rows[] = {
        {"base-url", raw->c.base_url, "https://"},
        {"public-http-url", raw->c.public_http_url, "http://"}, /* CDP and AIA must not need TLS */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        size_t len = strlen(rows[i].value);
        if (len == 0 && i == 1) {
            continue;
        }
        if (strncmp(rows[i].value, rows[i].scheme, strlen(rows[i].scheme)) != 0 ||
            rows[i].value[len - 1] == '/' || strpbrk(rows[i].value, " \"<>#?") != NULL) {
            return ca_yaml_refuse(y, rows[i].path, "\"%.60s\" must begin %s and end without a slash",
                                  rows[i].value, rows[i].scheme);
        }
    }
    return LT_OK;
}

/* Whether it can be reached is the family's affair; a password in a file that many read is ours. */
static lt_res check_store(const struct ca_yaml *y, const struct raw *raw)
{
    static const char scheme[] = "postgresql://";
    const char *url = raw->c.store;
    if (url[0] == 0) {
        return LT_OK;
    }
    if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
        return ca_yaml_refuse(y, "store", "\"%.60s\" must begin %s, or be left out for a book in the folder",
                              url, scheme);
    }
    const char *authority = url + sizeof scheme - 1;
    const char *at = memchr(authority, '@', strcspn(authority, "/?"));
    bool secret = (at != NULL && memchr(authority, ':', (size_t)(at - authority)) != NULL) ||
                  strstr(authority, "password=") != NULL;
    if (secret) {
        return ca_yaml_refuse(y, "store",
                              "no password here: give passfile=/PATH behind the '?', or a client "
                              "certificate with sslcert= and sslkey=");
    }
    return LT_OK;
}

/* ca/host.h says what it is for; a name is part of names in the book. */
static lt_res check_host(const struct ca_yaml *y, const struct raw *raw)
{
    const char *name = raw->c.host;
    size_t len = strlen(name);
    if (len == 0 || len > CA_CONFIG_HOST_MAX || name[0] == '-' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len) {
        return ca_yaml_refuse(y, "host", "\"%.60s\" is no name of a host: a to z, 0 to 9 and '-', %d at most",
                              name, CA_CONFIG_HOST_MAX);
    }
    if (strcmp(name, CA_CONFIG_HOST_MAIN) != 0 && raw->c.store[0] == 0) {
        return ca_yaml_refuse(y, "host", "\"%s\" shares a book with others, and there is no store: line",
                              name);
    }
    return LT_OK;
}

static lt_res check_hosts(const struct ca_yaml *y, const struct raw *raw)
{
    for (uint32_t i = 0; i < raw->c.host_name_count; i++) {
        const char *name = raw->c.host_names[i];
        if (strlen(name) > 253 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.:-*") != strlen(name)) {
            return ca_yaml_refuse(y, "host-names", "\"%.60s\" is no host name in lower case, and no address",
                                  name);
        }
    }
    return LT_OK;
}

/* Browsers bind passkeys to it, so it is a name, and one alone. */
static lt_res check_console(const struct ca_yaml *y, const struct raw *raw)
{
    const char *name = raw->c.console_name;
    size_t len = strlen(name);
    if (len == 0 || len > 253 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != len ||
        name[0] == '.' || name[0] == '-' || name[len - 1] == '.') {
        return ca_yaml_refuse(y, "console.name",
                              "\"%.60s\" is no host name in lower case; write localhost, or the name under "
                              "which browsers reach the console",
                              name);
    }
    return LT_OK;
}

/* Who reads them closely is the courier (role/courier_letter.c). */
static lt_res check_mail(const struct ca_yaml *y, const struct raw *raw)
{
    const char *relay = raw->c.mail_relay;
    const char *from = raw->c.mail_from;
    size_t scheme = strncmp(relay, "smtps://", 8) == 0 ? 8 : strncmp(relay, "smtp://", 7) == 0 ? 7 : 0;
    const char *at = strchr(from, '@');
    if (relay[0] == 0 && from[0] == 0) {
        return LT_OK;
    }
    if (scheme == 0 || relay[scheme] == 0 || strpbrk(relay + scheme, " /@?#\"<>") != NULL) {
        return ca_yaml_refuse(y, "mail.relay",
                              "\"%.60s\" is no relay; write smtp://HOST:PORT or smtps://HOST:PORT", relay);
    }
    if (at == NULL || at == from || at[1] == 0 || strchr(at + 1, '@') != NULL ||
        strpbrk(from, " <>\"(),:;\\[]") != NULL || strlen(from) > 254) {
        return ca_yaml_refuse(y, "mail.from", "\"%.60s\" is no address; write ca@example.net", from);
    }
    return LT_OK;
}

/* What a subscriber agreed to is written down by its version. */
static lt_res check_terms(const struct ca_yaml *y, const struct raw *raw)
{
    if (raw->c.terms_version[0] != 0 && raw->c.terms_of_service[0] == 0) {
        return ca_yaml_refuse(y, "acme.terms-version", "there are no terms: write terms-of-service: URL");
    }
    if (raw->c.terms_clause && raw->c.terms_version[0] == 0) {
        return ca_yaml_refuse(y, "acme.terms-revocation-clause",
                              "which version has it? write terms-version: \"2026-03\"");
    }
    if (strlen(raw->c.terms_version) > TERMS_VERSION_MAX) {
        return ca_yaml_refuse(y, "acme.terms-version", "over %d bytes", TERMS_VERSION_MAX);
    }
    return LT_OK;
}

static lt_res finish(const struct ca_yaml *y, struct raw *raw)
{
    static const char *const local[] = {"localhost"};
    LT_TRY(apply_numbers(y, raw));
    LT_TRY(apply_durations(y, raw));
    LT_TRY(apply_rates(y, raw));
    if (raw->c.host_name_count == 0) {
        raw->c.host_names = local;
        raw->c.host_name_count = 1;
    }
    LT_TRY(check_hosts(y, raw));
    LT_TRY(check_console(y, raw));
    LT_TRY(apply_issuers(y, raw));
    LT_TRY(check_opinion(y, raw));
    LT_TRY(apply_testing(y, raw));
    LT_TRY(check_addresses(y, raw));
    LT_TRY(apply_dnssec(y, raw));
    LT_TRY(check_validation(y, raw));
    LT_TRY(check_urls(y, raw));
    LT_TRY(check_store(y, raw));
    LT_TRY(check_host(y, raw));
    LT_TRY(check_mail(y, raw));
    LT_TRY(check_terms(y, raw));
    if (!name_ok(raw->c.default_profile)) {
        return ca_yaml_refuse(y, "default-profile", "\"%.40s\" is no profile name", raw->c.default_profile);
    }
    if (raw->c.token_module[0] != 0 && raw->c.token_module[0] != '/') {
        return ca_yaml_refuse(y, "token.module", "write the absolute path of the PKCS#11 module");
    }
    return LT_OK;
}

lt_res ca_config_parse(lt_slice yaml, struct ca_config **ret_config)
{
    LT_CHECK(yaml.len <= CA_CONFIG_MAX_BYTES, LT_PEER_TOO_LARGE, "lintel.yaml:1:1: %zu bytes are too many",
             yaml.len);
    const struct ca_yaml y = {.file = CA_CONFIG_FILE, .text = yaml};
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    void *root = NULL;
    lt_res r = ca_yaml_load(&y, &schema, &arena, &root);
    if (lt_failed(r)) {
        lt_arena_done(&arena);
        return r;
    }
    struct raw *raw = root;
    raw->c.arena = arena;
    r = finish(&y, raw);
    if (lt_failed(r)) {
        arena = raw->c.arena;
        lt_arena_done(&arena);
        return r;
    }
    *ret_config = &raw->c;
    return LT_OK;
}

lt_res ca_config_load(const char *folder, struct ca_config **ret_config)
{
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_NOT_FOUND,
             "%s: no such folder; give --dir DIR or set LINTEL_DIR, or make one with `lintel init DIR`",
             folder);
    struct lt_arena arena;
    lt_arena_init(&arena, CA_CONFIG_MAX_BYTES + 4096);
    lt_slice text;
    lt_res r = lt_file_read(&arena, dir, CA_CONFIG_FILE, CA_CONFIG_MAX_BYTES, &text);
    if (!lt_failed(r)) {
        r = ca_config_parse(text, ret_config);
    }
    lt_arena_done(&arena);
    return r;
}

void ca_config_free(struct ca_config *config)
{
    if (config != NULL) {
        struct lt_arena arena = config->arena; /* the config itself lives in it */
        lt_arena_done(&arena);
    }
}

const char *ca_config_store(const struct ca_config *config, const char *folder, struct lt_arena *a)
{
    return config->store[0] != 0 ? config->store : lt_arena_printf(a, "%s/book/lintel.db", folder);
}

_Static_assert(CA_CONFIG_OWN_NAMES == HOSTS_MAX + 1, "host-names and the console's");

uint32_t ca_config_own_names(const struct ca_config *config, const char *ret_names[CA_CONFIG_OWN_NAMES])
{
    uint32_t count = 0;
    bool console = config->listen_operator[0] == 0; /* is it among them, or needed nowhere? */
    for (; count < config->host_name_count; count++) {
        ret_names[count] = config->host_names[count];
        console = console || strcmp(ret_names[count], config->console_name) == 0;
    }
    if (!console) {
        ret_names[count++] = config->console_name;
    }
    return count;
}

void ca_config_console_cookie(const struct ca_config *config, char ret_name[CA_CONFIG_COOKIE_SIZE])
{
    const char *colon = strrchr(config->listen_operator, ':');
    (void)snprintf(ret_name, CA_CONFIG_COOKIE_SIZE, "lintel_session_%.5s",
                   colon == NULL ? "0" : colon + 1); /* a port has five digits at most */
}

const char *ca_config_console_url(const struct ca_config *config, struct lt_arena *a)
{
    const char *host = "";
    uint16_t port = 0;
    if (config->listen_operator[0] == 0) {
        return "";
    }
    if (lt_failed(ca_config_split_address(a, config->listen_operator, &host, &port))) {
        return NULL;
    }
    bool local = strcmp(config->console_name, "localhost") == 0 &&
                 (strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
                  strcmp(host, "localhost") == 0);
    return lt_arena_printf(a, "%s://%s:%u", local ? "http" : "https", config->console_name, port);
}

const struct ca_config_issuer *ca_config_issuer(const struct ca_config *config, lt_slice name)
{
    for (uint32_t i = 0; i < config->issuer_count; i++) {
        if (lt_slice_eq_cstr(name, config->issuers[i].name)) {
            return &config->issuers[i];
        }
    }
    return NULL;
}

uint32_t ca_config_uid(const struct ca_config *config, enum ipc_role role)
{
    return config->uid_base == 0 ? 0 : config->uid_base + (uint32_t)role;
}

uint32_t ca_config_book_gid(const struct ca_config *config)
{
    return config->uid_base == 0 ? 0 : config->uid_base + BOOK_GROUP;
}
