#ifndef CA_TESTING_H
#define CA_TESTING_H
/* The mark of a test CA, and what only folders with it may do. `lintel init --testing` makes the mark in a
 * new folder; nothing else does. It is the file "testing", and ends with the very bytes of ca/root.pem, so
 * that the mark of one CA is worth nothing in the folder of another. Links neither the book nor any crypto.
 */
#include "base/buf.h"
#include "ca/config.h"

#define CA_TESTING_MARK "testing"

/* The bytes of the mark of the CA with this root. */
void ca_testing_mark(lt_slice root_pem, struct lt_buf *out);
/* dir_fd: of the CA folder. LT_POLICY_REFUSED: there is a mark, of another CA. */
LT_MUST_USE lt_res ca_testing_marked(int dir_fd, bool *ret_marked);
/* LT_POLICY_REFUSED: the configuration wants what only a test CA may do, and this is none. */
LT_MUST_USE lt_res ca_testing_check(int dir_fd, const struct ca_config *config, bool *ret_marked);

/* What users of Pebble set: PEBBLE_WFE_NONCEREJECT, PEBBLE_AUTHZREUSE, PEBBLE_VA_ALWAYS_VALID,
 * PEBBLE_VA_NOSLEEP, PEBBLE_VA_SLEEPTIME. They go before what is written down, but mean nothing where
 * nothing is. LT_PEER_USAGE: a value that cannot be meant. */
LT_MUST_USE lt_res ca_testing_environment(struct ca_config_testing *t, char *(*get)(const char *name));

#endif
