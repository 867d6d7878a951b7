/* See reader_access.h. */
#include "role/reader_access.h"

#include "ca/api.h"
#include "incident/form.h"

static unsigned readers_of(const char *what)
{
    const struct ca_api_routes ours = {ca_api_routes, ca_api_route_count, sizeof(ca_api_routes[0])};
    unsigned readers = ca_api_readers(&ours, 1, what);
    return readers != 0 ? readers : incident_form_readers(what);
}

lt_res reader_access(const struct ca_query *query, struct ca_viewer *ret_viewer, uint32_t *ret_status)
{
    lt_slice session = LT_SLICE(query->q->session_sha256.data, query->q->session_sha256.len);
    *ret_viewer = (struct ca_viewer){.operator_ = NULL};
    *ret_status = 0;
    if (session.len == 0) {
        return LT_OK;
    }
    LT_TRY(store_begin(query->store));
    lt_res r = ca_viewer_find(query, session, ret_viewer);
    store_rollback(query->store); /* nothing was written */
    *ret_status = r.code == LT_PEER_NOT_FOUND ? 401 : 0;
    LT_TRY(r);
    *ret_status = 403;
    LT_CHECK((ret_viewer->roles & readers_of(query->q->what)) != 0, LT_PEER_UNAUTHORIZED,
             "%s has not the role to see that", ret_viewer->operator_);
    *ret_status = 0;
    return LT_OK;
}
