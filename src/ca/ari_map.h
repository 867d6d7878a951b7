#ifndef CA_ARI_MAP_H
#define CA_ARI_MAP_H
/* Renewal information (RFC 9773) as a file that is mapped and searched: rows of one size, sorted by issuer
 * and serial, a window in each. Two of them are published: the base with every certificate that has not
 * expired, and a delta with what changed since, which is looked at first. Incidents have set their windows
 * row by row when the file is written, so an answer costs the same however many there are.
 *
 * Reads nothing but bytes that are given, keeps to their bounds whatever they say, and knows neither book nor
 * file. Numbers are in the machine's own order: the file never leaves it.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
    CA_ARI_SERIAL_MAX = 20, /*= RFC 5280 4.1.2.2 "Conforming CAs MUST NOT use serialNumber values longer than
                             * 20 octets" */
    CA_ARI_KEY_ID_MAX = 60,
    CA_ARI_ISSUERS_MAX = 256,
    CA_ARI_URL_MAX = 1000,
    CA_ARI_STRINGS_MAX = 16 * 1024 * 1024,
    CA_ARI_CERTID_MAX = 120, /* characters */
};

/* What of a certificate its window follows from. */
struct ca_ari_facts {
    lt_slice serial;
    lt_time not_before;
    lt_time not_after;
    lt_time revoked;   /* {0}: it is not */
    lt_time set_start; /* {0}: none was set */
    lt_time set_end;
    lt_slice set_url;
};

struct ca_ari_window {
    lt_time start;
    lt_time end;  /* after start */
    lt_slice url; /* explanationURL; empty: none */
};

/* Revoked: a window in the past. Set: that one. Otherwise around two thirds of its life, half for one of less
 * than ten days, moved a little by its serial so that what was issued together is not renewed together. */
void ca_ari_window_of(const struct ca_ari_facts *f, struct ca_ari_window *ret_window);

/* A row of the file. */
struct ca_ari_row {
    uint16_t issuer; /* its place in the file's list */
    uint8_t serial_len;
    uint8_t unused;
    uint8_t serial[CA_ARI_SERIAL_MAX]; /* zeros behind serial_len */
    uint32_t url;                      /* offset in the strings, plus one; 0: none */
    uint32_t turn;                     /* of the delta that it came with */
    int64_t start_s;
    int64_t end_s;
};

struct ca_ari_issuer {
    uint8_t len;
    uint8_t unused[3];
    uint8_t key_id[CA_ARI_KEY_ID_MAX];
};

struct ca_ari_header {
    uint8_t magic[8];
    int64_t generation; /* of the base: when its reading of the book began, in microseconds */
    uint64_t rows;      /* how many */
    uint64_t strings;   /* bytes of them, at the end */
    uint32_t issuers;   /* how many, right behind the header; then the rows */
    uint32_t row_size;  /* sizeof(struct ca_ari_row) */
};

int ca_ari_row_compare(const struct ca_ari_row *a, const struct ca_ari_row *b);
/* The header for that many; the caller puts it in front. */
struct ca_ari_header ca_ari_head(int64_t generation, uint64_t rows, uint32_t issuers, uint64_t strings);

/* A file that is mapped; everything points into it. */
struct ca_ari_map {
    struct ca_ari_header head;
    lt_slice issuers;
    lt_slice rows;
    lt_slice strings;
};

/* LT_STATE_CORRUPT when the parts do not fill the bytes exactly. Costs nothing that grows with the rows. */
LT_MUST_USE lt_res ca_ari_map_open(lt_slice bytes, struct ca_ari_map *ret_map);

struct ca_ari_certid {
    lt_slice key_id; /* in the arena */
    lt_slice serial; /* without the zero that DER puts in front */
};
/*= RFC 9773 4.1 "of the keyIdentifier field of the certificate's Authority Key Identifier (AKI)" */
LT_MUST_USE lt_res ca_ari_certid_read(lt_slice text, struct lt_arena *a, struct ca_ari_certid *ret_id);
void ca_ari_certid_add(struct lt_buf *out, const struct ca_ari_certid *id);

/* Whether it has certificates of that key: only of them can one be missing that was issued a moment ago. */
bool ca_ari_map_knows(const struct ca_ari_map *map, lt_slice key_id);
bool ca_ari_map_find(const struct ca_ari_map *map, const struct ca_ari_certid *id,
                     struct ca_ari_window *ret_window);

#endif
