#ifndef CA_API_H
#define CA_API_H
/* The operator API /api/v1 (over run/api.sock alone) as it stands on the wire, for the notary: paths, queries
 * and JSON into Query and OperatorCall. Judges form only; rights are the registrar's.
 *
 * Reading, GET: status, eab, pauses, enrollments, enrollments/ID, certificates, certificates/SERIAL,
 * accounts, accounts/ID, readiness (status: a tier), readiness/ACCOUNT, readiness/worklist, holdouts,
 * blast-radius, masses, masses/ID, holds, events, halts, orders (status: waiting, or a state), orders/ID,
 * operators, plans, plans/ID, issuers, crls, inventory (certificates with DER and verdict at issuance),
 * nonce, openapi.json (what all of this is, for programs). Query parameters: cursor, limit, issuer, profile,
 * status, name, suffix, account, serial, spki-sha256, sha256, id (hex or words), issued-from, issued-until,
 * expires-from, expires-until (RFC 3339), evidence, der ("1"), order.
 *
 * Scopes: GET scopes, scopes/NAME, scopes/NAME/diff (version, against), scopes/NAME/run (version); POST of an
 * expression as text/plain: scope/count, scope/list (cursor, limit), scope/explain, scope/run; with at (RFC
 * 3339) the book as it was. Changes nothing and needs no signature.
 *
 * While an expression is typed: POST scope/check (is it one, what does it mean, and if not, where is it
 * wrong: always 200), GET scope/fields. within (milliseconds) with scope/count, scope/list, certificates: no
 * longer than that; no number then, and a page may be short. GET causes: why certificates may have to be
 * revoked, with the clocks of now.
 *
 * Who uses certificates: GET usage/scans, usage/scans/ID, usage/endpoints (name, suffix, issuer with serial;
 * cursor, limit), usage/history (name).
 *
 * scope/list takes order (serial, issued, -issued, expires, -expires) and der as well. What was brought in:
 * GET imports.
 *
 * Judging, POST of PEM, DER, base64, or JSON {object, kind, role, profile, issuer, precertificate, at, tbs}:
 * lint (der: the bytes again, and what stands where in them). Changes nothing and needs no signature; the
 * reader judges, which has no key and cannot write.
 *
 * Changing, POST of a flattened JWS by an operator's key, protected header {alg, kid: "operator:NAME", nonce,
 * url: "lintel:" and the path}, payload:
 *   certificates/SERIAL/revoke  {"issuer": "tls", "reason": 4, "text": "…", "cause": "…", "aware": "2026-…Z",
 *                               "dated-back-to": "2026-…Z", "late-because": "…"}
 *   halts                       {"kind": "profile", "value": "tls-server", "reason": "…"}
 *   key-blocks                  {"spki-sha256": HEX, "text": "why"}
 *   plans                       {"action": "halt.lift", "scope-sha256": HEX, "count": 1, "parameters": {…},
 *                                "expires": RFC 3339}
 *   plans/ID/approvals          {"signature": BASE64URL, "signed": RFC 3339}, or "passkey" in the place of
 *                               "signature" (ca_api_passkey)
 *   plans/ID/run                {}
 *   masses                      {"scope": EXPR, "tiers": [EXPR, …]} or {"spki-sha256": HEX, "block": true},
 *                               "reason": 4, "cause": "not-issued-per-rules", "note": "…", "aware": …,
 *                               "dated-back-to": …, "stop-after": TIER, "late-because": "…"
 *   masses/ID/start, pause, resume, stop   {"stop-after": TIER, "late-because": "…"}
 *   holds/SERIAL, holds/SERIAL/lift        {"issuer": "tls", "reason": "…", "reference": "…"}
 *   usage/scans                 {"scope": EXPR, "ports": [443], "rate": 50, "concurrency": 32,
 *                               "timeout-ms": 5000}
 *   usage/scans/ID/pause, resume, stop     {}
 *   readiness/ACCOUNT/set       {"cannot-tolerate": true, "reason": "…"}
 *   readiness/ACCOUNT/contact   {"address": MAIL, "state": "verified" or "bounced", "reason": "…"}
 *   readiness/ACCOUNT/write     {"address": MAIL}; without it all of its contacts: letters to verify them
 *   readiness/ACCOUNT/call      {"who": "…", "outcome": "reached", "note": "…", "again": RFC 3339}
 *   readiness/ACCOUNT/link      {"expires": RFC 3339}; the answer has "url"
 *   holdouts                    {"account": DECIMAL} or {"subscriber": "…"} or {"name": DOMAIN},
 *                               "who": "…", "reason": "…"
 *   holdouts/ID/lift            {}
 *   scopes                      {"name": "…", "scope": "…", "note": "…", "as-of": RFC 3339, "count": N,
 *                                "members-sha256": HEX}: what scope/run answered
 *   imports                     {"source": "…", "note": "…"}; the answer has "import"
 *   imports/ID/certificates     {"certificates": [{"der": BASE64URL} or {"issuer": "tls", "serial": HEX,
 * "not-before", "not-after", "issued": RFC 3339, "names": […], "sha256", "spki-sha256": HEX, "key-type":
 * "p256"}, each with "revoked": RFC 3339, "reason": 4 where it is], "issuers": [BASE64URL of DER], "profile":
 * "…", "account": N} issuers                     {"name": "…", "der": BASE64URL}: another CA, that never
 * signs here pauses/ACCOUNT/resume       {"name": "…"}; without it all paused names of the account eab
 * {"note": "…", "profiles": […], "suffixes": […], "accounts": 1, "orders": 100, "orders-period": SECONDS,
 * "expires": RFC 3339}; the answer has "kid" and "hmac_key" eab/KID/revoke              {} enrollments
 * {"csr": BASE64URL of DER, "subscriber": "…", "profile": "…", "contact": MAIL, "methods": [{"name": "…",
 * "method": "…"}], "hold": true}; the answer has "id" enrollments/ID/check        {"name": "…", "method":
 * "…"} enrollments/ID/issue        {} enrollments/ID/cancel       {"reason": "…"} lint/findings {"run": ID,
 * "part": 0, "rule-set": …, "seed": …, "sample": "3%", "since": …, "at": …, "total": N, "judged": N,
 * "differing": N, "failing": N, "findings": [{"issuer", "serial", "rule", "result", "message", "path",
 * "offset", "was"}]}
 *
 * The console (the operator's listener; ca/session.h): the same, but for whoever has a session. GET session,
 * sessions, passkeys; POST sessions, passkeys of a JWS that brings its own key; changes with kid
 * "session:ID", session/leave {}, sessions/ID/end {}
 */
#include <jansson.h>

#include "base/arena.h"
#include "ca/operator.h"
#include "import.pb-c.h"
#include "jose/jws.h"
#include "operator.pb-c.h"
#include "query.pb-c.h"

enum { CA_API_LIMIT_MAX = 1000, CA_API_LIMIT_DEFAULT = 100 };

#define CA_API_PREFIX "/api/v1/"
#define CA_API_URL_PREFIX "lintel:"

enum ca_api_kind {
    CA_API_QUERY,
    CA_API_NONCE,
    CA_API_CALL,
    CA_API_LOGIN,    /* POST of a JWS that brings its own key: sessions, passkeys; the console alone */
    CA_API_DOCUMENT, /* what this API is, in the words of OpenAPI; for everybody */
};

/* Who may read what; intake reads nothing. */
enum {
    CA_READERS_ALL = CA_ROLE_VIEWER | CA_ROLE_OPERATOR | CA_ROLE_APPROVER | CA_ROLE_AUDITOR,
    CA_READERS_BOOK = CA_ROLE_OPERATOR | CA_ROLE_APPROVER | CA_ROLE_AUDITOR, /* what people did */
    CA_READERS_PEOPLE = CA_ROLE_OPERATOR | CA_ROLE_AUDITOR,                  /* how people are reached */
};

struct ca_api_route {
    const char *method;
    const char *pattern; /* below the prefix; {id} a word, {serial} hex */
    const char *what;    /* Query.what or OperatorCall.op */
    enum ca_api_kind kind;
    unsigned
        readers; /* of a question that the console asks: one of these roles is needed; 0: CA_READERS_ALL */
};

struct ca_api_target {
    const struct ca_api_route *route;
    lt_slice id; /* word, or serial as bytes */
};

struct ca_api_request_line {
    lt_slice method;
    lt_slice path;
};

extern const struct ca_api_route ca_api_routes[];
extern const size_t ca_api_route_count;

/* Paths of another room, in a table like ours. */
struct ca_api_routes {
    const struct ca_api_route *routes;
    size_t count;
    size_t stride; /* from one route to the next: they may stand in larger rows */
};
LT_MUST_USE lt_res ca_api_find_in(const struct ca_api_routes *tables, size_t table_count,
                                  const struct ca_api_request_line *line, struct lt_arena *a,
                                  struct ca_api_target *ret_target);
/* LT_PEER_NOT_FOUND: no such path. LT_PEER_UNSUPPORTED: another method is meant. */
LT_MUST_USE lt_res ca_api_find(lt_slice method, lt_slice path, struct lt_arena *a,
                               struct ca_api_target *ret_target);
/* The readers of a question by its name; 0: no table has it. A name that stands twice has one answer. */
unsigned ca_api_readers(const struct ca_api_routes *tables, size_t table_count, const char *what);
/* query: as in the URL, percent-encoded. Unknown parameters are LT_PEER_MALFORMED: a filter that is ignored
 * shows more than was asked for. */
LT_MUST_USE lt_res ca_api_query(const struct ca_api_target *target, lt_slice query, struct lt_arena *a,
                                Ipc__Query *ret_query);
/* Every parameter of a question, for who describes the API. NULL: no more. */
struct ca_api_parameter {
    const char *name;
    const char *type; /* "text", "time", "hex", "flag", "id", "count", "number" */
};
const struct ca_api_parameter *ca_api_parameter_nth(size_t i, struct ca_api_parameter *ret_parameter);
/* The operator's name of a kid: "operator:NAME". */
LT_MUST_USE lt_res ca_api_operator_of_kid(lt_slice kid, lt_slice *ret_name);
/* {"id", "authenticator-data", "client-data", "signature"}, base64url each. */
LT_MUST_USE lt_res ca_api_passkey(const json_t *o, struct lt_arena *a, Ipc__PasskeyAssertion **ret_answer);
/* Typed arguments of a verified request; op, nonce and operator as well. */
LT_MUST_USE lt_res ca_api_call(const struct ca_api_target *target, const struct jws *jws, struct lt_arena *a,
                               Ipc__OperatorCall *ret_call);
/* The same without the arguments: op, nonce and operator. *ret_payload: the object, for the caller to free.
 */
LT_MUST_USE lt_res ca_api_call_head(const struct ca_api_target *target, const struct jws *jws,
                                    struct lt_arena *a, Ipc__OperatorCall *ret_call, json_t **ret_payload);
/* An expression as the language itself would write it, and its hash. */
LT_MUST_USE lt_res ca_api_canonical(lt_slice text, struct lt_arena *a, char **ret_text,
                                    ProtobufCBinaryData *ret_hash);
/* A member of "certificates" of imports/ID/certificates, as the family reads it: for who wants to know before
 * it is sent. Initialised by the caller. */
LT_MUST_USE lt_res ca_api_import_row(const json_t *o, struct lt_arena *a, Ipc__ImportRow *row);

#endif
