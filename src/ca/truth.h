#ifndef CA_TRUTH_H
#define CA_TRUTH_H
/* What has become of a certificate (design 5): it is in use, or what replaces it is deployed, or a
 * replacement was issued and nobody has seen it, or the book knows nothing ("silent"). Each change is a row
 * of its own (certificate_truth), so the book can say what it knew on any day.
 *
 * A replacement is known from ACME ("replaces"), or because a newer certificate has the same set of names. An
 * endpoint that shows a certificate says that it is in use, and that those which it replaces are not, where
 * no endpoint is known to show them. Looking at nobody changes nothing: an endpoint that does not answer any
 * more is no proof of disuse.
 */
#include "ca/turn.h"

enum ca_truth_state { /* as in the book; 4 has no row where it was never another */
                      CA_TRUTH_IN_USE = 1,
                      CA_TRUTH_DEPLOYED = 2,
                      CA_TRUTH_NOT_SEEN = 3,
                      CA_TRUTH_SILENT = 4,
};
enum ca_truth_event {
    CA_TRUTH_SUCCESSOR,      /* a certificate that replaces it was issued */
    CA_TRUTH_SEEN,           /* an endpoint shows it */
    CA_TRUTH_SUCCESSOR_SEEN, /* an endpoint shows one that replaces it */
    CA_TRUTH_LEFT,           /* the last endpoint that showed it shows another one */
    CA_TRUTH_EVENTS,
};
struct ca_truth_edge {
    enum ca_truth_state from;
    enum ca_truth_event event;
    enum ca_truth_state to;
};
extern const struct ca_truth_edge ca_truth_edges[];
extern const size_t ca_truth_edge_count;
/* "in_use", "deployed", "not_seen", "silent": as the scope language has them. Here, since who only reads the
 * book links nothing that writes it. */
static inline const char *ca_truth_state_name(int64_t state)
{
    static const char *const names[] = {"silent", "in_use", "deployed", "not_seen", "silent"};
    return names[state >= CA_TRUTH_IN_USE && state <= CA_TRUTH_SILENT ? state : 0];
}

struct ca_truth_certificate {
    int64_t issuer;
    lt_slice serial;
};

/* A certificate came into the book: it replaces older ones of the same names that still hold, and where it
 * was imported and a newer one is there already, that one replaces it. Point look-ups, at most 16
 * certificates back. */
LT_MUST_USE lt_res ca_truth_arrived(struct ca_turn *t, const struct ca_truth_certificate *c,
                                    lt_slice name_set_sha256, lt_time issued);
/* newer replaces older: "acme-replaces", "same-names". */
LT_MUST_USE lt_res ca_truth_replaced(struct ca_turn *t, const struct ca_truth_certificate *older,
                                     const struct ca_truth_certificate *newer, const char *how);
/* An endpoint that showed `before` (NULL: none of this book) shows `now` (NULL: the same); its row in
 * usage_endpoint says so already. */
LT_MUST_USE lt_res ca_truth_observed(struct ca_turn *t, const struct ca_truth_certificate *before,
                                     const struct ca_truth_certificate *now);
/* What came into the book without ca_truth_arrived, a slice at a time. ret_more: there is more. */
LT_MUST_USE lt_res ca_truth_sweep(struct ca_turn *t, bool *ret_more);

extern const struct store_sql *const ca_truth_sql;
extern const size_t ca_truth_sql_count;

#endif
