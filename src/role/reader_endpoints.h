#ifndef ROLE_READER_ENDPOINTS_H
#define ROLE_READER_ENDPOINTS_H
/* The names of a scope's certificates for the registrar, page by page, for scans. Wildcards are no endpoints
 * and are left out. */
#include "role/reader_members.h"

/* members: of scans alone. */
LT_MUST_USE lt_res reader_endpoints_asked(struct reader_members *members, struct store *store,
                                          struct role_kit *kit, const struct ipc_msg *m);

#endif
