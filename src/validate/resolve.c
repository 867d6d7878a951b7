/* One question, or the pair for addresses; the answer leaves when all have come. */
#include "validate/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>

enum {
    CLASS_IN = 1,
    HEADER_LEN = 12,
    PACKET_MAX = 65535,
    QUESTIONS_MAX = 2,
    RCODE_NOERROR = 0,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3
};

struct validate_resolver {
    struct event_base *base; /* borrowed */
    struct ub_ctx *ctx;      /* owned */
    bool validates;
    struct validate_lookup *running; /* owned list */
};

struct question {
    struct validate_lookup *lookup;
    uint16_t type;
    int async_id;
    bool open;
    struct validate_dns_message message;
    uint8_t *packet; /* owned; message borrows from it */
};

struct validate_lookup {
    struct validate_resolver *resolver;
    struct validate_lookup *next;
    struct validate_lookup **back; /* what points to this one */
    char name[VALIDATE_DNS_NAME + 2];
    struct question questions[QUESTIONS_MAX];
    struct validate_dns answers[QUESTIONS_MAX];
    size_t count;
    struct event *deliver; /* owned */
    validate_asked *done;
    void *self;
};

static const char *const dnssec_words[] = {
    [VALIDATE_INSECURE] = "insecure",
    [VALIDATE_BOGUS] = "bogus",
    [VALIDATE_SECURE] = "secure",
};

const char *validate_dnssec_word(enum validate_dnssec d)
{
    return dnssec_words[d];
}

/* What libunbound must be told; the forwarder and the anchor come on top. */
static const struct {
    const char *option;
    const char *value;
} settings[] = {
    {"num-queries-per-thread:", "4096"},
    {"outgoing-range:", "1024"},
    {"msg-cache-size:", "4m"},
    {"rrset-cache-size:", "4m"},
    {"cache-max-ttl:", "300"},
    /* A client that has just mended its zone shall not wait for us. */
    {"cache-max-negative-ttl:", "5"},
    {"infra-host-ttl:", "60"},
    {"harden-below-nxdomain:", "yes"},
    {"harden-referral-path:", "no"},
    /* It counts aliases only when they answer the real question: a minimised one follows them without end,
     * five thousand questions to a stranger's servers for one of ours (libunbound 1.17.1). */
    {"qname-minimisation:", "no"},
    {"val-clean-additional:", "yes"},
    {"serve-expired:", "no"},
    {"use-syslog:", "no"},
    {"edns-buffer-size:", "1232"},
};

/* Each line that holds a record. They are given as text: when there is no file to be read, no door has to
 * stay open for it. */
static lt_res add_anchors(struct ub_ctx *ctx, const char *text)
{
    lt_slice rest = lt_slice_cstr(text);
    lt_slice line;
    while (lt_slice_split(&rest, '\n', &line)) {
        char copy[2048];
        LT_CHECK(line.len < sizeof copy, LT_PEER_USAGE, "a trust anchor of %zu bytes", line.len);
        if (line.len == 0 || line.ptr[0] == ';') {
            continue;
        }
        memcpy(copy, line.ptr, line.len);
        copy[line.len] = '\0';
        int error = ub_ctx_add_ta(ctx, copy);
        LT_CHECK(error == 0, LT_PEER_USAGE, "trust anchor \"%s\": %s", copy, ub_strerror(error));
    }
    return LT_OK;
}

static lt_res configure(struct ub_ctx *ctx, const struct validate_resolver_options *o)
{
    for (size_t i = 0; i < LT_COUNT(settings); i++) {
        int error = ub_ctx_set_option(ctx, settings[i].option, settings[i].value);
        LT_CHECK(error == 0, LT_STATE_IO, "libunbound: %s %s: %s", settings[i].option, settings[i].value,
                 ub_strerror(error));
    }
    if (o->forwarder[0] != '\0') {
        /* It may be on this machine; what a stranger's delegation names never is. */
        (void)ub_ctx_set_option(ctx, "do-not-query-localhost:", "no"); /* of the options that there are */
        int error = ub_ctx_set_fwd(ctx, o->forwarder);
        LT_CHECK(error == 0, LT_PEER_USAGE, "validation.resolver \"%s\": %s; write ADDRESS@PORT",
                 o->forwarder, ub_strerror(error));
    }
    return add_anchors(ctx, o->anchor);
}

static void ignore(void *self, int rcode, void *packet, int packet_len, int sec, char *why_bogus,
                   int was_ratelimited)
{
    (void)self;
    (void)rcode;
    (void)packet;
    (void)packet_len;
    (void)sec;
    (void)why_bogus;
    (void)was_ratelimited;
}

lt_res validate_resolver_new(struct event_base *base, const struct validate_resolver_options *options,
                             struct validate_resolver **ret_resolver)
{
    struct ub_ctx *ctx = ub_ctx_create_event(base);
    LT_CHECK(ctx != NULL, LT_STATE_IO, "libunbound does not start");
    lt_res r = configure(ctx, options);
    if (!lt_failed(r)) {
        /* The first question makes libunbound read its files: it must be now, before the doors close. The
         * name is answered from its own tables. */
        char localhost[] = "localhost.";
        int id = 0;
        int error = ub_resolve_event(ctx, localhost, VALIDATE_DNS_A, CLASS_IN, NULL, ignore, &id);
        if (error != 0) {
            r = lt_fail(LT_STATE_IO, __FILE__, __LINE__, "libunbound: %s", ub_strerror(error));
        }
    }
    if (lt_failed(r)) {
        ub_ctx_delete(ctx);
        return r;
    }
    struct validate_resolver *made = calloc(1, sizeof *made);
    LT_ASSERT(made != NULL);
    made->base = base;
    made->ctx = ctx;
    made->validates = options->anchor[0] != '\0';
    *ret_resolver = made;
    return LT_OK;
}

static void free_lookup(struct validate_lookup *l)
{
    *l->back = l->next;
    if (l->next != NULL) {
        l->next->back = l->back;
    }
    for (size_t i = 0; i < l->count; i++) {
        free(l->questions[i].packet);
    }
    event_free(l->deliver);
    free(l);
}

void validate_resolve_drop(struct validate_lookup *l)
{
    if (l == NULL) {
        return;
    }
    for (size_t i = 0; i < l->count; i++) {
        if (l->questions[i].open) {
            (void)ub_cancel(l->resolver->ctx, l->questions[i].async_id); /* already answered is fine */
        }
    }
    free_lookup(l);
}

void validate_resolver_free(struct validate_resolver *r)
{
    if (r == NULL) {
        return;
    }
    while (r->running != NULL) {
        validate_resolve_drop(r->running);
    }
    ub_ctx_delete(r->ctx);
    free(r);
}

/* From the loop, when all questions are answered. */
static void deliver(evutil_socket_t fd, short what, void *arg)
{
    struct validate_lookup *l = arg;
    (void)fd;
    (void)what;
    /* Out of the list first: the one who is told may drop the resolver's other look-ups, but not this one. */
    *l->back = l->next;
    if (l->next != NULL) {
        l->next->back = l->back;
    }
    l->next = NULL;
    l->back = &l->next;
    l->done(l->self, l->answers, l->count);
    free_lookup(l);
}

static void explain(struct validate_dns *d, const char *why)
{
    if (d->why[0] == '\0' && why != NULL) {
        (void)snprintf(d->why, sizeof d->why, "%s", why); /* cut is fine */
    }
}

static void set_dnssec(struct validate_dns *d, const struct validate_resolver *r, int sec,
                       const char *why_bogus)
{
    d->dnssec = sec == 2 ? VALIDATE_SECURE : sec == 1 ? VALIDATE_BOGUS : VALIDATE_INSECURE;
    if (d->dnssec == VALIDATE_BOGUS) {
        explain(d, why_bogus);
    } else if (!r->validates) {
        explain(d, "no trust anchor is configured: nothing was proven");
    }
}

/* What the servers said; libunbound's own failures come as rcode. */
static void read_message(struct question *q, struct validate_dns *d, const void *packet, size_t len)
{
    static const char *const rcodes[16] = {
        [1] = "FORMERR", [2] = "SERVFAIL", [4] = "NOTIMP", [5] = "REFUSED"};
    q->packet = malloc(len);
    LT_ASSERT(q->packet != NULL);
    memcpy(q->packet, packet, len);
    if (lt_failed(validate_dns_read(LT_SLICE(q->packet, len), d->name, d->type, &q->message))) {
        q->message.count = 0;
        explain(d, lt_error_last()->detail);
        return;
    }
    if (q->message.rcode == RCODE_NXDOMAIN) {
        d->outcome = VALIDATE_DNS_MISSING;
    } else if (q->message.rcode == RCODE_NOERROR) {
        d->outcome = q->message.count > 0 ? VALIDATE_DNS_FOUND : VALIDATE_DNS_NODATA;
    } else {
        explain(d, rcodes[q->message.rcode]);
    }
}

static void answered(void *self, int rcode, void *packet, int packet_len, int sec, char *why_bogus,
                     int was_ratelimited)
{
    struct question *q = self;
    struct validate_lookup *l = q->lookup;
    struct validate_dns *d = &l->answers[q - l->questions];
    q->open = false;
    d->outcome = VALIDATE_DNS_FAILED;
    set_dnssec(d, l->resolver, sec, why_bogus);
    /*= CABF-BR 3.2.2.8.1 "errors observed by the Primary Network Perspective (e.g., SERVFAIL) MUST NOT be
     * treated as permission to issue." */
    if (d->dnssec != VALIDATE_BOGUS && was_ratelimited == 0) {
        if (rcode == RCODE_NOERROR && packet_len >= HEADER_LEN && packet_len <= PACKET_MAX) {
            read_message(q, d, packet, (size_t)packet_len);
        } else {
            d->why[0] = '\0';
            explain(d, rcode == RCODE_SERVFAIL ? "SERVFAIL" : "no server gave an answer");
        }
    }
    if (!l->questions[0].open && !l->questions[l->count - 1].open) {
        event_active(l->deliver, EV_TIMEOUT, 0);
    }
}

static struct validate_lookup *new_lookup(struct validate_resolver *r, const char *name,
                                          const uint16_t *types, size_t count)
{
    struct validate_lookup *l = calloc(1, sizeof *l);
    LT_ASSERT(l != NULL);
    l->resolver = r;
    (void)snprintf(l->name, sizeof l->name, "%s", name); /* its length was looked at */
    l->deliver = event_new(r->base, -1, 0, deliver, l);
    LT_ASSERT(l->deliver != NULL);
    l->next = r->running;
    l->back = &r->running;
    if (l->next != NULL) {
        l->next->back = &l->next;
    }
    r->running = l;
    l->count = count;
    for (size_t i = 0; i < count; i++) {
        struct question *q = &l->questions[i];
        q->lookup = l;
        q->type = types[i];
        q->open = true;
        q->message.chain_count = 1;
        (void)snprintf(q->message.chain[0], sizeof q->message.chain[0], "%s", name); /* as above */
        l->answers[i] = (struct validate_dns){.name = l->name, .type = types[i], .message = &q->message};
    }
    return l;
}

static lt_res ask(struct validate_resolver *r, const char *name, const uint16_t *types, size_t count,
                  struct validate_lookup **ret_lookup)
{
    LT_CHECK(strlen(name) < VALIDATE_DNS_NAME, LT_PEER_MALFORMED, "the name is too long for the DNS");
    struct validate_lookup *l = new_lookup(r, name, types, count);
    for (size_t i = 0; i < count; i++) {
        struct question *q = &l->questions[i];
        int error = ub_resolve_event(r->ctx, l->name, q->type, CLASS_IN, q, answered, &q->async_id);
        if (error != 0) {
            q->open = false;
            validate_resolve_drop(l);
            LT_FAIL(LT_RETRY_UNAVAILABLE, "libunbound: %s", ub_strerror(error));
        }
    }
    *ret_lookup = l;
    return LT_OK;
}

lt_res validate_ask(struct validate_resolver *r, const char *name, uint16_t type, validate_asked *done,
                    void *self, struct validate_lookup **ret_lookup)
{
    LT_TRY(ask(r, name, &type, 1, ret_lookup));
    (*ret_lookup)->done = done;
    (*ret_lookup)->self = self;
    return LT_OK;
}

lt_res validate_ask_addresses(struct validate_resolver *r, const char *name, validate_asked *done, void *self,
                              struct validate_lookup **ret_lookup)
{
    static const uint16_t types[QUESTIONS_MAX] = {VALIDATE_DNS_AAAA, VALIDATE_DNS_A};
    LT_TRY(ask(r, name, types, QUESTIONS_MAX, ret_lookup));
    (*ret_lookup)->done = done;
    (*ret_lookup)->self = self;
    return LT_OK;
}
