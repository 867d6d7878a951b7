/* The fixed-field reader: sticky, at most 150 lines, to be read whole before each change. */
#include "signer/fixed_reader.h"

bool fixed_refuse(struct fixed_reader *r, bool wrong, const char *why)
{
    r->bad = wrong && r->bad == NULL ? why : r->bad;
    return r->bad != NULL;
}

lt_slice fixed_step(struct fixed_reader *r, lt_slice *in, uint8_t tag)
{
    if (fixed_refuse(r, in->len < 2 || in->ptr[0] != tag, "another field stands where one must be")) {
        return LT_SLICE(NULL, 0);
    }
    size_t head = 2;
    size_t len = in->ptr[1];
    if (len >= 0x80) {
        size_t end = head + len - 0x80;
        if (fixed_refuse(r, end < 3 || end > 6 || in->len < end || in->ptr[2] == 0,
                         "a length has a bad form")) {
            return LT_SLICE(NULL, 0);
        }
        for (len = 0; head < end; head++) {
            len = len << 8 | in->ptr[head];
        }
        (void)fixed_refuse(r, len < 0x80, "a length is not minimal"); /* sticky: looked at in the end */
    }
    if (fixed_refuse(r, len > in->len - head, "a length goes beyond the end")) {
        return LT_SLICE(NULL, 0);
    }
    lt_slice content = lt_slice_sub(*in, head, len);
    *in = lt_slice_sub(*in, head + len, in->len);
    return content;
}

static lt_slice strip(lt_slice n)
{
    for (; n.len > 0 && n.ptr[0] == 0; n.ptr++) {
        n.len--;
    }
    return n;
}

void fixed_expect_number(struct fixed_reader *r, lt_slice *in, lt_slice number)
{
    lt_slice n = fixed_step(r, in, INTEGER);
    bool negative = n.len > 0 && n.ptr[0] >= 0x80;
    bool padded = n.len > 1 && n.ptr[0] == 0 && n.ptr[1] < 0x80;
    (void)fixed_refuse(r, n.len > FIXED_SERIAL_MAX || negative || padded || strip(n).len == 0,
                       "the number is not positive, minimal and at most 20 bytes");
    (void)fixed_refuse(r, !lt_slice_eq(strip(n), strip(number)), "the number is not the one asked for");
}

void fixed_expect(struct fixed_reader *r, lt_slice *in, lt_slice bytes, const char *why)
{
    if (!fixed_refuse(r, bytes.len == 0 || !lt_slice_starts(*in, bytes), why)) {
        *in = lt_slice_sub(*in, bytes.len, in->len);
    }
}

/*= RFC 5280 4.1.2.5.1 "Where YY is greater than or equal to 50, the year SHALL be interpreted as 19YY" */
lt_time fixed_take_time(struct fixed_reader *r, lt_slice *in)
{
    bool utc = in->len > 0 && in->ptr[0] == UTC;
    lt_slice t = fixed_step(r, in, utc ? UTC : GENERALIZED);
    if (fixed_refuse(r, t.len != (utc ? 13U : 15U) || t.ptr[t.len - 1] != 'Z', "a time has a bad form")) {
        return (lt_time){0};
    }
    int d[7] = {0}; /* pairs of digits: century, year, month, day, hour, minute, second */
    for (size_t i = 0; i < t.len - 1; i++) {
        (void)fixed_refuse(r, t.ptr[i] < '0' || t.ptr[i] > '9', "a time has a bad form");
        d[i / 2 + utc] = d[i / 2 + utc] * 10 + (t.ptr[i] - '0');
    }
    int century = !utc ? d[0] : (d[1] >= 50 ? 19 : 20);
    struct lt_date date = {century * 100 + d[1], d[2], d[3], d[4], d[5], d[6]};
    lt_time time = {0};
    (void)fixed_refuse(r, lt_failed(lt_time_of(&date, &time)) || utc != (date.year < 2050),
                       "there is no such time");
    return time;
}

static void check_extension(struct fixed_reader *r, lt_slice oid, lt_slice value, bool *poison)
{
    if (lt_slice_eq(oid, BYTES("\x55\x1d\x13"))) {
        (void)fixed_refuse(r, !lt_slice_eq(value, BYTES("\x30\x00")),
                           "basicConstraints say more than: no CA");
    } else if (lt_slice_eq(oid, BYTES("\x55\x1d\x0f"))) {
        lt_slice bits = fixed_step(r, &value, BITS);
        (void)fixed_refuse(r, value.len != 0 || bits.len < 2 || bits.len > 3, "keyUsage has a bad form");
        (void)fixed_refuse(r, bits.len < 2 || (bits.ptr[1] & (KEY_CERT_SIGN | CRL_SIGN)) != 0,
                           "keyUsage allows to sign certificates or CRLs");
    } else if (lt_slice_eq(oid, BYTES("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03"))) {
        *poison = true;
    }
}

void fixed_take_extensions(struct fixed_reader *r, lt_slice in, const lt_slice *number, bool *found)
{
    lt_slice outer = fixed_step(r, &in, number == NULL ? TAG_3 : TAG_0);
    lt_slice list = fixed_step(r, &outer, SEQUENCE);
    (void)fixed_refuse(r, in.len != 0 || outer.len != 0, "bytes behind the extensions");
    while (list.len > 0 && r->bad == NULL) {
        lt_slice extension = fixed_step(r, &list, SEQUENCE);
        lt_slice oid = fixed_step(r, &extension, OID);
        if (extension.len > 0 && extension.ptr[0] == BOOL) {
            (void)fixed_step(r, &extension, BOOL);
        }
        lt_slice value = fixed_step(r, &extension, OCTETS);
        (void)fixed_refuse(r, extension.len != 0, "bytes behind an extension");
        if (number == NULL) {
            check_extension(r, oid, value, found);
        } else if (lt_slice_eq(oid, BYTES("\x55\x1d\x14"))) {
            fixed_expect_number(r, &value, *number);
            (void)fixed_refuse(r, value.len != 0 || *found, "bytes behind the CRL number, or a second one");
            *found = true;
        }
    }
}

void fixed_near_now(struct fixed_reader *r, lt_time t, lt_time now, int64_t skew_s)
{
    (void)fixed_refuse(
        r, t.us > lt_time_add_seconds(now, skew_s).us || t.us < lt_time_add_seconds(now, -skew_s).us,
        "notBefore or thisUpdate is too far from now");
}

lt_res fixed_check_certificate(const struct fixed_issuer *issuer, const struct fixed_order *o)
{
    struct fixed_reader r = {.bad = o->tbs.len > FIXED_CERTIFICATE_MAX ? "the certificate is too long"
                                                                       : NULL};
    lt_slice tbs = o->tbs;
    lt_slice in = fixed_step(&r, &tbs, SEQUENCE);
    bool poison = false;
    fixed_expect(&r, &in, BYTES("\xa0\x03\x02\x01\x02"), "it is not of version 3");
    fixed_expect_number(&r, &in, o->number);
    fixed_expect(&r, &in, issuer->algorithm, "the signature algorithm is not the issuer key's");
    fixed_expect(&r, &in, issuer->subject, "the issuer name is not the issuer's");
    lt_slice validity = fixed_step(&r, &in, SEQUENCE);
    lt_time from = fixed_take_time(&r, &validity);
    lt_time until = fixed_take_time(&r, &validity);
    (void)fixed_refuse(&r, tbs.len != 0 || validity.len != 0 || from.us > until.us,
                       "the validity has a bad form");
    (void)fixed_refuse(&r, from.us < issuer->not_before.us || until.us > issuer->not_after.us,
                       "the validity is not within the issuer's");
    (void)fixed_refuse(&r, until.us - from.us >= FIXED_VALIDITY_MAX_S * LT_US_PER_SECOND,
                       "it would live too long");
    fixed_near_now(&r, from, o->now, FIXED_NOT_BEFORE_SKEW_S);
    (void)fixed_step(&r, &in, SEQUENCE); /* subject */
    (void)fixed_step(&r, &in, SEQUENCE); /* its key; no unique identifiers may follow */
    fixed_take_extensions(&r, in, NULL, &poison);
    (void)fixed_refuse(&r, poison != o->precertificate, "only a precertificate carries the poison extension");
    LT_CHECK(r.bad == NULL, LT_POLICY_REFUSED, "fixed fields: %s", r.bad);
    return LT_OK;
}
