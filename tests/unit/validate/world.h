#ifndef TESTS_UNIT_VALIDATE_WORLD_H
#define TESTS_UNIT_VALIDATE_WORLD_H
/* A small hostile internet on loopback, in the test's own event loop: a DNS server that answers by name, and
 * web servers that answer by path, over TCP and TLS. */
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tests call tokens by short names; this behind them makes them as long as tokens are. Paths are found
 * without it. */
#define WORLD_TOKEN "-and-what-makes-it-long"

struct world; /* owned by the test */

/* A name and what the DNS says of it. */
struct world_name {
    const char *name;
    const char *a; /* addresses; NULL: none */
    const char *aaaa;
    int rcode;
    bool silent; /* no answer at all */
};

enum world_manner {
    WORLD_SEND_CLOSE,
    WORLD_SEND_STAY, /* and leave the connection open */
    WORLD_DRIP,      /* a byte every 20 ms */
    WORLD_HUGE,      /* the text, then a megabyte of 'x' */
    WORLD_RESET,     /* a reset instead of an answer */
    WORLD_SILENT,    /* reads, says nothing */
};

/* A path (its last segment) and what the web servers answer. "%u" and "%s" of the text: their plain port, TLS
 * port twice. */
struct world_page {
    const char *segment;
    const char *text;
    enum world_manner manner;
};

struct zone; /* zone.h */

struct world_seen {
    unsigned dns_questions;
    unsigned requests;
    char last_request[4096];
    bool last_was_v6;
    bool last_was_tls;
};

struct world *world_new(struct event_base *base, const struct world_name *names, size_t name_count,
                        const struct world_page *pages, size_t page_count);
void world_free(struct world *w);
/* From now on questions about this zone's name are answered with signatures. Borrowed. */
void world_use_zone(struct world *w, const struct zone *z, bool tamper);
uint16_t world_dns_port(const struct world *w);
uint16_t world_http_port(const struct world *w);
uint16_t world_tls_port(const struct world *w);
struct world_seen *world_seen(struct world *w);
/* The context of the TLS listener. */
struct ssl_ctx_st *world_tls(struct world *w);

#endif
