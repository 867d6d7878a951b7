#ifndef ACME_WIRE_H
#define ACME_WIRE_H
/* ACME as it stands on the wire (RFC 8555) and as the family speaks it (proto/ipc/acme.proto), both ways. For
 * the notary: paths and JSON of strangers become typed calls, typed replies become HTTP answers. Decides
 * nothing about accounts, orders or names beyond their form; knows no book.
 *
 * Everything made here lives in the request's arena, or borrows from the request. */
#include "acme.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "http.pb-c.h"
#include "jose/jws.h"

enum {
    WIRE_IDENTIFIERS_MAX = 100,
    WIRE_CONTACTS_MAX = 10,
    WIRE_CONTACT_LEN_MAX = 320,
    WIRE_SERIAL_MAX = 20, /* RFC 5280 4.1.2.2 */
    WIRE_CURSOR_MAX = 64,
};

struct wire_profile {
    const char *name;
    const char *description; /* a sentence or a URL */
};

/* What does not change between requests; strings are borrowed and never NULL ("" for none). */
struct wire_site {
    const char *name;     /* of the CA, for people; NULL: not known */
    const char *base_url; /* "https://localhost:14000", no slash at the end */
    const char *terms_of_service;
    const char *website;
    const char *const *caa_identities;
    size_t caa_identity_count;
    const struct wire_profile *profiles;
    size_t profile_count;
    bool external_account_required;
};

/* Paths. */

enum wire_resource {
    WIRE_DIRECTORY,
    WIRE_NEW_NONCE,
    WIRE_NEW_ACCOUNT,
    WIRE_NEW_ORDER,
    WIRE_NEW_AUTHORIZATION,
    WIRE_REVOKE,
    WIRE_KEY_CHANGE,
    WIRE_ACCOUNT,
    WIRE_ORDERS,
    WIRE_READINESS,
    WIRE_ORDER,
    WIRE_FINALIZE,
    WIRE_AUTHORIZATION,
    WIRE_CHALLENGE,
    WIRE_CERTIFICATE,
};

/* Whose key signs a POST. */
enum wire_signer { WIRE_BY_ACCOUNT, WIRE_BY_JWK, WIRE_BY_EITHER };

struct wire_route {
    const char *pattern; /* {id} decimal, {index} decimal, {serial} hex */
    enum wire_resource resource;
    enum wire_signer signer;
    bool get;      /* plain GET and HEAD */
    bool read;     /* POST-as-GET */
    bool write;    /* POST with a payload */
    bool keep_jws; /* a raw request with payload goes into the book with its event */
};

struct wire_target {
    const struct wire_route *route;
    int64_t id;
    uint32_t index;
    lt_slice serial;
    lt_slice cursor; /* of the query */
};

extern const struct wire_route wire_routes[];
extern const size_t wire_route_count;

/* LT_PEER_NOT_FOUND for a path that is none of ours. query: without "?". */
LT_MUST_USE lt_res wire_find(lt_slice path, lt_slice query, struct lt_arena *a,
                             struct wire_target *ret_target);
/* The account id of a kid: base_url "/acme/account/" id. */
LT_MUST_USE lt_res wire_account_of_kid(const struct wire_site *site, lt_slice kid, int64_t *ret_account);

/* In. */

struct wire_reader {
    const struct wire_site *site;
    struct lt_arena *arena;
    const char *problem_type; /* set before a failure that the code alone does not name; else NULL */
    Ipc__Problem *problem;    /* the same with subproblems; else NULL */
    lt_slice signer_spki;     /* of the key that signed the request */
};

/* What a verified request asks: op and its arguments into call, which the caller has begun (nonce, url, key).
 * spki of the key that signed, for the rule that no certificate has an account's key. */
LT_MUST_USE lt_res wire_read_call(struct wire_reader *r, const struct wire_target *target,
                                  const struct jws *jws, lt_slice signer_spki, Ipc__AcmeCall *call);
/* Begins a call with what is common to all. account_id 0: signed with its jwk. */
LT_MUST_USE lt_res wire_begin_call(struct lt_arena *a, const struct jws *jws, int64_t account_id,
                                   const uint8_t *thumbprint, Ipc__AcmeCall *ret_call);
/* The problem of a failure of anything above, of jws_parse and of jws_verify. */
Ipc__Problem *wire_problem_of(struct wire_reader *r, lt_res failure);

/* Out. */

struct wire_answer {
    struct lt_arena *arena;
    struct lt_buf *body; /* borrowed; emptied at the beginning */
    Ipc__HttpResponse http;
};

void wire_answer_begin(struct wire_answer *w, struct lt_arena *a, struct lt_buf *body);
/* value: printf. */
void wire_header(struct wire_answer *w, const char *name, const char *format, ...) LT_PRINTF(3, 4);
/* What is in the body so far is the answer. content_type: "" for an empty body. */
void wire_finish(struct wire_answer *w, uint32_t status, const char *content_type);
/* Each of these leaves a complete answer in w->http; nonce NULL: none. */
void wire_answer_directory(struct wire_answer *w, const struct wire_site *site, const char *nonce);
void wire_answer_nonce(struct wire_answer *w, const struct wire_site *site, const char *nonce, bool head);
/* site NULL: not one of ACME's resources. */
/* What a browser asks before it lets a page send a request. */
void wire_answer_options(struct wire_answer *w, const struct wire_route *route);
void wire_answer_problem(struct wire_answer *w, const struct wire_site *site, const Ipc__Problem *problem,
                         const char *nonce);
void wire_answer_reply(struct wire_answer *w, const struct wire_site *site, const struct wire_target *target,
                       const Ipc__AcmeReply *reply);
/* The problem as JSON, types as full URNs. */
void wire_problem_json(const Ipc__Problem *problem, struct lt_buf *out);

/* Parts, for tests and the fuzzer. */

/* One identifier in its canonical form, or the reason with r->problem_type set. */
LT_MUST_USE lt_res wire_identifier(struct wire_reader *r, lt_slice type, lt_slice value,
                                   Ipc__Identifier *ret_identifier);
/* Every "xn--" label must be an A-label of RFC 5890: it decodes, and encodes to itself. */
LT_MUST_USE lt_res wire_check_a_labels(lt_slice name);
/* A key as the registrar wants it: parsed, hashed, copied. */
LT_MUST_USE lt_res wire_public_key(struct lt_arena *a, lt_slice spki_der, Ipc__PublicKey *ret_key);
/* A CSR for finalize: parsed, its signature verified, key sound, names as identifiers. */
LT_MUST_USE lt_res wire_read_csr(struct wire_reader *r, lt_slice der, Ipc__AcmeFinalize *finalize);

#endif
