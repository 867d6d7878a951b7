/* Planning and running a ceremony: the to-be-signed bytes, the key that signs them, the book, the files. The
 * intent is committed before anything is signed, the outcome before a file is written; run again after a
 * crash, it writes the files of what is in the book already. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/body.h"
#include "ca/event.h"
#include "ca/limits.h"
#include "cmd/ceremony.h"
#include "cmd/init.h"
#include "crypto/digest.h"
#include "x509/crl.h"
#include "x509/tbs.h"

enum { SQL_ISSUER, SQL_ISSUER_ADD, SQL_CRL_LAST, SQL_CRL_ADD, SQL_REVOKED, SQL_REVOKE };
static const struct store_sql sql[] = {
    [SQL_ISSUER] = {"ceremony.issuer", "SELECT id, certificate, not_after_us FROM issuer WHERE name = ?1"},
    [SQL_ISSUER_ADD] =
        {"ceremony.issuer.add",
         "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, "
         "not_before_us, not_after_us, offline) SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3, ?4, ?5, "
         "?6, ?7, 0 FROM issuer"},
    [SQL_CRL_LAST] = {"ceremony.crl.last", "SELECT number FROM crl WHERE issuer = ?1 AND shard = 0 "
                                           "ORDER BY number DESC LIMIT 1"},
    [SQL_CRL_ADD] =
        {"ceremony.crl.add",
         "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, "
         "sequence, der) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, 0, ?7)"},
    [SQL_REVOKED] = {"ceremony.revoked", "SELECT serial, revoked_us, reason FROM revocation "
                                         "WHERE issuer = ?1 AND shard = 0 ORDER BY serial LIMIT 1000"},
    [SQL_REVOKE] =
        {"ceremony.revoke",
         "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
         "by_whom, sequence) VALUES (?1, 0, ?2, ?3, ?4, ?4, ?5, ?6, 0) ON CONFLICT DO NOTHING"},
};

enum { TBS_MAX = 1024 * 1024, ENTRIES_MAX = 1000, NUMBER_LEN = 8, PATH_SIZE = 256, FILE_MAX = 64 * 1024 };

struct issuer_row {
    bool found;
    int64_t id;
    lt_slice der;
    int64_t not_after_us;
};

static lt_res find_issuer(struct ceremony *k, const char *name, struct issuer_row *ret_row)
{
    struct store_rows rows;
    *ret_row = (struct issuer_row){.found = false};
    LT_TRY(store_query(k->store, &sql[SQL_ISSUER], STORE_ARGS(STORE_S(name)), &rows));
    if (store_next(&rows)) {
        *ret_row = (struct issuer_row){
            .found = true,
            .id = store_int(&rows, 0),
            .der = lt_arena_copy(&k->c->arena, store_bytes(&rows, 1)),
            .not_after_us = store_int(&rows, 2),
        };
    }
    return store_rows_end(&rows);
}

lt_res ceremony_open_book(struct ceremony *k)
{
    const char *path = NULL;
    LT_TRY(cmd_book(k->c, k->folder, &path));
    const struct store_options options = {.path = path};
    return store_open(&options, &k->store);
}

/* ---- planning ---- */

/* The new CA's public key: of a PEM file, or of a key that is made now and waits in keys/. */
static lt_res new_key(struct ceremony *k, lt_slice *ret_spki)
{
    const char *file = cmd_value(k->c, "public-key");
    char path[PATH_SIZE];
    lt_slice pem;
    lt_slice label;
    if (file != NULL) {
        LT_TRY(lt_file_read(&k->c->arena, AT_FDCWD, file, FILE_MAX, &pem));
        LT_TRY(lt_pem_next(&k->c->arena, &pem, &label, ret_spki));
        LT_CHECK(lt_slice_eq_cstr(label, "PUBLIC KEY"), LT_PEER_USAGE, "%.150s holds no PUBLIC KEY", file);
        return LT_OK;
    }
    (void)snprintf(path, sizeof(path), "keys/%s.key", k->script.name);
    LT_CHECK(faccessat(k->dir, path, F_OK, 0) != 0, LT_PEER_CONFLICT, "%s/%s is there already", k->folder,
             path);
    struct lt_secret passphrase = {.ptr = NULL};
    LT_TRY(cmd_passphrase(k->c, k->folder, k->config->passphrase_file, &passphrase));
    struct cmd_key key = {.soft = NULL};
    struct lt_buf out;
    lt_buf_init(&out, FILE_MAX);
    lt_res r = cmd_key_generate(cmd_value_or(k->c, "key-type", "p256"), &key);
    r = lt_failed(r) ? r : crypto_key_write(key.soft, lt_secret_slice(&passphrase), &out);
    r = lt_failed(r) ? r : lt_file_replace(k->dir, path, 0600, lt_buf_slice(&out));
    *ret_spki = lt_failed(r) ? (lt_slice){NULL, 0} : lt_arena_copy(&k->c->arena, key.use.spki);
    explicit_bzero(out.ptr, out.size);
    lt_buf_done(&out);
    cmd_key_done(&key);
    lt_secret_done(&passphrase);
    return r;
}

lt_res ceremony_plan_ca(struct ceremony *k)
{
    const struct ca_profile *p = ca_profiles_find(&k->profiles, lt_slice_cstr(k->script.profile));
    LT_CHECK(p != NULL && p->kind == CA_PROFILE_CA && p->path_length >= 0, LT_PEER_USAGE,
             "profile \"%.40s\" is none for an issuing CA", k->script.profile);
    LT_CHECK(ca_config_issuer(k->config, lt_slice_cstr(k->script.name)) == NULL, LT_PEER_CONFLICT,
             "there is an issuer %s already; give the new one another name", k->script.name);
    const char *title = cmd_value(k->c, "common-name");
    LT_CHECK(title != NULL, LT_PEER_USAGE, "--common-name is needed: no two CAs share one");
    k->script.profile_sha256 = lt_hex(&k->c->arena, LT_SLICE(p->sha256, CA_PROFILE_SHA256));
    LT_CHECK(k->script.profile_sha256 != NULL, LT_PEER_TOO_LARGE, "too large");
    uint8_t serial[CA_SERIAL_LEN];
    struct lt_buf tbs;
    lt_slice spki;
    init_serial(k->c->now, serial);
    LT_TRY(new_key(k, &spki));
    lt_buf_init(&tbs, TBS_MAX);
    const struct x509_attribute *c = x509_name_find(&k->root.subject, X509_OID_C, 0);
    const struct x509_attribute *o = x509_name_find(&k->root.subject, X509_OID_O, 0);
    const struct ca_authority request = {
        .profile = p,
        .country = c != NULL ? lt_arena_cstr(&k->c->arena, c->value) : "XX",
        .organization = o != NULL ? lt_arena_cstr(&k->c->arena, o->value) : k->config->name,
        .common_name = title,
        .spki = spki,
        .issuer = &k->root,
        .issuer_name = k->script.issuer,
        .public_http_url = k->config->public_http_url,
        .serial = LT_SLICE(serial, sizeof(serial)),
        .now = k->c->now,
    };
    lt_res r = ca_authority_tbs(&request, k->root.spki.der, &tbs);
    k->script.tbs = lt_arena_copy(&k->c->arena, lt_buf_slice(&tbs));
    lt_buf_done(&tbs);
    LT_CHECK(lt_failed(r) || k->script.tbs.ptr != NULL, LT_PEER_TOO_LARGE, "the certificate is too large");
    return r;
}

/* "tls:5": the CA that the CRL revokes. */
static lt_res revoked_by_script(struct ceremony *k, struct issuer_row *ret_ca,
                                struct ca_authority_revoked *ret_entry)
{
    lt_slice rest = lt_slice_cstr(k->script.revoke);
    lt_slice name;
    uint64_t reason = 0;
    struct x509_cert cert;
    *ret_ca = (struct issuer_row){.found = false};
    if (rest.len == 0) {
        return LT_OK;
    }
    LT_CHECK(lt_slice_split(&rest, ':', &name) && !lt_failed(lt_parse_u64(rest, 10, &reason)) &&
                 (reason == 1 || reason == 2 || reason == 3 || reason == 4 || reason == 5 || reason == 9),
             LT_PEER_USAGE, "--revoke-ca: write NAME:REASON, the reason 1, 2, 3, 4, 5 or 9");
    const char *text = lt_arena_cstr(&k->c->arena, name);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "--revoke-ca: too long");
    LT_TRY(find_issuer(k, text, ret_ca));
    LT_CHECK(ret_ca->found && strcmp(text, k->script.issuer) != 0, LT_PEER_NOT_FOUND,
             "--revoke-ca: no issuer %s", text);
    LT_TRY(x509_cert_parse(ret_ca->der, &k->c->arena, &cert));
    *ret_entry = (struct ca_authority_revoked){
        .serial = x509_serial_magnitude(cert.serial),
        .when = lt_time_from_seconds(lt_time_seconds(k->c->now)),
        .reason = (uint32_t)reason,
    };
    return LT_OK;
}

static lt_res collect_revoked(struct ceremony *k, int64_t issuer, struct ca_authority_revoked *entries,
                              size_t *count)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[SQL_REVOKED], STORE_ARGS(STORE_I(issuer)), &rows));
    while (*count < ENTRIES_MAX && store_next(&rows)) {
        entries[(*count)++] = (struct ca_authority_revoked){
            .serial = lt_arena_copy(&k->c->arena, store_bytes(&rows, 0)),
            .when = {store_int(&rows, 1)},
            .reason = (uint32_t)store_int(&rows, 2),
        };
    }
    return store_rows_end(&rows);
}

/* Behind every number that the book knows, and behind the clock. */
static lt_res next_number(struct ceremony *k, int64_t issuer, uint8_t ret_number[NUMBER_LEN])
{
    struct store_rows rows;
    uint64_t last = 0;
    LT_TRY(store_query(k->store, &sql[SQL_CRL_LAST], STORE_ARGS(STORE_I(issuer)), &rows));
    if (store_next(&rows)) {
        lt_slice bytes = store_bytes(&rows, 0);
        for (size_t i = 0; i < bytes.len && i < NUMBER_LEN; i++) {
            last = last << 8 | bytes.ptr[i];
        }
    }
    LT_TRY(store_rows_end(&rows));
    uint64_t number = last + 1 > (uint64_t)k->c->now.us ? last + 1 : (uint64_t)k->c->now.us;
    for (unsigned i = 0; i < NUMBER_LEN; i++) {
        ret_number[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    return LT_OK;
}

lt_res ceremony_plan_crl(struct ceremony *k)
{
    struct issuer_row issuer;
    struct issuer_row ca;
    struct ca_authority_revoked *entries = LT_NEW_ARRAY(&k->c->arena, struct ca_authority_revoked,
                                                        ENTRIES_MAX + 1);
    size_t count = 0;
    uint8_t number[NUMBER_LEN];
    uint64_t days = 0;
    LT_ASSERT(entries != NULL);
    LT_TRY(cmd_number(k->c, "days", 364, 365, &days));
    LT_TRY(find_issuer(k, k->script.issuer, &issuer));
    LT_CHECK(issuer.found, LT_PEER_NOT_FOUND, "the book knows no issuer %s", k->script.issuer);
    LT_TRY(collect_revoked(k, issuer.id, entries, &count));
    LT_TRY(revoked_by_script(k, &ca, &entries[count]));
    for (size_t i = 0; ca.found && i < count; i++) {
        LT_CHECK(!lt_slice_eq(entries[i].serial, entries[count].serial), LT_PEER_CONFLICT,
                 "that CA is revoked already");
    }
    count += ca.found;
    LT_TRY(next_number(k, issuer.id, number));
    const struct ca_authority_crl crl = {
        .issuer = &k->root,
        .this_update = lt_time_from_seconds(lt_time_seconds(k->c->now)),
        .next_update = lt_time_from_seconds(lt_time_seconds(k->c->now) + (int64_t)days * LT_SECONDS_PER_DAY),
        .number = LT_SLICE(number, sizeof(number)),
        .entries = entries,
        .entry_count = count,
    };
    struct lt_buf tbs;
    lt_buf_init(&tbs, TBS_MAX);
    lt_res r = ca_authority_crl_tbs(&crl, &tbs);
    k->script.tbs = lt_arena_copy(&k->c->arena, lt_buf_slice(&tbs));
    lt_buf_done(&tbs);
    LT_CHECK(lt_failed(r) || k->script.tbs.ptr != NULL, LT_PEER_TOO_LARGE, "the CRL is too large");
    return r;
}

/* ---- running ---- */

/* The issuer's key: from a file that was brought along, the folder, or the token. */
static lt_res signing_key(struct ceremony *k, struct crypto_pkcs11 **token, struct cmd_key *ret_key)
{
    const struct ca_config_issuer *i = ca_config_issuer(k->config, lt_slice_cstr(k->script.issuer));
    struct lt_secret secret = {.ptr = NULL};
    const char *file = cmd_value(k->c, "root-key");
    const char *passphrase = cmd_value(k->c, "root-passphrase-file");
    LT_CHECK(i != NULL, LT_PEER_NOT_FOUND, "there is no issuer %s", k->script.issuer);
    if (file == NULL && i->pkcs11_uri[0] != 0) {
        if (k->config->token_pin_file[0] != 0) {
            LT_TRY(cmd_secret_file(k->config->token_pin_file, &secret));
        }
        lt_res r = crypto_pkcs11_open(k->config->token_module, lt_secret_slice(&secret), token);
        lt_secret_done(&secret);
        LT_TRY(r);
        return cmd_key_token(*token, i->pkcs11_uri, NULL, ret_key);
    }
    LT_CHECK(file != NULL || i->key[0] != 0, LT_PEER_USAGE,
             "%s is offline: bring its key, --root-key FILE and --root-passphrase-file FILE",
             k->script.issuer);
    if (file == NULL) {
        file = lt_arena_printf(&k->c->arena, "%s/%s", k->folder, i->key);
        LT_CHECK(file != NULL, LT_PEER_USAGE, "the path is too long");
        LT_TRY(cmd_passphrase(k->c, k->folder, k->config->passphrase_file, &secret));
    } else if (passphrase != NULL) {
        LT_TRY(cmd_secret_file(passphrase, &secret));
    }
    lt_res r = cmd_key_load(&k->c->arena, file, &secret, ret_key);
    lt_secret_done(&secret);
    return r;
}

static lt_res sign(struct ceremony *k, lt_slice *ret_der)
{
    struct crypto_pkcs11 *token = NULL;
    struct cmd_key key = {.soft = NULL};
    lt_res r = signing_key(k, &token, &key);
    if (!lt_failed(r) && !lt_slice_eq(key.use.spki, k->root.spki.der)) {
        r = lt_fail(LT_PEER_USAGE, __FILE__, __LINE__, "this key is not that of %s", k->script.issuer);
    }
    r = lt_failed(r) ? r : ca_authority_sign(&key.use, k->script.tbs, &k->c->arena, ret_der);
    cmd_key_done(&key);
    crypto_pkcs11_close(token);
    return r;
}

static lt_res event(struct ceremony *k, struct ca_turn *t, const char *kind, const char *people)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char subject[96];
    struct ca_body b;
    crypto_sha256(k->script.text, hash);
    ca_body_init(&b);
    ca_body_str(&b, "action", k->script.action);
    ca_body_str(&b, "issuer", k->script.issuer);
    ca_body_str(&b, "name", k->script.name);
    ca_body_str(&b, "profile", k->script.profile);
    ca_body_str(&b, "revoke", k->script.revoke);
    ca_body_hex(&b, "script_sha256", LT_SLICE(hash, sizeof(hash)));
    ca_body_str(&b, "signed_by", people);
    (void)snprintf(subject, sizeof(subject), "issuer %.60s", k->script.name);
    return ca_body_event(&b, t, kind, subject, k->script.text);
}

static lt_slice sha256(struct ceremony *k, lt_slice bytes)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(bytes, hash);
    return lt_arena_copy(&k->c->arena, LT_SLICE(hash, sizeof(hash)));
}

static lt_res keep_ca(struct ceremony *k, struct ca_turn *t, const struct issuer_row *parent, lt_slice der)
{
    struct x509_cert cert;
    LT_TRY(x509_cert_parse(der, &k->c->arena, &cert));
    return store_exec(t->store, &sql[SQL_ISSUER_ADD],
                      STORE_ARGS(STORE_S(k->script.name), STORE_I(parent->id),
                                 STORE_B(sha256(k, cert.subject.der)), STORE_B(sha256(k, cert.spki.der)),
                                 STORE_B(der), STORE_I(cert.not_before.us), STORE_I(cert.not_after.us)),
                      NULL);
}

static lt_res keep_crl(struct ceremony *k, struct ca_turn *t, const struct issuer_row *issuer, lt_slice der)
{
    struct x509_crl crl;
    struct issuer_row ca;
    struct ca_authority_revoked entry;
    uint8_t number[NUMBER_LEN] = {0};
    LT_TRY(x509_crl_parse(der, &k->c->arena, &crl));
    LT_CHECK(crl.ext.crl_number.len <= NUMBER_LEN, LT_PEER_MALFORMED, "the CRL's number is too long");
    memcpy(number + NUMBER_LEN - crl.ext.crl_number.len, crl.ext.crl_number.ptr, crl.ext.crl_number.len);
    LT_TRY(revoked_by_script(k, &ca, &entry));
    if (ca.found) {
        LT_TRY(store_exec(t->store, &sql[SQL_REVOKE],
                          STORE_ARGS(STORE_I(issuer->id), STORE_B(entry.serial), STORE_I(entry.reason),
                                     STORE_I(k->c->now.us), STORE_I(ca.not_after_us), STORE_S("ceremony")),
                          NULL));
    }
    lt_res r = store_exec(t->store, &sql[SQL_CRL_ADD],
                          STORE_ARGS(STORE_I(issuer->id), STORE_B(LT_SLICE(number, sizeof(number))),
                                     STORE_I(crl.this_update.us), STORE_I(crl.next_update.us),
                                     STORE_I(crl.entry_count), STORE_B(sha256(k, der)), STORE_B(der)),
                          NULL);
    LT_CHECK(r.code != LT_PEER_CONFLICT, LT_PEER_CONFLICT,
             "a CRL of this number is in the book; plan a new one");
    return r;
}

/* One transaction with an event at its end. der empty: the intent alone. */
static lt_res commit(struct ceremony *k, const char *kind, const char *people, lt_slice der)
{
    struct issuer_row issuer;
    struct ca_book *book = NULL;
    struct ca_turn t;
    const struct ca_book_options options = {
        .store = k->store,
        .chain = "offline",
        .build = lt_version,
        .base_url = "",
        .public_http_url = k->config->public_http_url,
    };
    LT_TRY(store_begin(k->store));
    LT_TRY(ca_book_open(&options, &book));
    ca_turn_init(&t, k->store, &k->c->arena, k->c->now);
    t.book = book;
    t.random = lt_random;
    lt_res r = find_issuer(k, k->script.issuer, &issuer);
    if (!lt_failed(r) && der.len > 0) {
        r = strcmp(k->script.action, "ca") == 0 ? keep_ca(k, &t, &issuer, der)
                                                : keep_crl(k, &t, &issuer, der);
    }
    r = lt_failed(r) ? r : event(k, &t, kind, people);
    ca_book_free(book);
    LT_TRY(r);
    return store_commit(k->store);
}

/* Files as init writes them. */
static lt_res write_files(struct ceremony *k, lt_slice der)
{
    char path[PATH_SIZE];
    struct lt_buf pem;
    bool ca = strcmp(k->script.action, "ca") == 0;
    (void)snprintf(path, sizeof(path), ca ? "public/ca/%s.crt" : "public/crl/%s.crl", k->script.name);
    LT_TRY(lt_file_replace(k->dir, path, 0644, der));
    if (!ca) {
        return LT_OK;
    }
    lt_buf_init(&pem, FILE_MAX);
    lt_pem_add(&pem, "CERTIFICATE", der);
    (void)snprintf(path, sizeof(path), "ca/%s.pem", k->script.name);
    lt_res r = lt_file_replace(k->dir, path, 0644, lt_buf_slice(&pem));
    (void)snprintf(path, sizeof(path), "ca/%s.chain.pem", k->script.name);
    r = lt_failed(r) ? r : lt_file_replace(k->dir, path, 0644, lt_buf_slice(&pem));
    lt_buf_done(&pem);
    return r;
}

/* Is it in the book from a run that was cut short? Then only the files are missing. */
static lt_res already_done(struct ceremony *k, lt_slice *ret_der)
{
    struct issuer_row row;
    struct x509_cert cert;
    *ret_der = (lt_slice){NULL, 0};
    if (strcmp(k->script.action, "ca") != 0) {
        return LT_OK;
    }
    LT_TRY(find_issuer(k, k->script.name, &row));
    if (!row.found) {
        return LT_OK;
    }
    LT_TRY(x509_cert_parse(row.der, &k->c->arena, &cert));
    LT_CHECK(lt_slice_eq(cert.tbs, k->script.tbs), LT_PEER_CONFLICT, "there is an issuer %s already",
             k->script.name);
    *ret_der = row.der;
    return LT_OK;
}

lt_res ceremony_run(struct ceremony *k, const char *people)
{
    lt_slice der;
    LT_TRY(already_done(k, &der));
    if (der.len == 0) {
        LT_TRY(commit(k, "ceremony.intent", people, (lt_slice){NULL, 0}));
        LT_TRY(sign(k, &der));
        LT_TRY(commit(k, "ceremony.signed", people, der));
    }
    return write_files(k, der);
}
