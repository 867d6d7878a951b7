/* Questions to the notaries: which one, which answer belongs to which client, and what happens when one dies.
 *
 * A question whose notary died is asked once more of another. That is safe for what is asked here: a signed
 * request whose nonce was used already gets badNonce with a fresh one, and nothing is done twice. When the
 * second notary dies with it too, its sender is refused for a while. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "http/browser.h"
#include "role/gateway.h"

enum { SUSPECT_MS = 60000, ANSWER_WAIT_MS = 30000, HEADERS_MAX = 24, AGENT_MAX = 256 };

static const char acme_internal[] = "urn:ietf:params:acme:error:serverInternal";

/* The number of a slot in the low bits, its use in the rest: an answer that comes too late fits no slot. */
static uint64_t slot_id(struct gateway *g, const struct gateway_slot *slot)
{
    g->generation++;
    return g->generation * GATEWAY_SLOTS + (uint64_t)(slot - g->slots);
}

static struct gateway_slot *slot_of(struct gateway *g, const struct ipc_addr *from)
{
    struct gateway_slot *slot = &g->slots[from->id % GATEWAY_SLOTS];
    bool good = slot->exchange != NULL && slot->id == from->id && slot->notary == from->instance;
    return good ? slot : NULL;
}

/* The one with the least to do; the first of equals moves round. */
static bool pick_notary(struct gateway *g, uint32_t *ret_instance)
{
    bool found = false;
    for (uint32_t i = 0; i < GATEWAY_NOTARIES; i++) {
        uint32_t at = (g->next_notary + i) % GATEWAY_NOTARIES;
        const struct gateway_notary *n = &g->notaries[at];
        if (n->linked && (!found || n->in_flight < g->notaries[*ret_instance].in_flight)) {
            *ret_instance = at;
            found = true;
        }
    }
    if (found) {
        g->next_notary = *ret_instance + 1;
    }
    return found;
}

static char *text(struct gateway *g, lt_slice s)
{
    char *p = lt_arena_cstr(&g->scratch, s);
    LT_ASSERT(p != NULL); /* heads and bodies have limits below the arena's */
    return p;
}

/* For logs and events: ASCII only, and not for ever. */
static char *agent_text(struct gateway *g, lt_slice agent)
{
    char *p = text(g, lt_slice_sub(agent, 0, AGENT_MAX));
    for (char *c = p; *c != 0; c++) {
        *c = isascii((unsigned char)*c) ? *c : '?';
    }
    return p;
}

/* What matters of a browser's request alone. */
static void tell_browser(struct gateway *g, const struct http_request *r, Ipc__HttpRequest *q)
{
    lt_slice host = r->host;
    lt_slice client = r->client_spki_sha256;
    lt_ignore(http_host_split(host, &host)); /* who asks was let in by its name */
    q->session = text(g, http_cookie_find(r->fields, r->field_count, g->console_cookie));
    q->client_spki_sha256 = (ProtobufCBinaryData){client.len, (uint8_t *)(uintptr_t)client.ptr};
    q->host = text(g, host);
    for (char *c = q->host; *c != 0; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    q->asked_by_script = http_request_field(r, "x-lintel").len > 0;
}

static lt_res send_question(struct gateway *g, const struct gateway_slot *slot)
{
    const struct http_request *r = http_exchange_request(slot->exchange);
    Ipc__HttpRequest q = IPC__HTTP_REQUEST__INIT;
    lt_arena_reset(&g->scratch);
    q.method = text(g, r->method);
    q.path = text(g, slot->live_judged ? LT_LIT("/api/v1/session") : r->path);
    q.query = text(g, slot->live_judged ? LT_LIT("") : r->query);
    q.content_type = text(g, http_request_field(r, "content-type"));
    q.accept = text(g, http_request_field(r, "accept"));
    bool nameless = lt_slice_starts(r->path, LT_LIT(GATEWAY_NAMELESS));
    q.user_agent = agent_text(g, nameless ? LT_LIT("") : http_request_field(r, "user-agent"));
    q.remote_address = text(g, lt_slice_cstr(nameless ? "" : r->remote));
    q.listener = text(g, lt_slice_cstr(r->listener->name));
    q.body.data = (uint8_t *)(uintptr_t)r->body.ptr; /* read only: the generated type lacks the const */
    q.body.len = r->body.len;
    q.secure = r->secure;
    if (strcmp(r->listener->name, "operator") == 0) {
        tell_browser(g, r, &q);
    }
    q.has_peer = r->has_peer;
    q.peer_uid = r->peer_uid;
    q.peer_pid = r->peer_pid;
    LT_TRY(gateway_form_read(r, &g->scratch, &q));
    return role_send(g->kit, IPC_NOTARY, slot->notary, IPC_HTTP_REQUEST, slot->id, &q.base);
}

static bool ask(struct gateway *g, struct gateway_slot *slot)
{
    uint32_t instance = 0;
    if (!pick_notary(g, &instance)) {
        return false;
    }
    slot->notary = instance;
    slot->id = slot_id(g, slot);
    slot->deadline_ms = g->now_ms + ANSWER_WAIT_MS;
    if (lt_failed(send_question(g, slot))) {
        slot->id = 0;
        return false;
    }
    g->notaries[instance].in_flight++;
    return true;
}

static void unavailable(struct http_exchange *x)
{
    http_exchange_problem(x, 503, acme_internal, "the service is busy or restarting: try again", 1);
}

static void suspect(struct gateway *g, const struct http_exchange *x)
{
    const char *remote = http_exchange_request(x)->remote;
    if (gateway_spares(remote)) {
        return;
    }
    struct gateway_suspect *s = &g->suspects[g->next_suspect++ % GATEWAY_SUSPECTS];
    (void)snprintf(s->remote, sizeof s->remote, "%s", remote); /* both hold any address */
    s->until_ms = g->now_ms + SUSPECT_MS;
    lt_log(LT_LOG_WARN, "an address is refused: two notaries died with its request", "address=%s for_s=%d",
           remote, SUSPECT_MS / 1000);
}

static bool suspected(const struct gateway *g, const struct http_exchange *x)
{
    const char *remote = http_exchange_request(x)->remote;
    for (size_t i = 0; i < GATEWAY_SUSPECTS; i++) {
        if (g->now_ms < g->suspects[i].until_ms && strcmp(g->suspects[i].remote, remote) == 0) {
            return true;
        }
    }
    return false;
}

void gateway_ask(struct gateway *g, struct http_exchange *x)
{
    if (suspected(g, x)) {
        http_exchange_problem(x, 429, "urn:ietf:params:acme:error:rateLimited",
                              "requests from this address did harm", SUSPECT_MS / 1000);
    } else if (!gateway_form_refuse(g, x) && !ask(g, http_exchange_user(x))) {
        unavailable(x);
    }
}

bool gateway_ask_again(struct gateway *g, struct gateway_slot *slot)
{
    return ask(g, slot);
}

void gateway_forget(struct gateway *g, struct gateway_slot *slot)
{
    if (slot->id != 0) {
        struct gateway_notary *n = &g->notaries[slot->notary];
        n->in_flight -= n->in_flight > 0 ? 1 : 0;
        slot->id = 0;
    }
}

static lt_res begin_answer(struct gateway *g, struct gateway_slot *slot, const Ipc__HttpResponse *m)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = 0;
    LT_CHECK(m->n_headers <= HEADERS_MAX, LT_PEER_MALFORMED, "an answer with %zu headers", m->n_headers);
    lt_arena_reset(&g->scratch);
    for (size_t i = 0; i < m->n_headers; i++) {
        char *name = text(g, lt_slice_cstr(m->headers[i]->name));
        for (char *c = name; *c != 0; c++) {
            *c = (char)tolower((unsigned char)*c);
        }
        if (strcmp(name, GATEWAY_SESSION_UNTIL) != 0) {
            headers[count++] = (struct http_header){name, m->headers[i]->value};
        }
    }
    if (slot->listener == LISTENER_OPERATOR) {
        count = gateway_console_headers(headers, count, HEADERS_MAX);
    }
    const struct http_answer answer = {
        .status = m->status,
        .content_type = m->content_type[0] != 0 ? m->content_type : NULL,
        .headers = headers,
        .header_count = count,
        .body = LT_SLICE(m->body.data, m->body.len),
        .more = m->more,
    };
    slot->begun = true;
    slot->deadline_ms = g->now_ms + ANSWER_WAIT_MS;
    http_exchange_answer(slot->exchange, &answer);
    return LT_OK;
}

lt_res gateway_on_response(void *self, const struct ipc_msg *m)
{
    struct gateway *g = self;
    struct gateway_slot *slot = slot_of(g, &m->from);
    const Ipc__HttpResponse *r = (const Ipc__HttpResponse *)m->body;
    if (slot == NULL) {
        return LT_OK; /* the client left, or it was answered in the notary's stead */
    }
    if (gateway_live_takes(g, slot, r)) {
        return LT_OK;
    }
    if (!slot->begun && gateway_testing_takes(g, slot, r)) {
        return LT_OK;
    }
    if (!slot->begun) {
        return begin_answer(g, slot, r);
    }
    slot->deadline_ms = g->now_ms + ANSWER_WAIT_MS;
    http_exchange_more(slot->exchange, LT_SLICE(r->body.data, r->body.len), r->more);
    return LT_OK;
}

void gateway_linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct gateway *g = self;
    if (peer == IPC_NOTARY && instance < GATEWAY_NOTARIES) {
        g->notaries[instance] = (struct gateway_notary){.linked = true};
    }
}

void gateway_unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct gateway *g = self;
    if (peer != IPC_NOTARY || instance >= GATEWAY_NOTARIES) {
        return;
    }
    g->notaries[instance] = (struct gateway_notary){0};
    if (g->tls.request_id != 0) {
        g->tls.retry_ms = g->now_ms; /* perhaps it was this one that was asked: ask again */
    }
    for (size_t i = 0; i < GATEWAY_SLOTS; i++) {
        struct gateway_slot *slot = &g->slots[i];
        if (slot->exchange == NULL || slot->id == 0 || slot->notary != instance) {
            continue;
        }
        slot->id = 0;
        if (slot->live == GATEWAY_LIVE_ON) {
            continue; /* the next tick asks another */
        }
        if (slot->asked_again) {
            suspect(g, slot->exchange);
        }
        if (slot->begun) {
            http_exchange_abort(slot->exchange);
        } else if (LT_TAKE(slot->asked_again, true) || !ask(g, slot)) {
            unavailable(slot->exchange);
        }
    }
}

void gateway_expire(struct gateway *g)
{
    for (size_t i = 0; i < GATEWAY_SLOTS && g->in_flight > 0; i++) {
        struct gateway_slot *slot = &g->slots[i];
        if (slot->exchange == NULL || slot->id == 0 || g->now_ms < slot->deadline_ms) {
            continue;
        }
        lt_log(LT_LOG_WARN, "no answer from a notary", "notary=%u", slot->notary);
        gateway_forget(g, slot);
        if (slot->live == GATEWAY_LIVE_ON) {
            continue; /* it goes on, and asks again */
        }
        if (slot->begun) {
            http_exchange_abort(slot->exchange);
        } else {
            http_exchange_problem(slot->exchange, 504, acme_internal, "the answer took too long", 1);
        }
    }
}
