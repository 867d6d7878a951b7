#ifndef LINT_SCHEMA_H
#define LINT_SCHEMA_H
/* Private to lint/: the ASN.1 modules as tables of names, for lint/path.c. */
#include "der/reader.h"
#include "lint/lint.h"

enum lint_shape {
    LINT_SHAPE_LEAF,
    LINT_SHAPE_FIELDS,        /* SEQUENCE */
    LINT_SHAPE_LIST,          /* SEQUENCE OF, SET OF */
    LINT_SHAPE_CHOICE,        /* in a list: its fields by their tags */
    LINT_SHAPE_OCTETS_BY_OID, /* an OCTET STRING that holds what the OBJECT IDENTIFIER before it says */
    LINT_SHAPE_ANY_BY_OID,    /* the same without OCTET STRING around it */
    LINT_SHAPE_KEY,           /* subjectPublicKey */
};

struct lint_node;

#define LINT_TAG_ANY 0
#define LINT_TAG_TIME 0xffffffffu /* UTCTime or GeneralizedTime */

struct lint_field {
    const char *name;
    uint32_t tag;
    const struct lint_node *node; /* NULL: a leaf */
    bool wrapped;                 /* an explicit tag around it */
};

struct lint_by_oid {
    const char *oid; /* content */
    size_t oid_len;
    const char *name;
    const struct lint_node *node;
};

struct lint_node {
    enum lint_shape shape;
    const char *also; /* a further name of the same element, or NULL */
    const struct lint_field *fields;
    size_t field_count;
    const struct lint_node *item; /* of a list */
    const struct lint_by_oid *rows;
    size_t row_count;
};

struct lint_root {
    const char *name;
    const struct lint_node *node;
};
/* Static storage. */
const struct lint_root *lint_root(enum lint_kind kind, bool bare);

/* Where the last finding in a long list stood. */
struct lint_path_hint {
    const uint8_t *list; /* start of the list's content */
    const uint8_t *at;
    size_t index;
};

#endif
