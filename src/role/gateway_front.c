/* Who types the address of the CA comes without TLS: the pages for people lead on to where there is some.
 * What relying parties fetch (CRLs, OCSP, CA certificates) stays where it is. */
#include <stdio.h>
#include <string.h>

#include "role/gateway.h"

enum { URL_SIZE = 1024 };

void gateway_front_open(struct gateway *g, const Ipc__Start *start)
{
    const char *url = start->base_url == NULL ? "" : start->base_url;
    bool fits = strncmp(url, "https://", 8) == 0 && strlen(url) < sizeof g->front;
    (void)snprintf(g->front, sizeof g->front, "%s", fits ? url : ""); /* measured */
}

void gateway_serve_front(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    char url[URL_SIZE];
    bool look = lt_slice_eq_cstr(r->method, "GET") || lt_slice_eq_cstr(r->method, "HEAD");
    int len = snprintf(url, sizeof url, "%s%.*s", g->front, LT_FMT(r->path));
    if (!look || g->front[0] == '\0' || len < 0 || (size_t)len >= sizeof url) {
        http_exchange_problem(x, 404, NULL, "there is nothing at this path", 0);
        return;
    }
    const struct http_header headers[] = {{"location", url}, {"cache-control", "public, max-age=300"}};
    const struct http_answer answer = {.status = 308, .headers = headers, .header_count = LT_COUNT(headers)};
    http_exchange_answer(x, &answer);
}
