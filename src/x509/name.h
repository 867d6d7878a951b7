#ifndef X509_NAME_H
#define X509_NAME_H
/* Distinguished names: read, shown as RFC 4514 text, built with the right string types. Two names are the
 * same here when their bytes are: what Lintel compares it has issued itself, or read whole. */
#include "base/arena.h"
#include "der/reader.h"
#include "der/writer.h"
#include "x509/oid.h"

/* More is refused; a lenient cursor reads X509_NAME_ATTRIBUTES_DECODED and notes that more stand there. */
enum { X509_NAME_ATTRIBUTES_MAX = 64, X509_NAME_ATTRIBUTES_DECODED = 256 };
#define X509_MORE_ATTRIBUTES "a name of more attributes than are read here"

struct x509_attribute {
    lt_slice type;        /* content of the OID; borrowed from the input */
    enum x509_oid oid;    /* X509_OID_UNKNOWN when it is in no table */
    uint32_t string_type; /* tag of the value */
    lt_slice value;       /* its content; borrowed */
    unsigned rdn;         /* index of the RDN it stands in */
};

struct x509_name {
    lt_slice der;                            /* the whole Name; borrowed */
    const struct x509_attribute *attributes; /* in the arena */
    size_t count;
    size_t rdn_count;
};

/* Reads the Name that comes next. String contents are checked against their type. */
LT_MUST_USE lt_res x509_name_read(struct der_cursor *c, struct lt_arena *a, struct x509_name *ret_name);
LT_MUST_USE lt_res x509_name_parse(lt_slice der, struct lt_arena *a, struct x509_name *ret_name);
/* The nth attribute of that type, NULL when there is none. */
const struct x509_attribute *x509_name_find(const struct x509_name *name, enum x509_oid oid, size_t nth);
/* RFC 4514: "CN=example.com,O=Example\, Inc.,C=AT" (last RDN first). */
void x509_name_text(const struct x509_name *name, struct lt_buf *out);
/* Value of an attribute as UTF-8, whatever its string type. */
void x509_attribute_text(const struct x509_attribute *attribute, struct lt_buf *out);

/* One RDN each, in the order given: country first, common name last. */
struct x509_name_item {
    enum x509_oid oid;
    lt_slice value; /* UTF-8 */
};
/* LT_PEER_MALFORMED for a value that its type cannot hold or that is over the upper bound of RFC 5280. */
LT_MUST_USE lt_res x509_name_write(struct der_writer *w, const struct x509_name_item *items, size_t count);

/* Does the content belong to that string type? */
bool x509_string_valid(uint32_t string_type, lt_slice content);

#endif
