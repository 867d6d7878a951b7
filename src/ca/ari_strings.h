#ifndef CA_ARI_STRINGS_H
#define CA_ARI_STRINGS_H
/* The texts at the end of a map of renewal information: each once, found again by hash, so that a row costs
 * the same however many incidents have a page. */
#include "base/buf.h"

struct ca_ari_strings {
    struct lt_buf text; /* each ends with LF */
    uint32_t *slots;    /* owned; offset plus one, 0: empty; a power of two of them, half of them empty */
    size_t size;
    size_t count;
};

void ca_ari_strings_init(struct ca_ari_strings *s);
void ca_ari_strings_done(struct ca_ari_strings *s);
/* Without any again. */
void ca_ari_strings_reset(struct ca_ari_strings *s);
/* The offset of a text plus one, added where it is not there yet; 0 for the empty one. LT_STATE_CORRUPT:
 * longer than an address may be. LT_PEER_TOO_LARGE: no room for it. */
LT_MUST_USE lt_res ca_ari_strings_add(struct ca_ari_strings *s, lt_slice text, uint32_t *ret_offset);

#endif
