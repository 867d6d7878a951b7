#ifndef VALIDATE_ENGINE_H
#define VALIDATE_ENGINE_H
/* Shared by engine.c (who runs, who waits, the statement) and http01.c (the steps of one validation). */
#include "base/arena.h"
#include "validate/conn.h"
#include "validate/http_reply.h"
#include "validate/resolve.h"
#include "validate/url.h"
#include "validate/validate.h"

enum { VALIDATE_REDIRECTS_MAX = 10, VALIDATE_CANDIDATES_MAX = 3, VALIDATE_SEEN_MAX = 32 };

struct validate_job {
    struct validate_engine *engine;
    struct validate_job *next; /* running or waiting */
    struct validate_job **back;
    uint64_t id;
    struct lt_arena arena;          /* the request's copy and the statement's parts */
    const Ipc__Validate *request;   /* in arena */
    Ipc__Validated statement;       /* filled on the way; strings in arena */
    struct event *timer;            /* owned: total time; also the deferred end */
    bool ended;                     /* the statement is complete; the timer delivers it */
    struct validate_lookup *lookup; /* running; NULL: none */
    struct validate_conn *conn;     /* owned; NULL: none */
    struct validate_http http;
    bool http_open;
    struct validate_url url;
    const char *visited[VALIDATE_REDIRECTS_MAX + 1];
    size_t visited_count;
    struct validate_address candidates[VALIDATE_CANDIDATES_MAX];
    size_t candidate_count;
    size_t candidate; /* the one being tried */
};

/* http01.c: begins with the URL of the challenge. */
void validate_http01_begin(struct validate_job *j);
/* Drops look-up and connection. */
void validate_http01_stop(struct validate_job *j);
/* The words for a total time-out, depending on how far it got. */
void validate_http01_timed_out(struct validate_job *j);

/* engine.c: ends a job with a problem, or with success (type NULL). The answer leaves from the loop. */
void validate_job_end(struct validate_job *j, const char *type, const char *format, ...) LT_PRINTF(3, 4);

struct validate_engine {
    struct event_base *base; /* borrowed */
    struct validate_options options;
    char build[64];
    char perspective[64];
    char resolver_name[128];
    struct validate_resolver *resolver; /* owned */
    SSL_CTX *tls;                       /* owned */
    validate_answer *answer;
    void *self;
    struct validate_job *running; /* owned list */
    struct validate_job *waiting; /* owned queue */
    struct validate_job **waiting_last;
    size_t running_count;
    size_t waiting_count;
};

#endif
