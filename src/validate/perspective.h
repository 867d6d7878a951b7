#ifndef VALIDATE_PERSPECTIVE_H
#define VALIDATE_PERSPECTIVE_H
/* Remote perspectives: their root-owned files, perspectives/NAME.json,
 *   {"name": "eu-west", "url": "https://host:port", "spki": "BASE64 of DER", "rir": "RIPE",
 *    "latitude": 52.4, "longitude": 4.9, "resolver-rir": "RIPE", "resolver-latitude": 52.4,
 *    "resolver-longitude": 4.9}
 * (resolver-… may be left out: where the perspective is), and what they sign. Registrar, courier and
 * examiner read the folder at start and on SIGHUP, each for itself.
 *
 * Refuses files that do not say exactly that, names that differ from their file, keys that are not P-256,
 * perspectives that are too close to each other (quorum.h), and statements with another key, name, nonce,
 * method or identifier than asked for. Opens nothing but that folder.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "crypto/key.h"
#include "validate.pb-c.h"
#include "validate/quorum.h"

enum {
    VALIDATE_PERSPECTIVE_FILE_MAX = 4096,
    VALIDATE_PERSPECTIVE_NAME_MAX = 63,
    VALIDATE_PERSPECTIVE_URL_MAX = 255,
    VALIDATE_STATEMENT_MAX = 64 * 1024,
};
/* What is signed begins with it, the NUL included. */
#define VALIDATE_STATEMENT_CONTEXT "lintel-perspective-v1"

struct validate_perspectives {
    struct lt_arena arena;             /* owned */
    struct validate_perspective *list; /* in arena, by name */
    size_t count;
};

/* All *.json of the folder, checked one by one and against each other; a missing folder is none. */
LT_MUST_USE lt_res validate_perspectives_load(int folder_fd, const char *folder,
                                              struct validate_perspectives *ret_perspectives);
void validate_perspectives_done(struct validate_perspectives *p);
/* NULL when there is none of that name. */
const struct validate_perspective *validate_perspective_by_name(const struct validate_perspectives *p,
                                                                lt_slice name);

LT_MUST_USE lt_res validate_perspective_parse(struct lt_arena *a, lt_slice json,
                                              struct validate_perspective *ret_perspective);
/* The file's text. */
LT_MUST_USE lt_res validate_perspective_print(const struct validate_perspective *p, struct lt_buf *out);
/* Lower-case letters, digits, '-', '.', '_', starting with a letter, at most 63; not "primary". */
bool validate_perspective_name_valid(lt_slice name);

/* Packs and signs. Everything in ret_signed lives in the arena, but perspective, which is v's. */
LT_MUST_USE lt_res validate_statement_sign(struct crypto_key *key, const Ipc__Validated *v,
                                           struct lt_arena *a, Ipc__SignedStatement *ret_signed);
/* LT_PEER_UNAUTHORIZED: not signed by that perspective, or it speaks for another. */
LT_MUST_USE lt_res validate_statement_verify(const struct validate_perspective *p,
                                             const Ipc__SignedStatement *s, struct lt_arena *a,
                                             const Ipc__Validated **ret_validated);
/* What question_sha256 of its answer has to be. */
LT_MUST_USE lt_res validate_question_digest(const Ipc__Validate *question, struct lt_arena *a,
                                            uint8_t ret_hash[32]);
/* Does it say that the name is under control and, where CAA was asked, that CAA permits? Nothing that rests
 * on a bogus answer does. caa_asked: issuer_domains of the question was not empty and it is a name. */
bool validate_statement_permits(const Ipc__Validated *v, bool caa_asked);

#endif
