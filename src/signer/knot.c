/* The text of a knot. */
#include "signer/knot.h"

#include "base/text.h"

void signer_knot_statement(const struct signer_knot *k, struct lt_buf *out)
{
    lt_buf_add_cstr(out, "lintel-knot-v1\nchain=");
    lt_buf_add(out, k->chain);
    lt_buf_addf(out, "\nsequence=%llu\nhead=", (unsigned long long)k->sequence);
    lt_hex_add(out, k->head);
    lt_buf_addf(out, "\ntime-us=%lld\njournal-sequence=%llu\njournal-head=", (long long)k->time_us,
                (unsigned long long)k->journal_sequence);
    lt_hex_add(out, k->journal_head);
    lt_buf_add_byte(out, '\n');
}
