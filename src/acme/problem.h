#ifndef ACME_PROBLEM_H
#define ACME_PROBLEM_H
/* Problem documents of RFC 8555 6.7 as messages, and the JSON in which the book keeps them. */
#include "base/arena.h"
#include "base/buf.h"
#include "common.pb-c.h"

/* The HTTP status that goes with a type; 0 for a type that is not in the table. */
uint32_t acme_problem_status(const char *type);
/* type: one of the table (a typo is a bug). NULL when the arena is full. */
Ipc__Problem *acme_problem(struct lt_arena *a, const char *type, const char *format, ...) LT_PRINTF(3, 4);
/* Adds a subproblem for one identifier. */
LT_MUST_USE lt_res acme_problem_add(struct lt_arena *a, Ipc__Problem *p, const char *type,
                                    const Ipc__Identifier *identifier, const char *detail);
/* The compact form of the book: {"type":…,"status":…,"detail":…,"subproblems":[…]}. NULL prints null. */
void acme_problem_json(const Ipc__Problem *p, struct lt_buf *out);
/* Reads what acme_problem_json wrote, and nothing else (LT_STATE_CORRUPT): it is our own book. */
LT_MUST_USE lt_res acme_problem_read(struct lt_arena *a, lt_slice json, Ipc__Problem **ret_problem);

#endif
