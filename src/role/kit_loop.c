/* The messages of a role: who is linked, what has arrived, whose handler takes it, when a burst ends.
 *
 * A burst is what is there, at most 256 messages, taken round over the links so that none starves another;
 * then turn_end. A neighbour that breaks the table loses its link and is reported; a handler that finds the
 * machine or stored data broken (LT_STATE_*) ends the process, and the supervisor counts it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "role/kit_private.h"

enum {
    BURST_MESSAGES = 256,
    LINK_SHARE = 64, /* of a burst, before the next link has its turn */
    EVENTS = 64,
    TICK_MS = 100,
    DRAIN_POLL_MS = 10,
};

static uint32_t event_key(enum ipc_role peer, uint32_t instance)
{
    return (uint32_t)peer << 8 | instance;
}

static struct ipc_link *link_of(struct role_kit *kit, enum ipc_role peer, uint32_t instance)
{
    return peer == IPC_SUPERVISOR ? kit->control : kit->links[peer][instance];
}

void kit_fail(struct role_kit *kit, const char *what)
{
    lt_log_error(what);
    kit->failed = true;
    kit->done = true;
}

lt_res kit_watch(struct role_kit *kit, const struct ipc_link *link, enum ipc_role peer, uint32_t instance)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = event_key(peer, instance)};
    LT_CHECK(epoll_ctl(kit->epoll_fd, EPOLL_CTL_ADD, ipc_link_fd(link), &e) == 0, LT_STATE_IO, "epoll: %s",
             strerror(errno));
    return LT_OK;
}

/* Ask for EPOLLOUT while something is queued, and only then. */
static void update_write_interest(struct role_kit *kit, enum ipc_role peer, uint32_t instance)
{
    struct ipc_link *link = link_of(kit, peer, instance);
    uint64_t bit = UINT64_C(1) << instance;
    bool asked = (kit->polled_for_write[peer] & bit) != 0;
    bool wanted = ipc_link_wants_write(link);
    if (asked == wanted) {
        return;
    }
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = event_key(peer, instance)};
    e.events |= wanted ? (uint32_t)EPOLLOUT : 0;
    int rc = epoll_ctl(kit->epoll_fd, EPOLL_CTL_MOD, ipc_link_fd(link), &e);
    LT_ASSERT(rc == 0);
    kit->polled_for_write[peer] ^= bit;
}

/* How many of that role are linked: on the board, where the gateway's health looks too. */
static void note_links(const struct role_kit *kit, enum ipc_role peer)
{
    char name[LT_METRICS_NAME_MAX];
    int64_t count = 0;
    for (size_t i = 0; i < IPC_MAX_INSTANCES; i++) {
        count += kit->links[peer][i] != NULL ? 1 : 0;
    }
    (void)snprintf(name, sizeof name, "lintel_links{peer=\"%s\"}", ipc_role_name(peer)); /* short words */
    lt_metric_set(name, count);
}

static void drop_link(struct role_kit *kit, enum ipc_role peer, uint32_t instance)
{
    if (peer == IPC_SUPERVISOR) {
        kit->done = true; /* without a supervisor there is no family */
        return;
    }
    struct ipc_link *link = LT_TAKE(kit->links[peer][instance], NULL);
    kit->polled_for_write[peer] &= ~(UINT64_C(1) << instance);
    ipc_link_free(link); /* closing takes it out of epoll */
    note_links(kit, peer);
    if (kit->spec->unlinked != NULL) {
        kit->spec->unlinked(kit->self, peer, instance);
    }
}

static void report_misbehaviour(struct role_kit *kit, enum ipc_role peer, uint32_t instance,
                                enum ipc_type type)
{
    char detail[sizeof lt_error_last()->detail];
    memcpy(detail, lt_error_last()->detail, sizeof detail);
    lt_log(LT_LOG_ERROR, "a neighbour broke the rules", "peer=%s-%u type=%u detail=\"%s\"",
           ipc_role_name(peer), instance, (unsigned)type, detail);
    Ipc__Misbehaved body = IPC__MISBEHAVED__INIT;
    body.role = (uint32_t)peer;
    body.instance = instance;
    body.type = (uint32_t)type;
    body.detail = detail;
    lt_res r = ipc_link_send(kit->control, IPC_MISBEHAVED, 0, &body.base, NULL, 0);
    if (lt_failed(r)) {
        kit_fail(kit, "cannot report a misbehaving neighbour");
    }
}

static void take_result(struct role_kit *kit, const struct ipc_msg *m, lt_res r)
{
    enum ipc_role peer = m->from.role;
    if (!lt_failed(r)) {
        return;
    }
    if (r.code == LT_PEER_MALFORMED || r.code == LT_PEER_UNSUPPORTED) {
        report_misbehaviour(kit, peer, m->from.instance, m->type);
        if (link_of(kit, peer, m->from.instance) != NULL) {
            drop_link(kit, peer, m->from.instance);
        }
    } else if (lt_class_of(r.code) == LT_CLASS_STATE) {
        kit_fail(kit, "cannot go on");
    } else {
        lt_log_error(ipc_type_info(m->type)->name);
    }
}

static void route(struct role_kit *kit, const struct ipc_msg *m)
{
    role_handler *handle = kit->routes[m->from.role][m->type];
    if (handle == NULL) {
        lt_log(LT_LOG_DEBUG, "no use for a message", "type=%s from=%s-%u", ipc_type_info(m->type)->name,
               ipc_role_name(m->from.role), m->from.instance);
        return;
    }
    take_result(kit, m, handle(kit->self, m));
}

/* Up to limit messages of one link; how many there were. */
static size_t read_link(struct role_kit *kit, enum ipc_role peer, uint32_t instance, size_t limit)
{
    size_t count = 0;
    while (count < limit && !kit->done) {
        struct ipc_link *link = link_of(kit, peer, instance);
        if (link == NULL) {
            break;
        }
        struct ipc_msg m;
        lt_arena_reset(&kit->arena);
        lt_res r = ipc_link_recv(link, &kit->arena, &m);
        if (r.code == LT_RETRY_AGAIN) {
            break;
        }
        if (lt_failed(r)) {
            if (lt_class_of(r.code) == LT_CLASS_PEER) {
                report_misbehaviour(kit, peer, instance, m.type);
            }
            if (r.code == LT_STATE_IO) {
                kit_fail(kit, "a message is lost"); /* and what waits for it with it: begin anew */
            } else {
                drop_link(kit, peer, instance);
            }
            break;
        }
        count++;
        m.from.epoch = peer == IPC_SUPERVISOR ? 0 : kit->epochs[peer][instance];
        if (peer == IPC_SUPERVISOR) {
            kit_handle_control(kit, &m);
        } else {
            route(kit, &m);
        }
        ipc_msg_done(&m);
    }
    return count;
}

void kit_add_link(struct role_kit *kit, enum ipc_role peer, uint32_t instance, int fd)
{
    if (kit->links[peer][instance] != NULL) {
        /* What the old one had said before it died still counts. */
        (void)read_link(kit, peer, instance, SIZE_MAX);
        if (kit->links[peer][instance] != NULL) {
            drop_link(kit, peer, instance);
        }
    }
    struct ipc_link *link;
    lt_res r = ipc_link_new(fd, kit->spec->role, peer, instance, &link);
    if (lt_failed(r)) {
        (void)close(fd); /* unusable */
        kit_fail(kit, "a link that is none");
        return;
    }
    kit->links[peer][instance] = link;
    note_links(kit, peer);
    kit->epochs[peer][instance]++;
    if (lt_failed(kit_watch(kit, link, peer, instance))) {
        kit_fail(kit, "cannot watch a link");
        return;
    }
    if (kit->spec->linked != NULL) {
        kit->spec->linked(kit->self, peer, instance);
    }
}

void kit_handle_control(struct role_kit *kit, struct ipc_msg *m)
{
    if (m->type == IPC_LINK) {
        const Ipc__Link *l = (const Ipc__Link *)m->body;
        bool good = m->fd_count == 1 && l->role > IPC_SUPERVISOR && l->role < IPC_ROLE_COUNT &&
                    l->instance < IPC_MAX_INSTANCES;
        LT_ASSERT(good); /* the supervisor is ours, and nothing works without it */
        kit_add_link(kit, (enum ipc_role)l->role, l->instance, LT_TAKE(m->fds[0], -1));
    } else if (m->type == IPC_DRAIN) {
        kit->draining = true;
    } else if (m->type == IPC_RELOAD) {
        const Ipc__Reload *reload = (const Ipc__Reload *)m->body;
        lt_res r = kit->spec->reload == NULL ? LT_OK : kit->spec->reload(kit->self, reload->config_yaml);
        if (lt_failed(r)) {
            lt_log_error("reload refused, the old configuration stays");
        } else {
            lt_log(LT_LOG_INFO, "reloaded", "%s", "");
        }
    } else {
        route(kit, m);
    }
}

static void flush_link(struct role_kit *kit, enum ipc_role peer, uint32_t instance)
{
    struct ipc_link *link = link_of(kit, peer, instance);
    if (link == NULL || !ipc_link_wants_write(link)) {
        return;
    }
    if (lt_failed(ipc_link_flush(link))) {
        (void)read_link(kit, peer, instance, SIZE_MAX); /* its last words, then its end */
        return;
    }
    update_write_interest(kit, peer, instance);
}

static bool all_flushed(const struct role_kit *kit)
{
    for (size_t role = 0; role < IPC_ROLE_COUNT; role++) {
        for (size_t i = 0; i < IPC_MAX_INSTANCES; i++) {
            if (kit->links[role][i] != NULL && ipc_link_wants_write(kit->links[role][i])) {
                return false;
            }
        }
    }
    return true;
}

static void check_hook(struct role_kit *kit, lt_res r, const char *what)
{
    if (!lt_failed(r)) {
        return;
    }
    if (lt_class_of(r.code) == LT_CLASS_STATE) {
        kit->cut_off = r.code == LT_STATE_CLOSED;
        kit_fail(kit, what);
    } else {
        lt_log_error(what);
    }
}

static void end_of_turn(struct role_kit *kit)
{
    const struct role_spec *spec = kit->spec;
    int64_t now_ms = lt_monotonic_ms();
    if (!kit->done && now_ms >= kit->next_tick_ms) {
        kit->next_tick_ms = now_ms + TICK_MS;
        if (spec->tick != NULL) {
            check_hook(kit, spec->tick(kit->self, lt_now()), "a tick failed");
        }
    }
    kit->again = false;
    kit->again_at_ms = 0;
    if (!kit->done && spec->turn_end != NULL) {
        check_hook(kit, spec->turn_end(kit->self), "the end of a turn failed");
    }
    if (!kit->done && kit->draining && (spec->drained == NULL || spec->drained(kit->self)) &&
        all_flushed(kit)) {
        kit->done = true;
    }
}

int kit_timeout_ms(const struct role_kit *kit)
{
    if (kit->draining) {
        return DRAIN_POLL_MS;
    }
    if (kit->spec->tick == NULL) {
        return -1;
    }
    if (kit->again) {
        return 0;
    }
    int64_t next_ms = kit->again_at_ms > 0 && kit->again_at_ms < kit->next_tick_ms ? kit->again_at_ms
                                                                                   : kit->next_tick_ms;
    int64_t left_ms = next_ms - lt_monotonic_ms();
    return left_ms < 0 ? 0 : left_ms > TICK_MS ? TICK_MS : (int)left_ms;
}

/* What epoll said: flush first, then read round the links while the burst lasts. */
static void serve_events(struct role_kit *kit, const struct epoll_event *events, size_t count)
{
    bool readable[EVENTS];
    for (size_t i = 0; i < count; i++) {
        uint32_t key = events[i].data.u32;
        if ((events[i].events & EPOLLOUT) != 0) {
            flush_link(kit, (enum ipc_role)(key >> 8), key & 0xff);
        }
        readable[i] = (events[i].events & ~(uint32_t)EPOLLOUT) != 0;
    }
    size_t total = 0;
    bool more = true;
    while (more && total < BURST_MESSAGES && !kit->done) {
        more = false;
        for (size_t i = 0; i < count && !kit->done; i++) {
            uint32_t key = events[i].data.u32;
            if (!readable[i]) {
                continue;
            }
            size_t n = read_link(kit, (enum ipc_role)(key >> 8), key & 0xff, LINK_SHARE);
            total += n;
            readable[i] = n == LINK_SHARE;
            more |= readable[i];
        }
    }
}

void kit_turn(struct role_kit *kit, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n;
    do {
        n = epoll_wait(kit->epoll_fd, events, EVENTS, timeout_ms);
    } while (n < 0 && errno == EINTR);
    LT_ASSERT(n >= 0);
    serve_events(kit, events, (size_t)n);
    end_of_turn(kit);
}

static lt_res deliver(struct role_kit *kit, enum ipc_role to, uint32_t instance, lt_res r)
{
    if (r.code == LT_STATE_CLOSED) {
        /* Its end is noticed, and unlinked called, by the loop: not in the middle of a handler. */
        LT_FAIL(LT_RETRY_UNAVAILABLE, "%s-%u is gone", ipc_role_name(to), instance);
    }
    update_write_interest(kit, to, instance);
    return r;
}

static lt_res pick(struct role_kit *kit, enum ipc_role to, uint32_t *instance)
{
    LT_ASSERT(to > IPC_SUPERVISOR && to < IPC_ROLE_COUNT);
    if (*instance == ROLE_ANY) {
        for (uint32_t i = 0; i < IPC_MAX_INSTANCES; i++) {
            uint32_t at = (kit->next_instance[to] + i) % IPC_MAX_INSTANCES;
            if (kit->links[to][at] != NULL) {
                kit->next_instance[to] = at + 1;
                *instance = at;
                return LT_OK;
            }
        }
        LT_FAIL(LT_RETRY_UNAVAILABLE, "no %s is there", ipc_role_name(to));
    }
    LT_CHECK(*instance < IPC_MAX_INSTANCES && kit->links[to][*instance] != NULL, LT_RETRY_UNAVAILABLE,
             "%s-%u is not there", ipc_role_name(to), *instance);
    return LT_OK;
}

lt_res role_send(struct role_kit *kit, enum ipc_role to, uint32_t instance, enum ipc_type type, uint64_t id,
                 const ProtobufCMessage *body)
{
    LT_TRY(pick(kit, to, &instance));
    return deliver(kit, to, instance, ipc_link_send(kit->links[to][instance], type, id, body, NULL, 0));
}

lt_res role_send_packed(struct role_kit *kit, enum ipc_role to, uint32_t instance, enum ipc_type type,
                        uint64_t id, lt_slice packed)
{
    LT_TRY(pick(kit, to, &instance));
    return deliver(kit, to, instance,
                   ipc_link_send_packed(kit->links[to][instance], type, id, packed, NULL, 0));
}

lt_res role_send_fd(struct role_kit *kit, enum ipc_role to, enum ipc_type type, uint64_t id,
                    const ProtobufCMessage *body, int fd)
{
    uint32_t instance = ROLE_ANY;
    LT_TRY(pick(kit, to, &instance));
    return deliver(kit, to, instance, ipc_link_send(kit->links[to][instance], type, id, body, &fd, 1));
}

/* Is who asked still there? Its successor has asked nothing. */
static bool still_there(const struct role_kit *kit, const struct ipc_addr *to)
{
    return (to->instance == ROLE_ANY && to->role < IPC_ROLE_COUNT) ||
           (to->role < IPC_ROLE_COUNT && to->instance < IPC_MAX_INSTANCES &&
            kit->links[to->role][to->instance] != NULL &&
            (to->epoch == 0 || to->epoch == kit->epochs[to->role][to->instance]));
}

lt_res role_reply(struct role_kit *kit, const struct ipc_addr *to, enum ipc_type type,
                  const ProtobufCMessage *body)
{
    if (!still_there(kit, to)) {
        return LT_OK;
    }
    lt_res r = role_send(kit, to->role, to->instance, type, to->id, body);
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r;
}

lt_res role_reply_packed(struct role_kit *kit, const struct ipc_addr *to, enum ipc_type type, lt_slice packed)
{
    if (!still_there(kit, to)) {
        return LT_OK;
    }
    lt_res r = role_send_packed(kit, to->role, to->instance, type, to->id, packed);
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r;
}

bool role_linked(const struct role_kit *kit, enum ipc_role peer)
{
    for (size_t i = 0; i < IPC_MAX_INSTANCES; i++) {
        if (kit->links[peer][i] != NULL) {
            return true;
        }
    }
    return false;
}

void role_again_in(struct role_kit *kit, int64_t at_ms)
{
    kit->again_at_ms = at_ms;
}

uint64_t role_next_id(struct role_kit *kit)
{
    return kit->next_id++;
}

void role_again(struct role_kit *kit)
{
    kit->again = true;
}

bool role_draining(const struct role_kit *kit)
{
    return kit->draining;
}

bool role_scratch(const struct role_kit *kit)
{
    return kit->scratch;
}

int role_kit_fd(const struct role_kit *kit)
{
    return kit->epoll_fd;
}

bool role_kit_dispatch(struct role_kit *kit)
{
    kit_turn(kit, 0);
    return !kit->done;
}
