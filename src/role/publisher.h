#ifndef ROLE_PUBLISHER_H
#define ROLE_PUBLISHER_H
/* Inside the publisher: the files that relying parties fetch. Private to role/publisher*.c. */
#include "base/clock.h"
#include "ca/crl_build.h"
#include "store/store.h"

/* Makes public/, public/crl/, public/ca/ and public/ari/ below folder. Before the doors close. */
LT_MUST_USE lt_res publisher_make_folders(int folder_fd);
/* public/crl/ISSUER/, for its parts. */
LT_MUST_USE lt_res publisher_make_shards(int folder_fd, const char *issuer);
/* public/crl/ISSUER.crl, or ISSUER/SHARD.crl: the old bytes or the new ones, never between; Last-Modified is
 * thisUpdate. */
LT_MUST_USE lt_res publisher_write_crl(int folder_fd, const char *issuer, uint32_t shard, lt_slice der,
                                       lt_time this_update);
/* The same for a large one, in two steps: its bytes are synced beside the file, and take its place later. */
struct publisher_parts {
    lt_slice tbs;
    enum x509_sig_alg alg;
    lt_slice signature;
};
LT_MUST_USE lt_res publisher_stage_crl(int folder_fd, const char *issuer, uint32_t shard,
                                       const struct publisher_parts *parts, uint8_t ret_sha256[32],
                                       uint64_t *ret_bytes);
LT_MUST_USE lt_res publisher_take_staged(int folder_fd, const char *issuer, uint32_t shard,
                                         lt_time this_update);
/* Takes it when it is the newest of the book. */
LT_MUST_USE lt_res publisher_recover_staged(int folder_fd, const char *issuer, uint32_t shard,
                                            const struct ca_crl_newest *newest, bool *ret_written);
/* Does the file hold exactly these bytes? */
bool publisher_crl_is(int folder_fd, const char *issuer, uint32_t shard, lt_slice der);
/* public/ca/NAME.crt (DER) and NAME.chain.pem (itself, then up to the root), where they are not so already.
 */
LT_MUST_USE lt_res publisher_write_issuer(int folder_fd, const struct ca_crl_issuer *issuers, size_t count,
                                          size_t which);
/* An offline issuer's CRL: the one that a ceremony left at ca/NAME.crl (DER), into public/crl, where there is
 * one and it is another. */
LT_MUST_USE lt_res publisher_copy_offline(int folder_fd, const struct ca_crl_issuer *issuer,
                                          bool *ret_copied);

/* publisher_ari.c: public/ari/base and public/ari/delta (ca/ari_map.h). Store and issuers are borrowed. */
struct publisher_ari;
struct publisher_ari *publisher_ari_new(int folder_fd, struct store *store,
                                        const struct ca_crl_issuer *issuers, size_t issuer_count);
/* busy: CRLs are on their way, and the base waits for them. */
void publisher_ari_tick(struct publisher_ari *a, lt_time now, bool busy);

#endif
