/* The names in a certificate against the name constraints of its issuer (RFC 5280 4.2.1.10). */

#include "lint/rules.h"
#include "lint/rules/text.h"

static bool ends_nocase(lt_slice s, lt_slice suffix)
{
    return s.len >= suffix.len && lt_slice_eq_nocase(lt_slice_sub(s, s.len - suffix.len, suffix.len), suffix);
}

/* "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side" */
static bool host_below(lt_slice host, lt_slice base)
{
    if (base.len == 0) {
        return true;
    }
    if (base.ptr[0] == '.') {
        return host.len > base.len && ends_nocase(host, base);
    }
    bool longer = host.len > base.len && host.ptr[host.len - base.len - 1] == '.';
    return ends_nocase(host, base) && (longer || host.len == base.len);
}

/* A mailbox, a host of mailboxes, or with a dot in front all hosts below a domain. */
static bool mailbox_below(lt_slice mailbox, lt_slice base)
{
    size_t at = lt_slice_find(mailbox, '@');
    lt_slice host = lt_slice_sub(mailbox, at + 1, mailbox.len);
    size_t base_at = lt_slice_find(base, '@');
    if (base_at < base.len) {
        return lt_slice_eq(lt_slice_sub(mailbox, 0, at), lt_slice_sub(base, 0, base_at)) &&
               lt_slice_eq_nocase(host, lt_slice_sub(base, base_at + 1, base.len));
    }
    bool below = base.len > 0 && base.ptr[0] == '.';
    return base.len == 0 ||
           (below ? host.len > base.len && ends_nocase(host, base) : lt_slice_eq_nocase(host, base));
}

static lt_slice uri_host(lt_slice uri)
{
    size_t i = lt_slice_find(uri, ':');
    lt_slice rest = lt_slice_sub(uri, i + 1, uri.len);
    if (!lt_slice_starts(rest, LT_LIT("//"))) {
        return (lt_slice){0};
    }
    rest = lt_slice_sub(rest, 2, rest.len);
    rest = lt_slice_sub(rest, 0, lt_slice_find(rest, '/'));
    size_t user = lt_slice_find(rest, '@');
    rest = user < rest.len ? lt_slice_sub(rest, user + 1, rest.len) : rest;
    return lt_slice_sub(rest, 0, lt_slice_find(rest, ':'));
}

static bool uri_below(lt_slice uri, lt_slice base)
{
    lt_slice host = uri_host(uri);
    bool below = base.len > 0 && base.ptr[0] == '.';
    return base.len == 0 ||
           (below ? host.len > base.len && ends_nocase(host, base) : lt_slice_eq_nocase(host, base));
}

static bool address_in(lt_slice ip, lt_slice net)
{
    if (net.len != 2 * ip.len) {
        return false;
    }
    for (size_t i = 0; i < ip.len; i++) {
        if (((ip.ptr[i] ^ net.ptr[i]) & net.ptr[ip.len + i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Code points as RFC 5280 7.1 compares them: letters in one case, blanks in a row as one, none at the ends.
 */
struct folded {
    struct lint_text text;
    uint32_t ahead;
    bool begun;
};

enum { NO_TEXT = 0xfffd };

/* 0 at the end. */
static uint32_t folded_next(struct folded *f)
{
    uint32_t p = f->ahead;
    bool blank = false;
    f->ahead = 0;
    if (p != 0) {
        return p;
    }
    while (lint_text_next(&f->text, &p)) {
        if (lint_text_is_space(p)) {
            blank = true;
            continue;
        }
        p = p >= 'A' && p <= 'Z' ? p | 0x20 : p;
        p = p == 0 ? NO_TEXT : p;
        if (blank && f->begun) {
            f->ahead = p;
            return ' ';
        }
        f->begun = true;
        return p;
    }
    return 0;
}

static bool text_same(const struct x509_attribute *a, const struct x509_attribute *b)
{
    if (!lint_attribute_is_text(a) || !lint_attribute_is_text(b)) {
        return false;
    }
    struct folded x = {.text = lint_text_of(a)};
    struct folded y = {.text = lint_text_of(b)};
    uint32_t p = folded_next(&x);
    while (p != 0 && p != NO_TEXT && p == folded_next(&y)) {
        p = folded_next(&x);
    }
    return p == 0 && folded_next(&y) == 0;
}

/* RDNs are the same when their bytes are, or when only blanks, the case of letters and the string types
 * differ.
 */
static bool rdn_same(lt_slice a, lt_slice b)
{
    if (lt_slice_eq(a, b)) {
        return true;
    }
    struct der_notes notes = {.count = 0};
    struct der_cursor x = der_open(a);
    struct der_cursor y = der_open(b);
    x.notes = y.notes = &notes;
    struct der_cursor ava_x = der_enter(&x, DER_SEQUENCE);
    struct der_cursor ava_y = der_enter(&y, DER_SEQUENCE);
    struct x509_attribute v = {0};
    struct x509_attribute w = {0};
    bool same = lt_slice_eq(der_oid(&ava_x), der_oid(&ava_y)) &&
                der_any(&ava_x, &v.string_type, &v.value, NULL) &&
                der_any(&ava_y, &w.string_type, &w.value, NULL);
    return same && x.pos == x.end && y.pos == y.end &&
           (lt_slice_eq_nocase(v.value, w.value) || text_same(&v, &w));
}

/* The base's RDNs are the first of the name's. name and base: whole Names. */
static bool directory_below(lt_slice name, lt_slice base)
{
    struct der_notes notes = {.count = 0};
    struct der_cursor x = der_open(name);
    struct der_cursor y = der_open(base);
    x.notes = y.notes = &notes;
    struct der_cursor a = der_enter(&x, DER_SEQUENCE);
    struct der_cursor b = der_enter(&y, DER_SEQUENCE);
    while (der_more(&b)) {
        if (!der_more(&a) || !rdn_same(der_read(&a, DER_SET), der_read(&b, DER_SET))) {
            return false;
        }
    }
    return der_ok(&a) && der_ok(&b);
}

static bool below(enum x509_general_name_type type, lt_slice name, lt_slice base)
{
    switch (type) {
    case X509_GN_DNS:
        return host_below(name, base); /* of a wildcard the star is one label more */
    case X509_GN_EMAIL:
        return mailbox_below(name, base);
    case X509_GN_URI:
        return uri_below(name, base);
    case X509_GN_IP:
        return address_in(name, base);
    case X509_GN_DIRECTORY:
        return directory_below(name, base);
    case X509_GN_OTHER:
    case X509_GN_X400:
    case X509_GN_EDI:
    case X509_GN_REGISTERED_ID:
        break;
    }
    return true; /* not compared here */
}

/* Does a wildcard stand for that very host? It stands for one label, so for no more of what is below it. */
static bool covers(lt_slice name, lt_slice host)
{
    size_t dot = lt_slice_find(host, '.');
    return lt_slice_starts(name, LT_LIT("*.")) && dot > 0 && dot < host.len &&
           lt_slice_eq_nocase(lt_slice_sub(name, 1, name.len), lt_slice_sub(host, dot, host.len));
}

static bool meets_excluded(enum x509_general_name_type type, lt_slice name, lt_slice base)
{
    bool compared = type != X509_GN_OTHER && type != X509_GN_X400 && type != X509_GN_EDI &&
                    type != X509_GN_REGISTERED_ID;
    return compared && (below(type, name, base) || (type == X509_GN_DNS && covers(name, base)));
}

static void judge(struct lint_report *r, enum x509_general_name_type type, lt_slice name)
{
    const struct x509_extensions *e = &r->subject->in->issuer->ext;
    bool constrained = false;
    bool permitted = false;
    for (size_t i = 0; i < e->permitted.count && !permitted; i++) {
        if (e->permitted.list[i].type == type) {
            constrained = true;
            permitted = below(type, name, e->permitted.list[i].value);
        }
    }
    bool text = type == X509_GN_DNS || type == X509_GN_EMAIL || type == X509_GN_URI;
    lt_slice shown = text ? name : LT_LIT("a name");
    if (constrained && !permitted) {
        lint_found(r, name, "%.*s is in no subtree that the issuer is permitted", LT_FMT(shown));
    }
    for (size_t i = 0; i < e->excluded.count; i++) {
        if (e->excluded.list[i].type == type && meets_excluded(type, name, e->excluded.list[i].value)) {
            lint_found(r, name, "%.*s is in a subtree that the issuer is excluded from", LT_FMT(shown));
            return;
        }
    }
}

/*= RFC 5280 4.2.1.10 "Restrictions apply to the subject distinguished name and apply to subject alternative
 *= names." A mailbox in the subject counts when there is no subjectAltName. */
static void constraints(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        judge(r, san->list[i].type, san->list[i].value);
    }
    if (lint_is(s, LINT_HAS_SUBJECT)) {
        judge(r, X509_GN_DIRECTORY, s->cert->subject.der);
    }
    const struct x509_attribute *mail = x509_name_find(&s->cert->subject, X509_OID_EMAIL_ADDRESS, 0);
    if (mail != NULL && san->count == 0) {
        judge(r, X509_GN_EMAIL, mail->value);
    }
}

static bool constrained(const struct lint_subject *s)
{
    const struct x509_extensions *e = &s->in->issuer->ext;
    return e->permitted.count + e->excluded.count > 0;
}

static const struct lint_rule rows[] = {
    {"lintel_issuance_name_constraints", .source = LINT_LINTEL, .kinds = LINT_CERTIFICATE,
     .level = LINT_ERROR, .asks = "every name is one that the issuer's name constraints permit",
     .citation = "RFC 5280 4.2.1.10", .when = LINT_WITH_ISSUER, .unless = LINT_IS_ROOT,
     .applies = constrained, .check = constraints},
};
const struct lint_table lint_issuance_constraints = LINT_TABLE(rows);
