#ifndef ACME_NAMES_H
#define ACME_NAMES_H
/* Which identifiers an order may name, before anything is proven: form, reserved and internal names, public
 * suffixes, A-labels; and the text in which the book keeps a set of them. Refuses what it cannot judge. */
#include "base/arena.h"
#include "base/buf.h"
#include "common.pb-c.h"

struct acme_names; /* the public suffix list, loaded once; one owner */

LT_MUST_USE lt_res acme_names_open(struct acme_names **ret_names);
void acme_names_close(struct acme_names *n);

struct acme_name_rules {
    bool local;    /* localhost, internal names: profiles of a private CA */
    bool wildcard; /* "*." may be ordered */
    bool address;  /* identifiers of type ip (RFC 8738) */
};

struct acme_name_fault {
    const char
        *type; /* problem type: "rejectedIdentifier", "unsupportedIdentifier", "malformed"; NULL: good */
    const char *detail; /* a sentence for the client; static storage */
    const char *rule;   /* where it stands: "CA/B BR 4.2.2"; static storage */
};

/* One identifier, lower case. */
struct acme_name_fault acme_name_check(const struct acme_names *n, const struct acme_name_rules *rules,
                                       const Ipc__Identifier *id);

/* Lower case, sorted, without doubles; in the arena. */
struct acme_name_set {
    Ipc__Identifier **list;
    size_t count;
};
LT_MUST_USE lt_res acme_name_set_of(struct lt_arena *a, Ipc__Identifier *const *list, size_t count,
                                    struct acme_name_set *ret_set);
bool acme_name_set_eq(const struct acme_name_set *a, const struct acme_name_set *b);
/* [["dns","a.example"],…] and back. */
void acme_name_set_json(const struct acme_name_set *set, struct lt_buf *out);
LT_MUST_USE lt_res acme_name_set_read(struct lt_arena *a, lt_slice json, struct acme_name_set *ret_set);
/* SHA-256 of that text: what certificates of the same names share (ca/issue_build.c makes the same). */
LT_MUST_USE lt_res acme_name_set_sha256(const struct acme_name_set *set, uint8_t ret_hash[32]);

/* A suffix that a registry hands names out under. */
bool acme_name_is_suffix(const struct acme_names *n, const char *name);
/* The topmost domain above a name, or the name itself, that is none. */
const char *acme_name_topmost(const struct acme_names *n, const char *name);
/* Does the name lie below the domain? "*.example.org" lies below example.org. */
bool acme_name_below(const char *name, const char *domain);
bool acme_name_is_wildcard(const char *name);
/* Without "*.". */
const char *acme_name_base(const char *name);

#endif
