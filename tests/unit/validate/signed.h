#ifndef TESTS_UNIT_VALIDATE_SIGNED_H
#define TESTS_UNIT_VALIDATE_SIGNED_H
/* A small DNS of its own: knotd on a loopback port serves a signed root and what hangs below it. Keys are
 * made for the test and die with it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum signed_ds { SIGNED_NO_DS, SIGNED_DS, SIGNED_WRONG_DS };

struct signed_zone {
    const char *name; /* "." first; a parent before its children; without the last dot */
    bool sign;
    enum signed_ds ds;   /* in the parent */
    bool not_served;     /* delegated to this server, which does not know it */
    bool broken;         /* known to this server, which cannot load it */
    const char *records; /* lines of a zone file, relative to the name; SOA and NS are added */
};

struct signed_world; /* one owner */

/* NULL: there is no knotd here. */
struct signed_world *signed_new(const struct signed_zone *zones, size_t count);
void signed_free(struct signed_world *w);
uint16_t signed_port(const struct signed_world *w);
/* The DS of the root, as a line. */
const char *signed_anchor(const struct signed_world *w);

#endif
