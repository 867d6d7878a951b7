#ifndef CA_VIEWER_H
#define CA_VIEWER_H
/* Who asks a question from the console: the reader finds them by their session, in the book. */
#include "ca/query.h"

struct query_out;

struct ca_viewer {
    const char *operator_; /* in the question's arena */
    const char *session;
    unsigned roles; /* of enum ca_operator_role, as the operators' files are now */
    lt_time expires;
    const char *method;
};

/* LT_PEER_NOT_FOUND: no such session, or it is over, or the operator is gone. */
LT_MUST_USE lt_res ca_viewer_find(const struct ca_query *query, lt_slice session_sha256,
                                  struct ca_viewer *ret_viewer);

/* How people outside are reached is for CA_READERS_PEOPLE alone, and for who asks by the socket. */
bool ca_viewer_sees_people(const struct ca_query *query);
/* An address, a name, a note about a person; null for who may not see it. */
void ca_viewer_write_person(const struct ca_query *query, struct query_out *o, const char *key,
                            lt_slice text);

#endif
