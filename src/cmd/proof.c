/* lintel problem prove: proofs that a key is compromised, looked at here and handed in. lintel problem nonce:
 * a nonce for a key to sign. lintel key check, key list: what became of keys. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/list.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "incident/proof.h"
#include "x509/cert.h"

enum { FILE_MAX = 64 * 1024, FILES_MAX = CMD_WORDS_MAX, PATH_SIZE = 128, HASH_DIGITS = 64 };

struct files {
    lt_slice bytes[FILES_MAX]; /* wiped at the end: there may be private keys in them */
    size_t first[FILES_MAX];   /* of the proofs found in it */
    size_t count;
};

static lt_res read_files(struct cmd *c, struct files *f)
{
    for (size_t i = 0; i < c->args.word_count; i++) {
        LT_TRY(lt_file_read(&c->arena, AT_FDCWD, c->args.words[i], FILE_MAX, &f->bytes[i]));
        f->count++;
    }
    return LT_OK;
}

static void wipe(const struct files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        explicit_bzero((void *)(uintptr_t)f->bytes[i].ptr, f->bytes[i].len);
    }
}

static lt_res look(struct cmd *c, struct files *f, struct incident_proofs *p)
{
    for (size_t i = 0; i < f->count; i++) {
        f->first[i] = p->count;
        LT_TRY(incident_proof_look(f->bytes[i], &c->arena, p));
    }
    return incident_proof_finish(&c->arena, p);
}

static const char *file_of(const struct cmd *c, const struct files *f, size_t proof)
{
    size_t i = f->count;
    while (i > 1 && f->first[i - 1] > proof) {
        i--;
    }
    return c->args.words[i - 1];
}

static const char *key_text(struct cmd *c, const struct incident_proof *p)
{
    const char *hex = p->has_key ? lt_hex(&c->arena, LT_SLICE(p->spki_sha256, sizeof p->spki_sha256)) : "";
    LT_ASSERT(hex != NULL);
    return hex;
}

/* ---- without --yes ---- */

static lt_res say_would(struct cmd *c, const struct files *f, const struct incident_proofs *p, size_t i,
                        json_t *list)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const struct incident_proof *one = &p->list[i];
    bool proven = one->verdict == INCIDENT_PROOF_PROVEN;
    const char *key = key_text(c, one);
    char path[PATH_SIZE];
    if (proven) {
        (void)snprintf(path, sizeof path, "keys/%s", key);
        LT_TRY(cmd_api_get(c, path, &answer));
    }
    const char *verdict = incident_proof_verdict_name(one->verdict);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "file", file_of(c, f, i), "kind",
                            one->kind, "verdict", verdict, "why", one->why, "key_type", one->key_type,
                            "spki_sha256", key, "valid", (int)cmd_int(answer, "valid"));
    LT_ASSERT(row != NULL);
    (void)json_array_append_new(list, row); /* an array takes any value */
    if (c->json) {
        return LT_OK;
    }
    LT_TRY(cmd_printf("%s: %s %s\n", file_of(c, f, i), one->kind[0] == 0 ? "no proof," : one->kind, verdict));
    LT_TRY(cmd_printf("  %s\n", one->why));
    if (!proven) {
        return LT_OK;
    }
    return cmd_printf("  %s key %s\n  would block it and revoke its %lld valid certificates; add --yes\n",
                      one->key_type, key, (long long)cmd_int(answer, "valid"));
}

static lt_res would(struct cmd *c, const struct files *f, const struct incident_proofs *p)
{
    LT_CLEANUP(cmd_json_freep) json_t *list = json_array();
    LT_CLEANUP(cmd_json_freep) json_t *whole = NULL;
    LT_ASSERT(list != NULL);
    for (size_t i = 0; i < p->count; i++) {
        LT_TRY(say_would(c, f, p, i, list));
    }
    whole = json_pack("{s:b, s:O}", "done", 0, "proofs", list);
    LT_ASSERT(whole != NULL);
    return c->json ? cmd_print_json(whole) : LT_OK;
}

/* ---- with --yes ---- */

static lt_res add_part(struct cmd *c, json_t *parts, lt_slice bytes)
{
    char *text = lt_base64url(&c->arena, bytes);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the proofs are too large for one request");
    (void)json_array_append_new(parts, json_string(text)); /* an array takes any value */
    return LT_OK;
}

/* A private key stays on this machine: it signs a nonce, and that is sent. */
static lt_res add_signed(struct cmd *c, lt_slice file, size_t nth, json_t *parts)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *nothing = json_object();
    struct incident_proofs *p = LT_NEW(&c->arena, struct incident_proofs);
    struct lt_buf out;
    LT_ASSERT(p != NULL && nothing != NULL);
    LT_TRY(cmd_api_post(c, "proofs/nonce", nothing, &answer));
    p->sign = lt_slice_cstr(cmd_text(answer, "words"));
    LT_TRY(incident_proof_look(file, &c->arena, p));
    LT_CHECK(nth < p->count && p->list[nth].signature.len > 0, LT_PEER_UNSUPPORTED,
             "this private key cannot sign (it has no private exponent)");
    lt_buf_init(&out, FILE_MAX);
    lt_buf_addf(&out, "{\"nonce\":\"%s\",\"public-key\":\"", cmd_text(answer, "nonce"));
    lt_base64_add(&out, p->list[nth].spki);
    lt_buf_add_cstr(&out, "\",\"signature\":\"");
    lt_base64_add(&out, p->list[nth].signature);
    lt_buf_add_cstr(&out, "\"}");
    lt_res r = add_part(c, parts, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* A file with private keys goes as what they signed, and as what is left when they are taken out. */
static lt_res add_file(struct cmd *c, const struct files *f, const struct incident_proofs *p, size_t i,
                       json_t *parts)
{
    size_t end = i + 1 < f->count ? f->first[i + 1] : p->count;
    struct lt_buf rest;
    lt_buf_init(&rest, 4 * FILE_MAX);
    for (size_t k = f->first[i]; k < end; k++) {
        bool private = strcmp(p->list[k].kind, "private-key") == 0;
        if (private && p->list[k].verdict == INCIDENT_PROOF_PROVEN) {
            lt_res r = add_signed(c, f->bytes[i], k - f->first[i], parts);
            if (lt_failed(r)) {
                lt_buf_done(&rest);
                return r;
            }
        }
    }
    struct incident_proofs *own = LT_NEW(&c->arena, struct incident_proofs);
    LT_ASSERT(own != NULL);
    own->more = p->more;
    memcpy(own->list, &p->list[f->first[i]], (end - f->first[i]) * sizeof own->list[0]);
    own->count = end - f->first[i];
    incident_proof_redact(f->bytes[i], own, 0, &rest);
    lt_res r = add_part(c, parts, lt_buf_slice(&rest));
    lt_buf_done(&rest);
    return r;
}

static lt_res print_answer(struct cmd *c, const json_t *answer)
{
    size_t i;
    const json_t *one;
    if (c->json) {
        return cmd_print_json(answer);
    }
    json_array_foreach(json_object_get(answer, "proofs"), i, one)
    {
        const char *words = cmd_text(one, "words");
        LT_TRY(cmd_printf("%s %s, %s\n  %s\n", cmd_text(one, "kind"), cmd_text(one, "verdict"),
                          cmd_text(one, "outcome"), words[0] == 0 ? cmd_text(one, "why") : words));
        if (cmd_text(one, "spki_sha256")[0] != 0) {
            LT_TRY(cmd_printf("  lintel key check %s\n", cmd_text(one, "spki_sha256")));
        }
    }
    return LT_OK;
}

static lt_res hand_in(struct cmd *c, const struct files *f, const struct incident_proofs *p)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    json_t *parts = json_array();
    uint64_t problem = 0;
    LT_ASSERT(payload != NULL && parts != NULL);
    (void)json_object_set_new(payload, "proofs", parts); /* an object takes any value */
    LT_TRY(cmd_number(c, "problem", 0, INT64_MAX, &problem));
    if (problem > 0) {
        (void)json_object_set_new(payload, "problem", json_integer((json_int_t)problem));
    }
    const char *const texts[] = {"filer", "received"};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        if (cmd_value(c, texts[i]) != NULL) {
            (void)json_object_set_new(payload, texts[i], json_string(cmd_value(c, texts[i])));
        }
    }
    for (size_t i = 0; i < f->count; i++) {
        LT_TRY(add_file(c, f, p, i, parts));
    }
    LT_TRY(cmd_api_post(c, "proofs", payload, &answer));
    return print_answer(c, answer);
}

static lt_res prove(struct cmd *c, struct files *f)
{
    struct incident_proofs *p = LT_NEW(&c->arena, struct incident_proofs);
    size_t proven = 0;
    LT_ASSERT(p != NULL);
    LT_TRY(read_files(c, f));
    LT_TRY(look(c, f, p));
    for (size_t i = 0; i < p->count; i++) {
        proven += p->list[i].verdict == INCIDENT_PROOF_PROVEN ? 1 : 0;
    }
    LT_CHECK(p->count > 0, LT_PEER_NOT_FOUND,
             "no proof is in %s: send a request, certificate, JWS or key as lintel-key(1) has them",
             c->args.words[0]);
    if (!cmd_flag(c, "yes") || proven == 0) {
        LT_TRY(would(c, f, p));
        c->exit_status = proven == 0 ? CMD_REFUSED : 0;
        return LT_OK;
    }
    return hand_in(c, f, p);
}

static lt_res run_prove(struct cmd *c)
{
    struct files f = {.count = 0};
    lt_res r = prove(c, &f);
    wipe(&f);
    return r;
}

static lt_res run_nonce(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *nothing = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(nothing != NULL);
    LT_TRY(cmd_api_post(c, "proofs/nonce", nothing, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    const char *words = cmd_text(answer, "words");
    LT_TRY(cmd_printf("%s\n\ngood once, until %s. As a request:\n", cmd_text(answer, "nonce"),
                      cmd_text(answer, "expires")));
    LT_TRY(cmd_printf("  openssl req -new -key KEY -subj '/CN=%s'\nor signed:\n", words));
    return cmd_printf("  printf '%%s' '%s' | openssl dgst -sha256 -sign KEY | base64 -w0\n", words);
}

/* ---- key check, key list ---- */

/* What somebody has: the hash itself, or a file with a key, a certificate, a request. */
static lt_res key_named(struct cmd *c, const char *word, const char **ret_hex)
{
    struct incident_proofs *p = LT_NEW(&c->arena, struct incident_proofs);
    struct x509_spki spki;
    uint8_t hash[CRYPTO_SHA256_LEN];
    lt_slice bytes;
    LT_ASSERT(p != NULL);
    if (strlen(word) == HASH_DIGITS && strspn(word, "0123456789abcdefABCDEF") == HASH_DIGITS) {
        char *lower = lt_arena_cstr(&c->arena, lt_slice_cstr(word));
        LT_ASSERT(lower != NULL);
        for (char *at = lower; *at != 0; at++) {
            *at = (char)(*at >= 'A' && *at <= 'F' ? *at + 32 : *at);
        }
        *ret_hex = lower;
        return LT_OK;
    }
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, word, FILE_MAX, &bytes));
    LT_TRY(incident_proof_look(bytes, &c->arena, p));
    explicit_bzero((void *)(uintptr_t)bytes.ptr, bytes.len);
    if (p->count > 0 && p->list[0].has_key) {
        *ret_hex = key_text(c, &p->list[0]);
        return LT_OK;
    }
    LT_CHECK(p->key_count > 0, LT_PEER_USAGE, "%s has no key, certificate or request, and is no SHA-256",
             word);
    LT_TRY(x509_spki_parse(p->keys[0], &spki));
    LT_TRY(incident_proof_key(&spki, &c->arena, hash));
    *ret_hex = lt_hex(&c->arena, LT_SLICE(hash, sizeof hash));
    LT_ASSERT(*ret_hex != NULL);
    return LT_OK;
}

static lt_res print_key(const json_t *k)
{
    const json_t *proven = json_object_get(k, "proven");
    bool blocked = json_is_true(json_object_get(k, "blocked"));
    LT_TRY(cmd_printf("key %s: %s\n", cmd_text(k, "spki_sha256"), blocked ? "blocked" : "not blocked"));
    if (blocked) {
        LT_TRY(cmd_printf("  since         %s: %s (%s)\n", cmd_text(k, "since"), cmd_text(k, "reason"),
                          cmd_text(k, "source")));
    }
    LT_TRY(cmd_printf("  certificates  %lld, of which %lld are valid\n",
                      (long long)cmd_int(k, "certificates"), (long long)cmd_int(k, "valid")));
    if (proven == NULL) {
        return LT_OK;
    }
    LT_TRY(cmd_printf("  compromised   proven %s by %s (%s)\n", cmd_text(proven, "proven"),
                      cmd_text(proven, "proof"), cmd_text(proven, "via")));
    return cmd_text(proven, "revoked")[0] == 0
               ? cmd_printf("  revocation    %s\n", cmd_text(proven, "step"))
               : cmd_printf("  revoked       %lld certificates, %lld ms after the proof\n",
                            (long long)cmd_int(proven, "certificates"),
                            (long long)cmd_int(proven, "milliseconds"));
}

static lt_res run_check(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    const char *hex = NULL;
    LT_TRY(key_named(c, c->args.words[0], &hex));
    (void)snprintf(path, sizeof path, "keys/%s", hex);
    LT_TRY(cmd_api_get(c, path, &answer));
    c->exit_status = json_is_true(json_object_get(answer, "blocked")) ? CMD_REFUSED : 0;
    return c->json ? cmd_print_json(answer) : print_key(answer);
}

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "proofs",
        .key = "proofs",
        .columns = {{"KEY", "spki_sha256", 0},
                    {"PROOF", "proof", 0},
                    {"VIA", "via", 0},
                    {"PROVEN", "proven", 0},
                    {"CERTIFICATES", "certificates", 0},
                    {"REVOKED", "revoked", 0},
                    {"STEP", "step", 0}},
    };
    return cmd_list(c, &l);
}

static const struct cmd_option prove_options[] = {
    {"problem", "N", "the report that it came with", false, NULL},
    {"filer", "MAIL", "who is told what became of it", false, NULL},
    {"received", "TIME", "when it reached us, if that was not now: the clock began then", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option nonce_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option list_options[] = {CMD_PAGE_OPTIONS};

const struct cmd_verb cmd_problem_prove = {
    .name = "problem prove",
    .words = "FILE...",
    .words_least = 1,
    .words_most = FILES_MAX,
    .summary = "verify proofs that a key is compromised, block it, and revoke all of its certificates",
    .help =
        "FILE has requests, certificates, JWS or private keys, as PEM, DER or in a text; the kinds are in\n"
        "lintel-key(1). A private key stays on this machine: it signs a nonce. Without --yes it is "
        "verified\n"
        "and shown what would happen. Status 4: nothing is proven.\n"
        "\n"
        "examples:\n"
        "  lintel problem prove leaked.key\n"
        "  lintel problem prove attestation.csr --problem 12 --yes\n"
        "  lintel problem prove pwned.jws certificate.pem --filer reporter@example.com --yes\n",
    .options = prove_options,
    .option_count = LT_COUNT(prove_options),
    .run = run_prove,
};
const struct cmd_verb cmd_problem_nonce = {
    .name = "problem nonce",
    .words = "",
    .summary = "a nonce for a key to sign, which then proves that somebody has it",
    .help = "Good for one day, and once.\n"
            "\n"
            "examples:\n"
            "  lintel problem nonce\n",
    .options = nonce_options,
    .option_count = LT_COUNT(nonce_options),
    .run = run_nonce,
};
const struct cmd_verb cmd_key_check = {
    .name = "key check",
    .words = "SHA256|FILE",
    .words_least = 1,
    .words_most = 1,
    .summary = "is a public key blocked, and what became of its certificates",
    .help = "SHA256 is that of the SubjectPublicKeyInfo; FILE has a key, certificate or request. Status 4: "
            "it is\n"
            "blocked. Anybody can ask the same at /key/SHA256.\n"
            "\n"
            "examples:\n"
            "  lintel key check certificate.pem\n"
            "  lintel key check 7cdda6d1492e516db1bbf465211fc7d6fd99dc748a0f039aaae3e9eb740f668f\n",
    .run = run_check,
};
const struct cmd_verb cmd_key_list = {
    .name = "key list",
    .words = "",
    .summary = "keys that were proven to be compromised",
    .help = "examples:\n"
            "  lintel key list --all\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
