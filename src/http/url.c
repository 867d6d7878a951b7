/* Where a URL leads. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/client.h"

lt_res http_url_split(const char *text, struct http_url *ret_url)
{
    bool tls = strncmp(text, "https://", 8) == 0;
    LT_CHECK(tls || strncmp(text, "http://", 7) == 0, LT_PEER_USAGE, "not an http or https URL: %.100s",
             text);
    const char *at = text + (tls ? 8 : 7);
    const char *path = at + strcspn(at, "/?#");
    LT_CHECK(*path == '/' || *path == 0, LT_PEER_USAGE, "a URL without a path: %.100s", text);
    bool bracket = *at == '[';
    const char *host = at + (bracket ? 1 : 0);
    size_t len = strcspn(host, bracket ? "]" : ":/");
    const char *colon = host + len + (bracket ? 1 : 0);
    LT_CHECK(len > 0 && len < sizeof ret_url->host && host + len <= path && colon <= path, LT_PEER_USAGE,
             "a URL without a host: %.100s", text);
    uint64_t port = tls ? 443 : 80;
    if (colon < path) {
        LT_CHECK(*colon == ':', LT_PEER_USAGE, "a URL with a wrong host: %.100s", text);
        LT_TRY(lt_parse_u64(LT_SLICE(colon + 1, (size_t)(path - colon - 1)), 65535, &port));
    }
    *ret_url = (struct http_url){.tls = tls, .port = (uint16_t)port, .path = *path == 0 ? "/" : path};
    memcpy(ret_url->host, host, len);
    return LT_OK;
}

lt_res http_origin_resolve(struct http_origin *origin)
{
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    (void)snprintf(port, sizeof port, "%u", origin->port); /* five digits */
    int rc = getaddrinfo(origin->host, port, &hints, &found);
    LT_CHECK(rc == 0 && found != NULL, LT_RETRY_UNAVAILABLE, "%.100s: %s", origin->host, gai_strerror(rc));
    const struct addrinfo *best = found; /* IPv4 first: on loopback most servers listen there alone */
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        best = a->ai_family == AF_INET && best->ai_family != AF_INET ? a : best;
    }
    memcpy(&origin->address, best->ai_addr, best->ai_addrlen);
    origin->address_len = best->ai_addrlen;
    freeaddrinfo(found);
    return LT_OK;
}
