#ifndef CA_OCSP_MAP_H
#define CA_OCSP_MAP_H
/* Answers of OCSP as a file that is mapped and searched: rows of one size, sorted by issuer and serial, each
 * with what was signed and the signatures over it. Two are published: the base with every certificate that
 * has not expired, and a delta with what changed since, which is looked at first. The file has no response
 * whole: from the row the same bytes are written again that were signed (x509/ocsp.h), a tenth of their size
 * on disk.
 *
 * Reads nothing but bytes that are given, keeps to their bounds whatever they say, and knows neither book nor
 * file. Numbers are in the machine's own order: the file never leaves it. No signature is checked here: who
 * relies on an answer does that.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "x509/ocsp.h"

enum {
    CA_OCSP_SIGNATURE_MAX = 72, /* ECDSA over P-256: responders have no other keys */
    CA_OCSP_NAME_MAX = 64,
    CA_OCSP_ISSUERS_MAX = 256,
    CA_OCSP_RESPONDERS_MAX = 1024,
    CA_OCSP_CERTIFICATE_MAX = 2036,
};

struct ca_ocsp_row {
    uint16_t issuer;    /* its place in the file's list */
    uint16_t responder; /* the same */
    uint8_t serial_len;
    uint8_t status; /* enum x509_ocsp_status */
    uint8_t reason;
    uint8_t signature_len[X509_OCSP_HASHES];
    uint8_t unused[3];
    uint8_t serial[X509_OCSP_SERIAL_MAX]; /* magnitude; zeros behind serial_len */
    int64_t this_s;
    int64_t next_s;
    int64_t revoked_s;
    uint8_t signature[X509_OCSP_HASHES][CA_OCSP_SIGNATURE_MAX];
};

struct ca_ocsp_issuer {
    char name[CA_OCSP_NAME_MAX]; /* NUL-terminated */
    uint8_t name_hash[X509_OCSP_HASHES][X509_OCSP_HASH_MAX];
    uint8_t key_hash[X509_OCSP_HASHES][X509_OCSP_HASH_MAX];
};

struct ca_ocsp_responder {
    uint8_t key_hash[20]; /* SHA-1 */
    uint32_t len;
    int64_t not_after_s;
    uint8_t certificate[CA_OCSP_CERTIFICATE_MAX + 4]; /* DER */
};

struct ca_ocsp_header {
    uint8_t magic[8];
    int64_t generation;  /* of the base: when its reading of the book began, in microseconds */
    uint64_t rows;       /* how many; they come first */
    uint32_t issuers;    /* how many, behind the rows */
    uint32_t responders; /* behind the issuers */
    uint32_t row_size;   /* sizeof(struct ca_ocsp_row) */
    uint32_t unused;
};

/* By issuer and serial, as the book's key has them. */
int ca_ocsp_row_compare(const struct ca_ocsp_row *a, const struct ca_ocsp_row *b);
struct ca_ocsp_header ca_ocsp_head(int64_t generation, uint64_t rows, uint32_t issuers, uint32_t responders);

/* A file that is mapped; everything points into it. */
struct ca_ocsp_map {
    struct ca_ocsp_header head;
    lt_slice rows;
    lt_slice issuers;
    lt_slice responders;
};

/* LT_STATE_CORRUPT when the parts do not fill the bytes exactly. Costs nothing that grows with the rows. */
LT_MUST_USE lt_res ca_ocsp_map_open(lt_slice bytes, struct ca_ocsp_map *ret_map);
/* Copies out; false beyond the end. */
bool ca_ocsp_map_row(const struct ca_ocsp_map *map, uint64_t at, struct ca_ocsp_row *ret_row);
bool ca_ocsp_map_issuer(const struct ca_ocsp_map *map, size_t at, struct ca_ocsp_issuer *ret_issuer);
bool ca_ocsp_map_responder(const struct ca_ocsp_map *map, size_t at, struct ca_ocsp_responder *ret_responder);
/* Whose name and key these hashes are. */
bool ca_ocsp_map_find_issuer(const struct ca_ocsp_map *map, const struct x509_ocsp_certid *id,
                             uint16_t *ret_at);
/* wanted: issuer and serial. */
bool ca_ocsp_map_find(const struct ca_ocsp_map *map, const struct ca_ocsp_row *wanted,
                      struct ca_ocsp_row *ret_row);

/* issuer and serial of a row; false for a serial that no row can hold. */
bool ca_ocsp_row_key(uint16_t issuer, lt_slice serial, struct ca_ocsp_row *ret_row);
/* What a row says, for the writer of the same bytes. Slices point into the three. */
void ca_ocsp_row_data(const struct ca_ocsp_row *row, const struct ca_ocsp_issuer *issuer,
                      const struct ca_ocsp_responder *responder, enum x509_ocsp_hash hash,
                      struct x509_ocsp_data *ret_data);
/* The whole DER of the answer, added to out. LT_PEER_NOT_FOUND: this file has no such serial, but has the
 * issuer (ret_row->issuer); LT_PEER_UNSUPPORTED: nor the issuer; LT_STATE_CORRUPT: a row that cannot be.
 * ret_row and ret_issuer are for the headers of HTTP. */
LT_MUST_USE lt_res ca_ocsp_map_answer(const struct ca_ocsp_map *map, const struct x509_ocsp_certid *id,
                                      struct lt_buf *out, struct ca_ocsp_row *ret_row);

/* ---- when ---- */

/* The rules for subscriber certificates of that day, and what is done: valid so long, signed again after. */
struct ca_ocsp_times {
    int64_t valid_s;
    int64_t refresh_s;
    int64_t authoritative_s; /* from issuance to the first answer that is not "unknown" */
};
struct ca_ocsp_times ca_ocsp_times_at(lt_time now);

#endif
