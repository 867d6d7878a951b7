#ifndef ROLE_GATEWAY_H
#define ROLE_GATEWAY_H
/* The gateway's insides, shared by gateway*.c; nobody else includes this. */
#include <event2/event_struct.h>

#include "base/arena.h"
#include "base/metrics.h"
#include "ca/ari_map.h"
#include "ca/ocsp_map.h"
#include "control.pb-c.h"
#include "http.pb-c.h"
#include "http/server.h"
#include "role/gateway_polls.h"
#include "role/kit.h"

struct ssl_ctx_st;

/* What is asked below this path is asked by nobody: no address is logged, and none handed on. */
#define GATEWAY_NAMELESS "/concern/"
/* A notary says here when the session of who asked ends, in microseconds; no client is told. */
#define GATEWAY_SESSION_UNTIL "lintel-session-until"

enum gateway_listener {
    LISTENER_HTTPS,
    LISTENER_HTTP,
    LISTENER_OPERATOR,
    LISTENER_API,
    LISTENER_MANAGEMENT, /* of test CAs alone */
    LISTENER_KINDS
};

enum {
    GATEWAY_ADDRESS_SLOTS = 128, /* of them for one address: 429 beyond them */
    GATEWAY_ADDRESS_BUCKETS = 4096,
    GATEWAY_SLOTS = 2048,  /* requests in flight: 503 beyond them */
    GATEWAY_NOTARIES = 64, /* instances of the kit */
    GATEWAY_BOARDS = 64,
    GATEWAY_LISTENERS = 16,
    GATEWAY_SUSPECTS = 64,
    GATEWAY_LIVE_MAX = 64,        /* streams of events: 503 beyond them, and consoles ask now and then */
    GATEWAY_OPERATOR_SLOTS = 256, /* of the slots, for the operator's listener: consoles take no client's */
};

/* Pages: where anybody may post, and where a link of one's own leads. */
enum gateway_share { GATEWAY_SHARE_NONE, GATEWAY_SHARE_OPEN, GATEWAY_SHARE_LINK };
enum gateway_form { GATEWAY_FORM_NOT, GATEWAY_FORM_WAITS, GATEWAY_FORM_ASKED };
enum gateway_bucket_name { GATEWAY_BUCKET_OPEN, GATEWAY_BUCKET_LINK, GATEWAY_BUCKET_LOOK, GATEWAY_BUCKETS };

struct gateway_bucket {
    double tokens;
    int64_t filled_ms; /* 0: never, so it is full */
};

/* A stream of events: none, asked for the first time, begun. */
enum gateway_live_phase { GATEWAY_LIVE_NOT, GATEWAY_LIVE_ASKED, GATEWAY_LIVE_ON };

/* One request, from hooks.request to hooks.ended. */
struct gateway_slot {
    struct http_exchange *exchange; /* NULL: free */
    uint64_t id;                    /* of the question to the notary; 0: answered here */
    uint32_t notary;
    uint16_t bucket; /* of its address */
    bool spared;     /* its address has no limit */
    bool asked_again;
    bool begun; /* the answer's head went out */
    enum gateway_form form;
    struct gateway_slot *next_form; /* of those that wait */
    enum gateway_listener listener;
    int64_t since_us;
    int64_t deadline_ms;
    uint64_t unknown_id; /* of the question to the ocsp-signer; 0: none */
    int64_t unknown_due_ms;
    int64_t ari_until_ms; /* waits for newer renewal information, at most until then; 0: does not */
    enum gateway_live_phase live;
    int64_t live_until_us; /* the end of its session; 0: nobody said */
    int64_t live_said_ms;
    int64_t live_judged_ms; /* when its session was last asked about, */
    bool live_judged;       /* and that it was for nothing else */
    struct gateway_slot *next_free;
};

/* Open consoles: gateway_live.c. */
struct gateway_live {
    struct gateway_slot *streams[GATEWAY_LIVE_MAX]; /* NULL: free */
    size_t next;                                    /* whose turn it is to ask */
    int64_t due_ms;
    struct lt_buf event; /* the last document, as it goes out */
    uint8_t hash[32];    /* of it, without the time at which it was written */
};

struct gateway_notary {
    bool linked;
    uint32_t in_flight;
};

/* An address whose request was with two notaries when they died. */
struct gateway_suspect {
    char remote[46];
    int64_t until_ms; /* refused until then */
};

/* Its own TLS key and certificate: gateway_tls.c. */
struct gateway_tls {
    int dir_fd;
    char key_name[40];
    char cert_name[40];
    char host[256];       /* of base-url, which the certificate must name */
    char config_hash[65]; /* a certificate made under another configuration is renewed */
    char *pending_key;    /* PEM of the key that a certificate was asked for; wiped and freed */
    uint64_t request_id;  /* 0: none under way */
    int64_t retry_ms;     /* monotonic: not before, or when the request is given up */
    int64_t backoff_ms;
    lt_time renew_at;
    bool ready;
};

/* A published file that is mapped: gateway_ari.c. */
struct gateway_map {
    lt_slice bytes; /* empty: there is none */
    uint64_t inode;
    int64_t changed_ns;
    int64_t seen_us; /* all that was in the book then is in it */
    struct ca_ari_map map;
};

/* The same: gateway_ocsp.c. */
struct gateway_ocsp_map {
    lt_slice bytes; /* empty: there is none */
    uint64_t inode;
    int64_t changed_ns;
    struct ca_ocsp_map map;
};

struct gateway {
    struct role_kit *kit;
    struct event_base *base;
    struct http_server *server;
    struct event kit_event;
    struct event tick_event;
    bool stop;
    bool draining;
    lt_time now;
    int64_t now_ms;
    struct http_listener_info infos[GATEWAY_LISTENERS];
    enum gateway_listener kinds[GATEWAY_LISTENERS];
    size_t listener_count;
    char console_name[256]; /* under which browsers know the console, beside localhost */
    char console_cookie[32];
    struct gateway_tls tls;
    char front[512];                 /* URL of the pages for people, no slash at the end; "": not known */
    struct gateway_testing *testing; /* owned; NULL but in a test CA that wants it */
    int crl_fd;
    int ca_fd;
    int public_fd; /* the folder around them */
    int ari_fd;    /* -1: there is no such folder */
    struct gateway_map ari_base;
    struct gateway_map ari_delta;
    struct gateway_polls polls;
    int64_t polls_due_ms;
    int ocsp_fd; /* -1: there is no such folder */
    struct gateway_ocsp_map ocsp_base;
    struct gateway_ocsp_map ocsp_delta;
    int64_t unknown_since_ms; /* questions to the ocsp-signer in the second that began then */
    uint32_t unknown_count;
    size_t unknown_open;
    size_t ari_waiting;                             /* slots that wait */
    struct lt_metrics_board boards[GATEWAY_BOARDS]; /* mapped read-only */
    size_t board_count;
    struct gateway_notary notaries[GATEWAY_NOTARIES];
    uint32_t next_notary;
    struct gateway_live live;
    size_t operator_load; /* slots of the operator's listener */
    struct gateway_suspect suspects[GATEWAY_SUSPECTS];
    size_t next_suspect;
    struct gateway_slot slots[GATEWAY_SLOTS];
    struct gateway_slot *free_slots;
    uint64_t generation;
    size_t in_flight;
    uint32_t address_load[GATEWAY_ADDRESS_BUCKETS]; /* slots by address; two may rarely share a bucket */
    uint64_t address_seed;
    struct gateway_bucket address_forms[GATEWAY_ADDRESS_BUCKETS];
    struct gateway_bucket buckets[GATEWAY_BUCKETS];
    struct gateway_slot *first_form; /* of those that wait */
    size_t forms_waiting;
    size_t forms_asked;
    struct event form_event; /* there is room for the next */
    struct lt_arena scratch;
    struct lt_metric *requests[LISTENER_KINDS][6]; /* by hundreds of the status; 0: the client left first */
    struct lt_metric *latency;
};

/* gateway.c. This machine and the UNIX socket are spared limits per address: a proxy here speaks for many. */
bool gateway_spares(const char *remote);

/* gateway_notary.c: questions to the notaries. */
void gateway_ask(struct gateway *g, struct http_exchange *x);
/* The same request once more, whose answer was taken. Where nobody is there to ask nothing happens. */
bool gateway_ask_again(struct gateway *g, struct gateway_slot *slot);
lt_res gateway_on_response(void *self, const struct ipc_msg *m);
void gateway_linked(void *self, enum ipc_role peer, uint32_t instance);
void gateway_unlinked(void *self, enum ipc_role peer, uint32_t instance);
void gateway_forget(struct gateway *g, struct gateway_slot *slot);
/* Gives up on what was asked too long ago. */
void gateway_expire(struct gateway *g);

/* gateway_form.c: forms with files. Into the parts of q, in the arena; nothing of another request. */
LT_MUST_USE lt_res gateway_form_read(const struct http_request *r, struct lt_arena *a, Ipc__HttpRequest *q);
/* Is it such a form, and broken? Then it was answered. */
bool gateway_form_refuse(struct gateway *g, struct http_exchange *x);

/* gateway_front.c: from plain HTTP to the pages for people. */
void gateway_front_open(struct gateway *g, const Ipc__Start *start);
void gateway_serve_front(struct gateway *g, struct http_exchange *x);

/* gateway_files.c: what the publisher wrote. */
LT_MUST_USE lt_res gateway_files_open(struct gateway *g, const char *folder);
void gateway_serve_crl(struct gateway *g, struct http_exchange *x);
void gateway_serve_affected(struct gateway *g, struct http_exchange *x);
void gateway_serve_ca(struct gateway *g, struct http_exchange *x);

/* Is the tag in that If-None-Match? */
bool gateway_tag_listed(lt_slice list, const char *etag);

/* gateway_console.c: what browsers load and ask on the operator's listener. */
void gateway_console_open(struct gateway *g, const Ipc__Start *start);
/* Beyond this machine nobody may listen in. address: as it is bound. */
bool gateway_console_tls_only(const char *address);
/* Is that field Host one of our names, whatever its port? */
bool gateway_console_knows(const struct gateway *g, lt_slice host);
/* No page of another site asks. */
bool gateway_console_trusts(const struct http_request *r);
void gateway_serve_console(struct gateway *g, struct http_exchange *x);
/* Both; where it is not so, x has been answered. */
bool gateway_console_admits(struct gateway *g, struct http_exchange *x);
void gateway_serve_api(struct gateway *g, struct http_exchange *x);
/* Adds what every answer to a browser carries; the new count. */
size_t gateway_console_headers(struct http_header *headers, size_t count, size_t max);

/* gateway_live.c: streams of events. */
void gateway_live_open(struct gateway *g);
void gateway_serve_live(struct gateway *g, struct http_exchange *x);
/* A notary's answer to a stream's question. False: it goes on as any other does. */
bool gateway_live_takes(struct gateway *g, struct gateway_slot *slot, const Ipc__HttpResponse *m);
void gateway_live_tick(struct gateway *g);
void gateway_live_forget(struct gateway *g, struct gateway_slot *slot);

/* gateway_share.c: the share of pages that anybody may send forms to. */
void gateway_share_open(struct gateway *g);
/* False: it is none of these. Else it is asked, now or in its turn, or has been refused. */
bool gateway_share_serves(struct gateway *g, struct gateway_slot *slot, enum gateway_share share);
void gateway_share_tick(struct gateway *g);
void gateway_share_forget(struct gateway *g, struct gateway_slot *slot);

/* gateway_ari.c: renewal information (RFC 9773), out of the publisher's map. */
void gateway_ari_open(struct gateway *g, const char *folder);
/* Looks whether there are newer files, and answers who waited for them. */
void gateway_ari_tick(struct gateway *g);
/* The exchange has ended. */
void gateway_ari_forget(struct gateway *g, struct gateway_slot *slot);
void gateway_serve_ari(struct gateway *g, struct http_exchange *x);

/* gateway_ocsp.c: OCSP (RFC 6960), out of the publisher's answers. */
void gateway_ocsp_open(struct gateway *g, const char *folder);
void gateway_ocsp_tick(struct gateway *g);
void gateway_serve_ocsp(struct gateway *g, struct http_exchange *x);
lt_res gateway_on_unknown(void *self, const struct ipc_msg *m);
void gateway_ocsp_forget(struct gateway *g, struct gateway_slot *slot);

/* gateway_testing.c: what only the gateway of a test CA does. */
/* A notary's answer is to be kept under this certid. */
#define GATEWAY_TESTING_RENEWAL "lintel-renewal-info"
void gateway_testing_open(struct gateway *g, const Ipc__Start *start);
void gateway_serve_roots(struct gateway *g, struct http_exchange *x);
void gateway_serve_intermediates(struct gateway *g, struct http_exchange *x);
void gateway_serve_no_keys(struct gateway *g, struct http_exchange *x);
/* The answer of a notary was for us, and the client has been answered. */
bool gateway_testing_takes(struct gateway *g, const struct gateway_slot *slot, const Ipc__HttpResponse *m);
/* A question for renewal information was answered with what a test has set. */
bool gateway_testing_renewal(struct gateway *g, struct http_exchange *x);

/* gateway_tls.c */
LT_MUST_USE lt_res gateway_tls_open(struct gateway *g, const Ipc__Start *start);
void gateway_tls_tick(struct gateway *g);
void gateway_tls_reload(struct gateway *g, const char *config_yaml);
lt_res gateway_on_certificate(void *self, const struct ipc_msg *m);

/* gateway_metrics.c */
LT_MUST_USE lt_res gateway_add_board(struct gateway *g, const char *process, int fd);
void gateway_metrics_open(struct gateway *g);
void gateway_metrics_tick(struct gateway *g);
void gateway_count(struct gateway *g, const struct gateway_slot *slot, const struct http_outcome *outcome);
/* GET or HEAD; anything else has been answered. */
bool gateway_only_reads(struct http_exchange *x);
void gateway_serve_metrics(struct gateway *g, struct http_exchange *x);
void gateway_serve_health(struct gateway *g, struct http_exchange *x);

#endif
