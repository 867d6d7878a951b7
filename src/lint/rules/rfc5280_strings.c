/* RFC 5280 4.1.2.4, 4.1.2.6, 4.2.1.6 and Appendix A, what zlint does not ask of names: string types, bounds,
 * the form of each GeneralName. */
#include "lint/rules/mailbox.h"
#include "lint/rules/rfc.h"
#include "lint/rules/text.h"

enum {
    PRINTABLE = 1 << 0,
    IA5 = 1 << 1,
    DIRECTORY = 1 << 2, /* DirectoryString: teletex, printable, universal, UTF-8, BMP */
};

/* Attributes with a type of their own, by their leaf below 2.5.4, or their OID. */
static const struct attribute_kind {
    enum x509_oid oid;
    uint8_t leaf; /* of 2.5.4; 0: by oid */
    uint8_t types;
    uint16_t exactly; /* characters; 0: any number */
    uint16_t at_most;
} kinds[] = {
    {X509_OID_C, 6, PRINTABLE, 2, 0},
    {X509_OID_SERIAL_NUMBER, 5, PRINTABLE, 0, 0},
    {X509_OID_DN_QUALIFIER, 46, PRINTABLE, 0, 0},
    {X509_OID_EMAIL_ADDRESS, 0, IA5, 0, 0},
    {X509_OID_DC, 0, IA5, 0, 0},
    {X509_OID_CN, 3, DIRECTORY, 0, 0},
    {X509_OID_SURNAME, 4, DIRECTORY, 0, 0},
    {X509_OID_L, 7, DIRECTORY, 0, 0},
    {X509_OID_ST, 8, DIRECTORY, 0, 0},
    {X509_OID_STREET, 9, DIRECTORY, 0, 0},
    {X509_OID_O, 10, DIRECTORY, 0, 0},
    {X509_OID_OU, 11, DIRECTORY, 0, 0},
    {X509_OID_TITLE, 12, DIRECTORY, 0, 64},
    {X509_OID_BUSINESS_CATEGORY, 15, DIRECTORY, 0, 0},
    {X509_OID_POSTAL_CODE, 17, DIRECTORY, 0, 0},
    {X509_OID_UNKNOWN, 41, DIRECTORY, 0, 32768},
    {X509_OID_GIVEN_NAME, 42, DIRECTORY, 0, 0},
    {X509_OID_UNKNOWN, 43, DIRECTORY, 0, 32768}, /* initials */
    {X509_OID_UNKNOWN, 44, DIRECTORY, 0, 32768}, /* generationQualifier */
    {X509_OID_PSEUDONYM, 65, DIRECTORY, 0, 128},
    {X509_OID_ORGANIZATION_IDENTIFIER, 97, DIRECTORY, 0, 0},
};

static const struct attribute_kind *kind_of(const struct x509_attribute *a)
{
    uint8_t leaf = a->type.len == 3 && a->type.ptr[0] == 0x55 && a->type.ptr[1] == 4 ? a->type.ptr[2] : 0;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        bool same = leaf != 0 ? kinds[i].leaf == leaf : kinds[i].leaf == 0 && kinds[i].oid == a->oid;
        if (same) {
            return &kinds[i];
        }
    }
    return NULL;
}

static unsigned type_of(uint32_t tag)
{
    switch (tag) {
    case DER_PRINTABLE_STRING:
        return PRINTABLE | DIRECTORY;
    case DER_IA5_STRING:
        return IA5;
    case DER_UTF8_STRING:
    case DER_T61_STRING:
    case DER_UNIVERSAL_STRING:
    case DER_BMP_STRING:
        return DIRECTORY;
    default:
        return 0;
    }
}

static void types_check(const struct x509_name *n, struct lint_report *r)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct attribute_kind *k = kind_of(&n->attributes[i]);
        if (k != NULL && (type_of(n->attributes[i].string_type) & k->types) == 0) {
            lint_found(r, n->attributes[i].value, "%s has the ASN.1 type %u", x509_oid_name(k->oid),
                       (unsigned)DER_TAG_NUMBER(n->attributes[i].string_type));
        }
    }
}

static void attribute_types(const struct lint_subject *s, struct lint_report *r)
{
    types_check(&s->cert->subject, r);
    types_check(&s->cert->issuer, r);
}

static void attribute_bounds(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        const struct attribute_kind *k = kind_of(&n->attributes[i]);
        if (k == NULL || (k->exactly == 0 && k->at_most == 0)) {
            continue;
        }
        size_t count = lint_text_count(lint_text_of(&n->attributes[i]));
        if ((k->exactly != 0 && count != k->exactly) || (k->at_most != 0 && count > k->at_most)) {
            lint_found(r, n->attributes[i].value, "%s of %zu characters", x509_oid_name(k->oid), count);
        }
    }
}

/*= RFC 5280 4.1.2.4 "CAs conforming to this profile MUST use either the PrintableString or UTF8String
 * encoding of DirectoryString", but names of CAs may go on as they were */
static void directory_strings(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        uint32_t tag = n->attributes[i].string_type;
        const struct attribute_kind *k = kind_of(&n->attributes[i]);
        bool old = tag == DER_T61_STRING || tag == DER_UNIVERSAL_STRING || tag == DER_BMP_STRING;
        if (k != NULL && k->types == DIRECTORY && old) {
            lint_found(r, n->attributes[i].value, "%s is neither PrintableString nor UTF8String",
                       x509_oid_name(k->oid));
        }
    }
}

/*= X.501 9.3 "exactly one AttributeTypeAndDistinguishedValue for each attribute" */
static void types_once_per_rdn(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 1; i < n->count; i++) {
        for (size_t k = i; k > 0 && n->attributes[k - 1].rdn == n->attributes[i].rdn; k--) {
            if (lt_slice_eq(n->attributes[k - 1].type, n->attributes[i].type)) {
                lint_found(r, n->attributes[i].value, "%s stands twice in an RDN",
                           x509_oid_name(n->attributes[i].oid));
                break;
            }
        }
    }
}

static void addresses(struct der_cursor c, struct lint_report *r)
{
    unsigned form = 0;
    lt_slice value = {0};
    while (lint_names_next(&c, &form, &value)) {
        if (form == X509_GN_IP && value.len != 4 && value.len != 16) {
            lint_found(r, value, "an iPAddress of %zu octets", value.len);
        }
    }
}

static void address_length(const struct lint_subject *s, struct lint_report *r)
{
    addresses(lint_names_of(s, X509_OID_SUBJECT_ALT_NAME), r);
    addresses(lint_names_of(s, X509_OID_ISSUER_ALT_NAME), r);
}

enum { DOMAIN_MAX = 253, LOCAL_MAX = 64 };

/*= RFC 5280 4.2.1.6 "The format of an rfc822Name is a "Mailbox" as defined in Section 4.1.2 of [RFC2821]." */
static void mailboxes(struct der_cursor c, struct lint_report *r)
{
    unsigned form = 0;
    lt_slice m = {0};
    while (lint_names_next(&c, &form, &m)) {
        if (form != X509_GN_EMAIL) {
            continue;
        }
        lt_slice domain = lint_mail_domain(m);
        if (!lint_mail_address(m)) {
            lint_found(r, m, "'%.*s' is no Mailbox", LT_FMT(m));
        } else if (domain.len > DOMAIN_MAX) {
            lint_found(r, m, "the domain of an rfc822Name has %zu bytes", domain.len);
        } else if (m.len - domain.len > LOCAL_MAX + 1) {
            lint_found(r, m, "the local part of an rfc822Name has %zu bytes", m.len - domain.len - 1);
        }
    }
}

static void mailbox_syntax(const struct lint_subject *s, struct lint_report *r)
{
    mailboxes(lint_names_of(s, X509_OID_SUBJECT_ALT_NAME), r);
    mailboxes(lint_names_of(s, X509_OID_ISSUER_ALT_NAME), r);
}

static bool is_name_byte(uint8_t b)
{
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '-' || b == '_';
}

static bool label_ok(lt_slice l)
{
    for (size_t i = 0; i < l.len; i++) {
        if (!is_name_byte(l.ptr[i])) {
            return false;
        }
    }
    return l.len > 0 && l.len <= 63 && l.ptr[0] != '-' && l.ptr[l.len - 1] != '-';
}

/* Underscores are left to the rules that know since when. "*" and "?" as a whole first label are wildcards
 * and redaction. */
static bool dns_ok(lt_slice name)
{
    lt_slice label = {0};
    for (size_t at = 0; lint_label_next(name, &at, &label);) {
        bool first_wild = label.ptr == name.ptr && lt_slice_eq(label, LT_LIT("*")) && at < name.len;
        if (!first_wild && !lt_slice_eq(label, LT_LIT("?")) && !label_ok(label)) {
            return false;
        }
    }
    return name.len <= DOMAIN_MAX;
}

/*= RFC 5280 4.2.1.6 "The name MUST be in the "preferred name syntax"" */
static void dns_syntax(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = lint_names_of(s, X509_OID_SUBJECT_ALT_NAME);
    unsigned form = 0;
    lt_slice name = {0};
    while (lint_names_next(&c, &form, &name)) {
        if (form == X509_GN_DNS && !dns_ok(name)) {
            lint_found(r, name, "'%.*s' is no domain name", LT_FMT(name));
        }
    }
}

/* Is the form of GeneralName there, and its content of the right kind? */
static void form_check(unsigned form, lt_slice value, struct lint_report *r)
{
    struct der_cursor c = der_open(value);
    if (form == X509_GN_DIRECTORY) {
        lt_slice name = der_read(&c, DER_SEQUENCE);
        if (!der_ok(&c) || der_more(&c)) {
            lint_found(r, value, "a directoryName that is no Name");
        } else if (name.len == 0) {
            lint_found(r, value, "a directoryName without an attribute");
        }
    } else if (form == X509_GN_OTHER) {
        lt_slice type = der_oid(&c);
        struct der_cursor v = der_enter(&c, DER_CONTEXT_CONS(0));
        if (type.len == 0 || !der_ok(&v) || der_more(&c)) {
            lint_found(r, value, "an otherName that is no type and value");
        }
    } else if (form > X509_GN_REGISTERED_ID) {
        lint_found(r, value, "no form of GeneralName has the tag %u", form);
    }
}

static void name_forms(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid both[] = {X509_OID_SUBJECT_ALT_NAME, X509_OID_ISSUER_ALT_NAME};
    for (size_t i = 0; i < LT_COUNT(both); i++) {
        struct der_cursor c = lint_names_of(s, both[i]);
        unsigned form = 0;
        lt_slice value = {0};
        while (lint_names_next(&c, &form, &value)) {
            form_check(form, value, r);
        }
    }
}

/* SmtpUTF8Mailbox: an otherName with a UTF8String. */
static bool utf8_mailbox(lt_slice other_name, uint32_t *ret_tag, lt_slice *ret_text)
{
    struct der_cursor c = der_open(other_name);
    if (!lt_slice_eq(der_oid(&c), LT_LIT("\x2b\x06\x01\x05\x05\x07\x08\x09"))) {
        return false;
    }
    struct der_cursor v = der_enter(&c, DER_CONTEXT_CONS(0));
    return der_any(&v, ret_tag, ret_text, NULL);
}

static bool ascii_from(lt_slice s, size_t at)
{
    for (size_t i = at; i < s.len; i++) {
        if (s.ptr[i] > 0x7f) {
            return false;
        }
    }
    return true;
}

static bool has_capital(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

/* What is wrong with it, NULL when nothing is.
 *= RFC 9598 3 "The UTF8String encoding MUST NOT contain a Byte Order Mark (BOM)" */
static const char *utf8_mailbox_why(uint32_t tag, lt_slice m)
{
    lt_slice domain = lint_mail_domain(m);
    size_t local_len = m.len - domain.len;
    if (tag != DER_UTF8_STRING || !x509_string_valid(DER_UTF8_STRING, m)) {
        return "is no UTF8String";
    }
    if (domain.len == 0 || local_len < 2) {
        return "is no Mailbox";
    }
    if (lt_slice_starts(m, LT_LIT("\xef\xbb\xbf"))) {
        return "begins with a byte order mark";
    }
    if (ascii_from(lt_slice_sub(m, 0, local_len), 0)) {
        return "has a local part of ASCII: it is a rfc822Name";
    }
    if (has_capital(domain)) {
        return "has a capital letter in its domain";
    }
    return domain.len > DOMAIN_MAX ? "has a domain of more than 253 bytes" : NULL;
}

static void utf8_mailboxes(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = lint_names_of(s, X509_OID_SUBJECT_ALT_NAME);
    unsigned form = 0;
    lt_slice value = {0};
    lt_slice text = {0};
    uint32_t tag = DER_NONE;
    while (lint_names_next(&c, &form, &value)) {
        if (form != X509_GN_OTHER || !utf8_mailbox(value, &tag, &text)) {
            continue;
        }
        const char *why = utf8_mailbox_why(tag, text);
        if (why != NULL) {
            lint_found(r, text, "a SmtpUTF8Mailbox %s", why);
        }
    }
}

/*= RFC 9598 3 "In SmtpUTF8Mailbox, labels that include non-ASCII characters MUST be stored in A-label (rather
 * than U-label) form" */
static void utf8_mailbox_labels(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = lint_names_of(s, X509_OID_SUBJECT_ALT_NAME);
    unsigned form = 0;
    lt_slice value = {0};
    lt_slice text = {0};
    uint32_t tag = DER_NONE;
    while (lint_names_next(&c, &form, &value)) {
        if (form == X509_GN_OTHER && utf8_mailbox(value, &tag, &text) &&
            !ascii_from(lint_mail_domain(text), 0)) {
            lint_found(r, text, "a SmtpUTF8Mailbox with a U-label in its domain");
        }
    }
}

#define ROW(level_) \
    .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .effective = LINT_SINCE_RFC5280
#define ALT .when = LINT_HAS_EXTENSIONS, .applies = has_alt_names

static bool has_alt_names(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_HAS_SAN | LINT_HAS_IAN);
}

static const struct lint_rule rows[] = {
    {"lintel_rfc5280_attribute_type", ROW(LINT_ERROR),
     .asks = "name attributes have the string type of their kind", .citation = "RFC 5280 A.1",
     .check = attribute_types},
    {"lintel_rfc5280_attribute_bound", ROW(LINT_ERROR), .asks = "name attributes keep to their bounds",
     .citation = "RFC 5280 A.1", .when = LINT_HAS_SUBJECT, .check = attribute_bounds},
    {"lintel_rfc5280_directory_string", ROW(LINT_ERROR),
     .asks = "attributes of a subscriber are PrintableString or UTF8String",
     .citation = "RFC 5280 4.1.2.4, 4.1.2.6", .when = LINT_IS_SUBSCRIBER | LINT_HAS_SUBJECT,
     .check = directory_strings},
    {"lintel_rfc5280_attribute_twice", ROW(LINT_ERROR), .asks = "no attribute type stands in an RDN twice",
     .citation = "X.501 9.3", .when = LINT_HAS_SUBJECT, .check = types_once_per_rdn},
    {"lintel_rfc5280_ip_length", ROW(LINT_ERROR), .asks = "an iPAddress has 4 or 16 octets",
     .citation = "RFC 5280 4.2.1.6", ALT, .check = address_length},
    {"lintel_rfc5280_mailbox", ROW(LINT_ERROR), .asks = "an rfc822Name is a Mailbox",
     .citation = "RFC 5280 4.2.1.6", ALT, .check = mailbox_syntax},
    {"lintel_rfc5280_dns_syntax", ROW(LINT_ERROR), .asks = "a dNSName is in the preferred name syntax",
     .citation = "RFC 5280 4.2.1.6", .when = LINT_HAS_SAN, .check = dns_syntax},
    {"lintel_rfc5280_name_form", ROW(LINT_ERROR), .asks = "each name is of its form",
     .citation = "RFC 5280 4.2.1.6", ALT, .check = name_forms},
    {"lintel_rfc9598_mailbox", .source = LINT_RFC5280, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .asks = "a SmtpUTF8Mailbox is a Mailbox whose local part is not ASCII", .citation = "RFC 9598 3",
     .formerly = "RFC 8398 3", .when = LINT_HAS_SAN, .effective = LINT_DAY(2018, 5, 1),
     .check = utf8_mailboxes},
    {"lintel_rfc9598_labels", .source = LINT_RFC5280, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .asks = "the domain of a SmtpUTF8Mailbox is of A-labels", .citation = "RFC 9598 3", .when = LINT_HAS_SAN,
     .effective = LINT_DAY(2024, 6, 1), .check = utf8_mailbox_labels},
};
const struct lint_table lint_rfc5280_strings = LINT_TABLE(rows);
