#ifndef SIGNER_KEY_MARK_H
#define SIGNER_KEY_MARK_H
/* The mark of a drill's keys: the first line of their files. A signer of a drill signs with nothing else, and
 * no other signer with these (ca/scratch.h has the marks of folder and book). */
#include "base/arena.h"
#include "control.pb-c.h"

#define SIGNER_KEY_MARK "A key of a drill: what it signs is worth nothing.\n"

/* pem: the whole file. LT_POLICY_REFUSED: a drill and no mark, or the other way round. */
LT_MUST_USE lt_res signer_key_mark_check(const char *path, lt_slice pem, bool drill);
/* Every key file of the folder that the signer would load. */
LT_MUST_USE lt_res signer_keys_mark_check(const char *folder, Ipc__IssuerKey *const *issuers, size_t count,
                                          bool drill);

#endif
