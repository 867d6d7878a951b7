/* The console on the operator's listener: the files that browsers load, and who may ask /api/v1 through a
 * browser at all. Which operator asks, and what for, is judged by notary, reader and registrar.
 *
 * Another site cannot make a browser ask us anything: its name is no name of ours (so no rebinding of the
 * DNS), and the browser says which page asks. */
#include <stdio.h>
#include <string.h>

#include "http/browser.h"
#include "role/gateway.h"
#include "role/gateway_assets.h"

#define PREFIX "/console/"

enum { TAG_SIZE = 64 };

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";
static const char features[] = "accelerometer=(), autoplay=(), camera=(), display-capture=(), "
                               "encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), "
                               "magnetometer=(), microphone=(), midi=(), payment=(), "
                               "publickey-credentials-create=(self), publickey-credentials-get=(self), "
                               "screen-wake-lock=(), usb=(), xr-spatial-tracking=()";
/* Of everything below /console/ and of what is asked there. */
#define COMMON_HEADERS                                                                     \
    {"content-security-policy", policy}, {"x-content-type-options", "nosniff"},            \
        {"referrer-policy", "no-referrer"}, {"cross-origin-opener-policy", "same-origin"}, \
        {"cross-origin-resource-policy", "same-origin"}, {"permissions-policy", features}, \
    {                                                                                      \
        "x-frame-options", "DENY"                                                          \
    }

void gateway_console_open(struct gateway *g, const Ipc__Start *start)
{
    (void)snprintf(g->console_name, sizeof g->console_name, "%s",
                   start->console_name); /* checked: below 254 */
    (void)snprintf(g->console_cookie, sizeof g->console_cookie, "%s",
                   start->console_cookie[0] == 0 ? "lintel_session" : start->console_cookie); /* shorter */
}

bool gateway_console_tls_only(const char *address)
{
    return strncmp(address, "127.", 4) != 0 && strncmp(address, "[::1]:", 6) != 0;
}

bool gateway_console_knows(const struct gateway *g, lt_slice host)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    lt_slice name;
    if (lt_failed(http_host_split(host, &name))) {
        return false;
    }
    bool known = lt_slice_eq_nocase(name, lt_slice_cstr(g->console_name));
    for (size_t i = 0; i < LT_COUNT(loopback); i++) {
        known = known || lt_slice_eq_nocase(name, lt_slice_cstr(loopback[i]));
    }
    return known;
}

static bool host_known(const struct gateway *g, struct http_exchange *x)
{
    bool known = gateway_console_knows(g, http_exchange_request(x)->host);
    if (!known) {
        http_exchange_problem(
            x, 421, NULL,
            "this is not the name of the console: open it as http://localhost and its port, or "
            "by console.name of lintel.yaml",
            0);
    }
    return known;
}

/* Only a page of ours, or nobody's: what is typed, and programs that are no browsers. Another port of the
 * same host is a stranger too, though browsers count it as the same site. */
bool gateway_console_trusts(const struct http_request *r)
{
    lt_slice site = http_request_field(r, "sec-fetch-site");
    lt_slice origin = http_request_field(r, "origin");
    bool ours = site.len == 0 || lt_slice_eq_cstr(site, "same-origin") || lt_slice_eq_cstr(site, "none");
    return ours && (origin.len == 0 || http_origin_is(origin, r->host));
}

bool gateway_console_admits(struct gateway *g, struct http_exchange *x)
{
    if (!host_known(g, x)) {
        return false;
    }
    bool trusted = gateway_console_trusts(http_exchange_request(x));
    if (!trusted) {
        http_exchange_problem(x, 403, NULL, "a page of another site asks", 0);
    }
    return trusted;
}

void gateway_serve_api(struct gateway *g, struct http_exchange *x)
{
    if (gateway_console_admits(g, x)) {
        gateway_ask(g, x);
    }
}

/* Of what the API answers: data, never a page. */
static const struct http_header api_headers[] = {
    {"content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-resource-policy", "same-origin"},
};

size_t gateway_console_headers(struct http_header *headers, size_t count, size_t max)
{
    for (size_t i = 0; i < LT_COUNT(api_headers); i++) {
        bool there = count == max;
        for (size_t k = 0; k < count && !there; k++) {
            there = strcmp(headers[k].name, api_headers[i].name) == 0;
        }
        if (!there) {
            headers[count++] = api_headers[i];
        }
    }
    return count;
}

static const struct gateway_asset *find_asset(lt_slice name)
{
    for (size_t i = 0; i < gateway_asset_count; i++) {
        if (lt_slice_eq_cstr(name, gateway_assets[i].path)) {
            return &gateway_assets[i];
        }
    }
    return NULL;
}

/* A page of the console: the program in the browser reads the path. What has the name of a file is none. */
static bool names_page(lt_slice path)
{
    static const char *const endings[] = {".html", ".js",   ".css",   ".svg",         ".png", ".ico",
                                          ".map",  ".json", ".woff2", ".webmanifest", ".txt"};
    bool page = true;
    for (size_t i = 0; page && i < LT_COUNT(endings); i++) {
        page = !lt_slice_ends(path, lt_slice_cstr(endings[i]));
    }
    return page;
}

static void send_asset(struct http_exchange *x, const struct gateway_asset *asset)
{
    const struct http_request *r = http_exchange_request(x);
    bool packed = http_accepts_gzip(http_request_field(r, "accept-encoding"));
    char tag[TAG_SIZE];
    (void)snprintf(tag, sizeof tag, "\"%s%s\"", asset->tag, packed ? "-gzip" : ""); /* 32 digits and 7 */
    bool same = gateway_tag_listed(http_request_field(r, "if-none-match"), tag);
    const struct http_header headers[] = {
        COMMON_HEADERS,
        {"etag", tag},
        {"cache-control", asset->immutable ? "public, max-age=31536000, immutable" : "no-cache"},
        {"vary", "accept-encoding"},
        {"content-encoding", "gzip"},
    };
    const struct http_answer answer = {
        .status = same ? 304 : 200,
        .content_type = same ? NULL : asset->type,
        .headers = headers,
        .header_count = LT_COUNT(headers) - (packed && !same ? 0 : 1),
        .body = same     ? LT_SLICE(NULL, 0)
                : packed ? LT_SLICE(gateway_asset_bytes + asset->packed_at, asset->packed_len)
                         : LT_SLICE(gateway_asset_bytes + asset->at, asset->len),
    };
    http_exchange_answer(x, &answer);
}

static void send_to_console(struct http_exchange *x)
{
    static const struct http_header headers[] = {{"location", PREFIX}, {"cache-control", "no-cache"}};
    const struct http_answer answer = {.status = 308, .headers = headers, .header_count = LT_COUNT(headers)};
    http_exchange_answer(x, &answer);
}

void gateway_serve_console(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    if (!host_known(g, x) || !gateway_only_reads(x)) {
        return;
    }
    if (!lt_slice_starts(r->path, LT_LIT(PREFIX))) { /* "/", "/console" */
        send_to_console(x);
        return;
    }
    lt_slice name = lt_slice_sub(r->path, strlen(PREFIX), SIZE_MAX);
    const struct gateway_asset *asset = find_asset(name);
    if (asset == NULL && names_page(name)) {
        asset = find_asset(LT_LIT("index.html"));
    }
    if (asset == NULL) {
        http_exchange_problem(x, 404, NULL, "the console has no such file", 0);
        return;
    }
    send_asset(x, asset);
}
