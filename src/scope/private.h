#ifndef SCOPE_PRIVATE_H
#define SCOPE_PRIVATE_H
/* Between the files of this room: tokens, terms, the tree, the table of fields. */
#include "scope/scope.h"

enum scope_token_kind {
    TOKEN_END,
    TOKEN_WORD,  /* a field, a keyword, a value without quotes */
    TOKEN_TEXT,  /* a value in quotes; text is what is between them, unescaped */
    TOKEN_OP,    /* = != < <= > >= */
    TOKEN_OPEN,  /* ( */
    TOKEN_CLOSE, /* ) */
    TOKEN_SET,   /* { */
    TOKEN_UNSET, /* } */
    TOKEN_COMMA,
    TOKEN_RANGE, /* .. */
};
enum scope_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_IS /* a flag */ };

struct scope_token {
    enum scope_token_kind kind;
    enum scope_op op; /* TOKEN_OP */
    lt_slice text;
    size_t offset;
    size_t len; /* in the source */
};
struct scope_lexer {
    lt_slice source;
    size_t at;
    struct lt_arena *arena;
    struct scope_error *error;
};
LT_MUST_USE lt_res scope_lex(struct scope_lexer *l, struct scope_token *ret_token);
/* Fills the error and fails: "byte 17: what stands there" … */
lt_res scope_fail(struct scope_error *error, size_t offset, size_t len, const char *format, ...)
    LT_PRINTF(4, 5);

enum scope_type {
    TYPE_FLAG,
    TYPE_TEXT,   /* exact */
    TYPE_WORD,   /* one of a list; its number */
    TYPE_NUMBER, /* 0 and above */
    TYPE_TIME,   /* a day, a second, now-30d */
    TYPE_DURATION,
    TYPE_HEX,
    TYPE_VERSION, /* by its numbers, held against a list of the catalog */
    TYPE_MEMBER,  /* one of a list joined by commas */
    TYPE_NAME,    /* host name or address, reversed as in the book */
    TYPE_SUFFIX,  /* the same, and all below it */
};

/* What a value may name in the catalog. */
enum scope_known { KNOWN_ANY, KNOWN_ISSUER, KNOWN_PROFILE, KNOWN_BUILD };

struct scope_word {
    const char *name;
    int64_t number;
};

/* A duration that is held against now: the column is a time, and the bound value is now - it, or now + it. */
enum scope_against { AGAINST_NOTHING, AGAINST_PAST, AGAINST_FUTURE };

/* before column OP ?n after; "@" in a fragment is the bound now, "#" the time until which the book counts. A
 * second pair is joined by OR: where a certificate has several of the field. */
struct scope_field {
    const char *name;
    enum scope_type type;
    const char *words;  /* "the issuing CA": a line of help, and of --explain */
    const char *before; /* flags: the whole condition */
    const char *column;
    const char *after;
    const char *before_too;
    const char *after_too;
    const struct scope_word *list; /* TYPE_WORD; ends with a NULL name */
    enum scope_known known;
    size_t hex_len; /* TYPE_HEX: bytes; 0: 1 to 20 */
    enum scope_against against;
    bool covered; /* by the index certificate_summary, and by lists that are read once */
    bool of_now;  /* the book keeps no history of it: as_of changes nothing */
};
extern const struct scope_field scope_fields[];
extern const size_t scope_fields_len;
const struct scope_field *scope_field_find(lt_slice name);

/* A point in time: of the calendar, or so far from now. */
struct scope_instant {
    bool relative;
    int64_t us;
};
struct scope_value {
    lt_slice text;  /* TEXT, VERSION; as typed. HEX: bytes. NAME, SUFFIX: as people write it */
    lt_slice key;   /* NAME, SUFFIX: reversed */
    int64_t number; /* NUMBER, DURATION in us, WORD */
    size_t offset;  /* in the source */
    size_t len;
    struct scope_instant from; /* TIME: what lies inside it */
    struct scope_instant until;
};

enum scope_shape {
    SHAPE_IS,     /* a flag */
    SHAPE_ONE_OF, /* any of the values; one of them for "=" */
    SHAPE_BELOW,  /* op of values[0]: < <= > >= */
    SHAPE_RANGE,  /* values[0] to values[1], both ends inside; one of them may be open */
    SHAPE_SPAN,   /* TIME: from <= x < until, one of them may be open */
};
struct scope_term {
    const struct scope_field *field;
    enum scope_shape shape;
    enum scope_op op; /* SHAPE_BELOW */
    struct scope_value *values;
    size_t count;
    size_t room;
    bool open_from;
    bool open_until;
    struct scope_instant from; /* SHAPE_SPAN */
    struct scope_instant until;
    size_t offset; /* of the field in the source */
};

enum scope_node_kind { NODE_TERM, NODE_NOT, NODE_AND, NODE_OR };
struct scope_node {
    enum scope_node_kind kind;
    uint32_t left; /* NODE_NOT: its only one */
    uint32_t right;
    struct scope_term *term;
};
struct scope {
    struct scope_node *nodes;
    size_t count;
    uint32_t root;
};
enum { SCOPE_NODES_MAX = SCOPE_TERMS_MAX * 4 };

/* What a walk meets: before a node, between its two parts, after it. */
enum scope_visit { VISIT_BEFORE, VISIT_BETWEEN, VISIT_AFTER };
typedef lt_res scope_visitor(void *self, const struct scope_node *node, const struct scope_node *parent,
                             enum scope_visit visit);
/* Without recursion. */
LT_MUST_USE lt_res scope_walk(const struct scope *s, struct lt_arena *a, scope_visitor *visit, void *self);

/* What the certificates of a scope are counted by; group.c has the table. */
struct scope_grouping {
    const char *field;
    const char *value; /* of a certificate; NULL: the field's column, or whether its flag is up */
    const char *label; /* NULL, or what g.v is called: asked once for each group, not for each certificate */
    /* For what a certificate has several of: the value behind ?1. Each is counted by itself, and so are those
     * that have none. */
    struct store_sql behind;
    bool list;     /* such a value is several, joined by commas */
    bool by_count; /* numbers: the largest groups first */
    bool unique;   /* nobody would count by it */
};
/* SQL that gives label, count, certificates of the scope, groups, and binds the limit last. unit: what the
 * value is divided by; 0: nothing. */
struct scope_grouped {
    const struct scope_grouping *grouping;
    const struct scope_field *field;
    int64_t unit;
    bool rising; /* by value, not by count */
    size_t limit;
};
LT_MUST_USE lt_res scope_compile_grouped(const struct scope *s, const struct scope_ask *ask,
                                         const struct scope_grouped *grouped, struct lt_arena *a,
                                         struct scope_sql *ret_sql);

/* values.c: a literal of the field's type. */
LT_MUST_USE lt_res scope_value_read(const struct scope_lexer *l, const struct scope_field *f,
                                    const struct scope_token *t, struct scope_value *ret_value);
int scope_value_cmp(const struct scope_field *f, const struct scope_value *a, const struct scope_value *b);
void scope_value_write(const struct scope_field *f, const struct scope_value *v, struct lt_buf *out);
void scope_instant_write(struct scope_instant i, struct lt_buf *out);
void scope_duration_write(int64_t us, struct lt_buf *out);
const char *scope_type_name(enum scope_type type);
const char *scope_op_name(enum scope_op op);
/* -1, 0, 1 by the numbers in them, then by what is between. */
int scope_version_cmp(lt_slice a, lt_slice b);

#endif
