/* What operators say of subscribers' readiness: a table of the members that each request takes. */
#include <string.h>

#include "base/text.h"
#include "ca/api_internal.h"

enum member_kind { MEMBER_TEXT, MEMBER_TIME, MEMBER_FLAG };

static const struct member {
    const char *op;
    const char *name;
    enum member_kind kind;
    size_t offset; /* in Ipc__ReadyWanted */
} members[] = {
    {"readiness.set", "cannot-tolerate", MEMBER_FLAG, offsetof(Ipc__ReadyWanted, intolerant)},
    {"readiness.set", "reason", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, text)},
    {"readiness.contact", "address", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, address)},
    {"readiness.contact", "state", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, state)},
    {"readiness.contact", "reason", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, text)},
    {"readiness.write", "address", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, address)},
    {"readiness.call", "who", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, who)},
    {"readiness.call", "outcome", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, state)},
    {"readiness.call", "note", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, text)},
    {"readiness.call", "again", MEMBER_TIME, offsetof(Ipc__ReadyWanted, until_us)},
    {"readiness.link", "expires", MEMBER_TIME, offsetof(Ipc__ReadyWanted, until_us)},
    {"holdout.add", "subscriber", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, subscriber)},
    {"holdout.add", "name", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, name)},
    {"holdout.add", "who", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, who)},
    {"holdout.add", "reason", MEMBER_TEXT, offsetof(Ipc__ReadyWanted, text)},
};

static lt_res read_member(const json_t *payload, const struct member *m, struct lt_arena *a,
                          Ipc__ReadyWanted *w)
{
    void *field = (char *)w + m->offset; /* the table says its type */
    bool flag = false;
    switch (m->kind) {
    case MEMBER_TEXT:
        return ca_api_text(payload, m->name, false, a, field);
    case MEMBER_TIME:
        return ca_api_time(payload, m->name, false, field);
    case MEMBER_FLAG:
        LT_TRY(jose_json_optional_bool(payload, m->name, &flag));
        *(protobuf_c_boolean *)field = flag;
        return LT_OK;
    }
    LT_ASSERT(false);
}

/* The account is the path's, in decimal; of a hold-out it may be a member, and the path's number is its own.
 */
static lt_res read_number(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                          Ipc__ReadyWanted *w)
{
    char *account = NULL;
    uint64_t number = 0;
    if (t->id.len > 0) {
        LT_TRY(lt_parse_u64(t->id, INT64_MAX, &number));
        w->account = (int64_t)number;
        w->id = (int64_t)number;
        return LT_OK;
    }
    LT_TRY(ca_api_text(payload, "account", false, a, &account));
    if (account[0] != '\0') {
        LT_TRY(lt_parse_u64(lt_slice_cstr(account), INT64_MAX, &number));
    }
    w->account = (int64_t)number;
    return LT_OK;
}

lt_res ca_api_read_ready(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                         Ipc__OperatorCall *call)
{
    Ipc__ReadyWanted *w = LT_NEW(a, Ipc__ReadyWanted);
    LT_CHECK(w != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__ready_wanted__init(w);
    LT_TRY(read_number(t, payload, a, w));
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        if (strcmp(members[i].op, t->route->what) == 0) {
            LT_TRY(read_member(payload, &members[i], a, w));
        }
    }
    call->ready = w;
    return LT_OK;
}
