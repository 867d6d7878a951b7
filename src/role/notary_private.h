#ifndef ROLE_NOTARY_PRIVATE_H
#define ROLE_NOTARY_PRIVATE_H
/* Inside the notary: notary_core.c has the table and the ends of a request, notary_acme.c and notary_api.c
 * what happens between. */
#include "pages.pb-c.h"
#include "role/notary_core.h"
#include "role/notary_keys.h"

/* For whom a request waits. */
enum { NOTARY_PUBLIC_PAGES = 5 };

enum notary_wait {
    NOTARY_FREE,
    NOTARY_KEY,      /* registrar: whose key is it */
    NOTARY_CALL,     /* registrar: what is decided */
    NOTARY_NONCE,    /* registrar: a nonce for our own answer */
    NOTARY_OPERATOR, /* registrar: what is decided for an operator */
    NOTARY_QUERY,    /* reader */
    NOTARY_SERVICE,  /* registrar: the gateway's certificate */
    NOTARY_PAGE,     /* registrar: what a page says */
};

/* What is asked of a neighbour, and how long. */
struct notary_question {
    enum ipc_type type;
    enum notary_wait wait;
    const ProtobufCMessage *body;
};

struct notary_request { /* a slot of the table; everything it points to lives in its arena */
    enum notary_wait wait;
    bool is_api;
    bool is_page;
    bool page_json;         /* a program asks: it gets the words of the page as JSON */
    bool is_affected;       /* a look-up: the reader's answer becomes a page */
    bool affected_asked;    /* for something */
    bool affected_form;     /* at the path that has the form */
    bool affected_incident; /* one of them is wanted, and no certificate */
    bool affected_json;
    size_t public_page; /* notary_public.c: which one, from 1; 0: none of them */
    bool streaming;     /* the head of the answer is out */
    bool key_is_fresh;  /* the key was looked up for this request */
    bool retried;       /* the registrar called the key stale once */
    bool head;          /* HEAD */
    uint32_t generation;
    struct ipc_addr client;
    int64_t deadline_ms;
    bool console;              /* by the operator's listener: whoever it is has a session, or wants one */
    bool secure;               /* by TLS */
    lt_slice client_spki;      /* SHA-256 of the client certificate's key; empty: none */
    Ipc__SessionWanted *login; /* what logs somebody in; else NULL */
    lt_slice raw;              /* the JWS as sent */
    char *remote_address;
    char *user_agent;
    uint32_t peer_uid;
    struct wire_target target;
    struct ca_api_target api;
    bool is_status;             /* test CAs: the status of a certificate is wanted */
    const char *renewal_certid; /* test CAs: renewal_text is to be set for it; else NULL */
    lt_slice renewal_text;
    struct jws jws;
    lt_slice kid;          /* as the registrar knows it: decimal, "operator:NAME", "session:ID" */
    int64_t account_id;    /* 0: signed with its jwk */
    char *nonce;           /* for the call; the registrar's own after a stale key */
    Ipc__Problem *problem; /* waits for a nonce */
    struct notary_request *next_free;
    struct lt_arena arena;
};

struct notary_nonce {
    char text[NOTARY_NONCE_SIZE];
    int64_t since_ms;
};

struct notary {
    struct notary_ports ports;
    struct notary_options options;
    struct notary_keys *keys;
    struct notary_request *requests; /* NOTARY_IN_FLIGHT_MAX, made at once, touched as needed */
    struct notary_request *free;     /* used before */
    uint32_t touched;                /* slots that were ever used */
    size_t in_flight;
    int64_t now_ms;
    struct notary_nonce nonces[NOTARY_NONCES_MAX];
    size_t nonce_count;
    bool nonces_asked;
    size_t nonce_waiters;
    struct lt_buf body;     /* of the answer being written */
    struct lt_buf known;    /* notary_public.c: what the reader said last */
    int64_t known_ms;       /* when; 0: it has said nothing */
    int64_t known_asked_ms; /* when it was asked last, and has not answered; 0: it has */
    struct lt_buf known_pages[NOTARY_PUBLIC_PAGES]; /* what was written of that; empty: nothing yet */
    struct lt_arena answer;                         /* its headers */
};

/* The slot that an answer is for, NULL when it is given up or waits for something else. */
struct notary_request *notary_waiting(struct notary *n, uint64_t id, enum notary_wait wait);
uint64_t notary_id(const struct notary *n, const struct notary_request *q);
/* Sends and waits; when the neighbour is away the request ends with 503. */
LT_MUST_USE lt_res notary_ask(struct notary *n, struct notary_request *q, enum ipc_role to,
                              const struct notary_question *question);

/* Ends. All give the slot back. */
LT_MUST_USE lt_res notary_answer(struct notary *n, struct notary_request *q, const Ipc__HttpResponse *answer);
/* With a nonce of ours (ACME, and the API where one was asked for), which may have to be fetched first. */
LT_MUST_USE lt_res notary_refuse(struct notary *n, struct notary_request *q, Ipc__Problem *problem);
/* 503: without any nonce. */
LT_MUST_USE lt_res notary_unavailable(struct notary *n, struct notary_request *q, const char *why);
/* The nonce itself, or the problem in q->problem with one; waits when the pool is empty. */
LT_MUST_USE lt_res notary_give_nonce(struct notary *n, struct notary_request *q);
/* Forgets the key of q->kid and asks for it again. */
LT_MUST_USE lt_res notary_forget_key(struct notary *n, struct notary_request *q);
LT_MUST_USE lt_res notary_service_refuse(struct notary *n, struct notary_request *q, const char *why);
/* A free slot, NULL when all are taken. */
struct notary_request *notary_take(struct notary *n, const struct ipc_addr *client);
void notary_release(struct notary *n, struct notary_request *q);

/* A nonce of the pool, NULL when there is none: then more are on their way. */
const char *notary_take_nonce(struct notary *n);

/* Begin. */
LT_MUST_USE lt_res notary_acme_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m);
LT_MUST_USE lt_res notary_api_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m);
LT_MUST_USE lt_res notary_page_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m);
/* A page in the place of a problem document. */
LT_MUST_USE lt_res notary_page_refuse(struct notary *n, struct notary_request *q, uint32_t status,
                                      const char *why);
LT_MUST_USE lt_res notary_page_answer(struct notary *n, struct notary_request *q, const Ipc__PageReply *page);
/* The head of a page that is written by hand: what browsers may do with it, and how long they may keep it. */
#define NOTARY_HTML "text/html; charset=utf-8"
void notary_page_head(struct notary *n, struct wire_answer *w, const char *cache);
/* notary_public.c: pages for anybody, of what the reader says of the whole. */
bool notary_public_is(lt_slice path);
LT_MUST_USE lt_res notary_public_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m);
LT_MUST_USE lt_res notary_public_reply(struct notary *n, struct notary_request *q,
                                       const Ipc__QueryReply *reply);
/* notary_affected.c: look-ups of incidents' lists, for anybody. */
bool notary_affected_is(lt_slice path);
LT_MUST_USE lt_res notary_affected_begin(struct notary *n, struct notary_request *q,
                                         const Ipc__HttpRequest *m);
LT_MUST_USE lt_res notary_affected_reply(struct notary *n, struct notary_request *q,
                                         const Ipc__QueryReply *reply);
/* notary_testing.c: what only test CAs have. */
#define NOTARY_TESTING_RENEWAL "lintel-renewal-info" /* to the gateway: keep the body under this certid */
/* The path that is meant: /dir is the directory. */
lt_slice notary_testing_path(const struct notary *n, const char *path);
LT_MUST_USE lt_res notary_testing_begin(struct notary *n, struct notary_request *q,
                                        const Ipc__HttpRequest *m);
/* Is the reader's answer for one of these? */
bool notary_testing_awaits(const struct notary_request *q);
LT_MUST_USE lt_res notary_testing_reply(struct notary *n, struct notary_request *q,
                                        const Ipc__QueryReply *reply);
/* The key is there (NULL: the jwk of the request). */
LT_MUST_USE lt_res notary_acme_verified(struct notary *n, struct notary_request *q,
                                        const struct notary_key *key);
LT_MUST_USE lt_res notary_api_verified(struct notary *n, struct notary_request *q,
                                       const struct notary_key *key);
/* notary_login.c: sessions and passkeys. */
LT_MUST_USE lt_res notary_login_begin(struct notary *n, struct notary_request *q, const Ipc__HttpRequest *m);
/* The registrar has said whose passkey it is. */
LT_MUST_USE lt_res notary_login_key(struct notary *n, struct notary_request *q, const Ipc__KeyAnswer *answer);
/* Refuses a request of the API for a failure of form. */
LT_MUST_USE lt_res notary_api_refuse(struct notary *n, struct notary_request *q, lt_res failure);
/* Asks the registrar for the key of q->kid. */
LT_MUST_USE lt_res notary_ask_key(struct notary *n, struct notary_request *q);
/* Looks the key of q->kid up, verifies, and goes on with one of the two above. */
LT_MUST_USE lt_res notary_find_key(struct notary *n, struct notary_request *q);

#endif
