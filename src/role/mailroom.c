/* mailroom: takes problem reports apart, as strangers wrote them: letters (RFC 5322, MIME), texts of forms,
 * and the proofs in them. It has no book, no key, no file and no network; a letter that kills it is asked for
 * twice more, alone, and is then put before a person as it came. */
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"
#include "role/kit.h"
#include "role/mailroom_read.h"
#include "role/profiles.h"

struct mailroom {
    struct role_kit *kit;
    struct lt_arena arena; /* of one report */
};

static lt_res on_take(void *self, const struct ipc_msg *m)
{
    struct mailroom *s = self;
    const Ipc__MailroomTake *take = (const Ipc__MailroomTake *)(const void *)m->body;
    Ipc__MailroomRead said = IPC__MAILROOM_READ__INIT;
    lt_res r = mailroom_read(take->form, LT_SLICE(take->raw.data, take->raw.len), &s->arena, &said);
    if (lt_failed(r)) {
        ipc__mailroom_read__init(&said);
        said.failed = (char *)(uintptr_t)lt_error_last()->detail; /* packed, not kept */
    }
    said.problem = take->problem;
    lt_metric_add(lt_failed(r) ? "lintel_problem_reports_read_total{outcome=\"failed\"}"
                               : "lintel_problem_reports_read_total{outcome=\"read\"}",
                  1);
    r = role_send(s->kit, IPC_REGISTRAR, ROLE_ANY, IPC_MAILROOM_READ, 0, &said.base);
    lt_arena_reset(&s->arena);
    if (lt_failed(r)) {
        lt_log_error("what was read is not told"); /* asked for again */
    }
    return LT_OK;
}

static lt_res start(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self)
{
    static struct mailroom room;
    (void)start;
    (void)listener_fds; /* it has none */
    crypto_start();
    mailroom_start();
    room.kit = kit;
    lt_arena_init(&room.arena, MAILROOM_ARENA_MAX);
    *ret_self = &room;
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_READER, IPC_MAILROOM_TAKE, on_take},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_MAILROOM,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_MAILROOM],
        .message_arena_max = (size_t)64 * 1024 * 1024,
        .start = start,
    };
    return role_main(&spec);
}
