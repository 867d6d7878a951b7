/* Reading certificates that somebody else made. */
#include "ca/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"

enum { ISSUERS_ARENA_MAX = 8 * 1024 * 1024, SCRATCH_MAX = 4 * 1024 * 1024, JSON_MAX = 512 * 1024 };

void ca_import_reader_init(struct ca_import_reader *r)
{
    *r = (struct ca_import_reader){.count = 0};
    lt_arena_init(&r->arena, ISSUERS_ARENA_MAX);
}

void ca_import_reader_done(struct ca_import_reader *r)
{
    for (size_t i = 0; i < r->count; i++) {
        crypto_pub_free(r->issuers[i].key);
    }
    lt_arena_done(&r->arena);
    r->count = 0;
}

static lt_res too_large(void)
{
    LT_FAIL(LT_PEER_TOO_LARGE, "the request is over the limit");
}

lt_res ca_import_reader_add(struct ca_import_reader *r, lt_slice der,
                            const struct ca_import_issuer **ret_issuer)
{
    struct ca_import_issuer *i = &r->issuers[r->count];
    LT_CHECK(r->count < CA_IMPORT_ISSUERS_MAX, LT_PEER_TOO_LARGE, "over %d issuers", CA_IMPORT_ISSUERS_MAX);
    lt_slice kept = lt_arena_copy(&r->arena, der);
    LT_TRY(kept.ptr == NULL ? too_large() : LT_OK);
    lt_res parsed = x509_cert_decode(kept, &r->arena, &i->cert);
    LT_CHECK(!lt_failed(parsed), LT_PEER_MALFORMED, "an issuer's certificate: %s", lt_error_last()->detail);
    LT_CHECK(i->cert.ext.has_basic_constraints && i->cert.ext.ca, LT_PEER_MALFORMED,
             "an issuer's certificate is not that of a CA");
    LT_TRY(crypto_pub_import(&i->cert.spki, &i->key));
    crypto_sha256(i->cert.subject.der, i->subject_sha256);
    r->count++;
    if (ret_issuer != NULL) {
        *ret_issuer = i;
    }
    return LT_OK;
}

static ProtobufCBinaryData bytes_of(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr};
}

static lt_res hash_of(struct lt_arena *a, lt_slice bytes, ProtobufCBinaryData *ret_hash)
{
    uint8_t *hash = lt_arena_alloc(a, CRYPTO_SHA256_LEN);
    LT_TRY(hash == NULL ? too_large() : LT_OK);
    crypto_sha256(bytes, hash);
    *ret_hash = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
    return LT_OK;
}

/* ---- names ---- */

static int compare(const void *a, const void *b)
{
    const Ipc__Identifier *x = *(Ipc__Identifier *const *)a;
    const Ipc__Identifier *y = *(Ipc__Identifier *const *)b;
    int by_type = strcmp(x->type, y->type);
    return by_type != 0 ? by_type : strcmp(x->value, y->value);
}

lt_res ca_import_name_set(Ipc__ImportRow *row, struct lt_arena *a)
{
    struct lt_buf text;
    size_t kept = 0;
    if (row->n_names > 0) {
        qsort(row->names, row->n_names, sizeof row->names[0], compare);
    }
    for (size_t i = 0; i < row->n_names; i++) {
        if (kept == 0 || compare(&row->names[kept - 1], &row->names[i]) != 0) {
            row->names[kept++] = row->names[i];
        }
    }
    row->n_names = kept;
    lt_buf_init(&text, JSON_MAX);
    for (size_t i = 0; i < kept; i++) {
        lt_buf_addf(&text, "%s[\"%s\",", i == 0 ? "[" : ",", row->names[i]->type);
        lt_json_add_string(&text, lt_slice_cstr(row->names[i]->value));
        lt_buf_add_byte(&text, ']');
    }
    lt_buf_add_cstr(&text, kept == 0 ? "[]" : "]");
    lt_res r = lt_buf_check(&text);
    r = lt_failed(r) ? r : hash_of(a, lt_buf_slice(&text), &row->name_set_sha256);
    lt_buf_done(&text);
    return r;
}

/* Of a kind that the book has; anything that is no text of one line is left out. */
static lt_res add_name(struct lt_arena *a, Ipc__ImportRow *row, const char *type, lt_slice value)
{
    Ipc__Identifier *id = LT_NEW(a, Ipc__Identifier);
    char *text = lt_arena_cstr(a, value);
    LT_TRY(id == NULL || text == NULL ? too_large() : LT_OK);
    if (value.len == 0 || value.len > CA_IMPORT_NAME_MAX) {
        return LT_OK;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] <= ' ' || value.ptr[i] >= 0x7f) {
            return LT_OK;
        }
        text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    }
    ipc__identifier__init(id);
    id->type = (char *)(uintptr_t)type; /* a constant; packed, not kept */
    id->value = text;
    row->names[row->n_names++] = id;
    return LT_OK;
}

static lt_res add_general(struct lt_arena *a, Ipc__ImportRow *row, const struct x509_general_name *n)
{
    struct lt_buf text;
    if (n->type == X509_GN_DNS || n->type == X509_GN_EMAIL) {
        return add_name(a, row, n->type == X509_GN_DNS ? "dns" : "email", n->value);
    }
    if (n->type != X509_GN_IP) {
        return LT_OK;
    }
    lt_buf_init(&text, 64);
    lt_res r = x509_ip_text(n->value, &text);
    r = lt_failed(r) ? LT_OK /* neither 4 nor 16 bytes: no address */
                     : add_name(a, row, "ip", lt_buf_slice(&text));
    lt_buf_done(&text);
    return r;
}

/* Of old certificates without alternative names. */
static lt_res add_common_name(struct lt_arena *a, Ipc__ImportRow *row, const struct x509_name *subject)
{
    struct lt_buf text;
    const struct x509_attribute *cn = x509_name_find(subject, X509_OID_CN, 0);
    if (cn == NULL) {
        return LT_OK;
    }
    lt_buf_init(&text, 1024);
    x509_attribute_text(cn, &text);
    lt_res r = LT_OK;
    if (!lt_failed(lt_buf_check(&text)) &&
        !lt_failed(x509_dns_check(lt_buf_slice(&text), X509_DNS_WILDCARD))) {
        r = add_name(a, row, "dns", lt_buf_slice(&text));
    }
    lt_buf_done(&text);
    return r;
}

static lt_res read_names(const struct x509_cert *c, struct lt_arena *a, Ipc__ImportRow *row)
{
    LT_CHECK(c->ext.san.count <= CA_IMPORT_NAMES_MAX, LT_PEER_TOO_LARGE, "it has over %d names",
             CA_IMPORT_NAMES_MAX);
    row->names = LT_NEW_ARRAY(a, Ipc__Identifier *, c->ext.san.count + 1);
    LT_TRY(row->names == NULL ? too_large() : LT_OK);
    for (size_t i = 0; i < c->ext.san.count; i++) {
        LT_TRY(add_general(a, row, &c->ext.san.list[i]));
    }
    if (c->ext.san.count == 0) {
        LT_TRY(add_common_name(a, row, &c->subject));
    }
    return ca_import_name_set(row, a);
}

/* ---- the certificate ---- */

static lt_res find_issuer(const struct ca_import_reader *r, const struct x509_cert *c,
                          const struct ca_import_issuer **ret_issuer)
{
    bool named = false;
    for (size_t i = 0; i < r->count; i++) {
        const struct ca_import_issuer *of = &r->issuers[i];
        if (!lt_slice_eq(of->cert.subject.der, c->issuer.der)) {
            continue;
        }
        named = true;
        if (!lt_failed(
                crypto_pub_verify_request(of->key, (enum crypto_sig_alg)c->sig_alg, c->tbs, c->signature))) {
            *ret_issuer = of;
            return LT_OK;
        }
    }
    LT_CHECK(named, LT_PEER_NOT_FOUND, "its issuer is not known");
    LT_FAIL(LT_PEER_UNAUTHORIZED, "its issuer did not sign it, or not by a method that can be checked");
}

/* What no signature covers has one form alone, or one certificate would be many:
 * Certificate ::= SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING of whole bytes }, nothing behind it. */
static lt_res check_shell(const struct x509_cert *c, lt_slice der)
{
    enum { SHORT = 128, LONG = 256, HEAD_SHORT = 2, HEAD_LONG = 3, HEAD_LONGER = 4 };
    size_t head = c->tbs.len == 0 ? 0 : (size_t)(c->tbs.ptr - der.ptr);
    size_t at = c->signature.len == 0 ? 0 : (size_t)(c->signature.ptr - der.ptr);
    size_t content = der.len - head;
    size_t least = content < SHORT ? HEAD_SHORT : content < LONG ? HEAD_LONG : HEAD_LONGER;
    LT_CHECK(at > 0 && at + c->signature.len == der.len && der.ptr[at - 1] == 0 && head == least &&
                 der.len <= UINT16_MAX,
             LT_PEER_MALFORMED, "what stands around its signed bytes is no DER");
    return LT_OK;
}

static lt_res check(const struct x509_cert *c, lt_slice serial)
{
    LT_CHECK(!c->ext.has_basic_constraints || !c->ext.ca, LT_PEER_MALFORMED,
             "it is that of a CA, not of a subscriber");
    LT_CHECK(serial.len > 0 && serial.len <= CA_IMPORT_SERIAL_MAX && (c->serial.ptr[0] & 0x80) == 0,
             LT_PEER_MALFORMED, "its serial number is not positive, or has over %d bytes",
             CA_IMPORT_SERIAL_MAX);
    LT_CHECK(lt_slice_eq(c->sig_alg_der, c->outer_sig_alg_der), LT_PEER_MALFORMED,
             "it names two different methods of signature");
    return LT_OK;
}

/* The first address of its distribution points: it says on which part of our CRL it is. */
static lt_res read_crl_url(const struct x509_cert *c, struct lt_arena *a, Ipc__ImportRow *row)
{
    for (size_t i = 0; i < c->ext.crldp_count; i++) {
        const struct x509_general_names *names = &c->ext.crldp[i].names;
        for (size_t n = 0; n < names->count; n++) {
            if (names->list[n].type == X509_GN_URI && names->list[n].value.len <= CA_IMPORT_NAME_MAX) {
                row->crl_url = lt_arena_cstr(a, names->list[n].value);
                return row->crl_url == NULL ? too_large() : LT_OK;
            }
        }
    }
    return LT_OK;
}

static lt_res fill(const struct x509_cert *c, const struct ca_import_issuer *by, struct lt_arena *a,
                   Ipc__ImportRow *row)
{
    lt_slice serial = lt_arena_copy(a, x509_serial_magnitude(c->serial));
    LT_TRY(serial.ptr == NULL ? too_large() : LT_OK);
    row->serial = bytes_of(serial);
    row->not_before_us = c->not_before.us;
    row->not_after_us = c->not_after.us;
    row->key_type = (uint32_t)c->spki.type;
    row->key_bits = c->spki.bits;
    LT_TRY(hash_of(a, c->spki.der, &row->spki_sha256));
    LT_TRY(hash_of(a, c->issuer.der, &row->issuer_subject_sha256));
    LT_TRY(hash_of(a, by->cert.spki.der, &row->issuer_spki_sha256));
    LT_TRY(read_crl_url(c, a, row));
    return read_names(c, a, row);
}

lt_res ca_import_read(const struct ca_import_reader *r, lt_slice der, struct lt_arena *a, Ipc__ImportRow *row,
                      const struct ca_import_issuer **ret_issuer)
{
    struct lt_arena scratch;
    struct x509_cert c;
    const struct ca_import_issuer *by = NULL;
    lt_arena_init(&scratch, SCRATCH_MAX);
    ipc__import_row__init(row);
    row->der = bytes_of(der);
    lt_res result = x509_cert_decode(der, &scratch, &c);
    result = lt_failed(result) ? result : check_shell(&c, der);
    result = lt_failed(result) ? result : check(&c, x509_serial_magnitude(c.serial));
    result = lt_failed(result) ? result : find_issuer(r, &c, &by);
    result = lt_failed(result) ? result : hash_of(a, der, &row->sha256);
    result = lt_failed(result) ? result : fill(&c, by, a, row);
    lt_arena_done(&scratch);
    if (ret_issuer != NULL) {
        *ret_issuer = by;
    }
    return result;
}
