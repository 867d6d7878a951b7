#ifndef SCOPE_SCOPE_H
#define SCOPE_SCOPE_H
/* Which certificates: one grammar for people, the API and incidents.
 *
 *     method = dns-01 and caa_age > 8h and issued in 2025-07-25..2026-02-28 and build < "1.4.2" and not
 * expired
 *
 * A text becomes a tree of terms (a field of fields.c, an operation, typed values), and the tree becomes SQL
 * whose every value is a bound parameter, words, or its canonical text. A day or a second is what lies inside
 * it: "issued <= 2026-02-28" takes the whole day. A field that a certificate has several of (names, methods)
 * is met when any of them meets it; "!=" is "not =".
 *
 * Refuses: unknown fields, values of another type than the field's, more than the limits below; every error
 * names the byte where it stands (scope_error) and what may stand there. Nothing recurses on input.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

enum {
    SCOPE_TEXT_MAX = 64 * 1024,
    SCOPE_DEPTH_MAX = 64,    /* of brackets */
    SCOPE_TERMS_MAX = 300,   /* SQLite takes expressions of depth 1,000 */
    SCOPE_VALUES_MAX = 4000, /* in all sets */
    SCOPE_ARENA_MAX = 8 * 1024 * 1024,
    SCOPE_HASH_LEN = 32,
};

struct scope; /* parsed; lives in the arena that it was parsed into */

/* Where it failed, for a caret under the text. */
struct scope_error {
    size_t offset;
    size_t len; /* of what stands there; 0: the end */
};

/* LT_PEER_MALFORMED, with "byte 17: …" in the record and ret_error filled; LT_PEER_TOO_LARGE. ret_error may
 * be NULL. */
LT_MUST_USE lt_res scope_parse(lt_slice text, struct lt_arena *a, struct scope_error *ret_error,
                               const struct scope **ret_scope);

/* The same tree has the same text, whatever its blanks, brackets, order of sets and units; parsing it again
 * gives that text again. */
LT_MUST_USE lt_res scope_canonical(const struct scope *s, struct lt_buf *out);
LT_MUST_USE lt_res scope_hash(const struct scope *s, uint8_t ret_sha256[SCOPE_HASH_LEN]);
/* In English, a term a line, indented by depth; no line end behind the last. */
LT_MUST_USE lt_res scope_words(const struct scope *s, struct lt_buf *out);

/* It asks for something of which the book keeps no history (the tier of an account, its client): the book as
 * it was gives today's answer to that. */
bool scope_of_now(const struct scope *s);

/* A name, or a domain that stands for all below it, as people write it: in lower case, without the dot at its
 * end; and as the book has it, reversed. LT_PEER_MALFORMED: it is none. */
LT_MUST_USE lt_res scope_name_read(lt_slice text, bool suffix, struct lt_arena *a, lt_slice *ret_text,
                                   lt_slice *ret_key);

/* What small tables of the book say, so that a name that does not exist is an error with its place and a
 * comparison of versions is a list. Borrowed by the scope's SQL. */
struct scope_catalog {
    const char *const *issuers;
    size_t issuer_count;
    const char *const *profiles;
    size_t profile_count;
    const char *const *builds;
    size_t build_count;
};
LT_MUST_USE lt_res scope_catalog_load(struct store *store, struct lt_arena *a,
                                      struct scope_catalog *ret_catalog);
extern const struct store_sql *const scope_sql_rows; /* for the test that EXPLAINs every statement */
extern const size_t scope_sql_count;

enum scope_want {
    SCOPE_MEMBERS, /* issuer, serial, copy: in this order, behind a cursor */
    SCOPE_COUNT,   /* count(*) */
};
/* How members are sorted: by their key, which costs a page what it reads; or by a time, and by key within. */
enum scope_order {
    SCOPE_BY_KEY,
    SCOPE_BY_ISSUE,
    SCOPE_BY_ISSUE_DOWN,
    SCOPE_BY_EXPIRY,
    SCOPE_BY_EXPIRY_DOWN,
};
/* The certificate behind which to go on. */
struct scope_cursor {
    bool set;
    int64_t time_us; /* of its order */
    int64_t issuer;
    lt_slice serial;
    int64_t copy;
};
struct scope_ask {
    enum scope_want want;
    lt_time now; /* what "expired", "now-30d" and ages are held against */
    bool as_of;  /* the book as it was at `now`: later issues and revocations do not count */
    const struct scope_catalog *catalog; /* NULL: only where the scope compares no versions */
    enum scope_order order;              /* SCOPE_MEMBERS */
    struct scope_cursor after;           /* SCOPE_MEMBERS */
    bool few;                    /* SCOPE_MEMBERS: an index and a sort pay, as not many are expected */
    size_t limit;                /* SCOPE_MEMBERS; 0: none */
    const struct scope *but_not; /* NULL, or a scope whose certificates are left out: what changed */
    lt_time but_not_now;         /* its own moment; 0: that of the scope itself */
    bool but_not_as_of;
    /* SCOPE_MEMBERS: instead of its copy, the first of these that a certificate is of; tier_count for one
     * that is of none. Read in one walk. */
    const struct scope *const *tiers;
    size_t tier_count;
};
struct scope_sql {
    const char *text;
    const struct store_value *values;
    size_t count;
};
/* All in the arena. LT_PEER_MALFORMED where the catalog has no such issuer, profile. */
LT_MUST_USE lt_res scope_compile(const struct scope *s, const struct scope_ask *ask, struct lt_arena *a,
                                 struct scope_error *ret_error, struct scope_sql *ret_sql);

/* Runs what was compiled: count; or each certificate in order, in one statement. each: a failure ends it. The
 * serial is valid during the call. */
LT_MUST_USE lt_res scope_count(struct store *store, const struct scope_sql *sql, int64_t *ret_count);
typedef lt_res scope_each_fn(void *self, int64_t issuer, lt_slice serial, int64_t copy);
LT_MUST_USE lt_res scope_each(struct store *store, const struct scope_sql *sql, scope_each_fn *each,
                              void *self);
/* Count and SHA-256 over {issuer, length of serial, serial, copy} of each in order, numbers as 8 bytes
 * big-endian: what an approval of a frozen list rests on. */
LT_MUST_USE lt_res scope_members_hash(struct store *store, const struct scope_sql *sql, int64_t *ret_count,
                                      uint8_t ret_sha256[SCOPE_HASH_LEN]);
/* How many of the scope have which value of a field: "profile", "status", "issued:month", "caa_age:hour".
 * Times are counted by day, month or year (month, where nothing is said), durations by hour or day (day).
 * Times, durations and most numbers go up by value, all else goes down by count. */
struct scope_group {
    const char *value; /* as people write it: in an expression too, but for times; NULL: it has none */
    int64_t count;
};
struct scope_groups {
    const struct scope_group *list; /* at most `limit`; in the arena */
    size_t count;
    int64_t groups;       /* that there are */
    int64_t certificates; /* of the scope */
    bool several;         /* a certificate may have several values, and is in each of their groups then */
};
enum { SCOPE_GROUPS_MAX = 100000 };
/* ask->want does not count. LT_PEER_MALFORMED: there is no such field, or nobody would count by it. */
LT_MUST_USE lt_res scope_group_by(struct store *store, const struct scope *s, const struct scope_ask *ask,
                                  const char *by, size_t limit, struct lt_arena *a,
                                  struct scope_groups *ret_groups);

/* A line for each value that the book has nowhere (a method, resolver, perspective, rule, finding), with
 * those it has: a word that was mistyped counts nothing, and nothing else would say so. */
LT_MUST_USE lt_res scope_missing(struct store *store, const struct scope *s, struct lt_arena *a,
                                 struct lt_buf *out);

/* The backend's plan, one step a line. */
LT_MUST_USE lt_res scope_plan(struct store *store, const struct scope_sql *sql, struct lt_arena *a,
                              struct lt_buf *out);

/* The fields, for help and the manual page. */
struct scope_field_info {
    const char *name;
    const char *type;  /* "time", "duration", … */
    const char *words; /* what it means */
};
size_t scope_field_count(void);
struct scope_field_info scope_field_info(size_t index);

#endif
