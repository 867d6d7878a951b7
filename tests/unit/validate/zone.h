#ifndef TESTS_UNIT_VALIDATE_ZONE_H
#define TESTS_UNIT_VALIDATE_ZONE_H
/* A signed zone of one name (RFC 4034, algorithm 13): its DNSKEY, A and AAAA records with their signatures.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone; /* owned by the test */

struct zone *zone_new(const char *name);
void zone_free(struct zone *z);
/* "NAME. IN DS …": the trust anchor. */
void zone_anchor(const struct zone *z, char *ret_text, size_t size);
/* Appends the record of that type and its signature behind packet[at]; the new end. *ret_count: how many
 * records. tamper: another address than the one that was signed. */
size_t zone_answer(const struct zone *z, uint8_t *packet, size_t at, uint16_t type, bool tamper,
                   unsigned *ret_count);
const char *zone_name(const struct zone *z);

#endif
