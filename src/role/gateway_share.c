/* What strangers' pages may take of the family. Anybody may send the forms, without an account and without a
 * signature that would cost them something, and each costs a turn of the registrar: so they have a share of
 * their own, and what is beyond it is refused here, before it costs more than its bytes. Clients of ACME
 * never wait for them.
 *
 * Who got a link of their own (a case, a letter) does not stand behind those who post where anybody may.
 */
#include <string.h>

#include "role/gateway.h"

/* For each gateway. */
static const struct share {
    double per_s;
    double burst;
} shares[GATEWAY_BUCKETS] =
    {
        [GATEWAY_BUCKET_OPEN] = {20, 200},
        [GATEWAY_BUCKET_LINK] = {20, 200},
        [GATEWAY_BUCKET_LOOK] = {250, 1000}, /* looking at a page is cheaper */
},
  by_address = {0.5, 20};

enum { IN_FLIGHT_MAX = 64, RETRY_S = 10 };

static void fill(struct gateway_bucket *b, const struct share *s, int64_t now_ms)
{
    if (b->filled_ms == 0) {
        b->tokens = s->burst;
    } else {
        b->tokens += (double)(now_ms - b->filled_ms) / 1000 * s->per_s;
        b->tokens = b->tokens < s->burst ? b->tokens : s->burst;
    }
    b->filled_ms = now_ms;
}

static bool is_look(const struct http_request *r)
{
    return lt_slice_eq_cstr(r->method, "GET") || lt_slice_eq_cstr(r->method, "HEAD");
}

/* One of an address first, so that who alone sends too many takes nothing from the others. */
static bool take(struct gateway *g, const struct gateway_slot *slot, enum gateway_bucket_name name)
{
    struct gateway_bucket *own = &g->address_forms[slot->bucket];
    struct gateway_bucket *all = &g->buckets[name];
    bool counts = !slot->spared && name != GATEWAY_BUCKET_LOOK;
    fill(own, &by_address, g->now_ms);
    fill(all, &shares[name], g->now_ms);
    if ((counts && own->tokens < 1) || all->tokens < 1 || g->forms_in_flight > IN_FLIGHT_MAX) {
        return false;
    }
    own->tokens -= counts ? 1 : 0;
    all->tokens -= 1;
    return true;
}

/* People sent it, so it says more than a number. */
static void refuse(struct http_exchange *x)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>Please wait a moment</title></head><body><main><h1>Please "
        "wait a "
        "moment</h1><p>Very much is being sent to these pages just now. What you sent was not kept: go back, "
        "where your browser still has it, and send it again in a minute.</p></main></body></html>\n";
    static const struct http_header headers[] = {
        {"retry-after", "10"},
        {"cache-control", "no-store"},
        {"content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"},
        {"x-content-type-options", "nosniff"},
        {"referrer-policy", "no-referrer"},
    };
    const struct http_answer answer = {
        .status = 429,
        .content_type = "text/html; charset=utf-8",
        .headers = headers,
        .header_count = LT_COUNT(headers),
        .body = lt_slice_cstr(page),
    };
    http_exchange_answer(x, &answer);
}

static bool wants_page(const struct http_request *r)
{
    lt_slice accept = http_request_field(r, "accept");
    lt_slice type;
    bool page = false;
    while (!page && lt_slice_split(&accept, ',', &type)) {
        page = lt_slice_starts(type, LT_LIT("text/html"));
    }
    return page;
}

bool gateway_share_takes(struct gateway *g, struct gateway_slot *slot, enum gateway_share share)
{
    const struct http_request *r = http_exchange_request(slot->exchange);
    enum gateway_bucket_name name = is_look(r)                    ? GATEWAY_BUCKET_LOOK
                                    : share == GATEWAY_SHARE_OPEN ? GATEWAY_BUCKET_OPEN
                                                                  : GATEWAY_BUCKET_LINK;
    if (share == GATEWAY_SHARE_NONE) {
        return true;
    }
    slot->form = true;
    g->forms_in_flight++;
    if (take(g, slot, name)) {
        return true;
    }
    lt_metric_add("lintel_http_forms_refused_total", 1);
    if (wants_page(r)) {
        refuse(slot->exchange);
    } else {
        http_exchange_problem(slot->exchange, 429, NULL, "very much is being sent to these pages just now",
                              RETRY_S);
    }
    return false;
}

void gateway_share_forget(struct gateway *g, const struct gateway_slot *slot)
{
    g->forms_in_flight -= slot->form ? 1U : 0U;
}
