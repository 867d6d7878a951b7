/* profiles/NAME.yaml → struct ca_profile, and what may be issued by it on a day. */
#include "ca/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/limits.h"
#include "ca/yaml_load.h"
#include "crypto/digest.h"

enum {
    ARENA_MAX = 1024 * 1024,
    STRING_MAX = 256,
    LIST_MAX = 64,
    PROFILES_MAX = 256,
    PATH_SIZE = 4096,
    YEAR = 31557600,
    CA_VALIDITY_MAX_YEARS = 25,
    ENTITY_VALIDITY_MAX_DAYS = 3653,
};

struct raw {
    struct ca_profile p;
    const char *validity_default;
    const char *validity_max;
    const char *backdate;
    const char **eku;
    uint32_t eku_count;
    const char **policies;
    uint32_t policy_count;
    const char *path_length;
    const char *rsa_min_bits;
    const char *rsa_max_bits;
    const uint32_t *key_usage_rsa;
    const char *names_max;
};

#define STRING(key_, member_, flags_) CYAML_FIELD_STRING_PTR(key_, flags_, struct raw, member_, 1, STRING_MAX)
#define BOOL(key_, member_) CA_YAML_BOOL(key_, CYAML_FLAG_OPTIONAL, struct raw, member_)
#define WORDS(key_, member_, words_)                                                              \
    CYAML_FIELD_FLAGS(key_, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, member_, words_, \
                      LT_COUNT(words_))
#define WORDS_PTR(key_, member_, words_)                                                                  \
    CYAML_FIELD_FLAGS_PTR(key_, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, \
                          member_, words_, LT_COUNT(words_))
#define LIST(key_, member_, count_)                                                                         \
    CYAML_FIELD_SEQUENCE_COUNT(key_, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, member_, count_, \
                               &string_entry, 0, LIST_MAX)
#define SECTION(key_, fields_, flags_)       \
    {                                        \
        .key = key_, .data_offset = 0,       \
        .value = {                           \
            .type = CYAML_MAPPING,           \
            .flags = flags_,                 \
            .data_size = sizeof(struct raw), \
            .mapping = {.fields = fields_},  \
        },                                   \
    }

static const cyaml_schema_value_t string_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, STRING_MAX),
};
static const cyaml_strval_t kinds[] = {{"subscriber", CA_PROFILE_SUBSCRIBER},
                                       {"service", CA_PROFILE_SERVICE},
                                       {"ca", CA_PROFILE_CA},
                                       {"responder", CA_PROFILE_RESPONDER}};
static const cyaml_strval_t subjects[] = {
    {"empty", CA_SUBJECT_EMPTY}, {"cn-from-san", CA_SUBJECT_CN_SAN}, {"fixed", CA_SUBJECT_FIXED}};
static const cyaml_strval_t key_words[] = {{"rsa", CA_KEY_RSA},
                                           {"p256", CA_KEY_P256},
                                           {"p384", CA_KEY_P384},
                                           {"p521", CA_KEY_P521},
                                           {"ed25519", CA_KEY_ED25519}};
static const cyaml_strval_t usage_words[] = {{"digitalSignature", X509_KU_DIGITAL_SIGNATURE},
                                             {"contentCommitment", X509_KU_CONTENT_COMMITMENT},
                                             {"keyEncipherment", X509_KU_KEY_ENCIPHERMENT},
                                             {"dataEncipherment", X509_KU_DATA_ENCIPHERMENT},
                                             {"keyAgreement", X509_KU_KEY_AGREEMENT},
                                             {"keyCertSign", X509_KU_KEY_CERT_SIGN},
                                             {"cRLSign", X509_KU_CRL_SIGN}};
static const cyaml_strval_t name_words[] = {
    {"dns", CA_NAME_DNS}, {"ip", CA_NAME_IP}, {"wildcard", CA_NAME_WILDCARD}, {"local", CA_NAME_LOCAL}};

/* The linter's own words; lint_profile_name has them, too. */
static const cyaml_strval_t lint_words[] = {
    {"private", LINT_PROFILE_PRIVATE},
    {"tls-dv", LINT_PROFILE_TLS_DV},
    {"tls-ov", LINT_PROFILE_TLS_OV},
    {"tls-iv", LINT_PROFILE_TLS_IV},
    {"tls-ev", LINT_PROFILE_TLS_EV},
    {"tls", LINT_PROFILE_TLS},
    {"smime-mv-legacy", LINT_PROFILE_SMIME_MV_LEGACY},
    {"smime-mv-multipurpose", LINT_PROFILE_SMIME_MV_MULTIPURPOSE},
    {"smime-mv-strict", LINT_PROFILE_SMIME_MV_STRICT},
    {"smime-ov-legacy", LINT_PROFILE_SMIME_OV_LEGACY},
    {"smime-ov-multipurpose", LINT_PROFILE_SMIME_OV_MULTIPURPOSE},
    {"smime-ov-strict", LINT_PROFILE_SMIME_OV_STRICT},
    {"smime-sv-legacy", LINT_PROFILE_SMIME_SV_LEGACY},
    {"smime-sv-multipurpose", LINT_PROFILE_SMIME_SV_MULTIPURPOSE},
    {"smime-sv-strict", LINT_PROFILE_SMIME_SV_STRICT},
    {"smime-iv-legacy", LINT_PROFILE_SMIME_IV_LEGACY},
    {"smime-iv-multipurpose", LINT_PROFILE_SMIME_IV_MULTIPURPOSE},
    {"smime-iv-strict", LINT_PROFILE_SMIME_IV_STRICT},
    {"smime", LINT_PROFILE_SMIME},
    {"code-signing", LINT_PROFILE_CODE_SIGNING},
};

static const cyaml_schema_field_t validity_fields[] = {
    STRING("default", validity_default, CYAML_FLAG_DEFAULT),
    STRING("max", validity_max, CYAML_FLAG_DEFAULT),
    STRING("backdate", backdate, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t key_fields[] = {
    WORDS("types", p.keys, key_words),
    STRING("rsa-min-bits", rsa_min_bits, CYAML_FLAG_OPTIONAL),
    STRING("rsa-max-bits", rsa_max_bits, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t include_fields[] = {
    BOOL("subject-key-identifier", p.subject_key_id),
    BOOL("crl-distribution-point", p.crl_distribution),
    BOOL("issuer-url", p.issuer_url),
    BOOL("ocsp-url", p.ocsp_url),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t name_fields[] = {
    WORDS("types", p.names, name_words),
    STRING("max", names_max, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t constraint_fields[] = {
    LIST("permitted-dns", p.permitted_dns, p.permitted_dns_count),
    LIST("excluded-dns", p.excluded_dns, p.excluded_dns_count),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t fields[] = {
    STRING("name", p.name, CYAML_FLAG_DEFAULT),
    STRING("description", p.description, CYAML_FLAG_DEFAULT),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct raw, p.kind, kinds, LT_COUNT(kinds)),
    STRING("issuer", p.issuer, CYAML_FLAG_DEFAULT),
    BOOL("public", p.public_trust),
    CYAML_FIELD_ENUM("lint-profile", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, p.lint_profile,
                     lint_words, LT_COUNT(lint_words)),
    SECTION("validity", validity_fields, CYAML_FLAG_DEFAULT),
    SECTION("keys", key_fields, CYAML_FLAG_DEFAULT),
    CYAML_FIELD_FLAGS("key-usage", CYAML_FLAG_STRICT, struct raw, p.key_usage, usage_words,
                      LT_COUNT(usage_words)),
    WORDS_PTR("key-usage-rsa", key_usage_rsa, usage_words),
    LIST("extended-key-usage", eku, eku_count),
    LIST("policies", policies, policy_count),
    SECTION("include", include_fields, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_ENUM("subject", CYAML_FLAG_STRICT, struct raw, p.subject, subjects, LT_COUNT(subjects)),
    SECTION("names", name_fields, CYAML_FLAG_OPTIONAL),
    STRING("path-length", path_length, CYAML_FLAG_OPTIONAL),
    SECTION("name-constraints", constraint_fields, CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, fields)};

static lt_res read_validity(const struct ca_yaml *y, struct raw *raw)
{
    struct ca_profile *p = &raw->p;
    int64_t most = p->kind == CA_PROFILE_CA ? CA_VALIDITY_MAX_YEARS * (int64_t)YEAR
                                            : ENTITY_VALIDITY_MAX_DAYS * LT_SECONDS_PER_DAY;
    LT_TRY(ca_yaml_duration(y, "validity.default", raw->validity_default, &p->validity_default_s));
    LT_TRY(ca_yaml_duration(y, "validity.max", raw->validity_max, &p->validity_max_s));
    if (raw->backdate != NULL) {
        LT_TRY(ca_yaml_duration(y, "validity.backdate", raw->backdate, &p->backdate_s));
    }
    if (p->validity_max_s < 60 || p->validity_max_s > most) {
        return ca_yaml_refuse(y, "validity.max", "out of range; write 1m to %lldd",
                              (long long)(most / LT_SECONDS_PER_DAY));
    }
    if (p->validity_default_s < 60 || p->validity_default_s > p->validity_max_s) {
        return ca_yaml_refuse(y, "validity.default", "out of range; write 1m to validity.max");
    }
    if (p->backdate_s >= p->validity_default_s || p->backdate_s > 86400) {
        return ca_yaml_refuse(y, "validity.backdate", "at most 24h, and less than validity.default");
    }
    return LT_OK;
}

static lt_res read_oids(const struct ca_yaml *y, struct raw *raw)
{
    struct ca_profile *p = &raw->p;
    char path[64];
    enum x509_oid *eku = LT_NEW_ARRAY(&p->arena, enum x509_oid, raw->eku_count + 1);
    lt_slice *policies = LT_NEW_ARRAY(&p->arena, lt_slice, raw->policy_count + 1);
    LT_CHECK(eku != NULL && policies != NULL, LT_PEER_TOO_LARGE, "%s:1:1: too many identifiers", y->file);
    for (uint32_t i = 0; i < raw->eku_count; i++) {
        (void)snprintf(path, sizeof(path), "extended-key-usage.%u", i);
        eku[i] = x509_oid_by_name(lt_slice_cstr(raw->eku[i]));
        if (eku[i] < X509_OID_SERVER_AUTH || eku[i] > X509_OID_DOCUMENT_SIGNING) {
            return ca_yaml_refuse(y, path,
                                  "\"%.60s\" is no purpose we know; write serverAuth, clientAuth, "
                                  "emailProtection, documentSigning, …",
                                  raw->eku[i]);
        }
    }
    for (uint32_t i = 0; i < raw->policy_count; i++) {
        (void)snprintf(path, sizeof(path), "policies.%u", i);
        if (lt_failed(x509_oid_parse(lt_slice_cstr(raw->policies[i]), &p->arena, &policies[i]))) {
            return ca_yaml_refuse(y, path, "\"%.60s\" is no object identifier; write 2.23.140.1.2.1",
                                  raw->policies[i]);
        }
    }
    p->eku = eku;
    p->eku_count = raw->eku_count;
    p->policies = policies;
    p->policy_count = raw->policy_count;
    return LT_OK;
}

static lt_res check_keys(const struct ca_yaml *y, const struct ca_profile *p)
{
    if (p->keys == 0) {
        return ca_yaml_refuse(y, "keys.types", "none; write [rsa, p256, p384]");
    }
    if (p->rsa_min_bits > p->rsa_max_bits) {
        return ca_yaml_refuse(y, "keys.rsa-min-bits", "larger than rsa-max-bits");
    }
    return LT_OK;
}

static bool has_eku(const struct ca_profile *p, enum x509_oid oid)
{
    for (uint32_t i = 0; i < p->eku_count; i++) {
        if (p->eku[i] == oid) {
            return true;
        }
    }
    return false;
}

/*= CABF-BR 7.1.2.8.5 "id-kp-OCSPSigning" — and no other purpose, no name, no pointer */
static lt_res check_responder(const struct ca_yaml *y, const struct ca_profile *p)
{
    if (p->eku_count != 1 || p->eku[0] != X509_OID_OCSP_SIGNING ||
        p->key_usage != X509_KU_DIGITAL_SIGNATURE || p->keys != CA_KEY_P256) {
        return ca_yaml_refuse(
            y, "extended-key-usage",
            "a responder has OCSPSigning and digitalSignature alone, and keys of type p256");
    }
    if (p->subject != CA_SUBJECT_FIXED || p->names != 0 || p->policy_count != 0 || p->crl_distribution ||
        p->issuer_url || p->ocsp_url || strcmp(p->issuer, "root") == 0) {
        return ca_yaml_refuse(y, "subject",
                              "a responder has subject: fixed, an issuer below the root, and neither names, "
                              "policies nor addresses");
    }
    return LT_OK;
}

/* What only a CA certificate may have, and what it must. */
static lt_res check_kind(const struct ca_yaml *y, const struct raw *raw)
{
    const struct ca_profile *p = &raw->p;
    const uint32_t signing = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN;
    if (p->kind == CA_PROFILE_CA) {
        if ((p->key_usage & signing) != signing || p->subject != CA_SUBJECT_FIXED || p->names != 0) {
            return ca_yaml_refuse(y, "key-usage",
                                  "a CA has keyCertSign and cRLSign, subject: fixed and no names");
        }
        return LT_OK;
    }
    if (((p->key_usage | p->key_usage_rsa) & signing) != 0) {
        return ca_yaml_refuse(y, "key-usage", "keyCertSign and cRLSign are for kind: ca alone");
    }
    if (raw->path_length != NULL || p->permitted_dns_count + p->excluded_dns_count > 0) {
        return ca_yaml_refuse(y, raw->path_length != NULL ? "path-length" : "name-constraints",
                              "for kind: ca alone");
    }
    if (p->kind == CA_PROFILE_RESPONDER) {
        return check_responder(y, p);
    }
    /*= CABF-BR 7.1.2.7.10 "MUST NOT" — who has it answers for all that the issuer issued */
    if (has_eku(p, X509_OID_OCSP_SIGNING)) {
        return ca_yaml_refuse(y, "extended-key-usage", "OCSPSigning is for kind: responder alone");
    }
    if (p->subject == CA_SUBJECT_FIXED || (p->names & (CA_NAME_DNS | CA_NAME_IP)) == 0 || p->names_max == 0 ||
        p->names_max > CA_PROFILE_NAMES_MAX) {
        return ca_yaml_refuse(y, "subject",
                              "an end entity has subject empty or cn-from-san, and 1 to %d names of "
                              "type dns or ip",
                              CA_PROFILE_NAMES_MAX);
    }
    if (p->eku_count == 0 || strcmp(p->issuer, "root") == 0) {
        return ca_yaml_refuse(y, "issuer",
                              "an end entity has an extended-key-usage, and an issuer below the root");
    }
    return LT_OK;
}

static size_t reserved_policies(const struct ca_profile *p)
{
    size_t count = 0;
    for (uint32_t i = 0; i < p->policy_count; i++) {
        enum x509_oid oid = x509_oid_find(p->policies[i]);
        count += oid == X509_OID_POLICY_DV || oid == X509_OID_POLICY_OV || oid == X509_OID_POLICY_IV ||
                 oid == X509_OID_POLICY_EV;
    }
    return count;
}

/* Where relying parties of the web trust the issuer. */
static lt_res check_public(const struct ca_yaml *y, const struct ca_profile *p, lt_time now)
{
    if (!p->public_trust || p->kind == CA_PROFILE_CA || p->kind == CA_PROFILE_RESPONDER) {
        return LT_OK;
    }
    /*= CABF-BR 7.1.2.7.9 "A Reserved Certificate Policy Identifier" — exactly one, and first is best */
    if (p->kind != CA_PROFILE_SUBSCRIBER || reserved_policies(p) != 1) {
        return ca_yaml_refuse(y, "policies",
                              "a public profile is of kind subscriber and has exactly one of "
                              "2.23.140.1.2.1, .2, .3 and 2.23.140.1.1");
    }
    /*= CABF-BR 7.1.2.7.10 "id-kp-serverAuth … MUST" */
    if (!has_eku(p, X509_OID_SERVER_AUTH) || has_eku(p, X509_OID_EMAIL_PROTECTION) ||
        has_eku(p, X509_OID_CODE_SIGNING) || has_eku(p, X509_OID_TIME_STAMPING)) {
        return ca_yaml_refuse(y, "extended-key-usage",
                              "a public profile has serverAuth, and neither "
                              "emailProtection, codeSigning nor timeStamping");
    }
    /* CABF-BR 6.1.5: "No other algorithms". */
    if ((p->keys & CA_KEY_ED25519) != 0 || p->rsa_min_bits < ca_limit_at(CA_LIMIT_RSA_MIN_BITS, now)) {
        return ca_yaml_refuse(y, "keys", "a public profile takes rsa of at least %lld bits, p256, p384, p521",
                              (long long)ca_limit_at(CA_LIMIT_RSA_MIN_BITS, now));
    }
    /*= CABF-BR 4.2.2 "CAs SHALL NOT issue Certificates containing Internal Names" */
    if ((p->names & CA_NAME_LOCAL) != 0) {
        return ca_yaml_refuse(y, "names.types", "local names are not for a public profile");
    }
    if (!p->crl_distribution && p->validity_max_s > ca_limit_at(CA_LIMIT_TLS_SHORT_LIVED_S, now)) {
        return ca_yaml_refuse(y, "include.crl-distribution-point",
                              "needed, as validity.max is over the %lld s of a "
                              "short-lived certificate",
                              (long long)ca_limit_at(CA_LIMIT_TLS_SHORT_LIVED_S, now));
    }
    return LT_OK;
}

/* By its reserved policy, which check_public has seen to be one. */
static enum lint_profile usual_lint_profile(const struct ca_profile *p)
{
    static const struct {
        enum x509_oid policy;
        enum lint_profile profile;
    } rows[] = {
        {X509_OID_POLICY_DV, LINT_PROFILE_TLS_DV},
        {X509_OID_POLICY_OV, LINT_PROFILE_TLS_OV},
        {X509_OID_POLICY_IV, LINT_PROFILE_TLS_IV},
        {X509_OID_POLICY_EV, LINT_PROFILE_TLS_EV},
    };
    if (!p->public_trust) {
        return LINT_PROFILE_PRIVATE;
    }
    for (size_t i = 0; p->kind != CA_PROFILE_CA && i < LT_COUNT(rows) * p->policy_count; i++) {
        if (x509_oid_find(p->policies[i / LT_COUNT(rows)]) == rows[i % LT_COUNT(rows)].policy) {
            return rows[i % LT_COUNT(rows)].profile;
        }
    }
    return LINT_PROFILE_TLS;
}

/* What is trusted in public is not judged by the rules of something else. */
static lt_res read_lint_profile(const struct ca_yaml *y, struct ca_profile *p)
{
    if (p->lint_profile == LINT_PROFILE_AUTO) {
        p->lint_profile = usual_lint_profile(p);
    }
    if (p->public_trust && !ca_profile_by_tls_br(p)) {
        return ca_yaml_refuse(y, "lint-profile",
                              "a public profile is judged by one of tls, tls-dv, tls-ov, "
                              "tls-iv, tls-ev");
    }
    return LT_OK;
}

static lt_res read_numbers(const struct ca_yaml *y, struct raw *raw)
{
    struct ca_profile *p = &raw->p;
    uint32_t path_length = 0;
    const struct {
        const char *text;
        const char *path;
        uint32_t usual;
        uint32_t least;
        uint32_t most;
        uint32_t *to;
    } rows[] = {
        {raw->rsa_min_bits, "keys.rsa-min-bits", X509_RSA_BITS_MIN, X509_RSA_BITS_MIN, X509_RSA_BITS_MAX,
         &p->rsa_min_bits},
        {raw->rsa_max_bits, "keys.rsa-max-bits", X509_RSA_BITS_MAX, X509_RSA_BITS_MIN, X509_RSA_BITS_MAX,
         &p->rsa_max_bits},
        {raw->names_max, "names.max", CA_PROFILE_NAMES_MAX, 1, CA_PROFILE_NAMES_MAX, &p->names_max},
        {raw->path_length, "path-length", 0, 0, 8, &path_length},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        *rows[i].to = rows[i].usual;
        if (rows[i].text != NULL) {
            LT_TRY(ca_yaml_number(y, rows[i].path, rows[i].text, rows[i].least, rows[i].most, rows[i].to));
        }
    }
    p->path_length = raw->path_length != NULL ? (int)path_length : -1;
    return LT_OK;
}

/* "profiles/tls-server.yaml" is for "tls-server". */
static bool file_fits(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash != NULL ? slash + 1 : file;
    size_t len = strlen(name);
    return strncmp(base, name, len) == 0 && strcmp(base + len, ".yaml") == 0;
}

static lt_res finish(const struct ca_yaml *y, struct raw *raw, lt_time now)
{
    struct ca_profile *p = &raw->p;
    if (!file_fits(y->file, p->name) ||
        strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(p->name)) {
        return ca_yaml_refuse(y, "name", "\"%.40s\" must be of a-z 0-9 - and the file be named after it",
                              p->name);
    }
    p->key_usage_rsa = raw->key_usage_rsa != NULL ? *raw->key_usage_rsa : p->key_usage;
    LT_TRY(read_numbers(y, raw));
    LT_TRY(read_validity(y, raw));
    LT_TRY(read_oids(y, raw));
    LT_TRY(check_keys(y, p));
    LT_TRY(check_kind(y, raw));
    LT_TRY(check_public(y, p, now));
    return read_lint_profile(y, p);
}

lt_res ca_profile_parse(const char *file, lt_slice yaml, lt_time now, struct ca_profile **ret_profile)
{
    LT_CHECK(yaml.len <= CA_PROFILE_MAX_BYTES, LT_PEER_TOO_LARGE, "%s:1:1: %zu bytes are too many", file,
             yaml.len);
    const struct ca_yaml y = {.file = file, .text = yaml};
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    void *root = NULL;
    lt_res r = ca_yaml_load(&y, &schema, &arena, &root);
    if (lt_failed(r)) {
        lt_arena_done(&arena);
        return r;
    }
    struct raw *raw = root;
    raw->p.arena = arena;
    r = finish(&y, raw, now);
    if (lt_failed(r)) {
        ca_profile_free(&raw->p);
        return r;
    }
    crypto_sha256(yaml, raw->p.sha256);
    *ret_profile = &raw->p;
    return LT_OK;
}

void ca_profile_free(struct ca_profile *profile)
{
    if (profile != NULL) {
        struct lt_arena arena = profile->arena; /* the profile itself lives in it */
        lt_arena_done(&arena);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct ca_profile *const *pa = a;
    const struct ca_profile *const *pb = b;
    return strcmp((*pa)->name, (*pb)->name);
}

static lt_res load_one(int dir, const char *name, lt_time now, struct ca_profiles *profiles)
{
    struct lt_arena arena;
    lt_arena_init(&arena, CA_PROFILE_MAX_BYTES + 4096);
    char path[300];
    (void)snprintf(path, sizeof(path), "profiles/%s", name);
    lt_slice text;
    lt_res r = lt_file_read(&arena, dir, name, CA_PROFILE_MAX_BYTES, &text);
    if (!lt_failed(r)) {
        r = ca_profile_parse(path, text, now, &profiles->rows[profiles->count]);
    }
    profiles->count += !lt_failed(r);
    lt_arena_done(&arena);
    return r;
}

static lt_res load_all(DIR *list, lt_time now, struct ca_profiles *profiles)
{
    for (const struct dirent *e = readdir(list); e != NULL; e = readdir(list)) {
        size_t len = strlen(e->d_name);
        if (e->d_name[0] == '.' || len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0) {
            continue;
        }
        LT_CHECK(profiles->count < PROFILES_MAX, LT_PEER_TOO_LARGE, "profiles/: more than %d profiles",
                 PROFILES_MAX);
        LT_TRY(load_one(dirfd(list), e->d_name, now, profiles));
    }
    LT_CHECK(profiles->count > 0, LT_PEER_NOT_FOUND,
             "profiles/: no profile in it; copy them from data/profiles");
    return LT_OK;
}

lt_res ca_profiles_load(const char *folder, lt_time now, struct ca_profiles *ret_profiles)
{
    *ret_profiles = (struct ca_profiles){0};
    char path[PATH_SIZE];
    /* By its own path: inside a sandbox the folder above may be out of reach. */
    int n = snprintf(path, sizeof(path), "%s/profiles", folder);
    int fd = n > 0 && n < PATH_SIZE ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    LT_CHECK(fd >= 0, LT_PEER_NOT_FOUND, "%.100s/profiles: %s; is this a CA folder?", folder,
             strerror(errno));
    DIR *list = fdopendir(fd); /* owns fd from here on */
    LT_ASSERT(list != NULL);
    struct ca_profiles profiles = {.rows = calloc(PROFILES_MAX, sizeof(struct ca_profile *))};
    LT_ASSERT(profiles.rows != NULL);
    lt_res r = load_all(list, now, &profiles);
    (void)closedir(list); /* only read */
    if (lt_failed(r)) {
        ca_profiles_done(&profiles);
        return r;
    }
    qsort(profiles.rows, profiles.count, sizeof(profiles.rows[0]), by_name);
    *ret_profiles = profiles;
    return LT_OK;
}

void ca_profiles_done(struct ca_profiles *profiles)
{
    for (size_t i = 0; i < profiles->count; i++) {
        ca_profile_free(profiles->rows[i]);
    }
    free(profiles->rows);
    *profiles = (struct ca_profiles){0};
}

const struct ca_profile *ca_profiles_find(const struct ca_profiles *profiles, lt_slice name)
{
    for (size_t i = 0; i < profiles->count; i++) {
        if (lt_slice_eq_cstr(name, profiles->rows[i]->name)) {
            return profiles->rows[i];
        }
    }
    return NULL;
}

lt_res ca_profiles_check_testing(const struct ca_profiles *profiles)
{
    for (size_t i = 0; i < profiles->count; i++) {
        const struct ca_profile *p = profiles->rows[i];
        LT_CHECK(!p->public_trust || p->kind != CA_PROFILE_SUBSCRIBER, LT_POLICY_REFUSED,
                 "profiles/%s.yaml: a test CA has no public profile; write public: false", p->name);
    }
    return LT_OK;
}

bool ca_profile_by_tls_br(const struct ca_profile *profile)
{
    return profile->lint_profile >= LINT_PROFILE_TLS_DV && profile->lint_profile <= LINT_PROFILE_TLS;
}

int64_t ca_profile_validity_max(const struct ca_profile *profile, lt_time now)
{
    int64_t most = profile->validity_max_s;
    if (ca_profile_by_tls_br(profile) && profile->kind == CA_PROFILE_SUBSCRIBER) {
        int64_t limit = ca_limit_at(CA_LIMIT_TLS_VALIDITY_S, now);
        most = most < limit ? most : limit;
        limit = ca_limit_at(CA_LIMIT_TLS_SHORT_LIVED_S, now);
        most = profile->crl_distribution || most < limit ? most : limit;
    }
    return most;
}

bool ca_profile_short_lived(const struct ca_profile *profile, int64_t validity_s, lt_time now)
{
    return profile->kind == CA_PROFILE_SUBSCRIBER &&
           validity_s <= ca_limit_at(CA_LIMIT_TLS_SHORT_LIVED_S, now);
}

static lt_time whole_second(lt_time t)
{
    return lt_time_from_seconds(lt_time_seconds(t));
}

lt_res ca_profile_period(const struct ca_profile *profile, lt_time now, struct ca_period wanted,
                         struct ca_period issuer, struct ca_period *ret_period)
{
    int64_t most = ca_profile_validity_max(profile, now);
    int64_t usual = profile->validity_default_s < most ? profile->validity_default_s : most;
    int64_t skew = ca_limit_at(CA_LIMIT_NOT_BEFORE_SKEW_S, now);
    struct ca_period p = {.not_before = whole_second(lt_time_add_seconds(now, -profile->backdate_s))};
    if (wanted.not_before.us != 0) {
        p.not_before = whole_second(wanted.not_before);
        LT_CHECK(p.not_before.us >= now.us - skew * LT_US_PER_SECOND &&
                     p.not_before.us <= now.us + skew * LT_US_PER_SECOND,
                 LT_POLICY_REFUSED, "notBefore must lie within %lld hours of now", (long long)(skew / 3600));
    }
    /* A certificate that begins before its issuer is valid for nobody until that is. */
    if (p.not_before.us < issuer.not_before.us) {
        LT_CHECK(wanted.not_before.us == 0, LT_POLICY_REFUSED,
                 "notBefore lies before that of the issuing CA");
        p.not_before = whole_second(issuer.not_before);
    }
    p.not_after = ca_validity_end(p.not_before, usual);
    if (wanted.not_after.us != 0) {
        p.not_after = whole_second(wanted.not_after);
        LT_CHECK(p.not_after.us > now.us && p.not_after.us >= p.not_before.us, LT_POLICY_REFUSED,
                 "notAfter lies in the past or before notBefore");
        LT_CHECK(ca_validity_seconds(p.not_before, p.not_after) <= most, LT_POLICY_REFUSED,
                 "profile %s allows %lld s of validity at most (both ends count), not %lld", profile->name,
                 (long long)most, (long long)ca_validity_seconds(p.not_before, p.not_after));
        LT_CHECK(p.not_after.us <= issuer.not_after.us, LT_POLICY_REFUSED,
                 "notAfter lies behind the end of the issuing CA");
    }
    if (p.not_after.us > issuer.not_after.us) {
        p.not_after = whole_second(issuer.not_after);
    }
    LT_CHECK(p.not_after.us > now.us, LT_POLICY_REFUSED, "the issuing CA \"%s\" has expired; make a new one",
             profile->issuer);
    *ret_period = p;
    return LT_OK;
}

uint32_t ca_profile_key_usage(const struct ca_profile *profile, enum x509_key_type type)
{
    return type == X509_KEY_RSA ? profile->key_usage_rsa : profile->key_usage;
}

lt_res ca_profile_check_key(const struct ca_profile *profile, enum x509_key_type type, unsigned bits)
{
    LT_CHECK((unsigned)type < 32 && (profile->keys & (UINT32_C(1) << type)) != 0, LT_POLICY_REFUSED,
             "profile %s does not take %s keys", profile->name, x509_key_type_name(type));
    LT_CHECK(type != X509_KEY_RSA || (bits >= profile->rsa_min_bits && bits <= profile->rsa_max_bits),
             LT_POLICY_REFUSED, "profile %s takes RSA keys of %u to %u bits, not %u", profile->name,
             profile->rsa_min_bits, profile->rsa_max_bits, bits);
    return LT_OK;
}

/* Beyond public trust only the formats themselves bind, and what an issuer owes its own book. */
#define PRIVATE_SOURCES                                                                  \
    (1U << LINT_RFC3279 | 1U << LINT_RFC5280 | 1U << LINT_RFC5480 | 1U << LINT_RFC5891 | \
     1U << LINT_RFC6960 | 1U << LINT_RFC6962 | 1U << LINT_RFC8813 | 1U << LINT_X690 | 1U << LINT_LINTEL)

uint32_t ca_lint_sources(enum lint_profile profile)
{
    return profile == LINT_PROFILE_PRIVATE ? PRIVATE_SOURCES : LINT_SOURCES_ALL;
}
