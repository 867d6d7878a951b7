/* Two questions for each name; the answer leaves when both have come. */
#include "validate/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>

enum { CLASS_IN = 1, HEADER_LEN = 12, RCODE_NOERROR = 0, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3 };

struct validate_resolver {
    struct event_base *base;         /* borrowed */
    struct ub_ctx *ctx;              /* owned */
    struct validate_lookup *running; /* owned list */
};

struct question {
    struct validate_lookup *lookup;
    uint16_t type;
    int async_id;
    bool open;
    int rcode;
};

struct validate_lookup {
    struct validate_resolver *resolver;
    struct validate_lookup *next;
    struct validate_lookup **back; /* what points to this one */
    struct question questions[2];
    struct validate_answers answers;
    struct validate_address found4[VALIDATE_ADDRESSES_MAX]; /* come behind the IPv6 ones */
    size_t found4_count;
    struct event *deliver; /* owned */
    validate_resolved *done;
    void *self;
};

/* What libunbound must be told; the forwarder and the anchor come on top. */
static const struct {
    const char *option;
    const char *value;
} settings[] = {
    {"do-not-query-localhost:", "no"}, /* a forwarder may be on this machine; root servers never are */
    {"num-queries-per-thread:", "8192"},
    {"outgoing-range:", "8192"},
    {"msg-cache-size:", "4m"},
    {"rrset-cache-size:", "4m"},
    {"cache-max-ttl:", "300"},
    /* A client that has just mended its zone shall not wait for us. */
    {"cache-max-negative-ttl:", "5"},
    {"infra-host-ttl:", "60"},
    {"harden-below-nxdomain:", "yes"},
    {"harden-referral-path:", "no"},
    {"qname-minimisation:", "yes"},
    {"val-clean-additional:", "yes"},
    {"serve-expired:", "no"},
    {"use-syslog:", "no"},
    {"edns-buffer-size:", "1232"},
};

static lt_res configure(struct ub_ctx *ctx, const struct validate_resolver_options *o)
{
    for (size_t i = 0; i < LT_COUNT(settings); i++) {
        int error = ub_ctx_set_option(ctx, settings[i].option, settings[i].value);
        LT_CHECK(error == 0, LT_STATE_IO, "libunbound: %s %s: %s", settings[i].option, settings[i].value,
                 ub_strerror(error));
    }
    if (o->forwarder[0] != '\0') {
        int error = ub_ctx_set_fwd(ctx, o->forwarder);
        LT_CHECK(error == 0, LT_PEER_USAGE, "validation.resolver \"%s\": %s; write ADDRESS@PORT",
                 o->forwarder, ub_strerror(error));
    }
    if (o->anchor[0] != '\0') {
        int error = ub_ctx_add_ta_file(ctx, o->anchor);
        LT_CHECK(error == 0, LT_STATE_IO, "libunbound: trust anchors %s: %s", o->anchor, ub_strerror(error));
    }
    return LT_OK;
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
    *ret_resolver = made;
    return LT_OK;
}

static void free_lookup(struct validate_lookup *l)
{
    *l->back = l->next;
    if (l->next != NULL) {
        l->next->back = l->back;
    }
    event_free(l->deliver);
    free(l);
}

void validate_resolve_drop(struct validate_lookup *l)
{
    for (size_t i = 0; i < LT_COUNT(l->questions); i++) {
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

/* From the loop, when both questions are answered. */
static void deliver(evutil_socket_t fd, short what, void *arg)
{
    struct validate_lookup *l = arg;
    struct validate_answers *a = &l->answers;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < l->found4_count && a->count < VALIDATE_ADDRESSES_MAX; i++) {
        a->list[a->count++] = l->found4[i];
    }
    a->failed = l->questions[0].rcode != RCODE_NOERROR && l->questions[1].rcode != RCODE_NOERROR;
    a->missing = l->questions[0].rcode == RCODE_NXDOMAIN && l->questions[1].rcode == RCODE_NXDOMAIN;
    validate_resolved *done = l->done;
    void *self = l->self;
    struct validate_answers answers = *a;
    free_lookup(l);
    done(self, &answers);
}

static void explain(struct validate_answers *a, const char *why)
{
    if (a->why[0] == '\0' && why != NULL) {
        size_t len = strnlen(why, sizeof a->why - 1);
        memcpy(a->why, why, len);
        a->why[len] = '\0';
    }
}

static void take_dnssec(struct validate_lookup *l, int sec, const char *why_bogus)
{
    struct validate_answers *a = &l->answers;
    enum validate_dnssec now = sec == 2 ? VALIDATE_SECURE : sec == 1 ? VALIDATE_BOGUS : VALIDATE_INSECURE;
    bool second = !l->questions[0].open && !l->questions[1].open;
    if (now == VALIDATE_BOGUS || a->dnssec == VALIDATE_BOGUS) {
        a->dnssec = VALIDATE_BOGUS;
        explain(a, why_bogus);
    } else if (!second || now == VALIDATE_INSECURE) {
        a->dnssec = now;
    }
}

static void take_addresses(struct validate_lookup *l, struct question *q, lt_slice packet)
{
    struct validate_answers *a = &l->answers;
    lt_res r = q->type == VALIDATE_DNS_AAAA
                   ? validate_dns_addresses(packet, q->type, a->list, &a->count)
                   : validate_dns_addresses(packet, q->type, l->found4, &l->found4_count);
    if (lt_failed(r)) {
        q->rcode = RCODE_SERVFAIL;
        explain(a, lt_error_last()->detail);
    }
}

static void answered(void *self, int rcode, void *packet, int packet_len, int sec, char *why_bogus,
                     int was_ratelimited)
{
    struct question *q = self;
    struct validate_lookup *l = q->lookup;
    q->open = false;
    q->rcode = was_ratelimited != 0 ? RCODE_SERVFAIL : rcode;
    if (q->rcode == RCODE_NOERROR) {
        /* rcode tells of libunbound's own failures; what the servers said stands in the message. */
        q->rcode = packet_len < HEADER_LEN ? RCODE_SERVFAIL : ((const uint8_t *)packet)[3] & 15;
    }
    take_dnssec(l, sec, why_bogus);
    /*= CABF-BR 3.2.2.8.1 "errors observed by the Primary Network Perspective (e.g., SERVFAIL) MUST NOT" */
    if (q->rcode == RCODE_NOERROR && sec != 1) {
        take_addresses(l, q, LT_SLICE(packet, (size_t)packet_len));
    } else if (sec == 1) {
        q->rcode = RCODE_SERVFAIL;
    }
    if (!l->questions[0].open && !l->questions[1].open) {
        event_active(l->deliver, EV_TIMEOUT, 0);
    }
}

lt_res validate_resolve(struct validate_resolver *r, const char *name, validate_resolved *done, void *self,
                        struct validate_lookup **ret_lookup)
{
    static const uint16_t types[2] = {VALIDATE_DNS_AAAA, VALIDATE_DNS_A};
    struct validate_lookup *l = calloc(1, sizeof *l);
    LT_ASSERT(l != NULL);
    l->resolver = r;
    l->done = done;
    l->self = self;
    l->deliver = event_new(r->base, -1, 0, deliver, l);
    LT_ASSERT(l->deliver != NULL);
    l->next = r->running;
    l->back = &r->running;
    if (l->next != NULL) {
        l->next->back = &l->next;
    }
    r->running = l;
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        l->questions[i] = (struct question){.lookup = l, .type = types[i], .open = true};
    }
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        struct question *q = &l->questions[i];
        int error = ub_resolve_event(r->ctx, name, q->type, CLASS_IN, q, answered, &q->async_id);
        if (error != 0) {
            q->open = false;
            validate_resolve_drop(l);
            LT_FAIL(LT_RETRY_UNAVAILABLE, "libunbound: %s", ub_strerror(error));
        }
    }
    *ret_lookup = l;
    return LT_OK;
}
