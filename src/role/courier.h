#ifndef ROLE_COURIER_H
#define ROLE_COURIER_H
/* The courier: the only program of the family that connects to the CA's remote perspectives. It carries
 * questions and signed statements, and believes none: who reads a statement verifies it.
 */
#include "validate/perspective.h"

struct event_base;
struct courier_fleet; /* the perspectives of one reading of the files, with their connections */

/* statement NULL: it did not answer, why says how. Both are valid during the call. */
typedef void courier_told(void *self, uint64_t id, const Ipc__Validate *question,
                          const Ipc__SignedStatement *statement, const char *why);

struct courier_options {
    struct event_base *base; /* borrowed */
    int folder_fd;           /* of the CA, for the call only */
    lt_slice key_pem;        /* for the call only */
    courier_told *told;
    void *self;
};
LT_MUST_USE lt_res courier_fleet_new(const struct courier_options *options, struct courier_fleet **ret_fleet);
/* Drops what is under way without a word. */
void courier_fleet_free(struct courier_fleet *f);
/* What is known of who answers goes over to the fleet of new files. */
void courier_fleet_inherit(struct courier_fleet *f, const struct courier_fleet *before);
/* told is called later, exactly once, also where nobody of that name is known. */
void courier_fleet_ask(struct courier_fleet *f, uint64_t id, const Ipc__Validate *question);
/* Gives up what waited too long. */
void courier_fleet_tick(struct courier_fleet *f, int64_t now_ms);
size_t courier_fleet_open(const struct courier_fleet *f); /* questions without an answer */
size_t courier_fleet_count(const struct courier_fleet *f);

#endif
