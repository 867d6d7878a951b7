/* What open consoles see move: server-sent events, GET /api/v1/live.
 *
 * However many streams there are, one question for the document is asked each TICK_MS: for the same path, in
 * the words of one of the streams in turn, so that the reader judges that stream's session again. What it
 * answers goes to all when it is another than before: the shared document, which holds nothing that one role
 * may not see. A stream whose turn does not come within JUDGE_MS asks who it is, which costs little, so none
 * outlives its session for long. A refusal ends the stream that asked. Nothing of the document is understood
 * here.
 */
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "role/gateway.h"

enum {
    TICK_MS = 2000,
    JUDGE_MS = 5000,
    JUDGED_AT_ONCE = 2, /* of each turn of the loop: with all places taken, 3 s for all */
    PING_MS = 15000,
    RETRY_S = 10,
    DOCUMENT_MAX = 256 * 1024,
};

/* The moment at which it was written makes no other document of it. */
#define NOW_FIRST "{\"now\":\""

static lt_slice without_now(lt_slice json)
{
    enum { NOW_MAX = 40 };
    if (!lt_slice_starts(json, LT_LIT(NOW_FIRST))) {
        return json;
    }
    lt_slice rest = lt_slice_sub(json, strlen(NOW_FIRST), SIZE_MAX);
    size_t end = lt_slice_find(rest, '"');
    return end > NOW_MAX ? json : lt_slice_sub(rest, end, SIZE_MAX);
}

/* A line end in JSON is a blank; in an event it would be the end of it. */
static void frame(struct lt_buf *out, lt_slice json)
{
    lt_slice line;
    lt_buf_reset(out);
    lt_buf_add_cstr(out, "event: overview\n");
    while (lt_slice_split(&json, '\n', &line)) {
        if (line.len > 0) {
            lt_buf_add_cstr(out, "data: ");
            lt_buf_add(out, line);
            lt_buf_add_byte(out, '\n');
        }
    }
    lt_buf_add_byte(out, '\n');
}

static void say(struct gateway *g, struct gateway_slot *slot, lt_slice text, bool more)
{
    slot->live_said_ms = g->now_ms;
    http_exchange_more(slot->exchange, text, more);
}

/* With a word about why; browsers come back by themselves where they may. */
static void end_stream(struct gateway *g, struct gateway_slot *slot, bool session)
{
    static const char *const words[] = {"event: end\ndata: drain\n\n", "event: end\ndata: session\n\n"};
    gateway_live_forget(g, slot); /* nothing more is said to it */
    http_exchange_more(slot->exchange, lt_slice_cstr(words[session]), false);
}

/* To whom it is new: all, where it is another document, else to the newcomer alone. */
static void publish(struct gateway *g, lt_slice json, struct gateway_slot *newcomer)
{
    struct gateway_live *l = &g->live;
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(without_now(json), hash);
    bool changed = l->event.len == 0 || memcmp(hash, l->hash, sizeof hash) != 0;
    memcpy(l->hash, hash, sizeof hash);
    if (changed || newcomer != NULL) {
        frame(&l->event, json);
    }
    for (size_t i = 0; i < GATEWAY_LIVE_MAX; i++) {
        struct gateway_slot *slot = l->streams[i];
        if (slot != NULL && slot->live == GATEWAY_LIVE_ON && (changed || slot == newcomer)) {
            say(g, slot, lt_buf_slice(&l->event), true);
        }
    }
}

void gateway_serve_live(struct gateway *g, struct http_exchange *x)
{
    struct gateway_slot *slot = http_exchange_user(x);
    size_t at = 0;
    while (at < GATEWAY_LIVE_MAX && g->live.streams[at] != NULL) {
        at++;
    }
    if (!gateway_console_admits(g, x)) {
        return;
    }
    if (!lt_slice_eq_cstr(http_exchange_request(x)->method, "GET")) {
        static const struct http_header allow[] = {{"allow", "GET"}};
        const struct http_answer answer = {.status = 405, .headers = allow, .header_count = 1};
        http_exchange_answer(x, &answer);
        return;
    }
    if (at == GATEWAY_LIVE_MAX || g->draining) {
        http_exchange_problem(x, 503, NULL, "too many consoles look on at once", RETRY_S);
        return;
    }
    g->live.streams[at] = slot;
    slot->live = GATEWAY_LIVE_ASKED;
    slot->live_judged_ms = g->now_ms;
    gateway_ask(g, x);
}

static void begin_stream(struct gateway_slot *slot)
{
    static const struct http_header headers[] = {
        {"cache-control", "no-store"},
        {"x-content-type-options", "nosniff"},
        {"cross-origin-resource-policy", "same-origin"},
        {"x-accel-buffering", "no"}, /* a proxy hands on what it gets */
    };
    const struct http_answer answer = {
        .status = 200,
        .content_type = "text/event-stream",
        .headers = headers,
        .header_count = LT_COUNT(headers),
        .body = LT_LIT("retry: 3000\n\n"),
        .more = true,
        .lasting = true,
    };
    slot->live = GATEWAY_LIVE_ON;
    slot->begun = true;
    http_exchange_answer(slot->exchange, &answer);
}

/* When the session of who asked ends. 0: nobody said. */
static int64_t until_of(const Ipc__HttpResponse *m)
{
    uint64_t us = 0;
    for (size_t i = 0; i < m->n_headers; i++) {
        if (strcasecmp(m->headers[i]->name, GATEWAY_SESSION_UNTIL) == 0 &&
            lt_failed(lt_parse_u64(lt_slice_cstr(m->headers[i]->value), INT64_MAX, &us))) {
            us = 0;
        }
    }
    return (int64_t)us;
}

bool gateway_live_takes(struct gateway *g, struct gateway_slot *slot, const Ipc__HttpResponse *m)
{
    lt_slice json = LT_SLICE(m->body.data, m->body.len);
    bool good = m->status == 200 && !m->more && json.len <= DOCUMENT_MAX;
    if (slot->live == GATEWAY_LIVE_NOT) {
        return false;
    }
    if (slot->live == GATEWAY_LIVE_ASKED && !good) {
        gateway_live_forget(g, slot); /* what it is told is an answer like any other */
        return false;
    }
    gateway_forget(g, slot);
    if (!good) {
        if (m->status == 401 || m->status == 403) {
            end_stream(g, slot, true);
        }
        return true;
    }
    slot->live_until_us = until_of(m);
    if (slot->live_judged) {
        return true;
    }
    struct gateway_slot *newcomer = slot->live == GATEWAY_LIVE_ASKED ? slot : NULL;
    if (newcomer != NULL) {
        begin_stream(slot);
    }
    publish(g, json, newcomer);
    return true;
}

/* One that is no question's already, from where the last tick left off. */
static struct gateway_slot *next_stream(struct gateway_live *l)
{
    for (size_t i = 0; i < GATEWAY_LIVE_MAX; i++) {
        size_t at = (l->next + i) % GATEWAY_LIVE_MAX;
        struct gateway_slot *slot = l->streams[at];
        if (slot != NULL && slot->live == GATEWAY_LIVE_ON && slot->id == 0) {
            l->next = at + 1;
            return slot;
        }
    }
    return NULL;
}

static bool ask_as(struct gateway *g, struct gateway_slot *slot, bool judged)
{
    slot->live_judged = judged;
    slot->live_judged_ms = g->now_ms;
    return gateway_ask_again(g, slot);
}

/* Those whose turn to ask for the document has not come for long. */
static void judge(struct gateway *g)
{
    unsigned asked = 0;
    for (size_t i = 0; i < GATEWAY_LIVE_MAX && asked < JUDGED_AT_ONCE; i++) {
        struct gateway_slot *slot = g->live.streams[i];
        bool due = slot != NULL && slot->live == GATEWAY_LIVE_ON && slot->id == 0 &&
                   g->now_ms - slot->live_judged_ms >= JUDGE_MS;
        asked += due && ask_as(g, slot, true) ? 1U : 0U;
    }
}

void gateway_live_tick(struct gateway *g)
{
    struct gateway_live *l = &g->live;
    for (size_t i = 0; i < GATEWAY_LIVE_MAX; i++) {
        struct gateway_slot *slot = l->streams[i];
        if (slot == NULL || slot->live != GATEWAY_LIVE_ON) {
            continue;
        }
        bool over = slot->live_until_us != 0 && g->now.us >= slot->live_until_us;
        if (over || g->draining) {
            end_stream(g, slot, over);
        } else if (g->now_ms - slot->live_said_ms >= PING_MS) {
            say(g, slot, LT_LIT(": here\n\n"), true);
        }
    }
    if (g->now_ms >= l->due_ms && !g->draining) {
        struct gateway_slot *slot = next_stream(l);
        l->due_ms = g->now_ms + TICK_MS;
        if (slot != NULL) {
            (void)ask_as(g, slot, false); /* where no notary is there, the next tick asks */
        }
    }
    if (!g->draining) {
        judge(g);
    }
}

void gateway_live_forget(struct gateway *g, struct gateway_slot *slot)
{
    for (size_t i = 0; slot->live != GATEWAY_LIVE_NOT && i < GATEWAY_LIVE_MAX; i++) {
        if (g->live.streams[i] == slot) {
            g->live.streams[i] = NULL;
        }
    }
    slot->live = GATEWAY_LIVE_NOT;
}

void gateway_live_open(struct gateway *g)
{
    lt_buf_init(&g->live.event, 2 * DOCUMENT_MAX);
}
