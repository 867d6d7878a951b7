/* The script of a ceremony: written, read again strictly, signed, shown, and compared with its profile. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/limits.h"
#include "cmd/ceremony.h"
#include "crypto/digest.h"
#include "crypto/pub.h"
#include "x509/crl.h"

#define HEAD "lintel-ceremony-v1\n"

enum { SIGNATURE_FILE_MAX = 4096, PATH_SIZE = 4096, NAME_TEXT_MAX = 4096 };

/* The words of a script, in their order; all of them are there. */
struct word {
    const char *key;
    size_t offset; /* in struct ceremony_script: a const char * */
};
static const struct word words[] = {
    {"action", offsetof(struct ceremony_script, action)},
    {"ca", offsetof(struct ceremony_script, ca)},
    {"issuer", offsetof(struct ceremony_script, issuer)},
    {"name", offsetof(struct ceremony_script, name)},
    {"profile", offsetof(struct ceremony_script, profile)},
    {"profile-sha256", offsetof(struct ceremony_script, profile_sha256)},
    {"revoke", offsetof(struct ceremony_script, revoke)},
    {"expires", offsetof(struct ceremony_script, expires)},
};

static const char **member(struct ceremony_script *s, const struct word *w)
{
    return (const char **)(void *)((char *)s + w->offset);
}

lt_res ceremony_write(struct ceremony *k, const char *file)
{
    struct lt_buf out;
    lt_res r = LT_OK;
    lt_buf_init(&out, CEREMONY_SCRIPT_MAX);
    lt_buf_add_cstr(&out, HEAD);
    for (size_t i = 0; i < LT_COUNT(words) && !lt_failed(r); i++) {
        const char *value = *member(&k->script, &words[i]);
        lt_buf_addf(&out, "%s=%s\n", words[i].key, value);
        if (strpbrk(value, "\r\n") != NULL) {
            r = lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "%s holds a line end", words[i].key);
        }
    }
    lt_buf_add_cstr(&out, "tbs=");
    lt_base64_add(&out, k->script.tbs);
    lt_buf_add_cstr(&out, "\n");
    r = lt_failed(r) ? r : lt_buf_check(&out);
    if (!lt_failed(r) && access(file, F_OK) == 0) {
        r = lt_fail(LT_PEER_CONFLICT, __FILE__, __LINE__, "%.150s is there already", file);
    }
    r = lt_failed(r) ? r : lt_file_replace(AT_FDCWD, file, 0644, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res take_line(lt_slice *rest, const char *key, lt_slice *ret_value)
{
    lt_slice line;
    size_t len = strlen(key);
    LT_CHECK(lt_slice_split(rest, '\n', &line) && lt_slice_starts(line, lt_slice_cstr(key)) &&
                 line.len > len && line.ptr[len] == '=',
             LT_PEER_MALFORMED, "the script has no line \"%s=\" where it should be", key);
    *ret_value = lt_slice_sub(line, len + 1, line.len);
    return LT_OK;
}

lt_res ceremony_read(struct ceremony *k, const char *file)
{
    struct ceremony_script s = {.action = NULL};
    lt_slice value;
    LT_TRY(lt_file_read(&k->c->arena, AT_FDCWD, file, CEREMONY_SCRIPT_MAX, &s.text));
    lt_slice rest = s.text;
    LT_CHECK(lt_slice_starts(rest, LT_LIT(HEAD)), LT_PEER_MALFORMED, "%.150s is no script of a ceremony",
             file);
    rest = lt_slice_sub(rest, sizeof(HEAD) - 1, rest.len);
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        LT_TRY(take_line(&rest, words[i].key, &value));
        *member(&s, &words[i]) = lt_arena_cstr(&k->c->arena, value);
        LT_CHECK(*member(&s, &words[i]) != NULL, LT_PEER_TOO_LARGE, "the script is too large");
    }
    LT_TRY(take_line(&rest, "tbs", &value));
    LT_TRY(lt_unbase64(&k->c->arena, value, &s.tbs));
    LT_CHECK(rest.len == 0, LT_PEER_MALFORMED, "the script goes on behind its end");
    k->script = s;
    return LT_OK;
}

void ceremony_statement(const struct ceremony_script *s, struct lt_buf *out)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(s->text, hash);
    lt_buf_add_cstr(out, "lintel-ceremony-approval-v1\nscript-sha256=");
    lt_hex_add(out, LT_SLICE(hash, sizeof(hash)));
    lt_buf_add_cstr(out, "\n");
}

static lt_res verify_one(struct ceremony *k, const struct ca_operator *o, lt_slice text)
{
    lt_slice signature;
    struct lt_buf statement;
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_TRY(lt_unbase64url(&k->c->arena, text, &signature));
    LT_TRY(crypto_pub_new(o->spki, &pub));
    lt_buf_init(&statement, 256);
    ceremony_statement(&k->script, &statement);
    lt_res r = crypto_pub_verify_jose(pub, crypto_alg_of_key(crypto_pub_type(pub)), lt_buf_slice(&statement),
                                      signature);
    lt_buf_done(&statement);
    LT_CHECK(!lt_failed(r), LT_POLICY_APPROVAL, "the signature of %s is not one of this script", o->name);
    return LT_OK;
}

lt_res ceremony_signatures(struct ceremony *k, const char *file, size_t *ret_count, struct lt_buf *names)
{
    *ret_count = 0;
    for (size_t i = 0; i < k->operators.count; i++) {
        const struct ca_operator *o = &k->operators.list[i];
        char path[PATH_SIZE];
        lt_slice text;
        int n = snprintf(path, sizeof(path), "%s.%s.sig", file, o->name);
        if ((o->roles & CA_ROLE_APPROVER) == 0 || n < 0 || (size_t)n >= sizeof(path) ||
            access(path, F_OK) != 0) {
            continue;
        }
        LT_TRY(lt_file_read(&k->c->arena, AT_FDCWD, path, SIGNATURE_FILE_MAX, &text));
        LT_TRY(verify_one(k, o, lt_slice_sub(text, 0, lt_slice_find(text, '\n'))));
        lt_buf_addf(names, "%s%s", *ret_count > 0 ? "," : "", o->name);
        (*ret_count)++;
    }
    return lt_buf_check(names);
}

static lt_res check_in_time(struct ceremony *k)
{
    lt_time expires;
    LT_TRY(lt_time_parse(lt_slice_cstr(k->script.expires), &expires));
    LT_CHECK(k->c->now.us < expires.us, LT_POLICY_APPROVAL, "the script expired at %s; plan it anew",
             k->script.expires);
    LT_CHECK(strcmp(k->script.ca, k->config->name) == 0, LT_PEER_USAGE, "the script is for the CA \"%.60s\"",
             k->script.ca);
    return LT_OK;
}

static bool same_purposes(const struct x509_cert *cert, const struct ca_profile *p)
{
    bool same = cert->ext.eku_count == p->eku_count && cert->ext.policy_count == p->policy_count;
    for (uint32_t i = 0; same && i < p->eku_count; i++) {
        same = cert->ext.eku[i].oid == p->eku[i];
    }
    for (uint32_t i = 0; same && i < p->policy_count; i++) {
        same = lt_slice_eq(cert->ext.policies[i].id.der, p->policies[i]);
    }
    return same;
}

/* Extensions that a CA certificate of ours has; anything else was slipped in. */
static bool known_extensions(const struct x509_cert *cert)
{
    static const enum x509_oid known[] = {
        X509_OID_BASIC_CONSTRAINTS,        X509_OID_KEY_USAGE,
        X509_OID_EXTENDED_KEY_USAGE,       X509_OID_CERTIFICATE_POLICIES,
        X509_OID_AUTHORITY_KEY_IDENTIFIER, X509_OID_SUBJECT_KEY_IDENTIFIER,
        X509_OID_CRL_DISTRIBUTION_POINTS,  X509_OID_AUTHORITY_INFO_ACCESS,
        X509_OID_NAME_CONSTRAINTS,
    };
    for (size_t i = 0; i < cert->ext.count; i++) {
        bool found = false;
        for (size_t j = 0; j < LT_COUNT(known); j++) {
            found = found || cert->ext.list[i].id.oid == known[j];
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static lt_res check_ca(struct ceremony *k)
{
    struct x509_cert cert;
    const struct ca_profile *p = ca_profiles_find(&k->profiles, lt_slice_cstr(k->script.profile));
    char *hash = p != NULL ? lt_hex(&k->c->arena, LT_SLICE(p->sha256, CA_PROFILE_SHA256)) : NULL;
    LT_CHECK(hash != NULL && p->kind == CA_PROFILE_CA && strcmp(hash, k->script.profile_sha256) == 0,
             LT_PEER_CONFLICT, "profile %.40s is not the one that the script was planned with",
             k->script.profile);
    LT_TRY(x509_tbs_parse(k->script.tbs, &k->c->arena, &cert));
    LT_CHECK(lt_slice_eq(cert.issuer.der, k->root.subject.der) &&
                 lt_slice_eq(cert.ext.aki_key_id, k->root.ext.ski) &&
                 cert.sig_alg == x509_sig_alg_for(k->root.spki.type),
             LT_PEER_MALFORMED, "the certificate names another issuer than %s", k->script.issuer);
    LT_CHECK(cert.ext.ca && cert.ext.has_path_len == (p->path_length >= 0) &&
                 (p->path_length < 0 || cert.ext.path_len == (uint32_t)p->path_length) &&
                 cert.ext.key_usage == p->key_usage && same_purposes(&cert, p) && known_extensions(&cert),
             LT_POLICY_REFUSED, "the certificate is not what profile %s says", p->name);
    LT_CHECK(ca_validity_seconds(cert.not_before, cert.not_after) <= p->validity_max_s &&
                 cert.not_after.us <= k->root.not_after.us && cert.not_before.us <= k->c->now.us,
             LT_POLICY_REFUSED, "its validity is over what profile %s or the issuer allow", p->name);
    LT_TRY(x509_spki_check(&cert.spki));
    return ca_profile_check_key(p, cert.spki.type, cert.spki.bits);
}

static lt_res check_crl(struct ceremony *k)
{
    struct x509_crl crl;
    int64_t most = ca_limit_at(CA_LIMIT_CA_CRL_LIFETIME_S, k->c->now) * LT_US_PER_SECOND;
    LT_TRY(x509_crl_tbs_parse(k->script.tbs, &k->c->arena, &crl));
    LT_CHECK(lt_slice_eq(crl.issuer.der, k->root.subject.der) && crl.ext.has_crl_number &&
                 crl.has_next_update,
             LT_PEER_MALFORMED, "the CRL is not one of %s", k->script.issuer);
    LT_CHECK(crl.next_update.us - crl.this_update.us <= most && crl.next_update.us > k->c->now.us,
             LT_POLICY_REFUSED, "the CRL is over %lld days long, or over already",
             (long long)(most / LT_US_PER_SECOND / 86400));
    return LT_OK;
}

/* Which journal it is about is compared when it is carried out. */
static lt_res check_restore(struct ceremony *k)
{
    LT_CHECK(lt_slice_starts(k->script.tbs, LT_LIT("journal-last=")), LT_PEER_MALFORMED,
             "the script names no journal");
    return LT_OK;
}

lt_res ceremony_check(struct ceremony *k)
{
    static const struct {
        const char *action;
        lt_res (*check)(struct ceremony *k);
    } rows[] = {{"ca", check_ca}, {"crl", check_crl}, {"restore", check_restore}};
    LT_TRY(check_in_time(k));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (strcmp(rows[i].action, k->script.action) == 0) {
            return rows[i].check(k);
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "there is no ceremony \"%.40s\"", k->script.action);
}

static lt_res say_ca(struct ceremony *k, struct lt_buf *out)
{
    struct x509_cert cert;
    char from[LT_RFC3339_SIZE];
    char until[LT_RFC3339_SIZE];
    LT_TRY(x509_tbs_parse(k->script.tbs, &k->c->arena, &cert));
    lt_time_rfc3339(cert.not_before, from);
    lt_time_rfc3339(cert.not_after, until);
    lt_buf_add_cstr(out, "  subject     ");
    x509_name_text(&cert.subject, out);
    lt_buf_addf(out, "\n  key         %s\n  valid       %s to %s\n  serial      ",
                x509_key_type_name(cert.spki.type), from, until);
    lt_hex_add(out, x509_serial_magnitude(cert.serial));
    for (size_t i = 0; i < cert.ext.count; i++) {
        lt_buf_addf(out, "\n  %-11s %s%s", i == 0 ? "extensions" : "", x509_oid_name(cert.ext.list[i].id.oid),
                    cert.ext.list[i].critical ? " (critical)" : "");
    }
    for (size_t i = 0; i < cert.ext.permitted.count; i++) {
        lt_buf_add_cstr(out, "\n  permitted   ");
        x509_general_name_text(&cert.ext.permitted.list[i], out);
    }
    lt_buf_add_cstr(out, "\n");
    return LT_OK;
}

static lt_res say_crl(struct ceremony *k, struct lt_buf *out)
{
    struct x509_crl crl;
    struct x509_crl_entry e;
    char from[LT_RFC3339_SIZE];
    char until[LT_RFC3339_SIZE];
    LT_TRY(x509_crl_tbs_parse(k->script.tbs, &k->c->arena, &crl));
    lt_time_rfc3339(crl.this_update, from);
    lt_time_rfc3339(crl.next_update, until);
    lt_buf_addf(out, "  from        %s to %s\n  entries     %zu\n", from, until, crl.entry_count);
    struct der_cursor c = der_open(crl.entries);
    while (x509_crl_next(&c, &e)) {
        lt_buf_add_cstr(out, "    ");
        lt_hex_add(out, x509_serial_magnitude(e.serial));
        lt_buf_addf(out, " reason %u\n", e.reason);
    }
    return LT_OK;
}

lt_res ceremony_say(struct ceremony *k)
{
    struct lt_buf out;
    bool ca = strcmp(k->script.action, "ca") == 0;
    bool restore = strcmp(k->script.action, "restore") == 0;
    lt_buf_init(&out, 1 << 20);
    lt_buf_addf(&out, "ceremony of %s: %s %s%s\n", k->script.ca, restore ? "the book" : k->script.issuer,
                restore ? "is reconciled with the signer's journal"
                : ca    ? "signs the CA certificate of "
                        : "signs a CRL",
                ca ? k->script.name : "");
    lt_buf_addf(&out, "%s%s%s  until       %s, this script is void\n",
                k->script.revoke[0] != 0 ? "  revokes     " : "", k->script.revoke,
                k->script.revoke[0] != 0 ? "\n" : "", k->script.expires);
    if (restore) {
        lt_buf_add(&out, k->script.tbs);
    }
    lt_res r = restore ? LT_OK : ca ? say_ca(k, &out) : say_crl(k, &out);
    lt_buf_add_cstr(&out, "what an operator signs:\n  ");
    ceremony_statement(&k->script, &out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}
