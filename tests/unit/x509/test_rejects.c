/* What the parsers refuse. A certificate, a request and a CRL are put together from parts; each row replaces
 * one part with one that is wrong and says which words it must be refused with. */
#include "check.h"

#include "der/writer.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"

#define B(bytes_)                                     \
    {                                                 \
        (const uint8_t *)(bytes_), sizeof(bytes_) - 1 \
    }

static struct lt_arena arena;
static struct lt_buf out;

static int set_up(void **unused)
{
    (void)unused;
    lt_arena_init(&arena, 1 << 22);
    lt_buf_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    lt_arena_done(&arena);
    lt_buf_done(&out);
    return 0;
}

static void expect(size_t row, lt_res r, const char *why)
{
    if (why == NULL) {
        assert_ok(r);
        return;
    }
    if (r.code != LT_PEER_MALFORMED || strstr(lt_error_last()->detail, why) == NULL) {
        fail_msg("row %zu: expected '%s', got %s '%s'", row, why, lt_code_name(r.code),
                 lt_failed(r) ? lt_error_last()->detail : "");
    }
}

/* ---- certificates ---- */

enum part {
    VERSION,
    SERIAL,
    ALG,
    ISSUER,
    VALIDITY,
    SUBJECT,
    SPKI,
    UNIQUE,
    EXTENSIONS,
    OUTER_ALG,
    SIGNATURE,
    PARTS
};

#define ED25519 "\x30\x05\x06\x03\x2b\x65\x70"
#define KEY32 "0123456789abcdef0123456789abcdef"
#define CN_A "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"

static const lt_slice good_parts[PARTS] = {
    [VERSION] = B("\xa0\x03\x02\x01\x02"),
    [SERIAL] = B("\x02\x01\x05"),
    [ALG] = B(ED25519),
    [ISSUER] = B(CN_A),
    [VALIDITY] = B("\x30\x1e\x17\x0d"
                   "261121234100Z"
                   "\x17\x0d"
                   "270121234100Z"),
    [SUBJECT] = B("\x30\x00"),
    [SPKI] = B("\x30\x2a" ED25519 "\x03\x21\x00" KEY32),
    [UNIQUE] = B(""),
    [EXTENSIONS] = B("\xa3\x0f\x30\x0d\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80"),
    [OUTER_ALG] = B(ED25519),
    [SIGNATURE] = B("\x03\x03\x00\x01\x02"),
};

static lt_slice assemble(enum part which, lt_slice with)
{
    struct der_writer w;
    lt_buf_reset(&out);
    der_write_init(&w, &out);
    der_begin(&w, DER_SEQUENCE);
    der_begin(&w, DER_SEQUENCE);
    for (int p = 0; p < PARTS; p++) {
        if (p == OUTER_ALG) {
            der_end(&w);
        }
        der_put_raw(&w, p == (int)which ? with : good_parts[p]);
    }
    der_end(&w);
    assert_ok(der_write_done(&w));
    return lt_buf_slice(&out);
}

static void certificates(void **unused)
{
    (void)unused;
    static const struct {
        enum part part;
        lt_slice with;
        const char *why;
    } rows[] = {
        {PARTS, B(""), NULL},
        {VERSION, B("\xa0\x03\x02\x01\x00"), "default value"},
        {VERSION, B("\xa0\x03\x02\x01\x03"), "outside its range"},
        {VERSION, B("\xa0\x03\x02\x01\x01"), "outside version 3"},
        {VERSION, B(""), "outside version 3"},
        {VERSION, B("\x80\x01\x02"), "another type"},
        {VERSION, B("\xa0\x06\x02\x01\x02\x02\x01\x02"), "behind the last field"},
        {SERIAL,
         B("\x02\x14\x7f"
           "0123456789012345678"),
         NULL},
        {SERIAL,
         B("\x02\x15\x7f"
           "01234567890123456789"),
         "more than 20 bytes"},
        {SERIAL, B("\x02\x02\x00\x01"), "not minimal"},
        {SERIAL, B("\x02\x01\xff"), NULL}, /* negative: well formed, lint's affair */
        {ALG, B("\x30\x07\x06\x03\x2b\x65\x70\x05\x00"), "two signature algorithms"},
        {ALG, B("\x30\x00"), "nothing where an element"},
        {OUTER_ALG, B("\x30\x05\x06\x03\x2b\x65\x71"), "two signature algorithms"},
        {ISSUER, B("\x30\x02\x31\x00"), "empty RDN"},
        {ISSUER, B("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01\x2a"), "string type"},
        {ISSUER, B("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\xff"), "string type"},
        {ISSUER, B("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\xc0\x80"), "string type"},
        {ISSUER, B("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03\xed\xa0\x80"), "string type"},
        {ISSUER, B("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x1e\x01\x61"), "string type"},
        {ISSUER, B("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\x00\x61"), NULL},
        {ISSUER, B("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x02\x01\x61"), "string type"},
        {ISSUER, B("\x30\x0b\x31\x09\x30\x07\x06\x02\x2a\x03\x02\x01\x61"),
         NULL}, /* unknown type: any value */
        {ISSUER,
         B("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x62\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
           "\x61"),
         "not in order"},
        {ISSUER,
         B("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
           "\x62"),
         NULL},
        {ISSUER, B("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x01\x61\x05\x00"),
         "behind the last field"},
        {VALIDITY,
         B("\x30\x0f\x17\x0d"
           "261121234100Z"),
         "nothing where an element"},
        {VALIDITY,
         B("\x30\x1c\x17\x0d"
           "261121234100Z"
           "\x17\x0b"
           "2701212341Z"),
         "none of RFC 5280"},
        {VALIDITY,
         B("\x30\x20\x17\x0d"
           "261121234100Z"
           "\x18\x0f"
           "20491231235959Z"),
         "before 2050"},
        {VALIDITY,
         B("\x30\x20\x17\x0d"
           "261121234100Z"
           "\x18\x0f"
           "99991231235959Z"),
         NULL},
        {SUBJECT, B("\x31\x00"), "another type"},
        {SUBJECT, B(""), "another type"},
        {SPKI,
         B("\x30\x29" ED25519 "\x03\x20\x00"
           "0123456789abcdef0123456789abcde"),
         "no point"},
        {SPKI, B("\x30\x2c\x30\x07\x06\x03\x2b\x65\x70\x05\x00\x03\x21\x00" KEY32), "behind the last field"},
        {SPKI,
         B("\x30\x2a" ED25519 "\x03\x21\x01"
           "0123456789abcdef0123456789abcde0"),
         "no whole number"},
        {SPKI, B("\x30\x0b\x30\x04\x06\x02\x2a\x03\x03\x03\x00\x01\x02"), NULL}, /* unknown algorithm */
        {SPKI,
         B("\x30\x18\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x03\x09\x00\x30\x06\x02\x01\x0f\x02"
           "\x01\x03"),
         "without NULL"},
        {SPKI,
         B("\x30\x1a\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x09\x00\x30\x06\x02\x01"
           "\x0f\x02\x01\x03"),
         NULL},
        {SPKI,
         B("\x30\x1a\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x09\x00\x30\x06\x02\x01"
           "\x8f\x02\x01\x03"),
         "negative"},
        {UNIQUE, B("\x81\x02\x00\x01"), NULL},
        {UNIQUE, B("\x82\x02\x00\x01\x81\x02\x00\x01"), "behind the last field"},
        {EXTENSIONS, B("\xa3\x02\x30\x00"), "empty list of extensions"},
        {EXTENSIONS, B(""), NULL},
        {EXTENSIONS, B("\xa3\x12\x30\x10\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\x00\x04\x04\x03\x02\x07\x80"),
         "default value"},
        {EXTENSIONS, B("\xa3\x12\x30\x10\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\x01\x04\x04\x03\x02\x07\x80"),
         "BOOLEAN"},
        {EXTENSIONS,
         B("\xa3\x1c\x30\x1a\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80\x30\x0b\x06\x03\x55\x1d\x0f"
           "\x04\x04\x03\x02"
           "\x07\x80"),
         "stands twice"},
        {EXTENSIONS, B("\xa4\x0f\x30\x0d\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80"),
         "behind the last field"},
        {SIGNATURE, B("\x03\x03\x01\x01\x02"), "no whole number"},
        {SIGNATURE, B("\x04\x02\x01\x02"), "another type"},
        {SIGNATURE, B(""), "nothing where an element"},
        {SIGNATURE, B("\x03\x03\x00\x01\x02\x05\x00"), "behind the last field"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_cert c;
        expect(i, x509_cert_parse(assemble(rows[i].part, rows[i].with), &arena, &c), rows[i].why);
        lt_arena_reset(&arena);
    }
}

/* What is broken but readable: refused by the strict parser, noted by the one for linters. */
static void notes(void **unused)
{
    (void)unused;
    static const struct {
        enum part part;
        lt_slice with;
        const char *note;
    } rows[] = {
        {PARTS, B(""), NULL},
        {VERSION, B("\xa0\x03\x02\x01\x01"), "outside version 3"},
        {SERIAL,
         B("\x02\x15\x7f"
           "01234567890123456789"),
         "more than 20 bytes"},
        {OUTER_ALG, B("\x30\x05\x06\x03\x2b\x65\x71"), "two signature algorithms"},
        {ISSUER, B("\x30\x02\x31\x00"), "empty RDN"},
        {ISSUER, B("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01\x2a"), "string type"},
        {VALIDITY,
         B("\x30\x20\x17\x0d"
           "261121234100Z"
           "\x18\x0f"
           "20491231235959Z"),
         "before 2050"},
        {EXTENSIONS, B("\xa3\x02\x30\x00"), "empty list of extensions"},
        {EXTENSIONS, B("\xa3\x12\x30\x10\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\x00\x04\x04\x03\x02\x07\x80"),
         "default value"},
        {EXTENSIONS, B("\xa3\x0f\x30\x0d\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x00\x80"),
         "zero bits at the end"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_cert c;
        lt_slice der = assemble(rows[i].part, rows[i].with);
        lt_res strict = x509_cert_parse(der, &arena, &c);
        assert_int_equal(strict.code, rows[i].note == NULL ? 0 : LT_PEER_MALFORMED);
        assert_ok(x509_cert_decode(der, &arena, &c));
        assert_int_equal(c.notes.count, rows[i].note != NULL);
        if (rows[i].note != NULL) {
            assert_non_null(strstr(c.notes.list[0].why, rows[i].note));
            assert_true(c.notes.list[0].offset > 0 && c.notes.list[0].offset <= der.len);
        }
        lt_arena_reset(&arena);
    }
    /* Many of them: counted, the first are kept. */
    struct lt_buf name;
    struct x509_cert c;
    struct der_writer w;
    lt_buf_init(&name, 4096);
    der_write_init(&w, &name);
    der_begin(&w, DER_SEQUENCE);
    for (int i = 0; i < 3 * DER_NOTES_MAX; i++) {
        der_put(&w, DER_SET, LT_LIT(""));
    }
    der_end(&w);
    assert_ok(x509_cert_decode(assemble(SUBJECT, lt_buf_slice(&name)), &arena, &c));
    assert_int_equal(c.notes.count, 3 * DER_NOTES_MAX);
    lt_buf_done(&name);
}

/* ---- contents of extensions ---- */

static lt_slice with_extension(enum x509_oid oid, lt_slice value)
{
    static struct lt_buf list;
    struct der_writer w;
    lt_buf_done(&list);
    lt_buf_init(&list, 4096);
    der_write_init(&w, &list);
    der_begin(&w, DER_CONTEXT_CONS(3));
    der_begin(&w, DER_SEQUENCE);
    der_begin(&w, DER_SEQUENCE);
    der_put_oid(&w, x509_oid_der(oid));
    der_put_octets(&w, value);
    der_end(&w);
    der_end(&w);
    der_end(&w);
    assert_ok(der_write_done(&w));
    lt_slice der = assemble(EXTENSIONS, lt_buf_slice(&list));
    lt_buf_done(&list);
    return der;
}

static void extensions(void **unused)
{
    (void)unused;
    static const struct {
        enum x509_oid oid;
        lt_slice value;
        const char *why;
    } rows[] = {
        {X509_OID_BASIC_CONSTRAINTS, B("\x30\x00"), NULL},
        {X509_OID_BASIC_CONSTRAINTS, B("\x30\x06\x01\x01\xff\x02\x01\x00"), NULL},
        {X509_OID_BASIC_CONSTRAINTS, B("\x30\x03\x01\x01\x00"), "default value"},
        {X509_OID_BASIC_CONSTRAINTS, B("\x30\x06\x01\x01\xff\x02\x01\xff"), "outside its range"},
        {X509_OID_BASIC_CONSTRAINTS, B("\x30\x00\x05\x00"), "behind the content"},
        {X509_OID_BASIC_CONSTRAINTS, B(""), "nothing where an element"},
        {X509_OID_KEY_USAGE, B("\x03\x02\x05\xa0"), NULL},
        {X509_OID_KEY_USAGE, B("\x03\x02\x00\xa0"), "zero bits at the end"},
        {X509_OID_EXTENDED_KEY_USAGE, B("\x30\x00"), "no key purpose"},
        {X509_OID_EXTENDED_KEY_USAGE, B("\x30\x04\x06\x02\x2a\x80"), "OBJECT IDENTIFIER"},
        {X509_OID_EXTENDED_KEY_USAGE, B("\x30\x04\x06\x02\x2a\x03"), NULL},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x00"), "empty list of names"},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x03\x82\x01\x61"), NULL},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x03\x82\x01\xe9"), "IA5String"},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x03\xa2\x01\x61"), "no form of GeneralName"},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x03\x89\x01\x61"), "no form of GeneralName"},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x03\x16\x01\x61"), "no form of GeneralName"},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x04\xa4\x02\x30\x00"), NULL},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x04\xa4\x02\x31\x00"), "another type"},
        {X509_OID_SUBJECT_ALT_NAME, B("\x30\x05\x82\x01\x61\x82\x04"), "content cut off"},
        {X509_OID_AUTHORITY_KEY_IDENTIFIER, B("\x30\x00"), NULL},
        {X509_OID_AUTHORITY_KEY_IDENTIFIER, B("\x30\x03\x80\x01\x61"), NULL},
        {X509_OID_AUTHORITY_KEY_IDENTIFIER, B("\x30\x03\x82\x01\x61"), "without its serial"},
        {X509_OID_AUTHORITY_KEY_IDENTIFIER, B("\x30\x05\xa1\x03\x82\x01\x61"), "without its serial"},
        {X509_OID_AUTHORITY_KEY_IDENTIFIER, B("\x04\x01\x61"), "another type"},
        {X509_OID_SUBJECT_KEY_IDENTIFIER, B("\x04\x01\x61"), NULL},
        {X509_OID_SUBJECT_KEY_IDENTIFIER, B("\x30\x01\x61"), "another type"},
        {X509_OID_CERTIFICATE_POLICIES, B("\x30\x06\x30\x04\x06\x02\x2a\x03"), NULL},
        {X509_OID_CERTIFICATE_POLICIES, B("\x30\x00"), "no policy"},
        {X509_OID_CERTIFICATE_POLICIES, B("\x30\x0c\x30\x04\x06\x02\x2a\x03\x30\x04\x06\x02\x2a\x03"),
         "stands twice"},
        {X509_OID_CERTIFICATE_POLICIES, B("\x30\x08\x30\x06\x06\x02\x2a\x03\x30\x00"), "policy qualifiers"},
        {X509_OID_CRL_DISTRIBUTION_POINTS, B("\x30\x02\x30\x00"), "without a name"},
        {X509_OID_CRL_DISTRIBUTION_POINTS, B("\x30\x06\x30\x04\x81\x02\x01\x02"), "without a name"},
        {X509_OID_CRL_DISTRIBUTION_POINTS, B("\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01\x61"), NULL},
        {X509_OID_CRL_DISTRIBUTION_POINTS, B("\x30\x06\x30\x04\xa0\x02\xa0\x00"), "empty list of names"},
        {X509_OID_AUTHORITY_INFO_ACCESS, B("\x30\x09\x30\x07\x06\x02\x2a\x03\x86\x01\x61"), NULL},
        {X509_OID_AUTHORITY_INFO_ACCESS, B("\x30\x06\x30\x04\x06\x02\x2a\x03"), "nothing where an element"},
        {X509_OID_NAME_CONSTRAINTS, B("\x30\x00"), "constrain nothing"},
        {X509_OID_NAME_CONSTRAINTS, B("\x30\x07\xa0\x05\x30\x03\x82\x01\x61"), NULL},
        {X509_OID_NAME_CONSTRAINTS, B("\x30\x0a\xa0\x08\x30\x06\x82\x01\x61\x80\x01\x00"),
         "behind the last field"},
        {X509_OID_NAME_CONSTRAINTS, B("\x30\x02\xa0\x00"), "no subtree"},
        {X509_OID_TLS_FEATURE, B("\x30\x03\x02\x01\x05"), NULL},
        {X509_OID_TLS_FEATURE, B("\x30\x03\x02\x01\x85"), "outside its range"},
        {X509_OID_CT_POISON, B("\x05\x00"), NULL},
        {X509_OID_CT_POISON, B("\x04\x00"), "another type"},
        {X509_OID_SCT_LIST, B("\x04\x02\x00\x00"), "list of SCTs"},
        {X509_OID_SCT_LIST, B("\x04\x05\x00\x03\x00\x01\x00"), "list of SCTs"},
        {X509_OID_SCT_LIST, B("\x04\x05\x00\x03\x00\x01\x07"), NULL}, /* another version is opaque */
        {X509_OID_SCT_LIST, B("\x04\x05\x00\x04\x00\x01\x07"), "list of SCTs"},
        {X509_OID_POLICY_CONSTRAINTS, B("\x30\x00"), "constrain nothing"},
        {X509_OID_POLICY_CONSTRAINTS, B("\x30\x03\x80\x01\x00"), NULL},
        {X509_OID_POLICY_CONSTRAINTS, B("\x30\x03\x81\x01\x80"), "outside its range"},
        {X509_OID_INHIBIT_ANY_POLICY, B("\x02\x01\x00"), NULL},
        {X509_OID_INHIBIT_ANY_POLICY, B("\x02\x01\x80"), "outside its range"},
        {X509_OID_POLICY_MAPPINGS, B("\x30\x00"), "policy mappings"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_cert c;
        lt_slice der = with_extension(rows[i].oid, rows[i].value);
        expect(i, x509_cert_parse(der, &arena, &c), rows[i].why);
        /* A linter sees it all the same, with its reason. */
        assert_ok(x509_cert_decode(der, &arena, &c));
        assert_int_equal(c.ext.malformed + c.notes.count, rows[i].why != NULL);
        lt_arena_reset(&arena);
    }
}

/* ---- requests ---- */

#define INFO_HEAD "\x02\x01\x00" CN_A "\x30\x2a" ED25519 "\x03\x21\x00" KEY32

static lt_slice request(lt_slice info, lt_slice rest)
{
    struct der_writer w;
    lt_buf_reset(&out);
    der_write_init(&w, &out);
    der_begin(&w, DER_SEQUENCE);
    der_put(&w, DER_SEQUENCE, info);
    der_put_raw(&w, rest);
    der_end(&w);
    assert_ok(der_write_done(&w));
    return lt_buf_slice(&out);
}

static void requests(void **unused)
{
    (void)unused;
    static const lt_slice tail = B(ED25519 "\x03\x03\x00\x01\x02");
    static const struct {
        lt_slice info;
        const char *why;
    } rows[] = {
        {B(INFO_HEAD "\xa0\x00"), NULL},
        {B(INFO_HEAD), NULL}, /* attributes left out: wrong, harmless, and about */
        {B(INFO_HEAD "\xa0\x11\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x02\x0c\x00"), NULL},
        {B(INFO_HEAD "\xa0\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x00"),
         "without a value"},
        {B(INFO_HEAD "\xa0\x11\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"), NULL},
        {B(INFO_HEAD "\xa0\x13\x30\x11\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x04\x30\x00\x30\x00"),
         "behind the last field"},
        {B(INFO_HEAD "\xa0\x22\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"
                     "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"),
         "stands twice"},
        {B(INFO_HEAD "\xa0\x1a\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x0b\x30\x09\x30\x07"
                     "\x06\x03\x55\x1d"
                     "\x11\x04\x00"),
         "subjectAltName"},
        {B(INFO_HEAD "\xa1\x00"), "another type"},
        {B(INFO_HEAD "\xa0\x00\x05\x00"), "behind the last field"},
        {B("\x02\x01\x01" CN_A), "outside its range"},
        {B(""), "nothing where an element"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_csr c;
        expect(i, x509_csr_parse(request(rows[i].info, tail), &arena, &c), rows[i].why);
        lt_arena_reset(&arena);
    }
    struct x509_csr c;
    static const lt_slice bad_tails[] = {B(""), B(ED25519), B(ED25519 "\x03\x03\x07\x01\x80"),
                                         B(ED25519 "\x03\x03\x00\x01\x02\x00")};
    for (size_t i = 0; i < LT_COUNT(bad_tails); i++) {
        assert_fails(x509_csr_parse(request(rows[0].info, bad_tails[i]), &arena, &c), LT_PEER_MALFORMED);
    }
    assert_fails(x509_csr_parse(LT_SLICE(out.ptr, X509_CSR_MAX_BYTES + 1), &arena, &c), LT_PEER_TOO_LARGE);
}

/* ---- CRLs ---- */

#define CRL_HEAD                 \
    ED25519 CN_A "\x17\x0d"      \
                 "261121234100Z" \
                 "\x17\x0d"      \
                 "261128234100Z"
#define ENTRY                      \
    "\x30\x12\x02\x01\x05\x17\x0d" \
    "261121234100Z"

static void crls(void **unused)
{
    (void)unused;
    static const struct {
        lt_slice tbs;
        const char *why;
    } rows[] = {
        {B("\x02\x01\x01" CRL_HEAD), NULL},
        {B(CRL_HEAD), NULL},
        {B("\x02\x01\x00" CRL_HEAD), "version"},
        {B("\x02\x01\x02" CRL_HEAD), "outside its range"},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x00"), "empty list of revoked"},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x14" ENTRY), NULL},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x13" ENTRY), "cut off"},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x22\x30\x20\x02\x01\x05\x17\x0d"
           "261121234100Z"
           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04"
           "\x03\x0a\x01\x01"),
         NULL},
        {B(CRL_HEAD "\x30\x22\x30\x20\x02\x01\x05\x17\x0d"
                    "261121234100Z"
                    "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"),
         "version 1"},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x22\x30\x20\x02\x01\x05\x17\x0d"
           "261121234100Z"
           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04"
           "\x03\x0a\x01\x07"),
         "not used"},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x22\x30\x20\x02\x01\x05\x17\x0d"
           "261121234100Z"
           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04"
           "\x03\x0a\x01\x0b"),
         "outside its range"},
        {B("\x02\x01\x01" CRL_HEAD "\x30\x16\x30\x14\x02\x01\x05\x17\x0d"
           "261121234100Z"
           "\x30\x00"),
         "empty list of ext"},
        {B("\x02\x01\x01" CRL_HEAD "\x05\x00"), "another type"},
        {B("\x02\x01\x01" CRL_HEAD "\xa0\x02\x30\x00"), "empty list of extensions"},
        {B("\x02\x01\x01" CRL_HEAD "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"), NULL},
        {B("\x02\x01\x01" CRL_HEAD "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\xff"),
         "negative"},
        {B(CRL_HEAD "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"), "version 1"},
        {B("\x02\x01\x01" ED25519 CN_A "\x17\x0b"
           "2611212341Z"),
         "none of RFC 5280"},
        {B(""), "nothing where an element"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_crl c;
        static const lt_slice tail = B(ED25519 "\x03\x03\x00\x01\x02");
        expect(i, x509_crl_parse(request(rows[i].tbs, tail), &arena, &c), rows[i].why);
        lt_arena_reset(&arena);
    }
    struct x509_crl c;
    static const lt_slice other = B("\x30\x05\x06\x03\x2b\x65\x71\x03\x03\x00\x01\x02");
    expect(99, x509_crl_parse(request(rows[0].tbs, other), &arena, &c), "two signature algorithms");
}

/* Every certificate cut at every byte, and with every byte changed, is refused or read: never beyond its end.
 */
static void cut_and_changed(void **unused)
{
    (void)unused;
    struct x509_cert c;
    lt_slice whole = assemble(PARTS, LT_LIT(""));
    uint8_t copy[1024];
    assert_true(whole.len < sizeof(copy));
    for (size_t len = 0; len < whole.len; len++) {
        memcpy(copy, whole.ptr, len);
        assert_fails(x509_cert_parse(LT_SLICE(copy, len), &arena, &c), LT_PEER_MALFORMED);
        lt_arena_reset(&arena);
    }
    for (size_t i = 0; i < whole.len; i++) {
        memcpy(copy, whole.ptr, whole.len);
        for (unsigned b = 0; b < 256; b += 5) {
            copy[i] = (uint8_t)b;
            lt_res r = x509_cert_parse(LT_SLICE(copy, whole.len), &arena, &c);
            assert_true(r.code == 0 || r.code == LT_PEER_MALFORMED);
            lt_arena_reset(&arena);
        }
    }
    struct lt_arena tiny;
    lt_arena_init(&tiny, 64);
    assert_fails(x509_cert_parse(whole, &tiny, &c), LT_PEER_TOO_LARGE);
    lt_arena_done(&tiny);
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(certificates), EACH(notes), EACH(extensions), EACH(requests), EACH(crls), EACH(cut_and_changed),
    };
    return cmocka_run_group_tests_name("x509/rejects", tests, NULL, NULL);
}
