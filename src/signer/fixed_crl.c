/* The fixed fields of CRLs, and of the issuers' own certificates. */
#include "signer/fixed_reader.h"

lt_res fixed_check_crl(const struct fixed_issuer *issuer, const struct fixed_order *o)
{
    struct fixed_reader r = {.bad = o->tbs.len > FIXED_CRL_MAX ? "the CRL is too long" : NULL};
    lt_slice tbs = o->tbs;
    lt_slice in = fixed_step(&r, &tbs, SEQUENCE);
    bool numbered = false;
    fixed_expect(&r, &in, BYTES("\x02\x01\x01"), "it is not of version 2");
    fixed_expect(&r, &in, issuer->algorithm, "the signature algorithm is not the issuer key's");
    fixed_expect(&r, &in, issuer->subject, "the issuer name is not the issuer's");
    lt_time from = fixed_take_time(&r, &in);
    lt_time until = fixed_take_time(&r, &in);
    fixed_near_now(&r, from, o->now, FIXED_CRL_SKEW_S);
    (void)fixed_refuse(&r,
                       tbs.len != 0 || until.us <= from.us ||
                           until.us - from.us > FIXED_CRL_LIFE_MAX_S * LT_US_PER_SECOND,
                       "nextUpdate is not within ten days of thisUpdate");
    if (in.len > 0 && in.ptr[0] == SEQUENCE) {
        (void)fixed_step(&r, &in, SEQUENCE); /* the entries */
    }
    fixed_take_extensions(&r, in, &o->number, &numbered);
    (void)fixed_refuse(&r, !numbered, "a CRL needs its number");
    LT_CHECK(r.bad == NULL, LT_POLICY_REFUSED, "fixed fields: %s", r.bad);
    return LT_OK;
}

lt_res fixed_read_issuer(lt_slice certificate, struct fixed_issuer *ret_issuer)
{
    struct fixed_reader r = {0};
    lt_slice outer = fixed_step(&r, &certificate, SEQUENCE);
    lt_slice in = fixed_step(&r, &outer, SEQUENCE);
    static const uint8_t before_validity[] = {TAG_0, INTEGER, SEQUENCE, SEQUENCE};
    for (size_t i = 0; i < LT_COUNT(before_validity); i++) {
        (void)fixed_step(&r, &in, before_validity[i]);
    }
    lt_slice validity = fixed_step(&r, &in, SEQUENCE);
    struct fixed_issuer issuer = {.not_before = fixed_take_time(&r, &validity)};
    issuer.not_after = fixed_take_time(&r, &validity);
    lt_slice from_subject = in;
    (void)fixed_step(&r, &in, SEQUENCE);
    issuer.subject = lt_slice_sub(from_subject, 0, from_subject.len - in.len);
    lt_slice from_key = in;
    (void)fixed_step(&r, &in, SEQUENCE);
    issuer.spki = lt_slice_sub(from_key, 0, from_key.len - in.len);
    LT_CHECK(r.bad == NULL, LT_STATE_CORRUPT, "an issuer's certificate does not read: %s", r.bad);
    *ret_issuer = issuer;
    return LT_OK;
}
