#ifndef VALIDATE_URL_H
#define VALIDATE_URL_H
/* The http and https URLs that a redirect may name: absolute or relative to the one before. Refuses user
 * names, fragments are cut, hosts that are neither a DNS name nor an address literal, ports out of range. */
#include "base/slice.h"

enum { VALIDATE_HOST_MAX = 254, VALIDATE_PATH_MAX = 2048 };

struct validate_url {
    bool https;
    bool literal; /* host is an address, without brackets */
    uint16_t port;
    char host[VALIDATE_HOST_MAX]; /* lower case, no trailing dot */
    char path[VALIDATE_PATH_MAX]; /* with the query; begins with '/' */
};

/* base: what a relative reference is resolved against. */
LT_MUST_USE lt_res validate_url_resolve(const struct validate_url *base, lt_slice reference,
                                        struct validate_url *ret_url);
bool validate_url_eq(const struct validate_url *a, const struct validate_url *b);
/* "http://host:port/path" for evidence; cut to size. */
void validate_url_print(const struct validate_url *u, char *ret_text, size_t size);

#endif
