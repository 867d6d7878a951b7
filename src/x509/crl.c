/* Certificate revocation lists (RFC 5280 section 5). */
#include "x509/crl.h"

/* Reason codes are 0 to 10 without 7. */
enum { REASON_MAX = 10, REASON_UNUSED = 7 };

static void entry_extension(struct der_cursor *list, struct x509_crl_entry *e)
{
    struct der_cursor x = der_enter(list, DER_SEQUENCE);
    enum x509_oid oid = x509_oid_find(der_oid(&x));
    if (der_is_next(&x, DER_BOOLEAN) && !der_boolean(&x)) {
        der_wart(&x, x.pos, "a default value that is encoded");
    }
    lt_slice content = der_octets(&x);
    struct der_cursor value = der_into(&x, content);
    der_leave(list, &x);
    if (oid == X509_OID_REASON_CODE) {
        if (e->has_reason) {
            der_wart(&value, content.ptr, "an extension that stands twice");
        }
        e->has_reason = true;
        e->reason = (uint32_t)der_enumerated(&value, UINT32_MAX);
        if (e->reason > REASON_MAX) {
            der_wart(&value, content.ptr, "a number outside its range");
        }
        if (e->reason == REASON_UNUSED) {
            der_wart(&value, content.ptr, "a reason code that is not used");
        }
    } else if (oid == X509_OID_INVALIDITY_DATE) {
        e->has_invalidity_date = true;
        e->invalidity_date = der_generalized_time(&value);
    } else if (oid == X509_OID_CERTIFICATE_ISSUER) {
        e->certificate_issuer = der_read_whole(&value, DER_SEQUENCE);
    } else {
        return;
    }
    if (value.why != NULL) {
        der_wart(list, value.bad, value.why); /* one entry is wrong: a linter reads on */
    } else {
        der_leave(list, &value);
    }
}

struct der_cursor x509_crl_entries(const struct x509_crl *crl, struct der_notes *scratch)
{
    struct der_cursor c = der_open(crl->entries);
    *scratch = (struct der_notes){.count = 0};
    c.notes = crl->notes.count > 0 ? scratch : NULL;
    return c;
}

/* SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL } */
bool x509_crl_next(struct der_cursor *c, struct x509_crl_entry *ret_entry)
{
    *ret_entry = (struct x509_crl_entry){0};
    if (!der_more(c)) {
        return false;
    }
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    ret_entry->serial = der_integer(&seq);
    if (ret_entry->serial.len > 20) {
        der_wart(&seq, ret_entry->serial.ptr, "a serial number of more than 20 bytes");
    }
    ret_entry->revoked = der_time(&seq);
    if (der_more(&seq)) {
        ret_entry->extensions = der_read(&seq, DER_SEQUENCE);
        struct der_cursor list = der_into(&seq, ret_entry->extensions);
        if (der_ok(&list) && !der_more(&list)) {
            der_wart(&list, list.pos, "an empty list of extensions");
        }
        while (der_more(&list)) {
            entry_extension(&list, ret_entry);
        }
        der_leave(&seq, &list);
    }
    der_leave(c, &seq);
    return der_ok(c);
}

static void entries_check(struct der_cursor *c, struct x509_crl *crl)
{
    struct x509_crl_entry entry;
    struct der_cursor list = der_into(c, crl->entries);
    while (x509_crl_next(&list, &entry)) {
        crl->entry_count++;
        /*= RFC 5280 5.3 "CRL entry extensions" exist "if present, version MUST be v2" (5.1.2.1) */
        if (crl->version < 2 && entry.extensions.len > 0) {
            der_wart(&list, entry.extensions.ptr, "entry extensions in version 1");
        }
    }
    der_leave(c, &list);
}

static bool time_is_next(const struct der_cursor *c)
{
    return der_is_next(c, DER_UTC_TIME) || der_is_next(c, DER_GENERALIZED_TIME);
}

/* TBSCertList ::= SEQUENCE { version INTEGER { v2(1) } OPTIONAL, signature, issuer Name, thisUpdate Time,
 * nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF … OPTIONAL, crlExtensions [0] EXPLICIT Extensions
 * OPTIONAL } */
static lt_res tbs_read(struct der_cursor *c, bool with_entries, struct lt_arena *a, struct x509_crl *crl)
{
    struct der_cursor ahead = *c;
    crl->tbs = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    crl->version = 1;
    if (der_is_next(&seq, DER_INTEGER)) {
        crl->version = (unsigned)der_small(&seq, INT32_MAX) + 1;
        if (der_ok(&seq) && crl->version != 2) {
            der_wart(&seq, seq.pos,
                     crl->version > 2 ? "a number outside its range"
                                      : "a version that is not written this way");
        }
    }
    crl->sig_alg_der = der_read_whole(&seq, DER_SEQUENCE);
    crl->sig_alg = x509_sig_alg_find(crl->sig_alg_der);
    LT_TRY(x509_name_read(&seq, a, &crl->issuer));
    crl->this_update = der_time(&seq);
    crl->has_next_update = time_is_next(&seq);
    if (crl->has_next_update) {
        crl->next_update = der_time(&seq);
    }
    /*= RFC 5280 5.1.2.6 "When there are no revoked certificates, the revoked certificates list MUST be
     * absent." */
    if (der_is_next(&seq, DER_SEQUENCE)) {
        crl->entries = der_read(&seq, DER_SEQUENCE);
        if (der_ok(&seq) && crl->entries.len == 0) {
            der_wart(&seq, seq.pos, "an empty list of revoked certificates");
        }
    }
    if (with_entries) {
        entries_check(&seq, crl);
    }
    if (der_more(&seq)) {
        struct der_cursor tagged = der_enter(&seq, DER_CONTEXT_CONS(0));
        if (crl->version < 2) {
            der_wart(&tagged, tagged.pos, "extensions in version 1");
        }
        LT_TRY(x509_extensions_read(&tagged, a, &crl->ext));
        der_leave(&seq, &tagged);
    }
    der_leave(c, &seq);
    return LT_OK;
}

/* CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING } */
static lt_res crl_read(lt_slice der, struct der_notes *notes, bool with_entries, struct lt_arena *a,
                       struct x509_crl *ret_crl)
{
    *ret_crl = (struct x509_crl){.der = der};
    struct der_cursor c = der_open(der);
    c.notes = notes;
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    LT_TRY(tbs_read(&seq, with_entries, a, ret_crl));
    ret_crl->outer_sig_alg_der = der_read_whole(&seq, DER_SEQUENCE);
    ret_crl->signature = der_bitstring_octets(&seq);
    if (der_ok(&seq) && !lt_slice_eq(ret_crl->sig_alg_der, ret_crl->outer_sig_alg_der)) {
        der_wart(&seq, ret_crl->outer_sig_alg_der.ptr, "two signature algorithms that differ");
    }
    der_leave(&c, &seq);
    return notes != NULL ? der_done_noted(&c, "CRL") : der_done(&c, "CRL");
}

lt_res x509_crl_decode(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl)
{
    struct der_notes notes = {.count = 0};
    lt_res r = crl_read(der, &notes, true, a, ret_crl);
    ret_crl->notes = notes;
    return r;
}

lt_res x509_crl_parse(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl)
{
    LT_TRY(crl_read(der, NULL, true, a, ret_crl));
    return x509_extensions_check(&ret_crl->ext);
}

static lt_res bare_read(lt_slice der, struct der_notes *notes, struct lt_arena *a, struct x509_crl *ret_crl)
{
    *ret_crl = (struct x509_crl){0};
    struct der_cursor c = der_open(der);
    c.notes = notes;
    LT_TRY(tbs_read(&c, true, a, ret_crl));
    return notes != NULL ? der_done_noted(&c, "to-be-signed CRL") : der_done(&c, "to-be-signed CRL");
}

lt_res x509_crl_tbs_decode(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl)
{
    struct der_notes notes = {.count = 0};
    lt_res r = bare_read(der, &notes, a, ret_crl);
    ret_crl->notes = notes;
    return r;
}

lt_res x509_crl_tbs_parse(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl)
{
    LT_TRY(bare_read(der, NULL, a, ret_crl));
    return x509_extensions_check(&ret_crl->ext);
}

static lt_res check_opened(const struct x509_crl *crl)
{
    LT_CHECK(crl->version == 2, LT_PEER_MALFORMED, "a CRL of version %u", crl->version);
    return x509_extensions_check(&crl->ext);
}

lt_res x509_crl_open(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl)
{
    LT_TRY(crl_read(der, NULL, false, a, ret_crl));
    return check_opened(ret_crl);
}

lt_res x509_crl_tbs_open(lt_slice der, struct lt_arena *a, struct x509_crl *ret_crl)
{
    *ret_crl = (struct x509_crl){0};
    struct der_cursor c = der_open(der);
    LT_TRY(tbs_read(&c, false, a, ret_crl));
    LT_TRY(der_done(&c, "to-be-signed CRL"));
    return check_opened(ret_crl);
}
