/* What stands where in bytes, as rows of JSON: for who looks at what a linter found. */
#include <stdio.h>

#include "base/text.h"
#include "ca/query_parts.h"
#include "der/outline.h"
#include "der/reader.h"
#include "x509/oid.h"

enum { TEXT_SHOWN = 160, HEX_SHOWN = 24, NUMBER_SHOWN = 8, CLASS_SHIFT = 30 };

static const struct {
    uint32_t tag;
    const char *name;
    bool text; /* its content is characters */
} tags[] = {
    {DER_BOOLEAN, "BOOLEAN", false},
    {DER_INTEGER, "INTEGER", false},
    {DER_BIT_STRING, "BIT STRING", false},
    {DER_OCTET_STRING, "OCTET STRING", false},
    {DER_NULL, "NULL", false},
    {DER_OID, "OBJECT IDENTIFIER", false},
    {DER_ENUMERATED, "ENUMERATED", false},
    {DER_UTF8_STRING, "UTF8String", true},
    {DER_NUMERIC_STRING, "NumericString", true},
    {DER_PRINTABLE_STRING, "PrintableString", true},
    {DER_T61_STRING, "TeletexString", true},
    {DER_IA5_STRING, "IA5String", true},
    {DER_UTC_TIME, "UTCTime", true},
    {DER_GENERALIZED_TIME, "GeneralizedTime", true},
    {DER_VISIBLE_STRING, "VisibleString", true},
    {DER_UNIVERSAL_STRING, "UniversalString", false},
    {DER_BMP_STRING, "BMPString", false},
    {DER_SEQUENCE, "SEQUENCE", false},
    {DER_SET, "SET", false},
};

static void write_tag(struct query_out *out, uint32_t tag)
{
    static const char *const classes[] = {"UNIVERSAL ", "APPLICATION ", "", "PRIVATE "};
    char text[32];
    for (size_t i = 0; i < LT_COUNT(tags); i++) {
        if (tags[i].tag == tag) {
            query_cstr(out, "tag", tags[i].name);
            return;
        }
    }
    (void)snprintf(text, sizeof(text), "[%s%u]", classes[tag >> CLASS_SHIFT], (unsigned)DER_TAG_NUMBER(tag));
    query_cstr(out, "tag", tag == DER_NONE ? "no element" : text);
}

static bool is_text(const struct der_outline_row *row)
{
    bool text = (row->tag & DER_CLASS_CONTEXT) != 0 && row->content.len > 0; /* names of GeneralName */
    for (size_t i = 0; i < LT_COUNT(tags); i++) {
        text = text || (tags[i].tag == row->tag && tags[i].text);
    }
    for (size_t i = 0; i < row->content.len && text; i++) {
        text = row->content.ptr[i] >= 0x20 && row->content.ptr[i] < 0x7f;
    }
    return text;
}

static void add_number(lt_slice content, struct lt_buf *text)
{
    int64_t number = (content.ptr[0] & 0x80) != 0 ? -1 : 0;
    for (size_t i = 0; i < content.len; i++) {
        number = (int64_t)((uint64_t)number << 8 | content.ptr[i]);
    }
    lt_buf_addf(text, "%lld", (long long)number);
}

static void add_hex(lt_slice content, struct lt_buf *text)
{
    lt_hex_add(text, lt_slice_sub(content, 0, HEX_SHOWN));
    lt_buf_add_cstr(text, content.len > HEX_SHOWN ? "…" : "");
}

static void add_oid(lt_slice content, struct lt_buf *text)
{
    struct lt_buf whole;
    lt_buf_init(&whole, content.len + 2);
    lt_buf_add_byte(&whole, DER_OID);
    lt_buf_add_byte(&whole, (uint8_t)content.len);
    lt_buf_add(&whole, content);
    struct der_cursor c = der_open(lt_buf_slice(&whole));
    (void)der_oid(&c);
    enum x509_oid oid = der_ok(&c) ? x509_oid_find(content) : X509_OID_UNKNOWN;
    if (!der_ok(&c)) {
        add_hex(content, text);
    } else if (oid != X509_OID_UNKNOWN) {
        lt_buf_add_cstr(text, x509_oid_name(oid));
    } else {
        x509_oid_text(content, text);
    }
    lt_buf_done(&whole);
}

/* What is in it, for a line: a name, a number, characters, or the first bytes. */
static void add_value(const struct der_outline_row *row, struct lt_buf *text)
{
    enum { SHORT = 0x80 };
    lt_slice content = row->content;
    if (row->tag == DER_OID && content.len > 0 && content.len < SHORT) {
        add_oid(content, text);
    } else if (row->tag == DER_BOOLEAN && content.len == 1) {
        lt_buf_add_cstr(text, content.ptr[0] == 0 ? "false" : "true");
    } else if ((row->tag == DER_INTEGER || row->tag == DER_ENUMERATED) && content.len > 0 &&
               content.len <= NUMBER_SHOWN) {
        add_number(content, text);
    } else if (is_text(row)) {
        lt_buf_add(text, lt_slice_sub(content, 0, TEXT_SHOWN));
        lt_buf_add_cstr(text, content.len > TEXT_SHOWN ? "…" : "");
    } else {
        add_hex(content, text);
    }
}

void query_outline_write(struct query_out *out, const char *key, lt_slice der)
{
    struct der_outline o;
    struct der_outline_row row;
    struct lt_buf text;
    lt_buf_init(&text, TEXT_SHOWN * 16);
    der_outline_init(&o, der);
    query_open(out, key, '[');
    while (der_outline_next(&o, &row)) {
        lt_buf_reset(&text);
        if (!row.holds && (row.tag & DER_CONSTRUCTED) == 0) {
            add_value(&row, &text);
        }
        query_open(out, NULL, '{');
        query_int(out, "offset", (int64_t)row.offset);
        query_int(out, "header", (int64_t)row.header);
        query_int(out, "length", (int64_t)row.content.len);
        query_int(out, "depth", row.depth);
        write_tag(out, row.tag);
        query_text(out, "value", lt_buf_slice(&text));
        query_close(out, '}');
    }
    query_close(out, ']');
    lt_buf_done(&text);
}
