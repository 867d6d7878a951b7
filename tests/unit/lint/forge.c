#include "forge.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/text.h"
#include "x509/cert.h"

enum { TEXT_MAX = 1 << 22, FILE_MAX = 1 << 22, ARENA_MAX = 1 << 27 };

/* ---- DER text ---- */

struct text {
    const char *p;
    struct der_writer w;
    struct lt_arena *arena;
    const char *whole; /* for the message */
    int pending;       /* a tag that waits for its "{", or -1 */
};

static void flush(struct text *t)
{
    if (t->pending >= 0) {
        lt_buf_add_byte(t->w.out, (uint8_t)t->pending);
        t->pending = -1;
    }
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void oid(struct text *t)
{
    const char *end = strchr(t->p, ')');
    lt_slice content;
    if (end == NULL) {
        fail_msg("no ) in %s", t->whole);
        return;
    }
    flush(t);
    assert_ok(x509_oid_parse(LT_SLICE(t->p + 1, (size_t)(end - t->p - 1)), t->arena, &content));
    der_put_oid(&t->w, content);
    t->p = end + 1;
}

static void quoted(struct text *t)
{
    const char *end = strchr(t->p + 1, '\'');
    if (end == NULL) {
        fail_msg("no second ' in %s", t->whole);
        return;
    }
    flush(t);
    lt_buf_add(t->w.out, LT_SLICE(t->p + 1, (size_t)(end - t->p - 1)));
    t->p = end + 1;
}

static void pair(struct text *t)
{
    int high = digit(t->p[0]);
    int low = high < 0 ? -1 : digit(t->p[1]);
    if (low < 0) {
        fail_msg("no DER text from '%.20s' on in %s", t->p, t->whole);
    }
    flush(t);
    t->pending = high * 16 + low;
    t->p += 2;
}

static void repeat(struct text *t)
{
    char *end = NULL;
    unsigned long n = strtoul(t->p + 1, &end, 10);
    assert_true(end != NULL && *end == ']');
    flush(t);
    t->p = end + 1;
    t->p += strspn(t->p, " \n");
    uint8_t byte = 0;
    if (*t->p == '\'') {
        byte = (uint8_t)t->p[1];
        t->p += 3;
    } else {
        pair(t);
        byte = (uint8_t)t->pending;
        t->pending = -1;
    }
    for (unsigned long i = 0; i < n; i++) {
        lt_buf_add_byte(t->w.out, byte);
    }
}

static void begin(struct text *t)
{
    assert_true(t->pending >= 0); /* a tag of one byte stands before { */
    uint32_t tag = (uint32_t)t->pending;
    der_begin(&t->w, (tag & 0xe0) << 24 | (tag & 0x1f));
    t->pending = -1;
    t->p++;
}

lt_slice forge_der(struct lt_arena *a, const char *text)
{
    struct lt_buf out;
    struct text t = {.p = text, .arena = a, .whole = text, .pending = -1};
    lt_buf_init(&out, TEXT_MAX);
    der_write_init(&t.w, &out);
    while (*t.p != 0) {
        if (*t.p == ' ' || *t.p == '\n') {
            t.p++;
        } else if (*t.p == '{') {
            begin(&t);
        } else if (*t.p == '}') {
            flush(&t);
            der_end(&t.w);
            t.p++;
        } else if (*t.p == '(') {
            oid(&t);
        } else if (*t.p == '\'') {
            quoted(&t);
        } else if (*t.p == '[') {
            repeat(&t);
        } else {
            pair(&t);
        }
    }
    flush(&t);
    assert_ok(der_write_done(&t.w));
    lt_slice made = lt_arena_copy(a, lt_buf_slice(&out));
    assert_non_null(made.ptr);
    lt_buf_done(&out);
    return made;
}

/* ---- the corpus ---- */

const char *forge_path(struct lt_arena *a, const char *below)
{
    const char *given = getenv("LINTEL_CORPUS");
    return lt_arena_printf(a, "%s/lint/%s", given != NULL ? given : CORPUS, below);
}

static lt_slice read_all(struct lt_arena *a, const char *below)
{
    const char *path = forge_path(a, below);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s: the fixtures are missing; set LINTEL_CORPUS", path);
        return (lt_slice){0};
    }
    char *bytes = malloc(FILE_MAX);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, FILE_MAX, f);
    assert_true(len < FILE_MAX);
    (void)fclose(f);                                     /* only read */
    lt_slice s = lt_arena_copy(a, LT_SLICE(bytes, len)); /* NUL behind it */
    free(bytes);
    return s;
}

static lt_slice unbase64(struct lt_arena *a, const char *text, const char *end)
{
    size_t text_len = (size_t)(end - text);
    uint8_t *der = lt_arena_alloc(a, text_len + 1);
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int len = 0;
    int tail = 0;
    assert_true(der != NULL && ctx != NULL);
    EVP_DecodeInit(ctx);
    assert_true(EVP_DecodeUpdate(ctx, der, &len, (const uint8_t *)text, (int)text_len) >= 0);
    (void)EVP_DecodeFinal(ctx, der + len, &tail); /* some fixtures end badly */
    EVP_ENCODE_CTX_free(ctx);
    return LT_SLICE(der, (size_t)(len + tail));
}

lt_slice forge_load(struct lt_arena *a, const char *below, char *ret_label)
{
    lt_slice all = read_all(a, below);
    const char *text = (const char *)all.ptr;
    ret_label[0] = 0;
    const char *begins = strstr(text, "-----BEGIN ");
    const char *line = begins == NULL ? NULL : strstr(begins + 11, "-----");
    const char *ends = line == NULL ? NULL : strstr(line + 5, "-----END ");
    if (ends == NULL) {
        return all.len > 0 && all.ptr[0] == 'M' ? unbase64(a, text, text + all.len) : all;
    }
    (void)snprintf(ret_label, 32, "%.*s", (int)(line - begins - 11), begins + 11);
    return unbase64(a, line + 5, ends);
}

/* ---- taking apart ---- */

static void take(struct der_cursor *c, struct forge *f, enum forge_part part)
{
    uint32_t tag = 0;
    lt_slice content;
    assert_true(der_any(c, &tag, &content, &f->part[part]));
}

static void take_extensions(struct forge *f, struct der_cursor *list)
{
    while (der_more(list)) {
        struct der_cursor e = der_enter(list, DER_SEQUENCE);
        size_t n = f->ext_count++;
        assert_true(n < FORGE_EXTENSIONS_MAX);
        f->ext[n].oid = der_oid(&e);
        f->ext[n].critical = der_is_next(&e, DER_BOOLEAN) && der_boolean(&e);
        f->ext[n].value = der_octets(&e);
        der_leave(list, &e);
    }
}

static void take_certificate(struct forge *f, lt_slice der)
{
    struct der_cursor c = der_open(der);
    struct der_cursor whole = der_enter(&c, DER_SEQUENCE);
    struct der_cursor tbs = der_enter(&whole, DER_SEQUENCE);
    f->kind = LINT_CERTIFICATE;
    take(&tbs, f, FORGE_VERSION);
    take(&tbs, f, FORGE_SERIAL);
    take(&tbs, f, FORGE_ALGORITHM);
    take(&tbs, f, FORGE_ISSUER);
    struct der_cursor peek = tbs;
    struct der_cursor validity = der_enter(&peek, DER_SEQUENCE);
    f->from = der_time(&validity);
    f->to = der_time(&validity);
    take(&tbs, f, FORGE_VALIDITY);
    take(&tbs, f, FORGE_SUBJECT_NAME);
    take(&tbs, f, FORGE_SPKI);
    if (der_is_next(&tbs, DER_CONTEXT_CONS(3))) {
        struct der_cursor outer = der_enter(&tbs, DER_CONTEXT_CONS(3));
        struct der_cursor list = der_enter(&outer, DER_SEQUENCE);
        take_extensions(f, &list);
        der_leave(&outer, &list);
        der_leave(&tbs, &outer);
    }
    der_leave(&whole, &tbs);
    take(&whole, f, FORGE_OUTER_ALGORITHM);
    take(&whole, f, FORGE_SIGNATURE);
    assert_ok(der_done(&whole, "base certificate"));
}

/* ---- made here ---- */

#define NAME                                                                              \
    "30{ 31{ 30{ (2.5.4.6) 13{'AT'} } } 31{ 30{ (2.5.4.10) 0C{'Example CA'} } } 31{ 30{ " \
    "(2.5.4.3) 0C{'Example CA R1'} } } }"
#define ECDSA_SHA256 "30{ (1.2.840.10045.4.3.2) }"
#define DUMMY "03{ 00 30{ 02{01 [31]'s'} 02{01 [31]'t'} } }"
#define KEY_ID "[20]'k'"
#define SHA1 "30{ (1.3.14.3.2.26) 0500 }"

struct made {
    const char *name;
    enum lint_kind kind;
    const char *part[FORGE_PART_COUNT];
    struct forge_edit ext[4];
};
static const struct made made[] = {
    {"crl",
     LINT_CRL,
     {[FORGE_VERSION] = "020101",
      [FORGE_ALGORITHM] = ECDSA_SHA256,
      [FORGE_ISSUER] = NAME,
      [FORGE_ENTRIES] = "30{ 30{ 02{11[15]'1'} 17{'260601000000Z'} 30{ 30{ (2.5.29.21) 04{ 0A0104 } } } } "
                        "30{ 02{12[15]'2'} 17{'260601000000Z'} } }",
      [FORGE_SIGNATURE] = DUMMY},
     {FORGE_EXT("2.5.29.35", false, "30{ 80{" KEY_ID "} }"), FORGE_EXT("2.5.29.20", false, "020107")}},
    {"crl-empty",
     LINT_CRL,
     {[FORGE_VERSION] = "020101",
      [FORGE_ALGORITHM] = ECDSA_SHA256,
      [FORGE_ISSUER] = NAME,
      [FORGE_SIGNATURE] = DUMMY},
     {FORGE_EXT("2.5.29.35", false, "30{ 80{" KEY_ID "} }"), FORGE_EXT("2.5.29.20", false, "020107")}},
    {"request",
     LINT_CSR,
     {[FORGE_VERSION] = "020100",
      [FORGE_SUBJECT_NAME] = "30{}",
      [FORGE_SPKI] = "30{ 30{ (1.2.840.10045.2.1) (1.2.840.10045.3.1.7) } 03{ 00 04 " /* the key 1 */
                     "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                     "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5 } }",
      [FORGE_OUTER_ALGORITHM] = ECDSA_SHA256},
     {FORGE_EXT("2.5.29.17", false, "30{ 82{'www.example.com'} }")}},
    {"response",
     LINT_OCSP,
     {[FORGE_STATUS] = "0A0100",
      [FORGE_TYPE] = "(1.3.6.1.5.5.7.48.1.1)",
      [FORGE_ISSUER] = "A2{ 04{" KEY_ID "} }",
      [FORGE_ENTRIES] = "30{ 30{ 30{ " SHA1 " 04{[20]'n'} 04{" KEY_ID "} 02{11[15]'1'} } 80{} "
                        "18{'20260601000000Z'} A0{ 18{'20260604000000Z'} } } }",
      [FORGE_OUTER_ALGORITHM] = ECDSA_SHA256,
      [FORGE_SIGNATURE] = DUMMY},
     {{0}}},
};

static void make_base(struct forge *f, const struct made *m)
{
    f->kind = m->kind;
    for (size_t i = 0; i < FORGE_PART_COUNT; i++) {
        f->part[i] = m->part[i] == NULL ? (lt_slice){0} : forge_der(&f->arena, m->part[i]);
    }
    f->from = lt_time_from_seconds(1780272000); /* 2026-06-01 */
    f->to = lt_time_from_seconds(1780272000 + 7 * 86400 - 1);
    for (size_t i = 0; i < LT_COUNT(m->ext); i++) {
        forge_edit(f, &m->ext[i]);
    }
}

void forge_open(struct forge *f, const char *base)
{
    memset(f, 0, sizeof(*f));
    lt_arena_init(&f->arena, ARENA_MAX);
    for (size_t i = 0; i < LT_COUNT(made); i++) {
        if (strcmp(base, made[i].name) == 0) {
            make_base(f, &made[i]);
            return;
        }
    }
    char label[32];
    const char *below = strchr(base, '/') != NULL ? base
                                                  : lt_arena_printf(&f->arena, "probes/base/%s.pem", base);
    take_certificate(f, forge_load(&f->arena, below, label));
}

void forge_done(struct forge *f)
{
    lt_arena_done(&f->arena);
}

/* ---- changing ---- */

static void edit_extension(struct forge *f, const struct forge_edit *e)
{
    lt_slice id;
    assert_ok(x509_oid_parse(lt_slice_cstr(e->oid), &f->arena, &id));
    size_t at = 0;
    while (at < f->ext_count && (e->how == FORGE_DO_MORE || !lt_slice_eq(f->ext[at].oid, id))) {
        at++;
    }
    bool there = at < f->ext_count;
    if (e->how == FORGE_DO_CUT || e->how == FORGE_DO_CRITICAL) {
        assert_true(there); /* nothing to cut or to mark */
    }
    if (e->how == FORGE_DO_CUT) {
        f->ext_count--;
        memmove(&f->ext[at], &f->ext[at + 1], (f->ext_count - at) * sizeof(f->ext[0]));
        return;
    }
    if (!there) {
        assert_true(f->ext_count < FORGE_EXTENSIONS_MAX);
        f->ext_count++;
    }
    f->ext[at].oid = id;
    f->ext[at].critical = e->critical;
    if (e->how != FORGE_DO_CRITICAL) {
        f->ext[at].value = forge_der(&f->arena, e->der);
    }
}

static lt_slice finish(struct forge *f, const struct der_writer *w, struct lt_buf *out)
{
    assert_ok(der_write_done(w));
    lt_slice made_here = lt_arena_copy(&f->arena, lt_buf_slice(out));
    assert_non_null(made_here.ptr);
    lt_buf_done(out);
    return made_here;
}

static lt_slice name(struct forge *f, const struct forge_attribute *list)
{
    struct lt_buf out;
    struct der_writer w;
    lt_buf_init(&out, TEXT_MAX);
    der_write_init(&w, &out);
    der_begin(&w, DER_SEQUENCE);
    for (; list->oid != NULL; list++) {
        lt_slice id;
        assert_ok(x509_oid_parse(lt_slice_cstr(list->oid), &f->arena, &id));
        if (!list->with) {
            der_begin(&w, DER_SET);
        }
        der_begin(&w, DER_SEQUENCE);
        der_put_oid(&w, id);
        der_put(&w, list->type, list->hex ? forge_der(&f->arena, list->value) : lt_slice_cstr(list->value));
        der_end(&w);
        if (!list[1].with) {
            der_end(&w);
        }
    }
    der_end(&w);
    return finish(f, &w, &out);
}

void forge_edit(struct forge *f, const struct forge_edit *e)
{
    switch (e->how) {
    case FORGE_NOTHING:
        break;
    case FORGE_DO_EXT:
    case FORGE_DO_MORE:
    case FORGE_DO_CUT:
    case FORGE_DO_CRITICAL:
        edit_extension(f, e);
        break;
    case FORGE_DO_PUT:
        f->part[e->part] = forge_der(&f->arena, e->der);
        if (e->part == FORGE_ALGORITHM) {
            f->part[FORGE_OUTER_ALGORITHM] = f->part[FORGE_ALGORITHM];
        }
        if (f->part[e->part].len == 0) {
            f->part[e->part] = LT_SLICE("", 0); /* left out on purpose */
        }
        break;
    case FORGE_DO_NAME:
        f->part[e->part] = name(f, e->name);
        break;
    case FORGE_DO_FROM:
        f->from = lt_time_from_seconds(e->seconds);
        f->part[FORGE_VALIDITY] = (lt_slice){0};
        break;
    case FORGE_DO_TO:
        f->to = lt_time_from_seconds(e->seconds);
        f->part[FORGE_VALIDITY] = (lt_slice){0};
        break;
    }
}

/* ---- putting together ---- */

static void put_extensions(const struct forge *f, struct der_writer *w)
{
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < f->ext_count; i++) {
        der_begin(w, DER_SEQUENCE);
        der_put_oid(w, f->ext[i].oid);
        if (f->ext[i].critical) {
            der_put_boolean(w, true);
        }
        der_put_octets(w, f->ext[i].value);
        der_end(w);
    }
    der_end(w);
}

/* The list, tagged; or what was put in its place. */
static void put_list(const struct forge *f, struct der_writer *w, uint32_t tag)
{
    if (f->part[FORGE_EXTENSIONS].ptr != NULL || f->ext_count == 0) {
        der_put_raw(w, f->part[FORGE_EXTENSIONS]);
        return;
    }
    der_begin(w, tag);
    put_extensions(f, w);
    der_end(w);
}

static void put(const struct forge *f, struct der_writer *w, enum forge_part part)
{
    der_put_raw(w, f->part[part]);
}

static void put_times(const struct forge *f, struct der_writer *w)
{
    if (f->part[FORGE_VALIDITY].ptr != NULL) {
        put(f, w, FORGE_VALIDITY);
        return;
    }
    if (f->kind == LINT_OCSP) {
        der_put_generalized_time(w, f->from);
        return;
    }
    if (f->kind == LINT_CERTIFICATE) {
        der_begin(w, DER_SEQUENCE);
    }
    der_put_time(w, f->from);
    der_put_time(w, f->to);
    if (f->kind == LINT_CERTIFICATE) {
        der_end(w);
    }
}

static void put_tbs(const struct forge *f, struct der_writer *w)
{
    der_begin(w, DER_SEQUENCE);
    put(f, w, FORGE_VERSION);
    switch (f->kind) {
    case LINT_CERTIFICATE:
        put(f, w, FORGE_SERIAL);
        put(f, w, FORGE_ALGORITHM);
        put(f, w, FORGE_ISSUER);
        put_times(f, w);
        put(f, w, FORGE_SUBJECT_NAME);
        put(f, w, FORGE_SPKI);
        put(f, w, FORGE_UNIQUE_IDS);
        put_list(f, w, DER_CONTEXT_CONS(3));
        break;
    case LINT_CRL:
        put(f, w, FORGE_ALGORITHM);
        put(f, w, FORGE_ISSUER);
        put_times(f, w);
        put(f, w, FORGE_ENTRIES);
        put_list(f, w, DER_CONTEXT_CONS(0));
        break;
    case LINT_CSR:
        put(f, w, FORGE_SUBJECT_NAME);
        put(f, w, FORGE_SPKI);
        if (f->part[FORGE_EXTENSIONS].ptr != NULL) {
            put(f, w, FORGE_EXTENSIONS);
        } else {
            der_begin(w, DER_CONTEXT_CONS(0));
            der_begin(w, DER_SEQUENCE);
            der_put_oid(w, x509_oid_der(X509_OID_EXTENSION_REQUEST));
            der_begin(w, DER_SET);
            put_extensions(f, w);
            der_end(w);
            der_end(w);
            der_end(w);
        }
        break;
    case LINT_OCSP:
        put(f, w, FORGE_ISSUER);
        put_times(f, w);
        put(f, w, FORGE_ENTRIES);
        put_list(f, w, DER_CONTEXT_CONS(1));
        break;
    }
    der_end(w);
}

/* By the private key 1 on P-256, whose public key is the generator. */
static void put_real_signature(struct der_writer *w, lt_slice message)
{
    static const uint8_t generator[65] =
        "\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0"
        "\xf4\xa1\x39\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b"
        "\xce"
        "\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
    uint8_t signature[80];
    size_t len = sizeof(signature);
    BIGNUM *one = BN_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    assert_true(BN_set_word(one, 1) == 1);
    assert_true(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1);
    assert_true(OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, generator, 65) == 1);
    assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, one) == 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    assert_true(EVP_PKEY_fromdata_init(ctx) == 1);
    assert_true(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    assert_true(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) == 1);
    assert_true(EVP_DigestSign(digest, signature, &len, message.ptr, message.len) == 1);
    der_put_bitstring(w, LT_SLICE(signature, len));
    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(one);
}

static void put_signed(const struct forge *f, struct der_writer *w)
{
    der_begin(w, DER_SEQUENCE);
    size_t start = w->out->len;
    put_tbs(f, w);
    lt_slice tbs = lt_slice_sub(lt_buf_slice(w->out), start, w->out->len);
    put(f, w, f->part[FORGE_OUTER_ALGORITHM].ptr != NULL ? FORGE_OUTER_ALGORITHM : FORGE_ALGORITHM);
    if (f->kind == LINT_CSR && f->part[FORGE_SIGNATURE].len == 0) {
        put_real_signature(w, tbs); /* a request proves that its key is there */
    } else {
        put(f, w, FORGE_SIGNATURE);
    }
    der_end(w);
}

static void put_response(const struct forge *f, struct der_writer *w)
{
    der_begin(w, DER_SEQUENCE);
    put(f, w, FORGE_STATUS);
    if (f->part[FORGE_TYPE].len > 0) {
        der_begin(w, DER_CONTEXT_CONS(0));
        der_begin(w, DER_SEQUENCE);
        put(f, w, FORGE_TYPE);
        der_begin(w, DER_OCTET_STRING);
        put_signed(f, w);
        der_end(w);
        der_end(w);
        der_end(w);
    }
    der_end(w);
}

lt_slice forge_make(struct forge *f, bool bare)
{
    struct lt_buf out;
    struct der_writer w;
    if (f->part[FORGE_WHOLE].ptr != NULL) {
        return f->part[FORGE_WHOLE];
    }
    lt_buf_init(&out, TEXT_MAX);
    der_write_init(&w, &out);
    if (bare) {
        put_tbs(f, &w);
    } else if (f->kind == LINT_OCSP) {
        put_response(f, &w);
    } else {
        put_signed(f, &w);
    }
    return finish(f, &w, &out);
}

/* ---- judging ---- */

void forge_lint(struct forge *f, const struct lint_input *in, struct lint_results *ret_results)
{
    struct lint_input mine = in == NULL ? (struct lint_input){0} : *in;
    mine.kind = f->kind;
    mine.der = forge_make(f, mine.bare);
    assert_ok(lint_run(&mine, &f->arena, ret_results));
}

bool forge_says(struct forge *f, const struct lint_input *in, const char *rule, enum lint_status status)
{
    struct lint_results r;
    forge_lint(f, in, &r);
    enum lint_status got = LINT_RESERVED;
    if (rule == NULL) {
        rule = "any rule";
        got = r.worst < LINT_ERROR ? LINT_PASS : LINT_ERROR;
    }
    for (size_t i = 0; i < lint_rule_count(); i++) {
        if (strcmp(lint_rule_at(i)->id, rule) == 0) {
            got = (enum lint_status)r.status[i];
        }
    }
    if (got == status) {
        return true;
    }
    print_error("%s: expected %s, got %s%s\n", rule, lint_status_name(status), lint_status_name(got),
                got == LINT_RESERVED && lint_rule_by_id(lt_slice_cstr(rule)) == NULL
                    ? " (there is no such rule)"
                    : "");
    for (size_t i = 0; i < r.count; i++) {
        print_error("    %-6s %s: %s at %s+%zu\n", lint_status_name(r.list[i].level), r.list[i].rule->id,
                    r.list[i].message, r.list[i].path, r.list[i].offset);
    }
    return false;
}

static bool row_holds(const struct forge_row *row)
{
    struct forge f;
    struct forge issuer;
    struct x509_cert issuer_cert;
    struct lint_input in = row->in == NULL ? (struct lint_input){0} : *row->in;
    forge_open(&f, row->base);
    for (size_t i = 0; i < FORGE_EDITS_MAX; i++) {
        forge_edit(&f, &row->edits[i]);
    }
    in.role = row->role != LINT_ROLE_AUTO ? row->role : in.role;
    in.profile = row->profile != LINT_PROFILE_AUTO ? row->profile : in.profile;
    in.bare = row->bare || in.bare;
    if (row->at != 0) {
        in.signing_time = lt_time_from_seconds(row->at);
    }
    if (row->issuer != NULL) {
        forge_open(&issuer, row->issuer);
        assert_ok(x509_cert_decode(forge_make(&issuer, false), &issuer.arena, &issuer_cert));
        in.issuer = &issuer_cert;
    }
    bool good = forge_says(&f, &in, row->rule, row->status);
    if (row->issuer != NULL) {
        forge_done(&issuer);
    }
    forge_done(&f);
    return good;
}

void forge_rows(const struct forge_row *rows, size_t count)
{
    size_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        if (!row_holds(&rows[i])) {
            print_error("    in row %zu, base %s %s\n", i, rows[i].base,
                        rows[i].what == NULL ? "" : rows[i].what);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}
