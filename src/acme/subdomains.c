/* Names that are proven by a domain above them (RFC 9444).
 *
 * The client proves the domain above, once; its authorization ("ancestor") says so with subdomains = 1. Each
 * name below gets an authorization of its own in the book, without challenges, which follows the ancestor's:
 * so that whatever looks at a name (CAA, evidence, the count before issuance) finds a row of that very name.
 * Clients see the ancestor in its place. A row is good only as long as its ancestor is valid. */
#include <string.h>

#include "acme/desk_private.h"
#include "ca/limits.h"

enum { CHILDREN_MAX = 1000, REUSE_MARGIN_S = 3600, LABELS_MAX = 128 };

lt_res acme_ancestor_any(struct acme_call *c, bool *ret_any)
{
    struct store_rows rows;
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_AUTHORIZATION_SCOPES],
                       STORE_ARGS(STORE_I(c->account.id)), &rows));
    *ret_any = store_next(&rows);
    return store_rows_end(&rows);
}

static lt_res find_at(struct acme_call *c, const char *domain, struct acme_ancestor *ret_ancestor)
{
    struct store_rows rows;
    int64_t reuse_s = acme_reuse_seconds(c->desk, c->by_hand != NULL, c->turn->now);
    lt_time oldest = lt_time_add_seconds(c->turn->now, REUSE_MARGIN_S - reuse_s);
    lt_time least = lt_time_add_seconds(c->turn->now, REUSE_MARGIN_S);
    LT_TRY(store_query(
        c->turn->store, &acme_sql[ACME_SQL_AUTHORIZATION_COVERS],
        STORE_ARGS(STORE_I(c->account.id), STORE_S(domain), STORE_I(least.us), STORE_I(oldest.us)), &rows));
    if (store_next(&rows)) {
        ret_ancestor->id = store_int(&rows, 0);
        ret_ancestor->expires.us = store_int(&rows, 1);
        ret_ancestor->validated.us = store_int(&rows, 2);
    }
    return store_rows_end(&rows);
}

lt_res acme_ancestor_find(struct acme_call *c, const Ipc__Identifier *name,
                          struct acme_ancestor *ret_ancestor)
{
    const char *at = acme_name_base(name->value);
    *ret_ancestor = (struct acme_ancestor){0};
    if (strcmp(name->type, "dns") != 0) {
        return LT_OK;
    }
    if (!acme_name_is_wildcard(name->value)) {
        at = strchr(at, '.');
        at = at == NULL ? NULL : at + 1;
    }
    /* Up to the registry's own names, which nobody proves. */
    for (size_t i = 0; i < LABELS_MAX && at != NULL && !acme_name_is_suffix(c->desk->names, at); i++) {
        LT_TRY(find_at(c, at, ret_ancestor));
        if (ret_ancestor->id != 0) {
            return LT_OK;
        }
        at = strchr(at, '.');
        at = at == NULL ? NULL : at + 1;
    }
    return LT_OK;
}

/* The ancestor's evidence stands for the name below as well, but for CAA, which is a matter of each name.
 *= CABF-BR 3.2.2.8 "the CA MUST retrieve and process CAA records" */
static lt_res copy_evidence(struct ca_turn *t, int64_t from, int64_t to, lt_time checked)
{
    return acme_step_exec(t->store, ACME_SQL_EVIDENCE_COPY,
                          STORE_ARGS(STORE_I(from), STORE_I(to), STORE_I(checked.us)));
}

lt_res acme_ancestor_cover(struct acme_call *c, const Ipc__Identifier *name, lt_time expires,
                           const struct acme_ancestor *ancestor, int64_t *ret_id)
{
    struct acme_authorization made;
    const struct acme_scope scope = {.ancestor = ancestor->id};
    LT_TRY(acme_authorization_make(c, name, &scope, expires, ret_id));
    if (ancestor->validated.us == 0) {
        return LT_OK; /* it follows when the ancestor is proven */
    }
    LT_TRY(acme_authorization_load(c->turn, *ret_id, &made));
    LT_TRY(acme_authorization_step(c->turn, &made, ACME_PROVE, ancestor->expires, ancestor->validated));
    return copy_evidence(c->turn, ancestor->id, *ret_id, ancestor->validated);
}

/* *ids in the arena. */
static lt_res list_children(struct ca_turn *t, int64_t ancestor, int64_t **ids, size_t *count)
{
    struct store_rows rows;
    *count = 0;
    *ids = LT_NEW_ARRAY(t->arena, int64_t, CHILDREN_MAX);
    LT_CHECK(*ids != NULL, LT_PEER_TOO_LARGE, "acme: too many names at once");
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_AUTHORIZATION_CHILDREN],
                       STORE_ARGS(STORE_I(ancestor), STORE_I(CHILDREN_MAX)), &rows));
    while (*count < CHILDREN_MAX && store_next(&rows)) {
        (*ids)[(*count)++] = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

lt_res acme_ancestor_follow(struct acme_desk *d, struct ca_turn *t, const struct acme_follow *f)
{
    int64_t *ids = NULL;
    size_t count = 0;
    if (!f->ancestor->subdomains) {
        return LT_OK;
    }
    LT_TRY(list_children(t, f->ancestor->id, &ids, &count));
    for (size_t i = 0; i < count; i++) {
        struct acme_authorization child;
        bool proves = f->step == ACME_PROVE;
        LT_TRY(acme_authorization_load(t, ids[i], &child));
        if (acme_edge_find(ACME_AUTHORIZATION, child.status, f->step) == NULL) {
            continue; /* it has come to its own end */
        }
        LT_TRY(acme_authorization_step(t, &child, f->step, proves ? f->expires : child.expires,
                                       proves ? t->now : (lt_time){0}));
        if (proves) {
            LT_TRY(copy_evidence(t, f->ancestor->id, ids[i], t->now));
        }
        LT_TRY(acme_orders_follow(d, t, ids[i], proves ? ACME_PROVE : ACME_FAIL, f->error));
    }
    return LT_OK;
}
