/* Counts of questions for renewal information, on their way from a gateway to the registrar: judged for form
 * here, where strangers' bytes are. */
#include "ca/ari_map.h"
#include "ca/ready_tier.h"
#include "ready.pb-c.h"
#include "role/notary_private.h"

enum { ROWS_MAX = 256, KEYS_MAX = 64, CLIENTS_MAX = 256 };

static lt_res check(const Ipc__RenewalPolls *p)
{
    size_t n = p->n_serials;
    LT_CHECK(n > 0 && n <= ROWS_MAX && p->n_issuers == n && p->n_counts == n && p->n_agents == n &&
                 p->n_key_ids <= KEYS_MAX && p->n_clients <= CLIENTS_MAX,
             LT_PEER_MALFORMED, "%zu polls in lists of different lengths, or too many", n);
    for (size_t i = 0; i < p->n_key_ids; i++) {
        LT_CHECK(p->key_ids[i].len > 0 && p->key_ids[i].len <= CA_ARI_KEY_ID_MAX, LT_PEER_MALFORMED,
                 "a key identifier of %zu bytes", p->key_ids[i].len);
    }
    for (size_t i = 0; i < n; i++) {
        LT_CHECK(p->serials[i].len > 0 && p->serials[i].len <= CA_ARI_SERIAL_MAX &&
                     p->issuers[i] < p->n_key_ids && p->agents[i] < p->n_clients,
                 LT_PEER_MALFORMED, "a poll of no certificate, or by no client");
    }
    return LT_OK;
}

/* Where the registrar is away they are lost: nobody waits for them. */
lt_res notary_polls(struct notary *n, const struct ipc_msg *m)
{
    const Ipc__RenewalPolls *p = (const Ipc__RenewalPolls *)(const void *)m->body;
    LT_TRY(check(p));
    for (size_t i = 0; i < p->n_clients; i++) {
        LT_CHECK(lt_slice_cstr(p->clients[i]).len < CA_READY_CLIENT_SIZE, LT_PEER_MALFORMED,
                 "a client of %zu bytes", lt_slice_cstr(p->clients[i]).len);
    }
    lt_ignore(n->ports.send(n->ports.self, IPC_REGISTRAR, IPC_RENEWAL_POLLS, 0, &p->base)); /* see above */
    return LT_OK;
}
