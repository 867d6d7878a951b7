/* http-01 (RFC 8555 8.3): look the name up, connect to an address that is allowed, ask for the one path,
 * follow a few redirects, compare. Every end is a sentence that a client's operator can act on. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "validate/engine.h"

enum { REQUEST_MAX = 4096, URL_TEXT = 2400, SHOWN_MAX = 100 };

static void hop(struct validate_job *j);
static void try_candidate(struct validate_job *j);

static const char *const dnssec_words[] = {
    [VALIDATE_INSECURE] = "insecure",
    [VALIDATE_BOGUS] = "bogus",
    [VALIDATE_SECURE] = "secure",
};

static char *keep(struct validate_job *j, const char *text)
{
    char *copy = lt_arena_cstr(&j->arena, lt_slice_cstr(text));
    LT_ASSERT(copy != NULL); /* what one validation keeps is bounded far below the arena's cap */
    return copy;
}

static const char *url_text(struct validate_job *j)
{
    char text[URL_TEXT];
    validate_url_print(&j->url, text, sizeof text);
    return keep(j, text);
}

static void close_http(struct validate_job *j)
{
    if (j->http_open) {
        validate_http_done(&j->http);
        j->http_open = false;
    }
}

void validate_http01_stop(struct validate_job *j)
{
    if (j->lookup != NULL) {
        validate_resolve_drop(j->lookup);
        j->lookup = NULL;
    }
    validate_conn_free(j->conn);
    j->conn = NULL;
    close_http(j);
}

void validate_http01_timed_out(struct validate_job *j)
{
    int total_ms = j->engine->options.total_timeout_ms;
    if (j->lookup != NULL) {
        validate_job_end(j, "dns", "The look-up of %s gave no answer within %d ms.", j->url.host, total_ms);
    } else {
        validate_job_end(j, "connection", "%s at %s gave no complete answer within %d ms.", url_text(j),
                         j->statement.address_used, total_ms);
    }
}

static void add_address(struct validate_job *j, const struct validate_address *a)
{
    char text[VALIDATE_ADDRESS_TEXT];
    Ipc__Validated *s = &j->statement;
    if (s->addresses == NULL) {
        s->addresses = LT_NEW_ARRAY(&j->arena, char *, VALIDATE_SEEN_MAX);
        LT_ASSERT(s->addresses != NULL);
    }
    validate_address_print(a, text);
    if (s->n_addresses < VALIDATE_SEEN_MAX) {
        s->addresses[s->n_addresses++] = keep(j, text);
    }
}

/* The worst over all names that were looked up. */
static void note_dnssec(struct validate_job *j, const struct validate_answers *a)
{
    Ipc__Validated *s = &j->statement;
    const char *now = dnssec_words[a->dnssec];
    bool first = s->dnssec[0] == '\0';
    bool worse = a->dnssec == VALIDATE_BOGUS ||
                 (a->dnssec == VALIDATE_INSECURE && strcmp(s->dnssec, dnssec_words[VALIDATE_SECURE]) == 0);
    if (first || worse) {
        s->dnssec = keep(j, now);
        s->dnssec_why = keep(j, a->why);
    }
}

/* Of each family the first that is allowed, IPv6 before IPv4, and one more IPv4. */
static void choose(struct validate_job *j, const struct validate_address *list, size_t count)
{
    const char *refused = NULL;
    struct validate_address refused_address = {0};
    size_t of_family[2] = {0};
    j->candidate_count = 0;
    j->candidate = 0;
    for (size_t i = 0; i < count; i++) {
        const char *why = j->engine->options.allow_private ? NULL : validate_address_special(&list[i]);
        size_t most = list[i].v6 ? 1 : 2;
        add_address(j, &list[i]);
        if (why != NULL) {
            refused = why;
            refused_address = list[i];
        } else if (of_family[list[i].v6 ? 1 : 0] < most && j->candidate_count < VALIDATE_CANDIDATES_MAX) {
            of_family[list[i].v6 ? 1 : 0]++;
            j->candidates[j->candidate_count++] = list[i];
        }
    }
    if (j->candidate_count > 0) {
        try_candidate(j);
    } else if (refused != NULL) {
        char text[VALIDATE_ADDRESS_TEXT];
        validate_address_print(&refused_address, text);
        validate_job_end(j, "dns", "%s has no public address: %s is %s.", j->url.host, text, refused);
    } else {
        validate_job_end(j, "dns", "%s has neither an AAAA nor an A record.", j->url.host);
    }
}

static void resolved(void *self, const struct validate_answers *a)
{
    struct validate_job *j = self;
    j->lookup = NULL;
    if (j->ended) {
        return;
    }
    note_dnssec(j, a);
    /*= CABF-BR 3.2.2.4 "CAs MUST NOT use local policy to disable DNSSEC validation on any DNS query" */
    if (a->dnssec == VALIDATE_BOGUS) {
        validate_job_end(j, "dns", "DNSSEC says that the answer for %s is bogus: %s", j->url.host, a->why);
    } else if (a->missing) {
        validate_job_end(j, "dns", "%s does not exist (NXDOMAIN).", j->url.host);
    } else if (a->failed) {
        validate_job_end(j, "dns", "The look-up of %s failed (SERVFAIL or refused)%s%s", j->url.host,
                         a->why[0] == '\0' ? "." : ": ", a->why);
    } else {
        choose(j, a->list, a->count);
    }
}

/* --- one connection ------------------------------------------------------------------------------------- */

static bool success(uint32_t status)
{
    /*= CABF-BR 3.2.2.4.19 "The CA MUST receive a successful HTTP response from the request" */
    return status >= 200 && status <= 299;
}

static bool redirects(uint32_t status)
{
    /*= CABF-BR 3.2.2.4.19 "Redirects MUST be the result of a 301, 302, or 307 HTTP status code response" */
    return status == 301 || status == 302 || status == 307 || status == 308;
}

static lt_slice without_trailing_space(lt_slice s)
{
    while (s.len > 0 && strchr(" \t\r\n\v\f", s.ptr[s.len - 1]) != NULL && s.ptr[s.len - 1] != 0) {
        s.len--;
    }
    return s;
}

/* The beginning of an answer as a person may see it. */
static const char *shown(struct validate_job *j, lt_slice body)
{
    char text[SHOWN_MAX + 1];
    size_t len = body.len < SHOWN_MAX ? body.len : SHOWN_MAX;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = body.ptr[i];
        text[i] = (char)(c >= 0x20 && c < 0x7f ? c : '.');
    }
    text[len] = '\0';
    return keep(j, text);
}

static void compare(struct validate_job *j)
{
    lt_slice body = lt_buf_slice(&j->http.body);
    uint8_t *hash = lt_arena_alloc(&j->arena, CRYPTO_SHA256_LEN);
    LT_ASSERT(hash != NULL);
    crypto_sha256(body, hash);
    j->statement.answer_sha256 = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
    if (!success(j->http.status)) {
        validate_job_end(j, "unauthorized", "%s at %s answered %u; 200 with the key authorization is needed.",
                         url_text(j), j->statement.address_used, j->http.status);
        return;
    }
    /*= RFC 8555 8.3 "The server SHOULD ignore whitespace characters at the end of the body." */
    lt_slice want = lt_slice_cstr(j->request->key_authorization);
    if (!j->http.truncated && lt_slice_eq(without_trailing_space(body), want)) {
        validate_job_end(j, NULL, "valid");
        return;
    }
    validate_job_end(j, "incorrectResponse", "%s at %s answered \"%s\"%s; the key authorization is \"%s\".",
                     url_text(j), j->statement.address_used, shown(j, body),
                     body.len > SHOWN_MAX || j->http.truncated ? "…" : "", j->request->key_authorization);
}

static void note_redirect(struct validate_job *j)
{
    Ipc__Validated *s = &j->statement;
    if (s->redirects == NULL) {
        s->redirects = LT_NEW_ARRAY(&j->arena, Ipc__Redirect *, VALIDATE_REDIRECTS_MAX + 1);
        LT_ASSERT(s->redirects != NULL);
    }
    Ipc__Redirect *r = LT_NEW(&j->arena, Ipc__Redirect);
    LT_ASSERT(r != NULL);
    ipc__redirect__init(r);
    r->status = j->http.status;
    r->location = keep(j, shown(j, lt_slice_cstr(j->http.location)));
    s->redirects[s->n_redirects++] = r;
}

static bool authorized_port(const struct validate_engine *e, uint16_t port)
{
    /*= CABF-BR 3.2.2.4.19 "Redirects MUST be to resource URLs accessed via Authorized Ports." */
    return port == 80 || port == 443 || port == e->options.http_port || port == e->options.https_port;
}

static void follow(struct validate_job *j)
{
    struct validate_url to;
    const char *from = url_text(j);
    note_redirect(j);
    if (j->http.location[0] == '\0') {
        validate_job_end(j, "connection", "%s redirects without saying where.", from);
        return;
    }
    if (lt_failed(validate_url_resolve(&j->url, lt_slice_cstr(j->http.location), &to))) {
        validate_job_end(j, "connection", "%s redirects to a URL that cannot be followed: %s.", from,
                         lt_error_last()->detail);
        return;
    }
    j->url = to;
    if (to.literal && !j->engine->options.allow_private) {
        validate_job_end(j, "connection", "%s redirects to an address; a redirect must be to a name.", from);
    } else if (!authorized_port(j->engine, to.port)) {
        validate_job_end(j, "connection", "%s redirects to port %u; only 80 and 443 are allowed.", from,
                         to.port);
    } else if (j->statement.n_redirects > VALIDATE_REDIRECTS_MAX) {
        validate_job_end(j, "connection", "%s is the redirect after %d; that is enough.", from,
                         VALIDATE_REDIRECTS_MAX);
    } else {
        hop(j);
    }
}

/* The head, and the body where it matters, are read. */
static void answered(struct validate_job *j)
{
    j->statement.http_status = j->http.status;
    validate_conn_free(j->conn);
    j->conn = NULL;
    if (redirects(j->http.status)) {
        follow(j);
    } else {
        compare(j);
    }
}

static void broken(struct validate_job *j, const char *why)
{
    validate_job_end(j, "connection", "%s at %s: %s.", url_text(j), j->statement.address_used, why);
}

static void take_state(struct validate_job *j, enum validate_http_state state)
{
    if (state == VALIDATE_HTTP_DONE) {
        answered(j);
    } else if (state == VALIDATE_HTTP_BAD) {
        validate_job_end(j, "connection", "%s at %s answered what is no HTTP/1.1: %s.", url_text(j),
                         j->statement.address_used, j->http.why);
    }
}

static void on_data(void *self, lt_slice bytes)
{
    struct validate_job *j = self;
    if (!j->ended) {
        take_state(j, validate_http_feed(&j->http, bytes));
    }
}

static void on_end(void *self, enum validate_conn_end how, const char *detail)
{
    struct validate_job *j = self;
    if (j->ended) {
        return;
    }
    const char *why = keep(j, detail);
    validate_conn_free(j->conn);
    j->conn = NULL;
    switch (how) {
    case VALIDATE_CONN_CLOSED:
        take_state(j, validate_http_eof(&j->http));
        break;
    case VALIDATE_CONN_REFUSED:
        j->candidate++;
        if (j->candidate < j->candidate_count) {
            try_candidate(j);
        } else {
            validate_job_end(j, "connection", "%s port %u: %s.", j->statement.address_used, j->url.port, why);
        }
        break;
    case VALIDATE_CONN_TLS:
        validate_job_end(j, "tls", "TLS with %s at %s: %s.", url_text(j), j->statement.address_used, why);
        break;
    case VALIDATE_CONN_BROKEN:
        broken(j, why);
        break;
    }
}

static void print_request(struct validate_job *j, struct lt_buf *out)
{
    const struct validate_url *u = &j->url;
    bool brackets = u->literal && strchr(u->host, ':') != NULL;
    lt_buf_addf(out, "GET %s HTTP/1.1\r\nHost: %s%s%s", u->path, brackets ? "[" : "", u->host,
                brackets ? "]" : "");
    if (u->port != (u->https ? 443 : 80)) {
        lt_buf_addf(out, ":%u", u->port);
    }
    lt_buf_addf(
        out,
        "\r\nUser-Agent: Lintel/%s (certificate authority; ACME http-01 validation)\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n",
        j->engine->build);
}

/* Sends the request to the candidate; what cannot even be begun counts as refused. */
static void try_candidate(struct validate_job *j)
{
    struct validate_engine *e = j->engine;
    const struct validate_conn_hooks hooks = {.data = on_data, .end = on_end, .self = j};
    char address[VALIDATE_ADDRESS_TEXT];
    struct lt_buf request;
    lt_res r = LT_OK;
    close_http(j);
    validate_http_init(&j->http);
    j->http_open = true;
    lt_buf_init(&request, REQUEST_MAX);
    print_request(j, &request);
    for (; j->candidate < j->candidate_count && j->conn == NULL; j->candidate++) {
        struct validate_conn_options o = {
            .base = e->base,
            .address = &j->candidates[j->candidate],
            .port = j->url.port,
            .tls = j->url.https ? e->tls : NULL,
            .host = j->url.literal ? "" : j->url.host,
            .request = lt_buf_slice(&request),
            .connect_timeout_ms = e->options.connect_timeout_ms,
        };
        validate_address_print(o.address, address);
        j->statement.address_used = keep(j, address);
        r = validate_conn_new(&o, &hooks, &j->conn);
        if (!lt_failed(r)) {
            break; /* j->candidate stays at the one being tried */
        }
    }
    lt_buf_done(&request);
    if (j->conn == NULL) {
        validate_job_end(j, "connection", "%s port %u: %s.", j->statement.address_used, j->url.port,
                         lt_error_last()->detail);
    }
}

/* --- one URL -------------------------------------------------------------------------------------------- */

static bool been_there(struct validate_job *j, const char *url)
{
    for (size_t i = 0; i < j->visited_count; i++) {
        if (strcmp(j->visited[i], url) == 0) {
            return true;
        }
    }
    j->visited[j->visited_count++] = url;
    return false;
}

/* Goes to j->url. */
static void hop(struct validate_job *j)
{
    struct validate_address literal;
    const char *url = url_text(j);
    if (been_there(j, url)) {
        validate_job_end(j, "connection", "The redirects go round in a circle, back to %s.", url);
        return;
    }
    if (j->url.literal) {
        lt_res r = validate_address_parse(lt_slice_cstr(j->url.host), &literal);
        LT_ASSERT(!lt_failed(r));
        j->statement.dnssec = j->statement.dnssec[0] == '\0' ? keep(j, "none") : j->statement.dnssec;
        choose(j, &literal, 1);
        return;
    }
    if (lt_failed(validate_resolve(j->engine->resolver, j->url.host, resolved, j, &j->lookup))) {
        validate_job_end(j, "dns", "%s cannot be looked up: %s.", j->url.host, lt_error_last()->detail);
    }
}

void validate_http01_begin(struct validate_job *j)
{
    const Ipc__Identifier *name = j->request->identifier;
    bool v6 = strchr(name->value, ':') != NULL;
    struct validate_url none = {.path = "/"};
    char *url = lt_arena_printf(&j->arena, "http://%s%s%s:%u/.well-known/acme-challenge/%s", v6 ? "[" : "",
                                name->value, v6 ? "]" : "", j->engine->options.http_port, j->request->token);
    if (url == NULL || lt_failed(validate_url_resolve(&none, lt_slice_cstr(url), &j->url))) {
        validate_job_end(j, "malformed", "The name cannot be asked for over HTTP.");
        return;
    }
    hop(j);
}
