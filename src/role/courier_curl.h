#ifndef ROLE_COURIER_CURL_H
#define ROLE_COURIER_CURL_H
/* libcurl's multi interface on the courier's loop, for letters and hooks: its sockets are our events, its
 * time-outs our timer. */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

struct event_base;
struct courier_curl; /* one owner */

/* First member of what belongs to a transfer, to which CURLOPT_PRIVATE points. */
struct courier_transfer {
    void (*done)(struct courier_transfer *t, CURLcode outcome); /* may remove and clean the handle up */
};

/* Before the doors close: it opens what it needs. connections: at once. */
LT_MUST_USE lt_res courier_curl_new(struct event_base *base, long connections,
                                    struct courier_curl **ret_curl);
/* Without transfers any more. */
void courier_curl_free(struct courier_curl *c);
/* Sets CURLOPT_PRIVATE; easy stays the caller's. */
LT_MUST_USE lt_res courier_curl_add(struct courier_curl *c, CURL *easy, struct courier_transfer *t);
/* Cleans it up as well. NULL is fine. */
void courier_curl_drop(struct courier_curl *c, CURL *easy);

/* "host:port:address" for CURLOPT_RESOLVE, looked up by the system's resolver, which waits; what it said is
 * kept for a minute. LT_RETRY_UNAVAILABLE. public_only: LT_POLICY_REFUSED for an address that is none of the
 * Internet's. */
struct courier_places;
struct courier_places *courier_places_new(void);
void courier_places_free(struct courier_places *p);
struct courier_place {
    const char *host;
    uint16_t port;
    bool public_only;
};
LT_MUST_USE lt_res courier_places_find(struct courier_places *p, const struct courier_place *place,
                                       const char **ret_row);

#endif
