/* Where a URL leads. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/client.h"

lt_res http_url_split(const char *url, bool *ret_tls, char *ret_host, size_t host_size, uint16_t *ret_port,
                      const char **ret_path)
{
    bool tls = strncmp(url, "https://", 8) == 0;
    LT_CHECK(tls || strncmp(url, "http://", 7) == 0, LT_PEER_USAGE, "not an http or https URL: %.100s", url);
    const char *at = url + (tls ? 8 : 7);
    const char *path = at + strcspn(at, "/?#");
    LT_CHECK(*path == '/' || *path == 0, LT_PEER_USAGE, "a URL without a path: %.100s", url);
    bool bracket = *at == '[';
    const char *host = at + (bracket ? 1 : 0);
    size_t len = strcspn(host, bracket ? "]" : ":/");
    const char *colon = host + len + (bracket ? 1 : 0);
    LT_CHECK(len > 0 && len < host_size && host + len <= path && colon <= path, LT_PEER_USAGE,
             "a URL without a host: %.100s", url);
    uint64_t port = tls ? 443 : 80;
    if (colon < path) {
        LT_CHECK(*colon == ':', LT_PEER_USAGE, "a URL with a wrong host: %.100s", url);
        LT_TRY(lt_parse_u64(LT_SLICE(colon + 1, (size_t)(path - colon - 1)), 65535, &port));
    }
    (void)snprintf(ret_host, host_size, "%.*s", (int)len, host); /* measured above */
    *ret_tls = tls;
    *ret_port = (uint16_t)port;
    *ret_path = *path == 0 ? "/" : path;
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
