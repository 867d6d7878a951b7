#ifndef CMD_CERT_H
#define CMD_CERT_H
/* Between the files of the inventory: cert.c (list, show, find), cert_select.c (which certificates are
 * meant), cert_export.c, cert_stats.c, cert_import.c (requests), import_read.c (files that somebody brings).
 */
#include <jansson.h>

#include "cmd/cmd.h"

/* Which certificates: plain options, and an expression. All of them must hold. */
#define CMD_CERT_FILTERS                                                                 \
    {"scope", "EXPR", "that the expression means (see lintel-scope(1))", false, NULL},   \
        {"issuer", "NAME", "of that issuing CA", false, NULL},                           \
        {"profile", "NAME", "of that profile", false, NULL},                             \
        {"status", "WORD", "with that status", false, "valid expired revoked"},          \
        {"name", "NAME", "with exactly that name in it", false, NULL},                   \
        {"suffix", "DOMAIN", "with a name that is DOMAIN or below it", false, NULL},     \
        {"account", "ID", "of that account", false, NULL},                               \
        {"issued-from", "TIME", "issued at or after (RFC 3339, or a day)", false, NULL}, \
        {"issued-until", "TIME", "issued before", false, NULL},                          \
        {"expires-from", "TIME", "ending at or after", false, NULL},                     \
        {"expires-until", "TIME", "ending before", false, NULL},                         \
        {"spki-sha256", "HEX", "with that public key", false, NULL},                     \
        {"sha256", "HEX", "with that fingerprint", false, NULL},                         \
    {                                                                                    \
        "serial", "HEX", "with that serial number", false, NULL                          \
    }

/* One expression for all of these; what means every certificate where none is given. In c's arena. Refused
 * with a mark under the place where the expression is wrong. */
LT_MUST_USE lt_res cmd_cert_expression(struct cmd *c, lt_slice *ret_text);

/* Hex without what openssl and browsers put between: colons, blanks, "0x"; an even number of digits. */
const char *cmd_cert_hex(struct lt_arena *a, const char *text);
/* An empty value, of a variable that is not set, would be no filter at all. */
LT_MUST_USE lt_res cmd_cert_filter_check(const char *option, const char *value);

/* import_read.c: what files hold, a piece at a time. Texts are borrowed during the call. */
enum {
    CMD_IMPORT_CERTIFICATE_MAX = 64 * 1024, /* DER; a request has no room for more anyway */
    CMD_IMPORT_LINE_MAX = 64 * 1024,        /* of a table: a row */
    CMD_IMPORT_COLUMNS_MAX = 64,
};
enum cmd_import_column {
    CMD_IMPORT_SERIAL,
    CMD_IMPORT_ISSUER,
    CMD_IMPORT_NOT_BEFORE,
    CMD_IMPORT_NOT_AFTER,
    CMD_IMPORT_ISSUED,
    CMD_IMPORT_NAMES,
    CMD_IMPORT_SHA256,
    CMD_IMPORT_SPKI_SHA256,
    CMD_IMPORT_KEY_TYPE,
    CMD_IMPORT_REVOKED,
    CMD_IMPORT_REASON,
    CMD_IMPORT_COLUMNS,
};
struct cmd_import_sink {
    void *self;
    lt_res (*der)(void *self, lt_slice der);
    /* A row of a table: what it has of each column; empty where there is none. */
    lt_res (*row)(void *self, const lt_slice fields[CMD_IMPORT_COLUMNS]);
    /* Something that is neither: goes on behind it. line: 0 where lines do not count. */
    lt_res (*bad)(void *self, size_t line, const char *why);
};
struct cmd_import_reader; /* heap; one file after the other */
struct cmd_import_reader *cmd_import_reader_new(const struct cmd_import_sink *sink);
void cmd_import_reader_free(struct cmd_import_reader *r);
/* name: of the file; ".csv" is a table whatever it begins with. */
void cmd_import_reader_begin(struct cmd_import_reader *r, const char *name);
/* Where it is; 0 in a file without lines. */
size_t cmd_import_reader_line(const struct cmd_import_reader *r);
LT_MUST_USE lt_res cmd_import_reader_feed(struct cmd_import_reader *r, lt_slice bytes);
LT_MUST_USE lt_res cmd_import_reader_end(struct cmd_import_reader *r);

#endif
