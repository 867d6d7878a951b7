/* What the operator's listener shows: the metric boards of all processes, and whether this gateway can serve.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "role/gateway.h"

enum { TEXT_MAX = 4 * 1024 * 1024, METRICS_HEADERS = 8 };

lt_res gateway_add_board(struct gateway *g, const char *process, int fd)
{
    struct stat st;
    LT_CHECK(g->board_count < GATEWAY_BOARDS, LT_PEER_USAGE, "over %d boards", GATEWAY_BOARDS);
    LT_CHECK(fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(struct lt_metrics), LT_PEER_USAGE,
             "the board of %s is too small", process);
    void *p = mmap(NULL, sizeof(struct lt_metrics), PROT_READ, MAP_SHARED, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "mapping the board of %s: %s", process, strerror(errno));
    (void)close(fd); /* mapped */
    struct lt_metrics_board *b = &g->boards[g->board_count++];
    b->board = p;
    (void)snprintf(b->process, sizeof b->process, "%s", process); /* a longer name is cut */
    return LT_OK;
}

void gateway_metrics_open(struct gateway *g)
{
    static const char *const listeners[LISTENER_KINDS] = {"https", "http", "operator", "api", "management"};
    static const char *const classes[6] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t l = 0; l < LISTENER_KINDS; l++) {
        for (size_t c = 0; c < LT_COUNT(classes); c++) {
            char name[LT_METRICS_NAME_MAX];
            (void)snprintf(name, sizeof name, "lintel_http_requests_total{listener=\"%s\",code=\"%s\"}",
                           listeners[l], classes[c]);
            g->requests[l][c] = c == 1 ? NULL : lt_metric_row(name, 1); /* no answer is of class 1xx */
        }
    }
    g->latency = lt_metric_row("lintel_http_request_seconds", 3);
}

void gateway_count(struct gateway *g, const struct gateway_slot *slot, const struct http_outcome *outcome)
{
    struct lt_metric *m = g->requests[slot->listener][outcome->status / 100 % 6];
    if (m != NULL) {
        m->value++;
    }
    int64_t us = lt_now().us - slot->since_us;
    if (slot->listener == LISTENER_HTTPS && us >= 0) {
        lt_metric_observe_us("lintel_http_request_seconds", (uint64_t)us);
    }
}

void gateway_metrics_tick(struct gateway *g)
{
    const struct http_stats *s = http_server_stats(g->server);
    uint64_t streams = 0;
    for (size_t i = 0; i < GATEWAY_LIVE_MAX; i++) {
        streams += g->live.streams[i] != NULL ? 1U : 0U;
    }
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"lintel_http_connections{class=\"public\"}", s->open_public},
        {"lintel_http_connections{class=\"operator\"}", s->open_reserved},
        {"lintel_http_requests_in_flight", g->in_flight},
        {"lintel_console_streams", streams},
        {"lintel_http_connections_accepted_total", s->accepted},
        {"lintel_http_connections_refused_total", s->refused},
        {"lintel_http_connections_evicted_total", s->evicted},
        {"lintel_http_timeouts_total", s->timeouts},
        {"lintel_http_malformed_total", s->malformed},
        {"lintel_tls_handshakes_total", s->tls_handshakes},
        {"lintel_tls_resumed_total", s->tls_resumed},
        {"lintel_tls_failed_total", s->tls_failed},
        {"lintel_tls_certificate_renewal_time_seconds", (uint64_t)lt_time_seconds(g->tls.renew_at)},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_metric_set(rows[i].name, (int64_t)rows[i].value);
    }
}

bool gateway_only_reads(struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    if (lt_slice_eq_cstr(r->method, "GET") || lt_slice_eq_cstr(r->method, "HEAD")) {
        return true;
    }
    const struct http_header allow[] = {{"allow", "GET, HEAD"}};
    const struct http_answer answer = {.status = 405, .headers = allow, .header_count = 1};
    http_exchange_answer(x, &answer);
    return false;
}

/* For programs: no page of another site makes a browser ask for it, nor by a name that is not ours. By TLS,
 * at an address that others reach, whoever scrapes names it as they like. */
void gateway_serve_metrics(struct gateway *g, struct http_exchange *x)
{
    const struct gateway_slot *slot = http_exchange_user(x);
    bool checked = slot->listener == LISTENER_OPERATOR && !http_exchange_request(x)->listener->tls_only;
    if (!gateway_only_reads(x) || (checked && !gateway_console_admits(g, x))) {
        return;
    }
    struct lt_buf out;
    lt_buf_init(&out, TEXT_MAX);
    lt_metrics_print_all(g->boards, g->board_count, &out);
    struct http_header headers[METRICS_HEADERS];
    const struct http_answer answer = {
        .status = 200,
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
        .headers = headers,
        .header_count = gateway_console_headers(headers, 0, METRICS_HEADERS),
        .body = lt_buf_slice(&out),
    };
    http_exchange_answer(x, &answer);
    lt_buf_done(&out);
}

/* How many registrars that process says it is linked with; -1: it has not said yet. */
static int64_t registrars_of(const struct lt_metrics *board)
{
    static const char name[] = "lintel_links{peer=\"registrar\"}";
    for (size_t i = 0; i < LT_METRICS_ROWS && board->row[i].kind != 0; i++) {
        if (strncmp(board->row[i].name, name, sizeof board->row[i].name) == 0) {
            return (int64_t)board->row[i].value;
        }
    }
    return -1;
}

/* Has any notary a registrar? Without boards nobody can tell, and the answers will. */
static bool registrar_there(const struct gateway *g)
{
    int64_t most = -1;
    for (size_t i = 0; i < g->board_count; i++) {
        bool notary = strncmp(g->boards[i].process, "notary-", 7) == 0;
        int64_t n = notary ? registrars_of(g->boards[i].board) : -1;
        most = n > most ? n : most;
    }
    return most != 0;
}

/* NULL when this gateway can serve. */
static const char *trouble_of(const struct gateway *g)
{
    if (g->draining) {
        return "draining";
    }
    if (!role_linked(g->kit, IPC_NOTARY)) {
        return "no notary";
    }
    if (!registrar_there(g)) {
        return "no registrar";
    }
    return g->tls.ready ? NULL : "no TLS certificate yet";
}

void gateway_serve_health(struct gateway *g, struct http_exchange *x)
{
    if (!gateway_only_reads(x)) {
        return;
    }
    const char *trouble = trouble_of(g);
    const struct http_header headers[] = {{"cache-control", "no-store"}, {"retry-after", "1"}};
    char text[64];
    int len = snprintf(text, sizeof text, "%s\n", trouble == NULL ? "ok" : trouble);
    const struct http_answer answer = {
        .status = trouble == NULL ? 200 : 503,
        .content_type = "text/plain; charset=utf-8",
        .headers = headers,
        .header_count = trouble == NULL ? 1 : 2,
        .body = LT_SLICE(text, (size_t)len),
    };
    http_exchange_answer(x, &answer);
}
