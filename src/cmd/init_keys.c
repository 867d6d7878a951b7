/* The hierarchy of a new folder: a root, and one issuing CA for each thing that is trusted, so that each can
 * be limited, replaced and revoked alone. The only place beside a ceremony where a CA certificate is made. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/limits.h"
#include "cmd/init.h"

enum { EPOCH_2020_S = 1577836800, TBS_MAX = 16 * 1024, CERT_FILE_MAX = 256 * 1024, SERIAL_LEN = 16 };

void init_serial(lt_time now, uint8_t ret_serial[16])
{
    uint32_t s = (uint32_t)(lt_time_seconds(now) - EPOCH_2020_S);
    for (unsigned i = 0; i < 4; i++) {
        ret_serial[i] = (uint8_t)(s >> (24 - 8 * i));
    }
    lt_random(ret_serial + 4, SERIAL_LEN - 4);
}

/* Certificate, then what is above it, as PEM. */
static lt_res read_certificates(struct init *i, struct init_issuer *issuer, const char *path)
{
    lt_slice text;
    lt_slice label;
    LT_TRY(lt_file_read(&i->c->arena, AT_FDCWD, path, CERT_FILE_MAX, &text));
    LT_TRY(lt_pem_next(&i->c->arena, &text, &label, &issuer->der));
    LT_CHECK(lt_slice_eq_cstr(label, "CERTIFICATE"), LT_PEER_USAGE, "%.150s holds no certificate", path);
    LT_TRY(x509_cert_parse(issuer->der, &i->c->arena, &issuer->cert));
    issuer->above = text;
    return LT_OK;
}

/* What stands above an imported certificate: each signed by the next, up to one that signs itself. They go
 * into the book, so that whoever fetches a certificate gets all of its chain. */
static lt_res read_above(struct init *i, struct init_issuer *issuer)
{
    lt_slice rest = issuer->above;
    lt_slice label;
    struct x509_cert below = issuer->cert;
    struct x509_cert cert = below;
    while (lt_slice_find(rest, '-') < rest.len) {
        LT_CHECK(issuer->above_count < INIT_ABOVE_MAX, LT_PEER_USAGE,
                 "--import %s: more than %d certificates above it", issuer->name, INIT_ABOVE_MAX);
        lt_slice *der = &issuer->above_der[issuer->above_count++];
        LT_TRY(lt_pem_next(&i->c->arena, &rest, &label, der));
        LT_TRY(x509_cert_parse(*der, &i->c->arena, &cert));
        LT_CHECK(cert.ext.ca && cert.ext.has_ski && lt_slice_eq(cert.subject.der, below.issuer.der),
                 LT_PEER_USAGE, "--import %s: certificate %zu in the file did not sign the one before it",
                 issuer->name, issuer->above_count + 1);
        below = cert;
    }
    LT_CHECK(issuer->above_count == 0 || lt_slice_eq(cert.subject.der, cert.issuer.der), LT_PEER_USAGE,
             "--import %s: the certificates above it must go on up to the root", issuer->name);
    return LT_OK;
}

static struct init_issuer *issuer_named(struct init *i, lt_slice name)
{
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        if (lt_slice_eq_cstr(name, i->issuers[k].name)) {
            return &i->issuers[k];
        }
    }
    return NULL;
}

/* "tls:KEY:CERTFILE"; the key is a file, or in the token: its URI has colons of its own. */
static lt_res split_import(struct init *i, const char *text, struct init_issuer **ret_issuer,
                           const char *ret_part[2])
{
    lt_slice whole = lt_slice_cstr(text);
    size_t first = lt_slice_find(whole, ':');
    const char *colon = strrchr(text, ':');
    LT_CHECK(colon != NULL && (size_t)(colon - text) > first + 1 && colon[1] != 0, LT_PEER_USAGE,
             "--import %.80s: write ISSUER:KEY:CERTIFICATEFILE", text);
    *ret_issuer = issuer_named(i, lt_slice_sub(whole, 0, first));
    LT_CHECK(*ret_issuer != NULL && !(*ret_issuer)->imported, LT_PEER_USAGE,
             "--import %.80s: the issuer is one of root, tls, smime, workload, document, each once", text);
    ret_part[0] = lt_arena_cstr(&i->c->arena,
                                lt_slice_sub(whole, first + 1, (size_t)(colon - text) - first - 1));
    ret_part[1] = colon + 1;
    LT_CHECK(ret_part[0] != NULL, LT_PEER_USAGE, "--import %.80s: too long", text);
    return LT_OK;
}

static lt_res import_one(struct init *i, const char *text, const struct lt_secret *passphrase)
{
    struct init_issuer *issuer = NULL;
    const char *part[2] = {"", ""};
    LT_TRY(split_import(i, text, &issuer, part));
    const char *cert = part[1];
    if (strncmp(part[0], "pkcs11:", 7) == 0) {
        LT_CHECK(i->token != NULL, LT_PEER_USAGE, "--import %.80s: needs --token-module", text);
        LT_TRY(cmd_key_token(i->token, part[0], NULL, &issuer->key));
        issuer->pkcs11_uri = part[0];
    } else {
        LT_TRY(cmd_key_load(&i->c->arena, part[0], passphrase, &issuer->key));
    }
    LT_TRY(read_certificates(i, issuer, cert));
    const struct ca_profile *profile = ca_profiles_find(&i->profiles, lt_slice_cstr(issuer->profile));
    lt_res r = ca_authority_check(&issuer->cert, profile, issuer->key.use.spki, i->c->now);
    if (lt_failed(r)) {
        char why[160];
        (void)snprintf(why, sizeof(why), "%.159s", lt_error_last()->detail);
        LT_FAIL(r.code, "--import %s: %s", issuer->name, why);
    }
    LT_TRY(read_above(i, issuer));
    issuer->imported = true;
    return LT_OK;
}

static lt_res import_all(struct init *i)
{
    struct lt_secret passphrase = {.ptr = NULL};
    const char *file = cmd_value(i->c, "import-passphrase-file");
    if (file != NULL) {
        LT_TRY(cmd_secret_file(file, &passphrase));
    }
    lt_res r = LT_OK;
    const char *text;
    for (size_t n = 0; !lt_failed(r) && (text = cmd_value_nth(i->c, "import", n)) != NULL; n++) {
        r = import_one(i, text, &passphrase);
    }
    lt_secret_done(&passphrase);
    return r;
}

static lt_res make_key(struct init *i, size_t index)
{
    struct init_issuer *issuer = &i->issuers[index];
    if (issuer->imported) {
        return LT_OK;
    }
    const char *type = index == INIT_ROOT ? cmd_value_or(i->c, "root-key-type", "p384")
                                          : cmd_value_or(i->c, "key-type", "p256");
    return issuer->pkcs11_uri[0] != 0 ? cmd_key_token(i->token, issuer->pkcs11_uri, type, &issuer->key)
                                      : cmd_key_generate(type, &issuer->key);
}

/* "tls=pkcs11:token=a;object=b" for one key; "pkcs11:token=a" for all of them, each under its own name. */
static lt_res place_keys(struct init *i)
{
    const char *text;
    for (size_t n = 0; (text = cmd_value_nth(i->c, "pkcs11-uri", n)) != NULL; n++) {
        lt_slice whole = lt_slice_cstr(text);
        bool all = strncmp(text, "pkcs11:", 7) == 0;
        struct init_issuer *one = issuer_named(i, lt_slice_sub(whole, 0, lt_slice_find(whole, '=')));
        LT_CHECK(i->token != NULL && (all || one != NULL), LT_PEER_USAGE,
                 "--pkcs11-uri %.80s: write CA=pkcs11:… or pkcs11:token=…, and --token-module", text);
        for (size_t k = 0; k < INIT_ISSUERS; k++) {
            struct init_issuer *issuer = &i->issuers[k];
            if (all && !issuer->imported && !issuer->offline) {
                issuer->pkcs11_uri = lt_arena_printf(&i->c->arena, "%s;object=lintel-%s", text, issuer->name);
            } else if (issuer == one && !issuer->imported) {
                issuer->pkcs11_uri = strchr(text, '=') + 1;
            }
            LT_CHECK(issuer->pkcs11_uri != NULL, LT_PEER_USAGE, "--pkcs11-uri: too long");
        }
    }
    return LT_OK;
}

static lt_res open_token(struct init *i)
{
    struct lt_secret pin = {.ptr = NULL};
    const char *module = cmd_value(i->c, "token-module");
    if (module == NULL) {
        return LT_OK;
    }
    if (i->pin_file != NULL) {
        LT_TRY(cmd_secret_file(i->pin_file, &pin));
    }
    lt_res r = crypto_pkcs11_open(module, lt_secret_slice(&pin), &i->token);
    lt_secret_done(&pin);
    return r;
}

/* Is an imported certificate signed by our root? Then it hangs below it. */
static int parent_of(const struct init *i, size_t index)
{
    const struct init_issuer *issuer = &i->issuers[index];
    if (index == INIT_ROOT) {
        return -1;
    }
    bool ours = !issuer->imported ||
                lt_slice_eq(issuer->cert.issuer.der, i->issuers[INIT_ROOT].cert.subject.der);
    return ours ? INIT_ROOT : -1;
}

lt_res init_sign_authority(struct init *i, const struct ca_authority *request,
                           const struct ca_authority_key *key, lt_slice *ret_der)
{
    struct lt_buf tbs;
    lt_buf_init(&tbs, TBS_MAX);
    lt_res r = ca_authority_tbs(request, key->spki, &tbs);
    if (!lt_failed(r)) {
        r = ca_authority_sign(key, lt_buf_slice(&tbs), &i->c->arena, ret_der);
    }
    lt_buf_done(&tbs);
    return r;
}

/* Who signs it: the root, itself, or in a test CA what stands below the root. */
static lt_res find_above(struct init *i, size_t index, struct init_authority *ret_up)
{
    const struct init_issuer *root = &i->issuers[INIT_ROOT];
    *ret_up = (struct init_authority){
        .cert = index == INIT_ROOT ? NULL : &root->cert,
        .key = &root->key.use,
        .name = root->name,
        .row = INIT_ROOT + 1,
        .crl = true,
    };
    if (index != INIT_TLS || i->chain_length < 2) {
        return LT_OK;
    }
    LT_TRY(init_testing_above_tls(i, ret_up));
    i->tls_parent = ret_up->row;
    return LT_OK;
}

static lt_res make_certificate(struct init *i, size_t index)
{
    struct init_issuer *issuer = &i->issuers[index];
    struct init_authority up;
    if (issuer->imported) {
        issuer->parent = parent_of(i, index);
        return LT_OK;
    }
    const char *permitted[INIT_HOSTS_MAX];
    size_t permitted_count = 0;
    const char *name;
    while (index != INIT_ROOT && permitted_count < INIT_HOSTS_MAX &&
           (name = cmd_value_nth(i->c, "permit-dns", permitted_count)) != NULL) {
        permitted[permitted_count++] = name;
    }
    bool constrained = strcmp(issuer->name, "tls") == 0; /* dNSName says nothing about mail */
    uint8_t serial[SERIAL_LEN];
    init_serial(i->c->now, serial);
    LT_TRY(find_above(i, index, &up));
    const struct ca_profile *found = ca_profiles_find(&i->profiles, lt_slice_cstr(issuer->profile));
    LT_CHECK(found != NULL, LT_STATE_CORRUPT, "profile %s is missing", issuer->profile);
    struct ca_profile profile = *found; /* the arena stays the profiles' */
    profile.crl_distribution = profile.crl_distribution && up.crl;
    const struct ca_authority request = {
        .profile = &profile,
        .country = i->country,
        .organization = i->name,
        .common_name = lt_arena_printf(&i->c->arena, "%s %s CA", i->name, issuer->title),
        .spki = issuer->key.use.spki,
        .issuer = up.cert,
        .issuer_name = up.name,
        .public_http_url = i->public_http_url,
        .serial = LT_SLICE(serial, SERIAL_LEN),
        .now = i->c->now,
        .permitted_dns = permitted,
        .permitted_dns_count = constrained ? permitted_count : 0,
    };
    LT_CHECK(request.common_name != NULL, LT_PEER_USAGE, "--name: too long");
    LT_TRY(init_sign_authority(i, &request, up.key, &issuer->der));
    issuer->parent = index == INIT_ROOT ? -1 : INIT_ROOT;
    return x509_cert_parse(issuer->der, &i->c->arena, &issuer->cert);
}

/* CRL numbers are max(last + 1, microseconds since 1970), so that they grow across restores and hosts. */
static lt_res make_root_crl(struct init *i)
{
    const struct init_issuer *root = &i->issuers[INIT_ROOT];
    int64_t most = ca_limit_at(CA_LIMIT_CA_CRL_LIFETIME_S, i->c->now);
    i->crl_from = lt_time_from_seconds(lt_time_seconds(i->c->now));
    i->crl_until = lt_time_add_seconds(i->crl_from, most - LT_SECONDS_PER_DAY);
    for (unsigned k = 0; k < sizeof(i->root_crl_number); k++) {
        i->root_crl_number[k] = (uint8_t)((uint64_t)i->c->now.us >> (56 - 8 * k));
    }
    const struct ca_authority_crl crl = {
        .issuer = &root->cert,
        .this_update = i->crl_from,
        .next_update = i->crl_until,
        .number = LT_SLICE(i->root_crl_number, sizeof(i->root_crl_number)),
    };
    struct lt_buf tbs;
    lt_buf_init(&tbs, TBS_MAX);
    lt_res r = ca_authority_crl_tbs(&crl, &tbs);
    if (!lt_failed(r)) {
        r = ca_authority_sign(&root->key.use, lt_buf_slice(&tbs), &i->c->arena, &i->root_crl);
    }
    lt_buf_done(&tbs);
    return r;
}

static lt_res make_operator(struct init *i)
{
    LT_TRY(cmd_key_generate("ed25519", &i->operator_key));
    i->admin = (struct ca_operator){
        .name = "admin",
        .roles = CA_ROLE_VIEWER | CA_ROLE_OPERATOR | CA_ROLE_APPROVER | CA_ROLE_AUDITOR,
        .alg = "EdDSA",
        .spki = i->operator_key.use.spki,
        .added = lt_time_from_seconds(lt_time_seconds(i->c->now)),
    };
    LT_TRY(cmd_enrolment_draw(i->c, i->admin.name, CMD_ENROLMENT_HOURS, &i->enrolment));
    return cmd_enrolment_add(i->c, &i->admin, &i->enrolment.row);
}

lt_res init_hierarchy(struct init *i)
{
    LT_TRY(open_token(i));
    LT_TRY(import_all(i));
    LT_TRY(place_keys(i));
    for (size_t k = 0; k < INIT_ISSUERS; k++) {
        LT_TRY(make_key(i, k));
        LT_TRY(make_certificate(i, k));
    }
    LT_TRY(init_testing_alternates(i));
    LT_TRY(make_root_crl(i));
    return make_operator(i);
}
