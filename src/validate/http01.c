/* http-01 (RFC 8555 8.3): look the name up, connect to an address that is allowed, ask for the one path,
 * follow a few redirects, compare. Every end is a sentence that a client's operator can act on. */
#include <stdio.h>
#include <string.h>

#include "validate/engine.h"

enum { REQUEST_MAX = 4096, URL_TEXT = 2400 };

static void hop(struct validate_job *j);
static void try_candidate(struct validate_job *j);

static const char *url_text(struct validate_job *j)
{
    char text[URL_TEXT];
    validate_url_print(&j->url, text, sizeof text);
    return validate_keep(j, text);
}

void validate_http_close(struct validate_job *j)
{
    if (j->http_open) {
        validate_http_done(&j->http);
        j->http_open = false;
    }
}

static void timed_out(struct validate_job *j)
{
    int total_ms = j->engine->options.total_timeout_ms;
    if (j->lookup != NULL) {
        validate_job_end(j, "dns", "The look-up of %s gave no answer within %d ms.", j->url.host, total_ms);
    } else {
        validate_job_end(j, "connection", "%s at %s gave no complete answer within %d ms.", url_text(j),
                         j->statement.address_used, total_ms);
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

/* Is it the key authorization, or by hand, does it hold the random value? */
static bool fits(const struct validate_job *j, lt_slice body)
{
    if (!j->method->acme) {
        return validate_website_fits(body, lt_slice_cstr(j->request->expected));
    }
    /*= RFC 8555 8.3 "The server SHOULD ignore whitespace characters at the end of the body." */
    lt_slice want = lt_slice_cstr(j->request->key_authorization);
    return !j->http.truncated && want.len > 0 && lt_slice_eq(without_trailing_space(body), want);
}

static void compare(struct validate_job *j)
{
    lt_slice body = lt_buf_slice(&j->http.body);
    const Ipc__Validate *q = j->request;
    const char *what = j->method->acme ? "key authorization" : "random value";
    validate_note_digest(j, body);
    if (!success(j->http.status)) {
        validate_job_end(j, "unauthorized", "%s at %s answered %u; 200 with the %s is needed.", url_text(j),
                         j->statement.address_used, j->http.status, what);
        return;
    }
    validate_note_record(j, body);
    if (fits(j, body)) {
        validate_job_end(j, NULL, "valid");
        return;
    }
    validate_job_end(j, "incorrectResponse", "%s at %s answered \"%s\"; the %s is \"%s\".", url_text(j),
                     j->statement.address_used, validate_shown(j, body), what,
                     j->method->acme ? q->key_authorization : q->expected);
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
    validate_note_redirect(j, j->http.status, j->http.location);
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
    const char *why = validate_keep(j, detail);
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
    lt_buf_addf(out,
                "\r\nUser-Agent: Lintel/%s (certificate authority; domain validation)\r\nAccept: */*\r\n"
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
    validate_http_close(j);
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
        j->statement.address_used = validate_keep(j, address);
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
    const char *url = url_text(j);
    if (been_there(j, url)) {
        validate_job_end(j, "connection", "The redirects go round in a circle, back to %s.", url);
        return;
    }
    validate_reach(j, j->url.host, j->url.literal, try_candidate);
}

static void begin_at(struct validate_job *j, const char *path)
{
    const Ipc__Identifier *name = j->request->identifier;
    bool v6 = strchr(name->value, ':') != NULL;
    struct validate_url none = {.path = "/"};
    char *url = lt_arena_printf(&j->arena, "http://%s%s%s:%u%s", v6 ? "[" : "", name->value, v6 ? "]" : "",
                                j->engine->options.http_port, path);
    if (url == NULL || lt_failed(validate_url_resolve(&none, lt_slice_cstr(url), &j->url))) {
        validate_job_end(j, "malformed", "The name cannot be asked for over HTTP.");
        return;
    }
    validate_note_asked(j, "%s", url);
    hop(j);
}

static void begin(struct validate_job *j)
{
    char *path = lt_arena_printf(&j->arena, "/.well-known/acme-challenge/%s", j->request->token);
    LT_ASSERT(path != NULL); /* the request was in the arena, too */
    begin_at(j, path);
}

const struct validate_method_hooks validate_http01 = {
    .name = "http-01", .begin = begin, .timed_out = timed_out};

static void begin_website(struct validate_job *j)
{
    begin_at(j, validate_website_path(j));
}

const struct validate_method_hooks validate_website = {
    .name = "website-change", .begin = begin_website, .timed_out = timed_out};
