#ifndef ROLE_READER_RAW_H
#define ROLE_READER_RAW_H
/* The bytes of a problem report on their way out of the book to the mailroom, unseen: the reader looks into
 * none of them. */
#include "role/kit.h"
#include "store/store.h"

/* Where there is no mailroom nothing is sent: the registrar asks again. */
LT_MUST_USE lt_res reader_raw_asked(struct store *s, struct role_kit *kit, const struct ipc_msg *m);

#endif
