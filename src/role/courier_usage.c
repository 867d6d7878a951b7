/* In-use scans: a queue, a bucket of connections, look-ups and looks under way, and what they showed. */
#include "role/courier_usage.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/slice.h"
#include "crypto/digest.h"
#include "http/peek.h"
#include "role/usage_targets.h"
#include "x509/cert.h"
#include "x509/dnsname.h"

enum {
    QUEUE_MAX = 16384, /* more than the registrar has under way */
    GATHER_MAX = 64,   /* sights of a message */
    PUMP_MS = 10,
    PARK_MAX = 64, /* looks that one round may put off */
    AT_ADDRESS_MAX = 4,
    ADDRESSES = 4096, /* counters: two addresses in one only share its limit */
    NAME_MAX_LEN = 253,
    DETAIL_MAX = 208,
    SERIAL_MAX = 20,
    RESOLVER_MAX = 64,
    TOKEN = 1000, /* thousandths of a connection */
    BURST_MS = 100,
    DNS_TRIES = 3,
    DNS_SILENT_MAX = 24, /* look-ups in a row: it is the resolver, and no scan goes on without it */
    CERT_ARENA_MAX = X509_CERT_DECODED_BYTES * 2,
};

struct look {
    struct courier_usage *c;
    struct look *next; /* in the queue */
    int64_t scan;
    uint64_t page;
    char stored[NAME_MAX_LEN + 1]; /* as in the book */
    char name[NAME_MAX_LEN + 1];   /* forwards; an address as it is */
    bool is_address;               /* the name */
    bool found;                    /* the address is known */
    bool chosen;                   /* by usage/targets: whatever network it is in */
    bool private_too;
    int timeout_ms;
    unsigned dns_tries;
    struct validate_address address;
    uint16_t port;
    uint16_t port_to;             /* where it connects; usage/targets may say another */
    struct evdns_request *asking; /* not owned: gone with its answer */
    struct http_peek *peek;       /* owned while under way */
};

struct sight { /* until it is told */
    uint64_t page;
    uint16_t port;
    char name[NAME_MAX_LEN + 1];
    const char *outcome;
    char address[VALIDATE_ADDRESS_TEXT];
    uint8_t sha256[CRYPTO_SHA256_LEN];
    bool served;
    uint8_t issuer_sha256[CRYPTO_SHA256_LEN];
    uint8_t serial[SERIAL_MAX];
    size_t serial_len; /* 0: it could not be read */
    int64_t not_after_us;
    char detail[DETAIL_MAX];
};

struct courier_usage {
    struct event_base *base;     /* borrowed */
    struct evdns_base *dns;      /* owned; NULL until the first look-up */
    char resolver[RESOLVER_MAX]; /* that it asks; "": the machine's */
    struct ssl_ctx_st *tls;      /* owned */
    struct event *timer;         /* owned: rounds, while something waits */
    struct usage_targets targets;
    char broken[201];   /* why they cannot be read; "": they can */
    struct look *queue; /* owned */
    struct look **last;
    size_t waiting;
    size_t open;
    unsigned dns_silent; /* look-ups since the resolver last answered */
    int64_t given_up;    /* the scan that it was silent for */
    uint32_t rate;
    uint32_t concurrency;
    int64_t tokens; /* thousandths */
    int64_t filled_ms;
    uint8_t at_address[ADDRESSES];
    struct sight seen[GATHER_MAX];
    size_t seen_count;
    int64_t seen_scan;
    courier_usage_told *told;
    void *self;
};

static void pump(struct courier_usage *c);

/* ---- telling ---- */

static void fill(const struct sight *s, Ipc__UsageSight *m)
{
    ipc__usage_sight__init(m);
    m->page = s->page;
    m->name = (char *)(uintptr_t)s->name; /* packed, not kept; all below as well */
    m->port = s->port;
    m->outcome = (char *)(uintptr_t)s->outcome;
    m->address = (char *)(uintptr_t)s->address;
    m->detail = (char *)(uintptr_t)s->detail;
    if (s->served) {
        m->sha256 = (ProtobufCBinaryData){sizeof s->sha256, (uint8_t *)(uintptr_t)s->sha256};
    }
    if (s->serial_len > 0) {
        m->issuer_sha256 = (ProtobufCBinaryData){sizeof s->issuer_sha256,
                                                 (uint8_t *)(uintptr_t)s->issuer_sha256};
        m->serial = (ProtobufCBinaryData){s->serial_len, (uint8_t *)(uintptr_t)s->serial};
        m->not_after_us = s->not_after_us;
    }
}

static void flush(struct courier_usage *c)
{
    Ipc__UsageSight sights[GATHER_MAX];
    Ipc__UsageSight *list[GATHER_MAX];
    Ipc__UsageSeen m = IPC__USAGE_SEEN__INIT;
    if (c->seen_count == 0) {
        return;
    }
    for (size_t i = 0; i < c->seen_count; i++) {
        fill(&c->seen[i], &sights[i]);
        list[i] = &sights[i];
    }
    m.scan = c->seen_scan;
    m.sights = list;
    m.n_sights = c->seen_count;
    c->seen_count = 0;
    c->told(c->self, &m);
}

static struct sight *new_sight(struct courier_usage *c, const struct look *l, const char *outcome)
{
    if (c->seen_count == GATHER_MAX || (c->seen_count > 0 && c->seen_scan != l->scan)) {
        flush(c);
    }
    c->seen_scan = l->scan;
    struct sight *s = &c->seen[c->seen_count++];
    *s = (struct sight){.page = l->page, .port = l->port, .outcome = outcome};
    (void)snprintf(s->name, sizeof s->name, "%s", l->stored); /* fits */
    if (l->found) {
        validate_address_print(&l->address, s->address);
    }
    return s;
}

static void tell(struct courier_usage *c, struct look *l, const char *outcome, const char *why)
{
    struct sight *s = new_sight(c, l, outcome);
    (void)snprintf(s->detail, sizeof s->detail, "%s", why); /* cut is fine */
    free(l);
}

/* ---- what was shown ---- */

/* Any bytes may stand in a name; the book takes text. */
static void keep_printable(lt_slice text, char kept[DETAIL_MAX])
{
    size_t len = text.len < DETAIL_MAX ? text.len : DETAIL_MAX - 1;
    for (size_t i = 0; i < len; i++) {
        kept[i] = (char)(text.ptr[i] < 0x20 || text.ptr[i] > 0x7e ? '?' : text.ptr[i]);
    }
    kept[len] = '\0';
}

/* Foreign bytes: what cannot be read is still known by its hash. */
static void read_certificate(lt_slice der, struct sight *s)
{
    struct lt_arena a;
    struct x509_cert cert;
    lt_arena_init(&a, CERT_ARENA_MAX);
    if (der.len > X509_CERT_MAX_BYTES || lt_failed(x509_cert_parse(der, &a, &cert))) {
        keep_printable(lt_slice_cstr(lt_error_last()->detail), s->detail);
        lt_arena_done(&a);
        return;
    }
    lt_slice serial = x509_serial_magnitude(cert.serial);
    if (serial.len > 0 && serial.len <= sizeof s->serial) {
        memcpy(s->serial, serial.ptr, serial.len);
        s->serial_len = serial.len;
        s->not_after_us = cert.not_after.us;
        crypto_sha256(cert.issuer.der, s->issuer_sha256);
    }
    struct lt_buf text;
    lt_buf_init(&text, DETAIL_MAX * 8);
    x509_name_text(&cert.issuer, &text);
    keep_printable(lt_buf_slice(&text), s->detail);
    lt_buf_done(&text);
    lt_arena_done(&a);
}

static size_t counter_of(const struct validate_address *a)
{
    uint32_t h = 2166136261U; /* FNV-1a: only spreads */
    for (size_t i = 0; i < (a->v6 ? 16U : 4U); i++) {
        h = (h ^ a->bytes[i]) * 16777619U;
    }
    return h % ADDRESSES;
}

static void on_peeked(void *arg, enum http_peek_outcome outcome, lt_slice der, const char *why)
{
    struct look *l = arg;
    struct courier_usage *c = l->c;
    c->open--;
    c->at_address[counter_of(&l->address)]--;
    if (outcome != HTTP_PEEK_SERVED) {
        tell(c, l, http_peek_word(outcome), why);
    } else {
        struct sight *s = new_sight(c, l, http_peek_word(outcome));
        s->served = true;
        crypto_sha256(der, s->sha256);
        read_certificate(der, s);
        free(l);
    }
    if (c->seen_count == GATHER_MAX) {
        flush(c);
    }
    pump(c);
}

/* ---- the queue ---- */

static void enqueue(struct courier_usage *c, struct look *l)
{
    l->next = NULL;
    *c->last = l;
    c->last = &l->next;
    c->waiting++;
}

static struct look *dequeue(struct courier_usage *c)
{
    struct look *l = c->queue;
    c->queue = l->next;
    c->last = c->queue == NULL ? &c->queue : c->last;
    c->waiting--;
    l->next = NULL;
    return l;
}

static void connect_to(struct courier_usage *c, struct look *l)
{
    struct http_peek_options o = {
        .base = c->base, .tls = c->tls, .name = l->is_address ? NULL : l->name, .timeout_ms = l->timeout_ms};
    o.address_len = validate_address_sockaddr(&l->address, l->port_to, &o.address);
    c->open++;
    c->tokens -= TOKEN;
    c->at_address[counter_of(&l->address)]++;
    l->peek = http_peek_new(&o, on_peeked, l);
}

/* ---- names ---- */

static void on_found(int result, char type, int count, int ttl, void *addresses, void *arg);

/* "127.0.0.1@8053" as libevent has it: "127.0.0.1:8053", "[::1]:53". */
static bool add_resolver(struct evdns_base *dns, const char *resolver)
{
    char text[RESOLVER_MAX + 4];
    lt_slice whole = lt_slice_cstr(resolver);
    lt_slice address = lt_slice_sub(whole, 0, lt_slice_find(whole, '@'));
    lt_slice port = lt_slice_sub(whole, address.len + 1, SIZE_MAX);
    bool v6 = lt_slice_find(address, ':') < address.len;
    (void)snprintf(text, sizeof text, v6 ? "[%.*s]:%.*s" : "%.*s:%.*s", LT_FMT(address),
                   port.len == 0 ? 2 : (int)port.len,
                   port.len == 0 ? "53" : (const char *)port.ptr); /* fits */
    return evdns_base_nameserver_ip_add(dns, text) == 0;
}

static bool open_dns(struct courier_usage *c)
{
    if (c->dns != NULL) {
        return true;
    }
    c->dns = evdns_base_new(c->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    bool fine = c->dns != NULL &&
                (c->resolver[0] != '\0'
                     ? add_resolver(c->dns, c->resolver)
                     : evdns_base_resolv_conf_parse(c->dns, DNS_OPTION_NAMESERVERS, "/etc/resolv.conf") == 0);
    if (!fine) {
        if (c->dns != NULL) {
            evdns_base_free(c->dns, 0);
        }
        c->dns = NULL;
        return false;
    }
    (void)evdns_base_set_option(c->dns, "timeout:", "3"); /* each is a word that it knows */
    (void)evdns_base_set_option(c->dns, "attempts:", "2");
    (void)evdns_base_set_option(c->dns, "max-inflight:", "512");
    return true;
}

static bool ask_dns(struct courier_usage *c, struct look *l, bool v6)
{
    if (!open_dns(c)) {
        return false;
    }
    l->asking = v6 ? evdns_base_resolve_ipv6(c->dns, l->name, DNS_QUERY_NO_SEARCH, on_found, l)
                   : evdns_base_resolve_ipv4(c->dns, l->name, DNS_QUERY_NO_SEARCH, on_found, l);
    return l->asking != NULL;
}

/* The resolver's silence says nothing of a name: it is asked again, and in the end the scan waits for it. */
static void unanswered(struct courier_usage *c, struct look *l, const char *why)
{
    char text[DETAIL_MAX];
    Ipc__UsageSeen m = IPC__USAGE_SEEN__INIT;
    if (l->scan == c->given_up) {
        free(l);
        return;
    }
    c->dns_silent++;
    if (c->dns_silent < DNS_SILENT_MAX) {
        if (++l->dns_tries < DNS_TRIES) {
            enqueue(c, l);
        } else {
            tell(c, l, "dns-failed", why);
        }
        return;
    }
    (void)snprintf(text, sizeof text, "the resolver does not answer: %s", why); /* cut is fine */
    c->given_up = l->scan;
    c->dns_silent = 0;
    free(l);
    courier_usage_stop(c, c->given_up);
    flush(c);
    m.scan = c->given_up;
    m.failed = text;
    c->told(c->self, &m);
}

static void not_found(struct courier_usage *c, struct look *l, int result)
{
    bool none = result == DNS_ERR_NONE || result == DNS_ERR_NODATA || result == DNS_ERR_NOTEXIST;
    const char *why = result == DNS_ERR_NONE ? "no address in the DNS" : evdns_err_to_string(result);
    if (!none && result != DNS_ERR_SERVERFAILED) {
        unanswered(c, l, why);
        return;
    }
    c->dns_silent = 0;
    if (!none && ++l->dns_tries < DNS_TRIES) {
        enqueue(c, l);
    } else {
        tell(c, l, none ? "no-address" : "dns-failed", why);
    }
}

static void on_found(int result, char type, int count, int ttl, void *addresses, void *arg)
{
    struct look *l = arg;
    struct courier_usage *c = l->c;
    bool v6 = type == DNS_IPv6_AAAA;
    (void)ttl;
    l->asking = NULL;
    if (result == DNS_ERR_SHUTDOWN) { /* we are freed: so is the look */
        free(l);
        return;
    }
    if (result == DNS_ERR_NONE && count > 0) {
        c->dns_silent = 0;
        l->found = true;
        l->address.v6 = v6;
        memcpy(l->address.bytes, addresses, v6 ? 16 : 4); /* the first */
        c->open--;
        enqueue(c, l);
    } else if (!v6 && (result == DNS_ERR_NONE || result == DNS_ERR_NODATA) && ask_dns(c, l, true)) {
        return;
    } else {
        c->open--;
        not_found(c, l, result);
    }
    pump(c);
}

/* True: the look is under way, told or put off. False: the bucket is empty. */
static bool advance(struct courier_usage *c, struct look *l, size_t *parked)
{
    const char *special = l->found && !l->private_too && !l->chosen ? validate_address_special(&l->address)
                                                                    : NULL;
    if (special != NULL) {
        tell(c, l, "not-allowed", special);
    } else if (!l->found) {
        c->open++;
        if (!ask_dns(c, l, false)) {
            c->open--;
            unanswered(c, l, "there is none");
        }
    } else if (c->at_address[counter_of(&l->address)] >= AT_ADDRESS_MAX) {
        ++*parked;
        enqueue(c, l);
    } else {
        connect_to(c, l);
    }
    return true;
}

static void fill_bucket(struct courier_usage *c)
{
    int64_t now_ms = lt_monotonic_ms();
    int64_t most = (int64_t)c->rate * BURST_MS < TOKEN ? TOKEN : (int64_t)c->rate * BURST_MS;
    int64_t passed = now_ms - c->filled_ms;
    if (passed > 0) { /* a millisecond is rate thousandths */
        c->tokens += (passed > 1000 ? 1000 : passed) * (int64_t)c->rate;
        c->tokens = c->tokens > most ? most : c->tokens;
        c->filled_ms = now_ms;
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct courier_usage *c = arg;
    (void)fd;
    (void)what;
    pump(c);
}

static void pump(struct courier_usage *c)
{
    size_t parked = 0;
    fill_bucket(c);
    while (c->waiting > 0 && c->open < c->concurrency && c->tokens >= TOKEN && parked < PARK_MAX &&
           advance(c, dequeue(c), &parked)) {
    }
    if (c->waiting > 0 && event_pending(c->timer, EV_TIMEOUT, NULL) == 0) {
        const struct timeval soon = {.tv_usec = PUMP_MS * 1000};
        LT_ASSERT(event_add(c->timer, &soon) == 0);
    }
}

/* ---- what the registrar says ---- */

static bool forwards(const char *stored, char name[NAME_MAX_LEN + 1])
{
    struct lt_buf b;
    lt_buf_init(&b, NAME_MAX_LEN + 1);
    x509_dns_reverse(lt_slice_cstr(stored), &b);
    bool fits = !lt_failed(lt_buf_check(&b)) && b.len <= NAME_MAX_LEN;
    (void)snprintf(name, NAME_MAX_LEN + 1, "%s", fits ? lt_buf_cstr(&b) : "");
    lt_buf_done(&b);
    return fits && name[0] != '\0';
}

static void take(struct courier_usage *c, struct look *l)
{
    lt_slice stored = lt_slice_cstr(l->stored);
    l->is_address = !lt_failed(validate_address_parse(stored, &l->address));
    l->found = l->is_address;
    if (l->is_address) {
        (void)snprintf(l->name, sizeof l->name, "%s", l->stored); /* fits */
    } else if (!forwards(l->stored, l->name)) {
        tell(c, l, "no-address", "no name of a host");
        return;
    }
    const struct usage_target *target = usage_targets_find(&c->targets, lt_slice_cstr(l->name));
    if (target != NULL && target->skip) {
        tell(c, l, "skipped", "usage/targets");
        return;
    }
    if (target != NULL) {
        l->address = target->address;
        l->port_to = target->port == 0 ? l->port : target->port;
        l->found = true;
        l->chosen = true;
    }
    enqueue(c, l);
}

/* Nobody is looked at while it is not known who must not be. */
static void refuse(struct courier_usage *c, int64_t scan)
{
    Ipc__UsageSeen m = IPC__USAGE_SEEN__INIT;
    m.scan = scan;
    m.failed = c->broken;
    c->told(c->self, &m);
}

/* Another one is for a courier that asks nobody just now: a new configuration. */
static void use_resolver(struct courier_usage *c, const char *resolver)
{
    if (strcmp(c->resolver, resolver) == 0 || c->open > 0 || strlen(resolver) >= sizeof c->resolver) {
        return;
    }
    (void)snprintf(c->resolver, sizeof c->resolver, "%s", resolver); /* fits */
    if (c->dns != NULL) {
        evdns_base_free(LT_TAKE(c->dns, NULL), 0);
    }
}

void courier_usage_look(struct courier_usage *c, const Ipc__UsageLook *m)
{
    if (c->broken[0] != '\0') {
        refuse(c, m->scan);
        return;
    }
    use_resolver(c, m->resolver);
    c->given_up = c->given_up == m->scan ? 0 : c->given_up; /* it was resumed */
    c->rate = m->rate == 0 ? 1 : m->rate;
    c->concurrency = m->concurrency == 0 ? 1 : m->concurrency;
    for (size_t i = 0; i < m->n_targets && c->waiting < QUEUE_MAX; i++) {
        const Ipc__UsageTarget *t = m->targets[i];
        if (strlen(t->name) > NAME_MAX_LEN || t->port == 0 || t->port > UINT16_MAX) {
            continue; /* the registrar gives up on it after a while */
        }
        struct look *l = calloc(1, sizeof *l);
        LT_ASSERT(l != NULL);
        l->c = c;
        l->scan = m->scan;
        l->page = m->page;
        l->port = (uint16_t)t->port;
        l->port_to = l->port;
        l->timeout_ms = (int)m->timeout_ms;
        l->private_too = m->private_too;
        (void)snprintf(l->stored, sizeof l->stored, "%s", t->name); /* fits */
        take(c, l);
    }
    pump(c);
}

void courier_usage_stop(struct courier_usage *c, int64_t scan)
{
    size_t count = c->waiting;
    for (size_t i = 0; i < count; i++) {
        struct look *l = dequeue(c);
        if (l->scan == scan) {
            free(l);
        } else {
            enqueue(c, l);
        }
    }
}

void courier_usage_tick(struct courier_usage *c)
{
    flush(c);
}

const char *courier_usage_broken(const struct courier_usage *c)
{
    return c->broken;
}

size_t courier_usage_open(const struct courier_usage *c)
{
    return c->open;
}

lt_res courier_usage_new(struct event_base *base, const char *folder, courier_usage_told *told, void *self,
                         struct courier_usage **ret_usage)
{
    struct courier_usage *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->base = base;
    c->told = told;
    c->self = self;
    c->last = &c->queue;
    c->timer = event_new(base, -1, 0, on_timer, c);
    LT_ASSERT(c->timer != NULL);
    lt_res r = http_peek_context(&c->tls);
    r = lt_failed(r) ? r : courier_usage_reload(c, folder);
    if (lt_failed(r)) {
        courier_usage_free(c);
        return r;
    }
    *ret_usage = c;
    return LT_OK;
}

lt_res courier_usage_reload(struct courier_usage *c, const char *folder)
{
    struct usage_targets fresh;
    lt_res r = usage_targets_load(folder, &fresh);
    if (lt_class_of(r.code) == LT_CLASS_PEER) {
        (void)snprintf(c->broken, sizeof c->broken, "%s", lt_error_last()->detail); /* fits */
        return LT_OK;
    }
    LT_TRY(r);
    c->broken[0] = '\0';
    usage_targets_done(&c->targets);
    c->targets = fresh;
    return LT_OK;
}

void courier_usage_free(struct courier_usage *c)
{
    if (c == NULL) {
        return;
    }
    while (c->waiting > 0) {
        free(dequeue(c));
    }
    if (c->dns != NULL) {
        evdns_base_free(c->dns, 0); /* without telling: the process ends with it */
    }
    event_free(c->timer);
    http_peek_context_free(c->tls);
    usage_targets_done(&c->targets);
    free(c);
}
