#ifndef ROLE_NOTARY_PUBLIC_H
#define ROLE_NOTARY_PUBLIC_H
/* What the public pages say, out of what the reader knows (incident/public_ask.c): HTML into out, between the
 * frame's beginning and end. known is a JSON object; whatever is missing in it is left out. */
#include <jansson.h>

#include "acme/wire.h"
#include "base/buf.h"

typedef void notary_public_writer(struct lt_buf *out, const struct wire_site *site, const json_t *known);
notary_public_writer notary_public_front;
notary_public_writer notary_public_status;
notary_public_writer notary_public_hierarchy;
notary_public_writer notary_public_connect;

/* A member that is a text; "" where there is none. */
const char *notary_public_text(const json_t *o, const char *key);
int64_t notary_public_number(const json_t *o, const char *key);

#endif
