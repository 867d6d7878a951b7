#ifndef DER_READER_H
#define DER_READER_H
/* A strict, zero-copy reader of DER (X.690) over a sticky cursor: read on, ask once at the end.
 *
 * The first thing that is wrong stays in the cursor and every later read gives empty values. It refuses
 * indefinite and non-minimal lengths, non-minimal tags and integers, booleans other than 00 and FF, spare
 * bits that are set, times that RFC 5280 does not allow, and whatever stands behind the end. It never
 * allocates and never recurses. Every slice it gives points into the input.
 *
 * A cursor with notes is lenient: of these it takes what still has one meaning (a length or an integer with
 * leading zeros, any byte but 00 for TRUE, a field too many at the end of a SEQUENCE, …), and notes it.
 */
#include "base/clock.h"
#include "base/slice.h"

/* A tag as one number: class in the two top bits, then the constructed bit, then the tag number. */
#define DER_CONSTRUCTED 0x20000000u
#define DER_CLASS_CONTEXT 0x80000000u
#define DER_CONTEXT(n_) (DER_CLASS_CONTEXT | (uint32_t)(n_))
#define DER_CONTEXT_CONS(n_) (DER_CLASS_CONTEXT | DER_CONSTRUCTED | (uint32_t)(n_))
#define DER_TAG_NUMBER(tag_) ((tag_)&0x1fffffffu)

enum der_tag {
    DER_NONE = 0, /* nothing there, or the cursor has failed */
    DER_BOOLEAN = 1,
    DER_INTEGER = 2,
    DER_BIT_STRING = 3,
    DER_OCTET_STRING = 4,
    DER_NULL = 5,
    DER_OID = 6,
    DER_ENUMERATED = 10,
    DER_UTF8_STRING = 12,
    DER_NUMERIC_STRING = 18,
    DER_PRINTABLE_STRING = 19,
    DER_T61_STRING = 20,
    DER_IA5_STRING = 22,
    DER_UTC_TIME = 23,
    DER_GENERALIZED_TIME = 24,
    DER_VISIBLE_STRING = 26,
    DER_UNIVERSAL_STRING = 28,
    DER_BMP_STRING = 30,
    DER_SEQUENCE = 0x20000010,
    DER_SET = 0x20000011,
};

/* Nesting that der_check and der_write follow: X.509 needs about 10. */
enum { DER_DEPTH_MAX = 32 };

/* Rules above the bytes that were broken, for those who look at what others made (a linter): see der_wart. */
enum { DER_NOTES_MAX = 16 };
struct der_note {
    const char *why; /* static storage */
    size_t offset;
};
struct der_notes {
    struct der_note list[DER_NOTES_MAX];
    size_t count;         /* all of them; only the first DER_NOTES_MAX are in the list */
    struct der_note last; /* where reading ended when it could not go on; why is NULL when it could */
};

struct der_cursor {
    const uint8_t *pos; /* all borrowed from the input */
    const uint8_t *end;
    const uint8_t *base;     /* of the whole input, for offsets */
    const uint8_t *bad;      /* where it went wrong */
    const char *why;         /* NULL while all is well; static storage */
    struct der_notes *notes; /* NULL: strict. Borrowed; cursors made from this one share it */
};

struct der_bits {
    lt_slice bytes;
    unsigned unused; /* bits at the end of the last byte, all zero */
};

struct der_cursor der_open(lt_slice der);
static inline bool der_ok(const struct der_cursor *c)
{
    return c->why == NULL;
}
/* Something left and nothing wrong: the condition of loops. */
static inline bool der_more(const struct der_cursor *c)
{
    return c->why == NULL && c->pos < c->end;
}
/* All read and nothing wrong, or LT_PEER_MALFORMED naming what and where. what: "certificate", … */
LT_MUST_USE lt_res der_done(const struct der_cursor *c, const char *what);
/* The same for a lenient cursor: what stands behind the end is noted, and why reading ended is kept in its
 * notes. */
LT_MUST_USE lt_res der_done_noted(struct der_cursor *c, const char *what);
/* Say that it is wrong here, for rules above DER. why: static storage. The first one stays. */
void der_fail(struct der_cursor *c, const char *why);
/* Broken, but readable: fails like der_fail in a strict cursor, is noted in one that has notes. where: the
 * place. */
void der_wart(struct der_cursor *c, const uint8_t *where, const char *why);
/* Offset of the next byte from the start of the whole input. */
size_t der_offset(const struct der_cursor *c);
/* Offset of what is wrong, once something is. */
size_t der_bad_offset(const struct der_cursor *c);

/* The tag that comes next, DER_NONE at the end. */
uint32_t der_peek(const struct der_cursor *c);
static inline bool der_is_next(const struct der_cursor *c, uint32_t tag)
{
    return der_peek(c) == tag;
}
/* The next element whatever it is: its tag, its content, and (unless NULL) the whole of it. */
bool der_any(struct der_cursor *c, uint32_t *ret_tag, lt_slice *ret_content, lt_slice *ret_whole);
/* The element at the start of *rest, which moves behind it, when its header is as DER wants it and its tag
 * number is below 31; else false, and nothing is said: for walks that come back with a cursor to what is odd.
 */
bool der_step(lt_slice *rest, uint32_t *ret_tag, lt_slice *ret_content);
/* The same for anything with a header that makes sense: lengths need not be minimal, and of an element that
 * is cut off the content is what is there of it. */
bool der_step_any(lt_slice *rest, uint32_t *ret_tag, lt_slice *ret_content);
/* How many elements are left; the cursor stays where it is, but fails when one of them is malformed. */
size_t der_count(struct der_cursor *c);
/* Content of the next element, which must have that tag. */
lt_slice der_read(struct der_cursor *c, uint32_t tag);
/* The same with tag and length. */
lt_slice der_read_whole(struct der_cursor *c, uint32_t tag);
/* False and untouched when the next tag is another. */
bool der_optional(struct der_cursor *c, uint32_t tag, lt_slice *ret_content);

/* A cursor over the content of the next element. der_leave checks that all of it was read and carries its
 * failure into the outer one. */
struct der_cursor der_enter(struct der_cursor *c, uint32_t tag);
/* The same over bytes that c has already given out (an OCTET STRING that holds DER): offsets stay right. */
struct der_cursor der_into(const struct der_cursor *c, lt_slice inner);
void der_leave(struct der_cursor *outer, const struct der_cursor *inner);

bool der_boolean(struct der_cursor *c);
/* Two's complement content, minimal. */
lt_slice der_integer(struct der_cursor *c);
/* Magnitude of a positive or zero INTEGER, without the leading zero byte ("\0" for zero). */
lt_slice der_unsigned(struct der_cursor *c);
/* An INTEGER from 0 to max. */
uint64_t der_small(struct der_cursor *c, uint64_t max);
/* An ENUMERATED from 0 to max. */
uint64_t der_enumerated(struct der_cursor *c, uint64_t max);
lt_slice der_octets(struct der_cursor *c);
/* Content of an OBJECT IDENTIFIER: minimal arcs, at least one. */
lt_slice der_oid(struct der_cursor *c);
void der_null(struct der_cursor *c);
struct der_bits der_bitstring(struct der_cursor *c);
/* A BIT STRING that holds whole bytes. */
lt_slice der_bitstring_octets(struct der_cursor *c);
/* Named bits (no zero bits at the end): bit n of the ASN.1 is 1 << n. Bits from 32 on are a failure. */
uint32_t der_named_bits(struct der_cursor *c);
/* The same over a content already read by an implicit tag. */
uint32_t der_named_bits_in(struct der_cursor *c, lt_slice content);
/* RFC 5280 Time: UTCTime up to 2049, GeneralizedTime from 2050 on, with seconds, "Z", no fraction. */
lt_time der_time(struct der_cursor *c);
/* GeneralizedTime of any year in the same form. */
lt_time der_generalized_time(struct der_cursor *c);

/* Is this exactly one well-formed element, all the way down? For bytes that we pass on without a decoder. */
LT_MUST_USE lt_res der_check(lt_slice der);

#endif
