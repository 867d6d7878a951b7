#ifndef CA_IMPORT_H
#define CA_IMPORT_H
/* Certificates that were issued elsewhere: what is read out of their bytes, by the notary before they reach
 * the registrar and by the command line for a dry run. The book side is ca/import_book.h.
 *
 * Refuses: what is no certificate, one of a CA, one whose serial number is not 1 to 20 bytes and positive,
 * one that no issuer it was given has signed, more names than the book takes. What is broken but readable is
 * taken: it was issued, so it is history. */
#include "crypto/pub.h"
#include "import.pb-c.h"
#include "x509/cert.h"

enum {
    CA_IMPORT_ISSUERS_MAX = 32,
    CA_IMPORT_ROWS_MAX = 200, /* of one request; the registrar writes them in one go */
    CA_IMPORT_NAMES_MAX = 1000,
    CA_IMPORT_NAME_MAX = 255,
    CA_IMPORT_SERIAL_MAX = 20,
};

struct ca_import_issuer {
    struct x509_cert cert;
    uint8_t subject_sha256[32];
    struct crypto_pub *key; /* owned */
};
struct ca_import_reader {
    struct lt_arena arena; /* of the issuers */
    struct ca_import_issuer issuers[CA_IMPORT_ISSUERS_MAX];
    size_t count;
};

void ca_import_reader_init(struct ca_import_reader *r);
void ca_import_reader_done(struct ca_import_reader *r);
/* der is copied. LT_PEER_MALFORMED: no certificate, or not that of a CA. ret_issuer may be NULL. */
LT_MUST_USE lt_res ca_import_reader_add(struct ca_import_reader *r, lt_slice der,
                                        const struct ca_import_issuer **ret_issuer);
/* Fills the row, in a. LT_PEER_MALFORMED, LT_PEER_UNAUTHORIZED (not signed by any of the issuers),
 * LT_PEER_NOT_FOUND (none of the issuers has that name). ret_issuer may be NULL. */
LT_MUST_USE lt_res ca_import_read(const struct ca_import_reader *r, lt_slice der, struct lt_arena *a,
                                  Ipc__ImportRow *row, const struct ca_import_issuer **ret_issuer);
/* Sorts the row's names, drops what is there twice, hashes them as issuance does. */
LT_MUST_USE lt_res ca_import_name_set(Ipc__ImportRow *row, struct lt_arena *a);
/* "imported" files them where nothing else is said. */
#define CA_IMPORT_PROFILE "imported"

#endif
