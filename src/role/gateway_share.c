/* What strangers' pages may take of the family. Anybody may send the forms, without an account and without a
 * signature that would cost them something, and each costs a turn of the registrar: so they have a share of
 * their own, and what is beyond it is refused here, before it costs more than its bytes. Clients of ACME
 * never wait for them.
 *
 * They go to the notaries a few at a time and one behind the other, so that no burst of them stands before an
 * order either.
 *
 * Who got a link of their own (a case, a letter) does not stand behind those who post where anybody may.
 */
#include <event2/event.h>
#include <string.h>

#include "role/gateway.h"

/* For each gateway. */
static const struct share {
    double per_s;
    double burst;
} shares[GATEWAY_BUCKETS] =
    {
        [GATEWAY_BUCKET_OPEN] = {10, 200},
        [GATEWAY_BUCKET_LINK] = {10, 200},
        [GATEWAY_BUCKET_LOOK] = {250, 1000}, /* looking at a page is cheaper */
},
  by_address = {0.5, 20};

/* So many are with notaries at a time, and so many wait for these. */
enum { ASKED_MAX = 4, WAITING_MAX = 64, WAIT_MS = 10000, RETRY_S = 10 };

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
    if ((counts && own->tokens < 1) || all->tokens < 1 || g->forms_waiting >= WAITING_MAX) {
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

static void turn_away(struct http_exchange *x)
{
    lt_metric_add("lintel_http_forms_refused_total", 1);
    if (wants_page(http_exchange_request(x))) {
        refuse(x);
    } else {
        http_exchange_problem(x, 429, NULL, "very much is being sent to these pages just now", RETRY_S);
    }
}

static void ask(struct gateway *g, struct gateway_slot *slot)
{
    slot->form = GATEWAY_FORM_ASKED;
    g->forms_asked++;
    gateway_ask(g, slot->exchange);
}

static void unlink_form(struct gateway *g, struct gateway_slot *slot)
{
    struct gateway_slot **at = &g->first_form;
    while (*at != slot) {
        at = &(*at)->next_form;
    }
    *at = slot->next_form;
    slot->form = GATEWAY_FORM_NOT;
    g->forms_waiting--;
}

/* Behind all others. */
static void wait(struct gateway *g, struct gateway_slot *slot)
{
    struct gateway_slot **at = &g->first_form;
    while (*at != NULL) {
        at = &(*at)->next_form;
    }
    *at = slot;
    slot->form = GATEWAY_FORM_WAITS;
    g->forms_waiting++;
}

static void on_room(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct gateway *g = arg;
    while (g->first_form != NULL && g->forms_asked < ASKED_MAX) {
        struct gateway_slot *slot = g->first_form;
        unlink_form(g, slot);
        ask(g, slot);
    }
}

void gateway_share_open(struct gateway *g)
{
    LT_ASSERT(event_assign(&g->form_event, g->base, -1, 0, on_room, g) == 0);
}

bool gateway_share_serves(struct gateway *g, struct gateway_slot *slot, enum gateway_share share)
{
    enum gateway_bucket_name name = is_look(http_exchange_request(slot->exchange)) ? GATEWAY_BUCKET_LOOK
                                    : share == GATEWAY_SHARE_OPEN                  ? GATEWAY_BUCKET_OPEN
                                                                                   : GATEWAY_BUCKET_LINK;
    if (share == GATEWAY_SHARE_NONE) {
        return false;
    }
    if (!take(g, slot, name)) {
        turn_away(slot->exchange);
    } else if (g->forms_asked < ASKED_MAX && g->first_form == NULL) {
        ask(g, slot);
    } else {
        wait(g, slot);
    }
    return true;
}

/* Where notaries or the registrar are away nobody waits for ever. */
void gateway_share_tick(struct gateway *g)
{
    while (g->first_form != NULL && (g->now.us - g->first_form->since_us) / 1000 > WAIT_MS) {
        struct http_exchange *x = g->first_form->exchange;
        unlink_form(g, g->first_form);
        turn_away(x);
    }
}

void gateway_share_forget(struct gateway *g, struct gateway_slot *slot)
{
    if (slot->form == GATEWAY_FORM_WAITS) {
        unlink_form(g, slot);
    } else if (slot->form == GATEWAY_FORM_ASKED) {
        g->forms_asked--;
        event_active(&g->form_event, 0, 0); /* not from within the end of another's */
    }
}
