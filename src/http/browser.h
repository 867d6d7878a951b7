#ifndef HTTP_BROWSER_H
#define HTTP_BROWSER_H
/* What browsers say beside the request itself: whom they believe to talk to, cookies, which page asks, and
 * how an answer may be packed. Reads strictly: what could be taken for two things is taken for none.
 */
#include "http/parse.h"

/* "localhost:14001" → "localhost", "[::1]:1" → "[::1]". LT_PEER_MALFORMED: no host, or no port behind it. */
LT_MUST_USE lt_res http_host_split(lt_slice host, lt_slice *ret_name);
/* The value of the cookie of that name in all fields "cookie" together (HTTP/2 sends them apart). Empty:
 * there is none, or there are two, of which only one can be ours and nobody can say which. */
lt_slice http_cookie_find(const struct http_field *fields, size_t count, const char *name);
/* Is that field Origin a page of the host that the request names itself? By http or https, with its port. */
bool http_origin_is(lt_slice origin, lt_slice host);
/* A field Accept-Encoding that takes gzip. */
bool http_accepts_gzip(lt_slice accept_encoding);

#endif
