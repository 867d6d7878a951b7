/* The walk over the elements of an input that looks at each by itself: it goes on behind whatever is wrong,
 * and into what is cut off, for as long as there is something to read. */
#include "lint/syntax.h"

#include <string.h>

#include "x509/name.h"

/* The words of the decoders, by the rule they speak of; what does not stand here is about structure. */
static const struct {
    const char *why;
    enum lint_fault_class class;
} classes[] = {
    {"length not minimal", LINT_FAULT_LENGTH},
    {"indefinite length", LINT_FAULT_LENGTH},
    {"tag not minimal", LINT_FAULT_TAG},
    {"no form of GeneralName", LINT_FAULT_TAG},
    {"a BOOLEAN other than 00 and FF", LINT_FAULT_BOOLEAN},
    {"a BOOLEAN of another size than one byte", LINT_FAULT_BOOLEAN},
    {"an INTEGER that is not minimal", LINT_FAULT_INTEGER},
    {"an INTEGER without content", LINT_FAULT_INTEGER},
    {"a BIT STRING that is no whole number of bytes", LINT_FAULT_STRUCTURE},
    {"a BIT STRING with a wrong count of unused bits", LINT_FAULT_BIT_STRING},
    {"a BIT STRING with unused bits that are set", LINT_FAULT_BIT_STRING},
    {"named bits with zero bits at the end", LINT_FAULT_NAMED_BITS},
    {"a NULL with content", LINT_FAULT_NULL},
    {"an OBJECT IDENTIFIER that is not minimal", LINT_FAULT_OID},
    {"an OBJECT IDENTIFIER that is empty or cut off", LINT_FAULT_OID},
    {"a default value that is encoded", LINT_FAULT_DEFAULT},
    {"a SET OF that is not in order", LINT_FAULT_SET_ORDER},
    {"a name attribute that is not what its string type says", LINT_FAULT_STRING},
    {"a GeneralName that is no IA5String", LINT_FAULT_STRING},
    {"a time that is none of RFC 5280's", LINT_FAULT_TIME},
    {"a GeneralizedTime that is none of RFC 5280's", LINT_FAULT_TIME},
    {"bytes behind the end", LINT_FAULT_TRAILING},
    {"bytes behind the last field", LINT_FAULT_TRAILING},
    {"bytes behind the content of an extension", LINT_FAULT_TRAILING},
    {"an extension that stands twice", LINT_FAULT_DUPLICATE},
    {X509_MORE_ATTRIBUTES, LINT_FAULT_LIMIT},
    {X509_MORE_EXTENSIONS, LINT_FAULT_LIMIT},
    {X509_MORE_ENTRIES, LINT_FAULT_LIMIT},
    {"a policy that stands twice", LINT_FAULT_OTHER},
    {"a GeneralizedTime before 2050", LINT_FAULT_OTHER},
    {"a serial number of more than 20 bytes", LINT_FAULT_OTHER},
    {"a CRL number of more than 20 bytes", LINT_FAULT_OTHER},
    {"a unique identifier in version 1", LINT_FAULT_OTHER},
    {"extensions outside version 3", LINT_FAULT_OTHER},
    {"two signature algorithms that differ", LINT_FAULT_OTHER},
    {"rsaEncryption without NULL as its parameters", LINT_FAULT_OTHER},
    {"an authority's issuer without its serial, or the other way round", LINT_FAULT_OTHER},
    {"a distribution point without a name", LINT_FAULT_OTHER},
    {"name constraints that constrain nothing", LINT_FAULT_OTHER},
    {"policy constraints that constrain nothing", LINT_FAULT_OTHER},
    {"a reason code that is not used", LINT_FAULT_OTHER},
    {"an empty list of revoked certificates", LINT_FAULT_OTHER},
};

static enum lint_fault_class class_of(const char *why)
{
    for (size_t i = 0; i < LT_COUNT(classes); i++) {
        if (strcmp(why, classes[i].why) == 0) {
            return classes[i].class;
        }
    }
    return LINT_FAULT_STRUCTURE;
}

struct walk {
    lt_slice whole;
    lt_slice known;
    bool into_octets;
    struct lint_faults *faults; /* the caller's; the arena gets a copy only when there are some */
};

static void add(struct walk *w, const char *why, size_t offset, size_t len)
{
    struct lint_faults *f = w->faults;
    enum lint_fault_class class = class_of(why);
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].class == class && f->list[i].offset == offset) {
            return; /* the decoder saw it, too */
        }
    }
    if (f->count < LINT_FAULTS_MAX) {
        size_t left = offset < w->whole.len ? w->whole.len - offset : 0;
        f->list[f->count++] = (struct lint_fault){class, why, offset, len < left ? len : left};
    }
}

static void add_at(struct walk *w, const char *why, lt_slice where)
{
    add(w, why, (size_t)(where.ptr - w->whole.ptr), where.len > 0 ? where.len : 1);
}

static bool digits_then_z(lt_slice v, size_t digits)
{
    bool good = v.len > digits && v.ptr[v.len - 1] == 'Z';
    for (size_t i = 0; good && i < digits; i++) {
        good = v.ptr[i] >= '0' && v.ptr[i] <= '9';
    }
    return good;
}

/*= X.690 11.7.2 "The seconds element shall always be present." No idle zeros in a fraction, and Z at the end.
 */
static bool time_good(uint32_t tag, lt_slice v)
{
    if (tag == DER_UTC_TIME) {
        return v.len == 13 && digits_then_z(v, 12);
    }
    bool fraction = v.len > 16 && v.ptr[14] == '.' && v.ptr[v.len - 2] != '0';
    return digits_then_z(v, 14) && (v.len == 15 || fraction);
}

/* The content of one element of a universal type. */
static void look_at(struct walk *w, uint32_t tag, lt_slice v)
{
    const char *why = NULL;
    switch (tag) {
    case DER_BOOLEAN:
        why = v.len != 1 ? "a BOOLEAN of another size than one byte" : NULL;
        why = v.len == 1 && v.ptr[0] != 0 && v.ptr[0] != 0xff ? "a BOOLEAN other than 00 and FF" : why;
        break;
    case DER_INTEGER:
    case DER_ENUMERATED:
        why = v.len == 0 ? "an INTEGER without content" : NULL;
        if (v.len > 1 && (v.ptr[0] == 0 || v.ptr[0] == 0xff) && ((v.ptr[0] ^ v.ptr[1]) & 0x80) == 0) {
            why = "an INTEGER that is not minimal";
        }
        break;
    case DER_BIT_STRING: {
        unsigned unused = v.len == 0 ? 8 : v.ptr[0];
        if (unused > 7 || (v.len == 1 && unused != 0)) {
            why = "a BIT STRING with a wrong count of unused bits";
        } else if (v.len > 1 && (v.ptr[v.len - 1] & ((1u << unused) - 1)) != 0) {
            why = "a BIT STRING with unused bits that are set";
        }
        break;
    }
    case DER_NULL:
        why = v.len != 0 ? "a NULL with content" : NULL;
        break;
    case DER_OID: {
        bool start = true;
        for (size_t i = 0; i < v.len; i++) {
            why = start && v.ptr[i] == 0x80 ? "an OBJECT IDENTIFIER that is not minimal" : why;
            start = (v.ptr[i] & 0x80) == 0;
        }
        why = v.len == 0 || !start ? "an OBJECT IDENTIFIER that is empty or cut off" : why;
        break;
    }
    case DER_UTC_TIME:
    case DER_GENERALIZED_TIME:
        why = !time_good(tag, v) ? "a time that is none of RFC 5280's" : NULL;
        break;
    case DER_UTF8_STRING:
    case DER_NUMERIC_STRING:
    case DER_PRINTABLE_STRING:
    case DER_IA5_STRING:
    case DER_VISIBLE_STRING:
    case DER_UNIVERSAL_STRING:
    case DER_BMP_STRING:
        why = !x509_string_valid(tag, v) ? "a name attribute that is not what its string type says" : NULL;
        break;
    default:
        break;
    }
    if (why != NULL) {
        add_at(w, why, v);
    }
}

/* One level of the tree. */
struct level {
    const uint8_t *end;
    bool after_oid; /* an OBJECT IDENTIFIER and perhaps a BOOLEAN were read in it, nothing else */
};

/* Identifier and length at p, taken as far as they make sense; content is cut at end. NULL when they make
 * none. */
static const uint8_t *header_at(struct walk *w, const uint8_t *p, const uint8_t *end, uint32_t *ret_tag,
                                lt_slice *ret_content)
{
    struct der_notes notes = {.count = 0};
    struct der_cursor c = der_open(LT_SLICE(p, (size_t)(end - p)));
    size_t base = (size_t)(p - w->whole.ptr);
    c.notes = &notes;
    if (der_any(&c, ret_tag, ret_content, NULL)) {
        for (size_t i = 0; i < notes.count && i < DER_NOTES_MAX; i++) {
            add(w, notes.list[i].why, base + notes.list[i].offset, 2);
        }
        return c.pos;
    }
    add(w, c.why, base, 2);
    /* Cut off: what is there of its content can be looked into when that is elements. */
    lt_slice rest = LT_SLICE(p, (size_t)(end - p));
    bool cut = der_step_any(&rest, ret_tag, ret_content) && (*ret_tag & DER_CONSTRUCTED) != 0;
    return cut ? rest.ptr : NULL;
}

static void tree(struct walk *w, lt_slice start)
{
    struct level levels[DER_DEPTH_MAX];
    size_t depth = 0;
    const uint8_t *p = start.ptr;
    levels[0] = (struct level){.end = start.len == 0 ? p : p + start.len};
    while (w->faults->count < LINT_FAULTS_MAX) {
        struct level *l = &levels[depth];
        if (p == l->end) {
            if (depth == 0) {
                return;
            }
            depth--;
            continue;
        }
        uint32_t tag = DER_NONE;
        lt_slice content = {0};
        lt_slice rest = LT_SLICE(p, (size_t)(l->end - p));
        const uint8_t *next = der_step(&rest, &tag, &content) ? rest.ptr
                                                              : header_at(w, p, l->end, &tag, &content);
        if (next == NULL) {
            p = l->end; /* nothing further can be told apart in this level */
            continue;
        }
        look_at(w, tag, content);
        bool inside = (tag & DER_CONSTRUCTED) != 0 ||
                      (w->into_octets && tag == DER_OCTET_STRING && l->after_oid);
        l->after_oid = tag == DER_OID || (l->after_oid && tag == DER_BOOLEAN);
        p = next;
        inside = inside && (w->known.len == 0 || content.ptr != w->known.ptr);
        if (inside && content.len > 0 && depth + 1 < DER_DEPTH_MAX) {
            /* p is where the level around goes on: the end of the new one */
            levels[++depth] = (struct level){.end = content.ptr + content.len};
            p = content.ptr;
        }
    }
}

/* The same as der_step for headers that are not as DER wants them. */
static bool odd_step(lt_slice *rest)
{
    struct der_notes notes = {.count = 0};
    struct der_cursor c = der_open(*rest);
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    c.notes = &notes;
    bool there = der_any(&c, &tag, &content, NULL);
    *rest = LT_SLICE(c.pos, (size_t)(c.end - c.pos));
    return there;
}

/* Certificates and requests of known extensions: the tree of each content, once it is one element. */
static void extension(struct walk *w, const struct x509_extension *x)
{
    if (x->why != NULL) {
        lt_slice where = x->value.len > 0 ? x->value : x->der;
        size_t start = (size_t)(where.ptr - w->whole.ptr);
        bool inside = x->offset >= start && x->offset < start + where.len;
        add(w, x->why, inside ? x->offset : start, inside ? 1 : where.len);
        return;
    }
    lt_slice rest = x->value;
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    if ((!der_step(&rest, &tag, &content) && !odd_step(&rest)) || rest.len > 0) {
        add_at(w, "the content of an extension is no single element", x->value.len > 0 ? x->value : x->der);
        return;
    }
    tree(w, x->value);
}

lt_res lint_faults_find(const struct lint_bytes *bytes, const struct der_notes *notes,
                        const struct x509_extensions *ext, struct lt_arena *a,
                        const struct lint_faults **ret_faults)
{
    struct lint_faults faults;
    faults.count = 0;
    lt_slice whole = bytes->whole;
    struct walk w = {.whole = whole, .known = bytes->known, .into_octets = ext == NULL, .faults = &faults};
    for (size_t i = 0; notes != NULL && i < notes->count && i < DER_NOTES_MAX; i++) {
        /* Those two kinds are noted behind what is wrong. */
        enum lint_fault_class class = class_of(notes->list[i].why);
        bool behind = class == LINT_FAULT_DEFAULT || class == LINT_FAULT_STRUCTURE;
        size_t offset = notes->list[i].offset;
        add(&w, notes->list[i].why, behind && offset > 0 ? offset - 1 : offset, 1);
    }
    lt_slice rest = whole;
    if (odd_step(&rest) && rest.len > 0) {
        add_at(&w, "bytes behind the end", rest);
        whole = lt_slice_sub(whole, 0, whole.len - rest.len);
    }
    tree(&w, whole);
    for (size_t i = 0; ext != NULL && i < ext->count; i++) {
        extension(&w, &ext->list[i]);
    }
    *ret_faults = NULL;
    if (faults.count == 0) {
        return LT_OK;
    }
    struct lint_faults *kept = LT_NEW(a, struct lint_faults);
    LT_CHECK(kept != NULL, LT_PEER_TOO_LARGE, "no room for a list of faults");
    memcpy(kept, &faults, sizeof faults);
    *ret_faults = kept;
    return LT_OK;
}
