#ifndef CA_CRL_BUILD_H
#define CA_CRL_BUILD_H
/* The publisher's reading of the book: which issuers there are, which CRL is the newest, and the to-be-signed
 * bytes of the next one, streamed out of one range of the revocation table. Writes nothing. Links neither the
 * registrar's rooms nor a key. */
#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"
#include "x509/crl.h"

enum {
    CA_CRL_NUMBER_LEN = 8,
    CA_CRL_MAX_BYTES = 256 * 1024 * 1024,
    CA_CRL_IN_BOOK_MAX = 1024 * 1024, /* larger ones lie in their files alone, the book has their hash */
    CA_CRL_ISSUERS_MAX = 256,
    CA_CRL_GO_AT_ONCE = 10000, /* entries that leave one CRL: the examiner verifies a certificate for each */
};

struct ca_crl_issuer {
    int64_t id;
    const char *name; /* NUL-terminated; everything here lives in the arena */
    int64_t parent;   /* 0: none */
    bool offline;
    lt_slice certificate; /* DER */
    lt_slice subject;     /* Name, inside it */
    lt_slice key_id;
    lt_slice spki;
    enum x509_sig_alg alg;
};

/* In the order of their ids. */
LT_MUST_USE lt_res ca_crl_issuers(struct store *store, struct lt_arena *a, struct ca_crl_issuer **ret_issuers,
                                  size_t *ret_count);

struct ca_crl_newest {
    bool found;
    uint64_t number;
    lt_time this_update;
    lt_time next_update;
    lt_time kept_from; /* it leaves out entries whose certificates had expired before; {0}: none */
    uint64_t entries;
    uint8_t sha256[32];
    lt_slice der; /* in the arena; empty unless asked for, and where the book has none */
};
LT_MUST_USE lt_res ca_crl_newest(struct store *store, int64_t issuer, uint32_t shard,
                                 struct lt_arena *with_der, struct ca_crl_newest *ret_newest);

struct ca_crl_plan {
    const struct ca_crl_issuer *issuer;
    uint32_t shard;
    bool of_all_shards; /* the complete CRL of an issuer that has parts */
    uint64_t number;
    size_t entries_hint;
    lt_time this_update;
    lt_time next_update;
    lt_time drop_expired_before; /* thisUpdate of the CRL before, or as far as the bound allows; {0}: none */
    lt_time drop_expired_since;  /* kept_from of the CRL before: older entries have gone already */
    bool more_to_drop;           /* the bound was reached: the next one follows soon */
    const char *base_url;        /* for the issuingDistributionPoint of a shard */
};

/* The highest part of the issuer's CRL that there has ever been; 0: none. Whatever the configuration says
 * today, certificates may point to all of them. */
LT_MUST_USE lt_res ca_crl_shard_last(struct store *store, int64_t issuer, uint32_t *ret_shard);

/* Number and times of the next CRL.
 * lifetime_s is cut to what the rules of that day allow. */
void ca_crl_plan_next(const struct ca_crl_newest *before, lt_time now, int64_t lifetime_s,
                      struct ca_crl_plan *plan);
/* After that: no more entries go than CA_CRL_GO_AT_ONCE, or all of one second. */
LT_MUST_USE lt_res ca_crl_plan_bound(struct store *store, struct ca_crl_plan *plan);
/* When the next one is due by schedule: interval_s after the one before, cut to what the rules allow. */
lt_time ca_crl_due(const struct ca_crl_newest *before, int64_t interval_s);
/* The to-be-signed bytes of it, appended to out, and how many entries it has. */
LT_MUST_USE lt_res ca_crl_build(struct store *store, const struct ca_crl_plan *plan, struct lt_buf *out,
                                uint64_t *ret_entries);
/* The certificates of the entries that this CRL leaves out and the one before had: the examiner lets no entry
 * go without that proof. Slices in the arena. */
LT_MUST_USE lt_res ca_crl_dropped(struct store *store, const struct ca_crl_plan *plan, struct lt_arena *a,
                                  lt_slice **ret_ders, size_t *ret_count);
/* Big-endian, as the book and the messages have it. */
void ca_crl_number_bytes(uint64_t number, uint8_t ret_bytes[CA_CRL_NUMBER_LEN]);

extern const struct store_sql *const ca_crl_build_sql;
extern const size_t ca_crl_build_sql_count;

#endif
