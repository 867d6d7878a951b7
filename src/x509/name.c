/* Distinguished names (RFC 5280 4.1.2.4, RFC 4514). */
#include "x509/name.h"

#include <string.h>

#include "base/text.h"

/* Bytes of the UTF-8 character that begins with b; 0 when none does. */
static size_t utf8_length(uint8_t b)
{
    if (b < 0x80) {
        return 1;
    }
    if (b < 0xc2 || b > 0xf4) {
        return 0;
    }
    return b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
}

/* Length of the UTF-8 character at the start of s and its code point; 0 when it is none. */
static size_t utf8_next(lt_slice s, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = utf8_length(s.ptr[0]);
    if (len == 0 || len > s.len) {
        return 0;
    }
    uint32_t point = len == 1 ? s.ptr[0] : s.ptr[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s.ptr[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (s.ptr[i] & 0x3fu);
    }
    bool surrogate = point >= 0xd800 && point < 0xe000;
    *ret_point = point;
    return point < least[len] || point > 0x10ffff || surrogate ? 0 : len;
}

/* Characters of a UTF-8 text, or false. */
static bool utf8_count(lt_slice s, size_t *ret_count)
{
    size_t count = 0;
    uint32_t point = 0;
    while (s.len > 0) {
        size_t len = utf8_next(s, &point);
        if (len == 0) {
            return false;
        }
        s = lt_slice_sub(s, len, s.len - len);
        count++;
    }
    *ret_count = count;
    return true;
}

/*= X.680 41.4 PrintableString: letters, digits, space ' ( ) + , - . / : = ? */
static bool printable(uint8_t b)
{
    static const uint8_t set[16] = {
        0x00, 0x00, 0x00, 0x00, 0x81, 0xfb, 0xff, 0xa7, 0xfe, 0xff, 0xff, 0x07, 0xfe, 0xff, 0xff, 0x07,
    };
    return b < 0x80 && (set[b / 8] >> b % 8 & 1) != 0;
}

static bool in_range(lt_slice s, uint8_t low, uint8_t high)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < low || s.ptr[i] > high) {
            return false;
        }
    }
    return true;
}

bool x509_string_valid(uint32_t string_type, lt_slice content)
{
    size_t count = 0;
    switch (string_type) {
    case DER_UTF8_STRING:
        return utf8_count(content, &count);
    case DER_PRINTABLE_STRING:
        for (size_t i = 0; i < content.len; i++) {
            if (!printable(content.ptr[i])) {
                return false;
            }
        }
        return true;
    case DER_IA5_STRING:
        return in_range(content, 0, 0x7f);
    case DER_VISIBLE_STRING:
        return in_range(content, 0x20, 0x7e);
    case DER_NUMERIC_STRING:
        for (size_t i = 0; i < content.len; i++) {
            if (content.ptr[i] != ' ' && (content.ptr[i] < '0' || content.ptr[i] > '9')) {
                return false;
            }
        }
        return true;
    case DER_BMP_STRING:
        return content.len % 2 == 0;
    case DER_UNIVERSAL_STRING:
        return content.len % 4 == 0;
    case DER_T61_STRING:
        return true;
    default:
        return false;
    }
}

/* AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY } */
static void attribute_read(struct der_cursor *set, struct x509_attribute *ret)
{
    struct der_cursor seq = der_enter(set, DER_SEQUENCE);
    ret->type = der_oid(&seq);
    ret->oid = x509_oid_find(ret->type);
    (void)der_any(&seq, &ret->string_type, &ret->value, NULL); /* sticky in the cursor */
    if (der_ok(&seq) && ret->oid != X509_OID_UNKNOWN && !x509_string_valid(ret->string_type, ret->value)) {
        der_wart(&seq, ret->value.ptr, "a name attribute that is not what its string type says");
    }
    der_leave(set, &seq);
}

/* The attributes of one name: in the caller's room, and of a long name in the arena. */
struct attributes {
    struct x509_attribute *all;
    size_t count;
    size_t room;
    struct lt_arena *arena;
    struct x509_attribute beyond; /* what is read but not kept */
};

/* Where the next one goes. where: it, for the note that there are too many. */
static struct x509_attribute *attribute_room(struct der_cursor *set, struct attributes *l,
                                             const uint8_t *where)
{
    if (l->count == l->room && l->room < X509_NAME_ATTRIBUTES_DECODED && set->notes != NULL) {
        struct x509_attribute *more = LT_NEW_ARRAY(l->arena, struct x509_attribute,
                                                   X509_NAME_ATTRIBUTES_DECODED);
        if (more != NULL) {
            memcpy(more, l->all, l->count * sizeof *more);
            l->all = more;
            l->room = X509_NAME_ATTRIBUTES_DECODED;
        }
    }
    if (l->count < l->room) {
        return &l->all[l->count++];
    }
    if (l->beyond.type.ptr == NULL) {
        der_wart(set, where, X509_MORE_ATTRIBUTES);
    }
    return &l->beyond;
}

/*= X.690 11.6 "The encodings of the component values of a set-of value shall appear in ascending order" */
static void rdn_read(struct der_cursor *name, struct attributes *l, unsigned rdn)
{
    struct der_cursor set = der_enter(name, DER_SET);
    lt_slice before = {0};
    if (der_ok(&set) && !der_more(&set)) {
        der_wart(&set, set.pos, "an empty RDN");
    }
    while (der_more(&set)) {
        struct der_cursor ahead = set;
        lt_slice whole = der_read_whole(&ahead, DER_SEQUENCE);
        struct x509_attribute *a = attribute_room(&set, l, whole.ptr);
        attribute_read(&set, a);
        a->rdn = rdn;
        if (lt_slice_cmp(before, whole) > 0) {
            der_wart(&set, whole.ptr, "a SET OF that is not in order");
        }
        before = whole;
    }
    der_leave(name, &set);
}

/* Name ::= SEQUENCE OF SET OF AttributeTypeAndValue */
lt_res x509_name_read(struct der_cursor *c, struct lt_arena *a, struct x509_name *ret_name)
{
    struct x509_attribute first[X509_NAME_ATTRIBUTES_MAX];
    struct attributes l = {.all = first, .room = X509_NAME_ATTRIBUTES_MAX, .arena = a};
    unsigned rdn = 0;
    struct der_cursor ahead = *c;
    lt_slice whole = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    for (; der_more(&seq); rdn++) {
        rdn_read(&seq, &l, rdn);
    }
    der_leave(c, &seq);
    *ret_name = (struct x509_name){.der = whole, .rdn_count = rdn, .count = l.count};
    if (!der_ok(c) || l.count == 0) {
        return LT_OK; /* sticky in the cursor */
    }
    if (l.all == first) {
        l.all = LT_NEW_ARRAY(a, struct x509_attribute, l.count);
        LT_CHECK(l.all != NULL, LT_PEER_TOO_LARGE, "no room for a name of %zu attributes", l.count);
        memcpy(l.all, first, l.count * sizeof *l.all);
    }
    ret_name->attributes = l.all;
    return LT_OK;
}

lt_res x509_name_parse(lt_slice der, struct lt_arena *a, struct x509_name *ret_name)
{
    struct der_cursor c = der_open(der);
    LT_TRY(x509_name_read(&c, a, ret_name));
    return der_done(&c, "name");
}

const struct x509_attribute *x509_name_find(const struct x509_name *name, enum x509_oid oid, size_t nth)
{
    for (size_t i = 0; i < name->count; i++) {
        if (name->attributes[i].oid == oid && nth-- == 0) {
            return &name->attributes[i];
        }
    }
    return NULL;
}

static void utf8_put(struct lt_buf *out, uint32_t point)
{
    if (point < 0x80) {
        lt_buf_add_byte(out, (uint8_t)point);
        return;
    }
    unsigned more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    lt_buf_add_byte(out, (uint8_t)(lead[more] | point >> (6 * more)));
    for (unsigned i = more; i > 0; i--) {
        lt_buf_add_byte(out, (uint8_t)(0x80 | (point >> (6 * (i - 1)) & 0x3f)));
    }
}

/* Big-endian characters of that many bytes each; what is no character becomes U+FFFD. */
static void wide_put(struct lt_buf *out, lt_slice s, size_t width)
{
    for (size_t i = 0; i + width <= s.len; i += width) {
        uint32_t point = 0;
        for (size_t k = 0; k < width; k++) {
            point = point << 8 | s.ptr[i + k];
        }
        bool good = point <= 0x10ffff && (point < 0xd800 || point >= 0xe000);
        utf8_put(out, good ? point : 0xfffd);
    }
}

void x509_attribute_text(const struct x509_attribute *attribute, struct lt_buf *out)
{
    switch (attribute->string_type) {
    case DER_BMP_STRING:
        wide_put(out, attribute->value, 2);
        break;
    case DER_UNIVERSAL_STRING:
        wide_put(out, attribute->value, 4);
        break;
    case DER_T61_STRING:
        wide_put(out, attribute->value, 1); /* in practice Latin-1 */
        break;
    default:
        lt_buf_add(out, attribute->value);
    }
}

/*= RFC 4514 2.4 "a space (' ' U+0020) or number sign ('#' U+0023) occurring at the beginning of the string"
 * and the characters " + , ; < > \ and NUL are escaped */
static void escaped_put(struct lt_buf *out, lt_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t b = text.ptr[i];
        bool edge = (i == 0 && (b == ' ' || b == '#')) || (i + 1 == text.len && b == ' ');
        if (b < 0x20 || b == 0x7f) {
            lt_buf_addf(out, "\\%02X", b);
            continue;
        }
        if (edge || lt_slice_find(LT_LIT("\"+,;<>\\"), b) < 7) {
            lt_buf_add_byte(out, '\\');
        }
        lt_buf_add_byte(out, b);
    }
}

static void value_put(struct lt_buf *out, const struct x509_attribute *a)
{
    struct lt_buf text;
    lt_buf_init(&text, out->max);
    if (x509_string_valid(a->string_type, a->value)) {
        x509_attribute_text(a, &text);
        escaped_put(out, lt_buf_slice(&text));
    } else {
        struct der_writer w;
        der_write_init(&w, &text);
        der_put(&w, a->string_type, a->value);
        lt_buf_add_byte(out, '#');
        lt_hex_add(out, lt_buf_slice(&text));
    }
    out->overflow = out->overflow || text.overflow;
    lt_buf_done(&text);
}

static void rdn_put(struct lt_buf *out, const struct x509_name *name, size_t rdn)
{
    bool first = true;
    for (size_t i = 0; i < name->count; i++) {
        const struct x509_attribute *a = &name->attributes[i];
        if (a->rdn != rdn) {
            continue;
        }
        if (!first) {
            lt_buf_add_byte(out, '+');
        }
        first = false;
        if (a->oid == X509_OID_UNKNOWN) {
            x509_oid_text(a->type, out);
        } else {
            lt_buf_add_cstr(out, x509_oid_name(a->oid));
        }
        lt_buf_add_byte(out, '=');
        value_put(out, a);
    }
}

/*= RFC 4514 2.1 "starting with the last element of the sequence and moving backwards toward the first" */
void x509_name_text(const struct x509_name *name, struct lt_buf *out)
{
    for (size_t i = name->rdn_count; i > 0; i--) {
        if (i < name->rdn_count) {
            lt_buf_add_byte(out, ',');
        }
        rdn_put(out, name, i - 1);
    }
}

/* What an attribute is written as, and how many characters it may have (RFC 5280 Appendix A.1, upper bounds).
 */
static const struct bound {
    enum x509_oid oid;
    uint32_t string_type;
    size_t least;
    size_t most;
} bounds[] = {
    {X509_OID_CN, DER_UTF8_STRING, 1, 64},
    {X509_OID_SURNAME, DER_UTF8_STRING, 1, 64},
    {X509_OID_GIVEN_NAME, DER_UTF8_STRING, 1, 64},
    {X509_OID_SERIAL_NUMBER, DER_PRINTABLE_STRING, 1, 64},
    {X509_OID_DN_QUALIFIER, DER_PRINTABLE_STRING, 1, 64},
    {X509_OID_C, DER_PRINTABLE_STRING, 2, 2},
    {X509_OID_JURISDICTION_C, DER_PRINTABLE_STRING, 2, 2},
    {X509_OID_L, DER_UTF8_STRING, 1, 128},
    {X509_OID_ST, DER_UTF8_STRING, 1, 128},
    {X509_OID_O, DER_UTF8_STRING, 1, 64},
    {X509_OID_OU, DER_UTF8_STRING, 1, 64},
    {X509_OID_TITLE, DER_UTF8_STRING, 1, 64},
    {X509_OID_POSTAL_CODE, DER_UTF8_STRING, 1, 40},
    {X509_OID_PSEUDONYM, DER_UTF8_STRING, 1, 128},
    {X509_OID_EMAIL_ADDRESS, DER_IA5_STRING, 1, 255},
    {X509_OID_DC, DER_IA5_STRING, 1, 63},
    {X509_OID_UNKNOWN, DER_UTF8_STRING, 1, 128}, /* every other */
};

static const struct bound *bound_of(enum x509_oid oid)
{
    const struct bound *b = bounds;
    while (b->oid != oid && b->oid != X509_OID_UNKNOWN) {
        b++;
    }
    return b;
}

lt_res x509_name_write(struct der_writer *w, const struct x509_name_item *items, size_t count)
{
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < count; i++) {
        const struct bound *b = bound_of(items[i].oid);
        const char *type = x509_oid_name(items[i].oid);
        size_t characters = 0;
        LT_CHECK(items[i].oid != X509_OID_UNKNOWN, LT_PEER_MALFORMED, "a name attribute without a type");
        LT_CHECK(utf8_count(items[i].value, &characters) && x509_string_valid(b->string_type, items[i].value),
                 LT_PEER_MALFORMED, "%s cannot hold '%.*s'", type, LT_FMT(items[i].value));
        LT_CHECK(characters >= b->least && characters <= b->most, LT_PEER_MALFORMED,
                 "%s of %zu characters: %zu to %zu are allowed", type, characters, b->least, b->most);
        der_begin(w, DER_SET);
        der_begin(w, DER_SEQUENCE);
        der_put_oid(w, x509_oid_der(items[i].oid));
        der_put(w, b->string_type, items[i].value);
        der_end(w);
        der_end(w);
    }
    der_end(w);
    return LT_OK;
}
