#ifndef CMD_BENCH_H
#define CMD_BENCH_H
/* The load generator's parts: bench_acme.c (options, pace, report), bench_client.c (one ACME client),
 * bench_respond.c (http-01 and DNS for its names), bench_stats.c (what took how long). Nobody else includes
 * this. */
#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "crypto/key.h"
#include "http/client.h"

enum {
    BENCH_NAMES_MAX = 16, /* per order */
    BENCH_LEAF_KEYS = 16,
    BENCH_TEXT = 512, /* URLs, nonces */
    BENCH_ERROR_KINDS = 32,
    BENCH_SECONDS_KEPT = 600,
};

enum bench_step {
    BENCH_NEW_ORDER,
    BENCH_AUTHORIZATION, /* one read of it */
    BENCH_CHALLENGE,     /* the answer to "I am ready" */
    BENCH_VALIDATION,    /* from asking for it until the authorization is seen to be valid */
    BENCH_FINALIZE,      /* from the CSR until the order is seen to be valid */
    BENCH_CERTIFICATE,   /* the download */
    BENCH_REQUEST,       /* any signed request, from its sending to its answer */
    BENCH_TOTAL,         /* the whole flow; in an open loop from when it was due */
    BENCH_STEPS,
};

struct bench_samples {
    uint32_t *us; /* owned */
    size_t count;
    size_t size;
};

struct bench_stats {
    struct bench_samples steps[BENCH_STEPS];
    struct {
        char what[96];
        uint64_t count;
    } errors[BENCH_ERROR_KINDS];
    size_t error_kinds;
    uint64_t error_count;
    uint64_t certificates;
    uint64_t bad_nonces;                   /* answered by another try, not errors */
    uint64_t waits;                        /* 429 and 503, likewise */
    uint32_t worst_us[BENCH_SECONDS_KEPT]; /* of flows that ended in that second */
};

struct bench;

/* One ACME account with one connection: register, then flow after flow. */
struct bench_client {
    struct bench *bench;
    unsigned number;
    struct http_client *http;
    struct crypto_key *account;
    char thumbprint[64];
    char kid[BENCH_TEXT];
    char nonce[BENCH_TEXT];
    struct lt_arena arena; /* of one flow */
    struct lt_buf request;
    struct event timer;
    bool busy;
    /* the request under way */
    char url[BENCH_TEXT];
    const char *payload; /* in the arena; NULL: POST-as-GET */
    int64_t sent_us;
    void (*next)(struct bench_client *c, const struct http_reply *reply);
    unsigned tries;
    /* the flow */
    int64_t due_us;
    int64_t step_us;
    uint64_t sequence;
    unsigned polls;
    char order[BENCH_TEXT];
    char finalize[BENCH_TEXT];
    char certificate[BENCH_TEXT];
    char challenge[BENCH_TEXT];
    const char *names[BENCH_NAMES_MAX];
    const char *authorizations[BENCH_NAMES_MAX];
    size_t authorization_count;
    size_t authorization_at;
};

struct bench_options {
    const char *url;
    const char *ca_file;
    const char *suffix;
    uint64_t clients;
    uint64_t seconds;
    uint64_t rate; /* flows a second; 0: closed loop */
    uint64_t http_port;
    uint64_t dns_port; /* 0: none */
    uint64_t names;
};

struct bench {
    struct bench_options options;
    struct event_base *base;
    struct http_origin origin;
    char host[256];
    const char *directory; /* path */
    char new_nonce[BENCH_TEXT];
    char new_account[BENCH_TEXT];
    char new_order[BENCH_TEXT];
    struct bench_client *clients;
    struct crypto_key *leaf_keys[BENCH_LEAF_KEYS];
    char run[12]; /* in every name: no run meets another's authorizations */
    struct bench_stats stats;
    bool measuring;
    size_t ready;  /* accounts */
    size_t failed; /* accounts that could not be made */
    int64_t began_us;
    int64_t end_us;
    uint64_t turn;    /* whose, in an open loop */
    uint64_t begun;   /* flows */
    uint64_t skipped; /* flows that were due while no client was free; they began late */
    char first_error[200];
};

/* bench_stats.c */
void bench_stats_done(struct bench_stats *s);
void bench_sample(struct bench *b, enum bench_step step, int64_t since_us);
void bench_error(struct bench *b, const char *what);
double bench_percentile_ms(struct bench_samples *s, double share);
const char *bench_step_name(enum bench_step step);
void bench_report_text(struct bench *b, double seconds, double cpu_s, struct lt_buf *out);
void bench_report_json(struct bench *b, double seconds, double cpu_s, struct lt_buf *out);

/* bench_client.c */
LT_MUST_USE lt_res bench_client_init(struct bench_client *c, struct bench *b, unsigned number);
void bench_client_done(struct bench_client *c);
/* Ends in bench_account_ready. */
void bench_client_register(struct bench_client *c);
/* Ends in bench_flow_over. */
void bench_client_flow(struct bench_client *c, int64_t due_us);

/* bench_acme.c */
void bench_account_ready(struct bench_client *c, bool good);
void bench_flow_over(struct bench_client *c, bool good);

/* bench_respond.c */
struct bench_responder;
LT_MUST_USE lt_res bench_responder_new(struct bench *b, struct bench_responder **ret_responder);
void bench_responder_free(struct bench_responder *r);

/* bench_dns.c: sans-I/O. The answer to a query for a name below suffix: A is 127.0.0.1, all else is empty.
 * LT_PEER_MALFORMED: no answer at all. */
LT_MUST_USE lt_res bench_dns_answer(lt_slice query, const char *suffix, struct lt_buf *out);

#endif
