/* Replies into HTTP: status, headers and JSON as RFC 8555 7 lays them out. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "acme/problem.h"
#include "acme/wire.h"
#include "base/clock.h"
#include "base/text.h"

enum {
    HEADERS_MAX = 16,
    PERSIST_ISSUERS_MAX = 10, /* clients take no longer list */
};

void wire_answer_begin(struct wire_answer *w, struct lt_arena *a, struct lt_buf *body)
{
    w->arena = a;
    w->body = body;
    lt_buf_reset(body);
    ipc__http_response__init(&w->http);
}

void wire_header(struct wire_answer *w, const char *name, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    LT_ASSERT(len >= 0 && (size_t)len < sizeof text);
    Ipc__HttpHeader *h = LT_NEW(w->arena, Ipc__HttpHeader);
    if (w->http.headers == NULL) {
        w->http.headers = LT_NEW_ARRAY(w->arena, Ipc__HttpHeader *, HEADERS_MAX);
    }
    LT_ASSERT(h != NULL && w->http.headers != NULL && w->http.n_headers < HEADERS_MAX);
    ipc__http_header__init(h);
    h->name = lt_arena_cstr(w->arena, lt_slice_cstr(name));
    h->value = lt_arena_cstr(w->arena, lt_slice_cstr(text));
    LT_ASSERT(h->name != NULL && h->value != NULL);
    w->http.headers[w->http.n_headers++] = h;
}

void wire_finish(struct wire_answer *w, uint32_t status, const char *content_type)
{
    LT_ASSERT(!w->body->overflow);
    w->http.status = status;
    w->http.content_type = lt_arena_cstr(w->arena, lt_slice_cstr(content_type));
    LT_ASSERT(w->http.content_type != NULL);
    w->http.body = (ProtobufCBinaryData){w->body->len, w->body->ptr};
}

/*= RFC 8555 6.1 "Such servers SHOULD set the Access-Control-Allow-Origin header field to the value "*"." */
/* No answer here depends on who the browser's user is: requests are signed, never authenticated by a cookie.
 */
static void add_cors(struct wire_answer *w)
{
    wire_header(w, "Access-Control-Allow-Origin", "*");
    wire_header(w, "Access-Control-Expose-Headers", "Link, Location, Replay-Nonce, Retry-After");
}

/* On every answer of an ACME resource. */
static void add_common_headers(struct wire_answer *w, const struct wire_site *site, const char *nonce)
{
    /*= RFC 8555 6.5 "the server MUST include a Replay-Nonce header field in every successful response to a
     *= POST request and SHOULD provide it in error responses as well" */
    if (nonce != NULL && nonce[0] != 0) {
        wire_header(w, "Replay-Nonce", "%s", nonce);
    }
    /*= RFC 8555 7.2 "the server MUST include a Cache-Control header field with the "no-store" directive" for
     *= newNonce; no answer that carries a nonce may be used twice */
    wire_header(w, "Cache-Control", "no-store");
    /*= RFC 8555 7.1 "The "index" link relation is present on all resources other than the directory" */
    if (site != NULL) {
        wire_header(w, "Link", "<%s/acme/directory>;rel=\"index\"", site->base_url);
        add_cors(w);
    }
}

/* Members: comma first unless the object or array was just opened. */
static void add_key(struct lt_buf *out, const char *key)
{
    uint8_t last = out->len == 0 ? '{' : out->ptr[out->len - 1];
    if (last != '{' && last != '[') {
        lt_buf_add_byte(out, ',');
    }
    lt_buf_addf(out, "\"%s\":", key);
}

static void add_text(struct lt_buf *out, const char *key, const char *value)
{
    add_key(out, key);
    lt_json_add_string(out, lt_slice_cstr(value));
}

static void add_time(struct lt_buf *out, const char *key, int64_t us)
{
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){us}, text);
    add_text(out, key, text);
}

static void add_identifier(struct lt_buf *out, const Ipc__Identifier *id)
{
    lt_buf_add_byte(out, '{');
    add_text(out, "type", id->type);
    add_text(out, "value", id->value);
    lt_buf_add_byte(out, '}');
}

/* Problems. */

static void add_problem_type(struct lt_buf *out, const char *type)
{
    bool absolute = strchr(type, ':') != NULL;
    add_key(out, "type");
    lt_buf_addf(out, "\"%s%s\"", absolute ? "" : "urn:ietf:params:acme:error:", type);
}

static void add_problem(struct lt_buf *out, const Ipc__Problem *p)
{
    lt_buf_add_byte(out, '{');
    add_problem_type(out, p->type);
    add_text(out, "detail", p->detail);
    if (p->status != 0) {
        add_key(out, "status");
        lt_buf_addf(out, "%u", p->status);
    }
    /*= RFC 8555 6.2 "The problem document returned with the error MUST include an "algorithms" field with an
     *= array of supported "alg" values." */
    if (strcmp(p->type, "badSignatureAlgorithm") == 0) {
        add_key(out, "algorithms");
        lt_buf_add_cstr(out, jws_algorithms_json);
    }
    if (p->n_subproblems > 0) {
        add_key(out, "subproblems");
        lt_buf_add_byte(out, '[');
        for (size_t i = 0; i < p->n_subproblems; i++) {
            const Ipc__SubProblem *s = p->subproblems[i];
            lt_buf_add_cstr(out, i == 0 ? "{" : ",{");
            add_problem_type(out, s->type);
            add_text(out, "detail", s->detail);
            if (s->identifier != NULL) {
                add_key(out, "identifier");
                add_identifier(out, s->identifier);
            }
            lt_buf_add_byte(out, '}');
        }
        lt_buf_add_byte(out, ']');
    }
    lt_buf_add_byte(out, '}');
}

void wire_problem_json(const Ipc__Problem *problem, struct lt_buf *out)
{
    add_problem(out, problem);
}

void wire_answer_problem(struct wire_answer *w, const struct wire_site *site, const Ipc__Problem *problem,
                         const char *nonce)
{
    uint32_t status = problem->status != 0 ? problem->status : acme_problem_status(problem->type);
    add_common_headers(w, site, nonce);
    /*= RFC 8555 6.6 "the server SHOULD send a Retry-After header field [RFC7231] indicating when the current
     *= request may succeed again." */
    if (problem->retry_after_s != 0) {
        wire_header(w, "Retry-After", "%u", problem->retry_after_s);
    }
    /*= RFC 8555 7.3.3 "a Link header field with link relation "terms-of-service"" */
    if (site != NULL && site->terms_of_service[0] != 0 && strcmp(problem->type, "userActionRequired") == 0) {
        wire_header(w, "Link", "<%s>;rel=\"terms-of-service\"", site->terms_of_service);
    }
    add_problem(w->body, problem);
    wire_finish(w, status == 0 ? 500 : status, "application/problem+json");
}

/* Directory and nonces. */

static void add_strings(struct lt_buf *out, const char *key, const char *const *list, size_t count)
{
    add_key(out, key);
    lt_buf_add_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        lt_json_add_string(out, lt_slice_cstr(list[i]));
    }
    lt_buf_add_byte(out, ']');
}

static void add_meta(struct lt_buf *out, const struct wire_site *site)
{
    add_key(out, "meta");
    lt_buf_add_byte(out, '{');
    if (site->terms_of_service[0] != 0) {
        add_text(out, "termsOfService", site->terms_of_service);
    }
    if (site->website[0] != 0) {
        add_text(out, "website", site->website);
    }
    if (site->caa_identity_count > 0) {
        add_strings(out, "caaIdentities", site->caa_identities, site->caa_identity_count);
    }
    add_key(out, "externalAccountRequired");
    lt_buf_add_cstr(out, site->external_account_required ? "true" : "false");
    /*= RFC 9444 4.4 "subdomainAuthAllowed" */
    add_key(out, "subdomainAuthAllowed");
    lt_buf_add_cstr(out, "true");
    if (site->profile_count > 0) {
        add_key(out, "profiles");
        lt_buf_add_byte(out, '{');
        for (size_t i = 0; i < site->profile_count; i++) {
            add_text(out, site->profiles[i].name, site->profiles[i].description);
        }
        lt_buf_add_byte(out, '}');
    }
    lt_buf_add_byte(out, '}');
}

void wire_answer_directory(struct wire_answer *w, const struct wire_site *site, const char *nonce)
{
    /*= RFC 8555 7.1.1 */
    /* renewalInfo: RFC 9773 3 */
    static const struct {
        const char *key;
        const char *path;
    } rows[] = {
        {"newNonce", "/acme/new-nonce"},       {"newAccount", "/acme/new-account"},
        {"newOrder", "/acme/new-order"},       {"newAuthz", "/acme/new-authz"},
        {"revokeCert", "/acme/revoke-cert"},   {"keyChange", "/acme/key-change"},
        {"renewalInfo", "/acme/renewal-info"},
    };
    add_cors(w);
    if (nonce != NULL) {
        wire_header(w, "Replay-Nonce", "%s", nonce);
        wire_header(w, "Cache-Control", "no-store");
    } else {
        wire_header(w, "Cache-Control", "public, max-age=60");
    }
    lt_buf_add_byte(w->body, '{');
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        add_key(w->body, rows[i].key);
        lt_buf_addf(w->body, "\"%s%s\"", site->base_url, rows[i].path);
    }
    add_meta(w->body, site);
    lt_buf_add_byte(w->body, '}');
    wire_finish(w, 200, "application/json");
}

void wire_answer_nonce(struct wire_answer *w, const struct wire_site *site, const char *nonce, bool head)
{
    add_common_headers(w, site, nonce);
    /*= RFC 8555 7.2 "The server's response MUST include a Replay-Nonce header field containing a fresh nonce
     *= and SHOULD have status code 200 (OK)." "The server MUST also respond to GET requests for this
     *= resource, returning an empty body (while still providing a Replay-Nonce header) with a status code of
     *= 204 (No Content)." */
    wire_finish(w, head ? 200 : 204, "");
}

void wire_answer_options(struct wire_answer *w, const struct wire_route *route)
{
    const char *methods = route->get ? "GET, HEAD, POST" : "POST";
    add_cors(w);
    wire_header(w, "Access-Control-Allow-Methods", "%s", methods);
    wire_header(w, "Access-Control-Allow-Headers", "Content-Type");
    wire_header(w, "Access-Control-Max-Age", "86400");
    wire_header(w, "Allow", "%s", methods);
    wire_finish(w, 204, "");
}

/* Objects. */

static void add_account(struct wire_answer *w, const struct wire_site *site, const Ipc__AcmeAccountBody *a)
{
    lt_buf_add_byte(w->body, '{');
    add_text(w->body, "status", a->status);
    if (a->n_contacts > 0) {
        add_strings(w->body, "contact", (const char *const *)a->contacts, a->n_contacts);
    }
    if (a->terms_agreed) {
        add_key(w->body, "termsOfServiceAgreed");
        lt_buf_add_cstr(w->body, "true");
    }
    if (a->eab_jws.len > 0) {
        add_key(w->body, "externalAccountBinding");
        lt_buf_add(w->body, LT_SLICE(a->eab_jws.data, a->eab_jws.len));
    }
    add_key(w->body, "orders");
    lt_buf_addf(w->body, "\"%s/acme/account/%lld/orders\"}", site->base_url, (long long)a->id);
}

static void add_certificate_url(struct lt_buf *out, const struct wire_site *site, const Ipc__AcmeOrderBody *o)
{
    add_key(out, "certificate");
    lt_buf_addf(out, "\"%s/acme/certificate/", site->base_url);
    lt_hex_add(out, LT_SLICE(o->certificate_serial.data, o->certificate_serial.len));
    lt_buf_add_byte(out, '"');
}

/*= RFC 8555 7.1.3 */
static void add_order(struct wire_answer *w, const struct wire_site *site, const Ipc__AcmeOrderBody *o)
{
    struct lt_buf *out = w->body;
    lt_buf_add_byte(out, '{');
    add_text(out, "status", o->status);
    if (o->expires_us != 0) {
        add_time(out, "expires", o->expires_us);
    }
    add_key(out, "identifiers");
    lt_buf_add_byte(out, '[');
    for (size_t i = 0; i < o->n_identifiers; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        add_identifier(out, o->identifiers[i]);
    }
    lt_buf_add_byte(out, ']');
    const struct {
        const char *key;
        const char *value;
    } texts[] = {{"notBefore", o->not_before},
                 {"notAfter", o->not_after},
                 {"profile", o->profile},
                 {"replaces", o->replaces}};
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        if (texts[i].value[0] != 0) {
            add_text(out, texts[i].key, texts[i].value);
        }
    }
    add_key(out, "authorizations");
    lt_buf_add_byte(out, '[');
    for (size_t i = 0; i < o->n_authorizations; i++) {
        lt_buf_addf(out, "%s\"%s/acme/authorization/%lld\"", i == 0 ? "" : ",", site->base_url,
                    (long long)o->authorizations[i]);
    }
    lt_buf_add_byte(out, ']');
    add_key(out, "finalize");
    lt_buf_addf(out, "\"%s/acme/order/%lld/finalize\"", site->base_url, (long long)o->id);
    if (o->error != NULL) {
        add_key(out, "error");
        add_problem(out, o->error);
    }
    if (o->has_certificate) {
        add_certificate_url(out, site, o);
    }
    lt_buf_add_byte(out, '}');
}

static void add_challenge(struct lt_buf *out, const struct wire_site *site, const Ipc__AcmeChallengeBody *c)
{
    lt_buf_add_byte(out, '{');
    add_text(out, "type", c->type);
    add_key(out, "url");
    lt_buf_addf(out, "\"%s/acme/challenge/%lld/%u\"", site->base_url, (long long)c->authorization_id,
                c->index);
    add_text(out, "status", c->status);
    if (c->token[0] != 0) {
        add_text(out, "token", c->token);
    }
    /*= draft-ietf-acme-dns-persist-00 3.1 "issuer-domain-names" */
    if (strcmp(c->type, "dns-persist-01") == 0) {
        size_t most = site->caa_identity_count < PERSIST_ISSUERS_MAX ? site->caa_identity_count
                                                                     : PERSIST_ISSUERS_MAX;
        add_strings(out, "issuer-domain-names", site->caa_identities, most);
    }
    if (c->validated_us != 0) {
        add_time(out, "validated", c->validated_us);
    }
    if (c->error != NULL) {
        add_key(out, "error");
        add_problem(out, c->error);
    }
    lt_buf_add_byte(out, '}');
}

/*= RFC 8555 7.1.4 */
static void add_authorization(struct wire_answer *w, const struct wire_site *site,
                              const Ipc__AcmeAuthorizationBody *z)
{
    struct lt_buf *out = w->body;
    lt_buf_add_byte(out, '{');
    add_text(out, "status", z->status);
    if (z->expires_us != 0) {
        add_time(out, "expires", z->expires_us);
    }
    if (z->identifier != NULL) {
        add_key(out, "identifier");
        add_identifier(out, z->identifier);
    }
    add_key(out, "challenges");
    lt_buf_add_byte(out, '[');
    for (size_t i = 0; i < z->n_challenges; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        add_challenge(out, site, z->challenges[i]);
    }
    lt_buf_add_byte(out, ']');
    /*= RFC 8555 7.1.4 "This field MUST be present and true for authorizations created as a result of a
     *= newOrder request containing a DNS identifier with a value that was a wildcard domain name. For other
     *= authorizations, it MUST be absent." */
    if (z->wildcard) {
        add_key(out, "wildcard");
        lt_buf_add_cstr(out, "true");
    }
    /*= RFC 9444 4.1 "subdomainAuthAllowed" */
    if (z->subdomains) {
        add_key(out, "subdomainAuthAllowed");
        lt_buf_add_cstr(out, "true");
    }
    lt_buf_add_byte(out, '}');
}

static void add_orders(struct wire_answer *w, const struct wire_site *site, const struct wire_target *t,
                       const Ipc__AcmeOrdersBody *o)
{
    lt_buf_add_cstr(w->body, "{\"orders\":[");
    for (size_t i = 0; i < o->n_orders; i++) {
        lt_buf_addf(w->body, "%s\"%s/acme/order/%lld\"", i == 0 ? "" : ",", site->base_url,
                    (long long)o->orders[i]);
    }
    lt_buf_add_cstr(w->body, "]}");
    /*= RFC 8555 7.1.2.1 "The server MAY return an incomplete list, along with a Link header field with a
     *= "next" link relation indicating where further entries can be acquired." */
    if (o->next_cursor.len > 0) {
        char *cursor = lt_base64url(w->arena, LT_SLICE(o->next_cursor.data, o->next_cursor.len));
        LT_ASSERT(cursor != NULL);
        wire_header(w, "Link", "<%s/acme/account/%lld/orders?cursor=%s>;rel=\"next\"", site->base_url,
                    (long long)t->id, cursor);
    }
}

/*= RFC 8555 7.4.2 "The server MAY provide one or more link relation header fields [RFC8288] with relation
 *= "alternate"." */
static void add_certificate(struct wire_answer *w, const struct wire_site *site, const struct wire_target *t,
                            const Ipc__AcmeCertificateBody *c)
{
    for (size_t i = 0; i < c->n_chain; i++) {
        lt_pem_add(w->body, "CERTIFICATE", LT_SLICE(c->chain[i].data, c->chain[i].len));
    }
    char *serial = lt_hex(w->arena, t->serial);
    LT_ASSERT(serial != NULL);
    for (uint32_t i = 0; i <= c->alternates && i < HEADERS_MAX / 2; i++) {
        if (i == c->index) {
            continue;
        }
        if (i == 0) {
            wire_header(w, "Link", "<%s/acme/certificate/%s>;rel=\"alternate\"", site->base_url, serial);
        } else {
            wire_header(w, "Link", "<%s/acme/certificate/%s/%u>;rel=\"alternate\"", site->base_url, serial,
                        i);
        }
    }
}

static void add_flag(struct lt_buf *out, const char *key, bool value)
{
    add_key(out, key);
    lt_buf_add_cstr(out, value ? "true" : "false");
}

static void add_time_if(struct lt_buf *out, const char *key, int64_t us)
{
    if (us != 0) {
        add_time(out, key, us);
    }
}

static void add_readiness(struct lt_buf *out, const Ipc__AcmeReadinessBody *r)
{
    lt_buf_add_byte(out, '{');
    add_text(out, "tier", r->tier);
    add_text(out, "means", r->means);
    add_text(out, "advice", r->advice);
    add_strings(out, "facts", (const char *const *)r->facts, r->n_facts);
    add_text(out, "client", r->client);
    add_key(out, "renewalInfoRequests");
    lt_buf_addf(out, "%lld", (long long)r->polls);
    add_time_if(out, "renewalInfoRequested", r->polled_us);
    add_key(out, "renewals");
    lt_buf_addf(out, "%lld", (long long)r->renewals);
    add_time_if(out, "renewed", r->renewed_us);
    add_time_if(out, "contactVerified", r->contact_verified_us);
    add_text(out, "terms", r->terms);
    add_flag(out, "termsHaveRevocationClause", r->clause);
    add_flag(out, "cannotTolerateRevocation", r->cannot_tolerate);
    add_flag(out, "holdOut", r->held_out);
    lt_buf_add_byte(out, '}');
}

static const char *add_object(struct wire_answer *w, const struct wire_site *site,
                              const struct wire_target *t, const Ipc__AcmeReply *reply)
{
    if (reply->account != NULL) {
        add_account(w, site, reply->account);
        /* What a client does not know of it passes over: RFC 8288 3.3. */
        wire_header(w, "Link", "<%s/acme/account/%lld/readiness>;rel=\"%s/acme/readiness\"", site->base_url,
                    (long long)reply->account->id, site->base_url);
    } else if (reply->readiness != NULL) {
        add_readiness(w->body, reply->readiness);
    } else if (reply->order != NULL) {
        add_order(w, site, reply->order);
    } else if (reply->orders != NULL) {
        add_orders(w, site, t, reply->orders);
    } else if (reply->authorization != NULL) {
        add_authorization(w, site, reply->authorization);
    } else if (reply->challenge != NULL) {
        add_challenge(w->body, site, reply->challenge);
        /*= RFC 8555 7.5.1 / 7.1 "the "up" link relation" from challenge to authorization */
        wire_header(w, "Link", "<%s/acme/authorization/%lld>;rel=\"up\"", site->base_url,
                    (long long)reply->challenge->authorization_id);
    } else if (reply->certificate != NULL) {
        add_certificate(w, site, t, reply->certificate);
        return "application/pem-certificate-chain";
    } else {
        return "";
    }
    return "application/json";
}

void wire_answer_reply(struct wire_answer *w, const struct wire_site *site, const struct wire_target *target,
                       const Ipc__AcmeReply *reply)
{
    if (reply->problem != NULL) {
        /*= RFC 8555 7.3.5 "provide the URL of that account in the Location header field" with 409 */
        if (reply->location_account != 0) {
            wire_header(w, "Location", "%s/acme/account/%lld", site->base_url,
                        (long long)reply->location_account);
        }
        wire_answer_problem(w, site, reply->problem, reply->nonce);
        return;
    }
    if (target->route->resource == WIRE_DIRECTORY) {
        wire_answer_directory(w, site, reply->nonce);
        return;
    }
    if (target->route->resource == WIRE_NEW_NONCE) {
        wire_answer_nonce(w, site, reply->nonce, false);
        return;
    }
    add_common_headers(w, site, reply->nonce);
    if (reply->location_account != 0) {
        wire_header(w, "Location", "%s/acme/account/%lld", site->base_url,
                    (long long)reply->location_account);
    }
    if (reply->location_order != 0) {
        wire_header(w, "Location", "%s/acme/order/%lld", site->base_url, (long long)reply->location_order);
    }
    if (reply->location_authorization != 0) {
        wire_header(w, "Location", "%s/acme/authorization/%lld", site->base_url,
                    (long long)reply->location_authorization);
    }
    if (reply->retry_after_s != 0) {
        wire_header(w, "Retry-After", "%u", reply->retry_after_s);
    }
    const char *type = add_object(w, site, target, reply);
    wire_finish(w, reply->status == 0 ? 200 : reply->status, type);
}
