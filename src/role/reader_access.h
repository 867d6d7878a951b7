#ifndef ROLE_READER_ACCESS_H
#define ROLE_READER_ACCESS_H
/* May who asks read that? By the socket root and the owner ask, and may; the console's session is looked up
 * in the book for every question, and its operator's roles as the operators' files are now. */
#include "ca/viewer.h"

/* *ret_status: 0, 401 (no session), 403 (not the role); the last error says why. *ret_viewer is set where a
 * session asks: ret_viewer->operator_ is NULL otherwise. */
LT_MUST_USE lt_res reader_access(const struct ca_query *query, struct ca_viewer *ret_viewer,
                                 uint32_t *ret_status);

#endif
