#ifndef ROLE_USAGE_TARGETS_H
#define ROLE_USAGE_TARGETS_H
/* usage/targets in the CA folder, owned by root: where a scan goes instead of where the DNS says, and where
 * it does not go at all. A line:
 *
 *     www.example.com 10.0.0.7          this address, the scan's port
 *     mail.example.com 10.0.0.8:8443    this address and port
 *     shop.example.com -                nobody looks
 *     .example.org -                    nor at this name and all below it
 *
 * "#" begins a comment. Refuses: other lines, with their number; a name twice.
 */
#include "base/slice.h"
#include "validate/address.h"

enum { USAGE_TARGETS_MAX = 1000000, USAGE_TARGETS_BYTES = 64 * 1024 * 1024 };

struct usage_target {
    lt_slice name; /* as written; with the dot of a suffix */
    bool skip;
    struct validate_address address;
    uint16_t port; /* 0: the scan's */
};
struct usage_targets {
    struct usage_target *list; /* owned; sorted by name */
    size_t count;
    char *text; /* owned: what names borrow from */
};

/* The text is copied. */
LT_MUST_USE lt_res usage_targets_parse(lt_slice text, struct usage_targets *ret_targets);
/* No file: no targets. */
LT_MUST_USE lt_res usage_targets_load(const char *folder, struct usage_targets *ret_targets);
void usage_targets_done(struct usage_targets *t);
/* The name's own line, or that of the nearest suffix; NULL: none. */
const struct usage_target *usage_targets_find(const struct usage_targets *t, lt_slice name);

#endif
