#ifndef CA_CRL_SHARD_H
#define CA_CRL_SHARD_H
/* Parts of an issuer's CRL: which one a certificate is on, and where it is fetched. A certificate's shard is
 * fixed when it is planned, stands in its CRL distribution point, and never changes; 0 is the complete CRL.
 * Every place that writes or reads such an address does it here, so that the two are equal byte for byte. */
#include "base/arena.h"
#include "base/slice.h"

enum { CA_CRL_SHARDS_MAX = 1024, CA_CRL_NAME_MAX = 80 };

/* 1 to count by the random end of the serial; 0 where count is 0. */
uint32_t ca_crl_shard_of(lt_slice serial, uint32_t count);
/* "tls.crl", or "tls/7.crl": below /crl/ in addresses, below public/crl in the folder. */
void ca_crl_name(const char *issuer, uint32_t shard, char ret_name[CA_CRL_NAME_MAX]);
/* "http://ca.example.com/crl/tls/7.crl". NULL over the arena's limit. */
const char *ca_crl_url(struct lt_arena *a, const char *base, const char *issuer, uint32_t shard);
/* The shard that such an address of this issuer names: exactly as ca_crl_url writes it, or false. */
bool ca_crl_url_shard(lt_slice url, const char *base, const char *issuer, uint32_t *ret_shard);

#endif
