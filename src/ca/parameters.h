#ifndef CA_PARAMETERS_H
#define CA_PARAMETERS_H
/* The canonical parameters of the plans that the examiner carries out. Proposer, registrar and examiner build
 * the same text from what is to be done and compare bytes: so an approval for one halt lifts no other, and
 * nobody parses JSON. PlanStatement.parameters is exactly this text.
 *
 *   halt.lift         {"halt":"h123"}
 *   key-block.remove  {"spki-sha256":"HEX"}
 *   lint.exception    {"expires":"2026-12-01T00:00:00Z","profile":"tls-server","rule":"e_ext_san_missing"}
 */
#include "base/buf.h"
#include "base/clock.h"

#define CA_ACTION_HALT_LIFT "halt.lift"
#define CA_ACTION_KEY_UNBLOCK "key-block.remove"
#define CA_ACTION_LINT_EXCEPTION "lint.exception"

void ca_parameters_halt(lt_slice halt_id, struct lt_buf *out);
void ca_parameters_key(lt_slice spki_sha256, struct lt_buf *out);
void ca_parameters_lint(lt_slice rule, lt_slice profile, lt_time expires, struct lt_buf *out);

#endif
