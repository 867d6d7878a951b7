/* Several registrars on one book. Most of what clients ask is of one account: it is decided beside what other
 * hosts decide, with the account locked. What touches more than one account, or what all registrars have in
 * memory (halts, keys of accounts, leases, timers, operators), is decided alone. With one account's requests
 * in one order the handlers need no other care; what they intern is added by whoever comes first.
 */
#include "acme.pb-c.h"
#include "role/registrar.h"
#include "sign.pb-c.h"
#include "validate.pb-c.h"

static const struct store_sql sql[] = {
    {"registrar.account-of-authorization", "SELECT account FROM authorization WHERE id = ?1"},
    {"registrar.account-of-intent", "SELECT account FROM intent WHERE id = ?1"},
};
enum { SQL_AUTHORIZATION, SQL_INTENT };
const struct store_sql *const registrar_beside_sql = sql;
const size_t registrar_beside_sql_count = LT_COUNT(sql);

/* Accounts and their keys are in the memory of all: who makes or changes one is alone, and so is who revokes,
 * since a key's certificates are of any account. */
static const Ipc__AcmeOp of_one_account[] = {
    IPC__ACME_OP__ACME_GET_ACCOUNT,       IPC__ACME_OP__ACME_NEW_ORDER,
    IPC__ACME_OP__ACME_NEW_AUTHORIZATION, IPC__ACME_OP__ACME_GET_ORDER,
    IPC__ACME_OP__ACME_GET_ORDERS,        IPC__ACME_OP__ACME_GET_AUTHORIZATION,
    IPC__ACME_OP__ACME_GET_CHALLENGE,     IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION,
    IPC__ACME_OP__ACME_REPLY_CHALLENGE,   IPC__ACME_OP__ACME_FINALIZE,
    IPC__ACME_OP__ACME_GET_CERTIFICATE,
};

static const void *body_of(const struct ipc_msg *m)
{
    return m->body;
}

static bool call_of_account(const struct ipc_msg *m)
{
    const Ipc__AcmeCall *call = body_of(m);
    for (size_t i = 0; call->account_id != 0 && i < LT_COUNT(of_one_account); i++) {
        if (call->op == of_one_account[i]) {
            return true;
        }
    }
    return false;
}

bool registrar_beside(const struct registrar *g, const struct ipc_msg *m)
{
    if (m == NULL || !g->book->host.shared) {
        return false;
    }
    if (m->type == IPC_ACME_CALL) {
        return call_of_account(m);
    }
    return m->type == IPC_KEY_LOOKUP || m->type == IPC_NONCE_REQUEST || m->type == IPC_VALIDATED ||
           m->type == IPC_CORROBORATED || m->type == IPC_SIGN_REPLY;
}

static lt_res account_of(struct registrar *g, int statement, int64_t id, int64_t *ret_account)
{
    struct store_rows rows;
    *ret_account = 0;
    LT_TRY(store_query(g->store, &sql[statement], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows) && !store_is_null(&rows, 0)) {
        *ret_account = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

static lt_res find_account(struct registrar *g, const struct ipc_msg *m, int64_t *ret_account)
{
    *ret_account = 0;
    if (m->type == IPC_ACME_CALL) {
        *ret_account = ((const Ipc__AcmeCall *)body_of(m))->account_id;
    } else if (m->type == IPC_VALIDATED) {
        const Ipc__Validated *v = body_of(m);
        return account_of(g, SQL_AUTHORIZATION, v->authorization_id, ret_account);
    } else if (m->type == IPC_CORROBORATED) {
        const Ipc__Corroborated *v = body_of(m);
        return account_of(g, SQL_AUTHORIZATION, v->authorization_id, ret_account);
    } else if (m->type == IPC_SIGN_REPLY) {
        const Ipc__SignReply *s = body_of(m);
        return account_of(g, SQL_INTENT, s->intent_id, ret_account);
    }
    return LT_OK;
}

lt_res registrar_keep_off(struct registrar *g, const struct ipc_msg *m)
{
    int64_t account = 0;
    if (!g->beside || m == NULL) {
        return LT_OK;
    }
    LT_TRY(find_account(g, m, &account));
    if (account == 0) {
        return LT_OK; /* of no account: this host's own, or only read */
    }
    LT_TRY(store_lock(g->store, account));
    if (store_changed_elsewhere(g->store)) {
        acme_desk_refresh(g->desk);
    }
    return LT_OK;
}
