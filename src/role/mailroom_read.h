#ifndef ROLE_MAILROOM_READ_H
#define ROLE_MAILROOM_READ_H
/* A problem report taken apart: letters by gmime, part after part, and the texts of forms. Everything that is
 * found is words and hashes for the registrar; keys that are proven to be compromised are verified here
 * (incident/proof.h). What cannot be taken apart as a letter is read as a text: nothing is refused.
 *
 * Refuses nothing, opens no attachment that is packed, follows no link. */
#include "base/arena.h"
#include "mailroom.pb-c.h"

enum {
    MAILROOM_PARTS_MAX = 200,
    MAILROOM_TEXT_MAX = 32 * 1024,
    MAILROOM_ARENA_MAX = 192 * 1024 * 1024,
};

/* Once, before the first. */
void mailroom_start(void);
/* Everything in the arena. LT_PEER_TOO_LARGE: it does not fit. */
LT_MUST_USE lt_res mailroom_read(const char *form, lt_slice raw, struct lt_arena *a,
                                 Ipc__MailroomRead *ret_read);

#endif
