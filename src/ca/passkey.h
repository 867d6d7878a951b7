#ifndef CA_PASSKEY_H
#define CA_PASSKEY_H
/* Passkeys of operators: what a browser's authenticator signed, verified without a parser. Registrar,
 * examiner and audit use the same code; none of them believes another.
 *
 * A passkey becomes an operator's by a statement that the key of an enrolment link signs (ES256, R ‖ S):
 *   lintel-passkey-v1
 *   operator=NAME
 *   rp=localhost
 *   credential=BASE64URL
 *   key=BASE64URL of the SPKI
 * The public half of that key stands in the root-owned operators/NAME.json until a date; it is taken once.
 *
 * An answer is good for a text when its challenge is the SHA-256 of that text: to log in,
 *   lintel-session-v1
 *   nonce=NONCE
 *   rp=localhost
 *   key=BASE64URL of the RFC 7638 thumbprint of the key that the session signs with
 * and to approve, the statement of ca/approval.h.
 *
 * Refuses: client data in any order but the one that WebAuthn makes browsers write, of another origin or from
 * inside another site's page; answers without a person who was there and was recognised; keys of kinds that
 * we do not verify with.
 */
#include "base/buf.h"
#include "ca/operator.h"
#include "common.pb-c.h"

enum {
    CA_PASSKEYS_MAX = 1024, /* of a family */
    CA_PASSKEY_ID_MAX = 1023,
    CA_PASSKEY_RP_MAX = 253,
    CA_PASSKEY_CLIENT_DATA_MAX = 4096,
    CA_PASSKEY_AUTHENTICATOR_DATA_MAX = 1024,
    CA_PASSKEY_STATEMENT_MAX = 8192,
    CA_ORIGINS_MAX = 4,
    CA_ORIGIN_SIZE = 300,
};

struct ca_passkey { /* everything belongs to whoever filled it in */
    const char *operator_;
    const char *rp;
    const char *alg; /* "ES256", "EdDSA", "RS256" */
    lt_slice id;     /* of the credential */
    lt_slice spki;
    lt_slice
        owner; /* thumbprint of the operator's own key when it became theirs: another key is another person */
};

struct ca_passkeys {
    struct lt_arena arena;   /* owned; all that rows point to */
    struct ca_passkey *list; /* in arena, CA_PASSKEYS_MAX of them */
    size_t count;
};

/* Pages whose answers count. */
struct ca_origins {
    char list[CA_ORIGINS_MAX][CA_ORIGIN_SIZE];
    size_t count;
};

void ca_passkeys_init(struct ca_passkeys *p);
void ca_passkeys_done(struct ca_passkeys *p);
/* A copy; one that is known is taken for LT_OK when it is the same operator's, else LT_PEER_CONFLICT. */
LT_MUST_USE lt_res ca_passkeys_add(struct ca_passkeys *p, const struct ca_passkey *k);
const struct ca_passkey *ca_passkeys_find(const struct ca_passkeys *p, lt_slice id);

/* Of the operator's listener (ADDRESS:PORT) and the console's name ("" for none): http and https of localhost
 * at that port, https of the name with and without it. */
void ca_origins_of(const char *listen, const char *name, struct ca_origins *ret_origins);
/* Is that the host of one of them? What a passkey is bound to. */
bool ca_origins_have_rp(const struct ca_origins *o, const char *rp);

/* Sizes, characters, and a key that we verify with. */
LT_MUST_USE lt_res ca_passkey_check(const struct ca_passkey *k);
LT_MUST_USE lt_res ca_passkey_statement(const struct ca_passkey *k, struct lt_buf *out);
/* LT_OK when that key signed the statement. */
LT_MUST_USE lt_res ca_passkey_signed(const struct ca_passkey *k, lt_slice enrolment_spki, lt_slice signature);
/* The same, and the operator's file names that key, until later than now. LT_POLICY_APPROVAL with the reason.
 */
LT_MUST_USE lt_res ca_passkey_enrolled(const struct ca_operators *operators, const struct ca_passkey *k,
                                       lt_slice enrolment_spki, lt_slice signature, lt_time now);
/* Does the operator's file name that key of a link, expired or not? */
bool ca_passkey_link_known(const struct ca_operators *operators, const char *operator_,
                           lt_slice enrolment_spki);
/* Is it still that operator's: the person with that key, and not taken back by their file? */
bool ca_passkey_is_of(const struct ca_passkey *k, const struct ca_operator *o);
/* Has the operator's file taken it back? */
bool ca_passkey_refused(const struct ca_operator *o, lt_slice id);

struct ca_session_text {
    const char *nonce;
    const char *rp;
    lt_slice thumbprint;
};
LT_MUST_USE lt_res ca_session_text(const struct ca_session_text *s, struct lt_buf *out);

/* WebAuthn 2, 5.8.1.2 "Limited Verification Algorithm"
 * The client data of that type and challenge, from one of the origins (NULL: any; the audit knows none of the
 * time). crossOrigin must be there and false. */
LT_MUST_USE lt_res ca_client_data_check(lt_slice client_data, const char *type, lt_slice challenge,
                                        const struct ca_origins *origins);
/* The answer of that passkey to the SHA-256 of text. LT_POLICY_APPROVAL with the reason. */
LT_MUST_USE lt_res ca_passkey_verify(const struct ca_passkey *k, lt_slice text,
                                     const struct ca_origins *origins, const Ipc__PasskeyAssertion *a,
                                     uint32_t *ret_sign_count);

#endif
