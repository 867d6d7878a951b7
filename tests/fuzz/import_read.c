/* What operators bring in: files cut into pieces (the first byte says how long), and what each certificate
 * among them says. The same bytes in one piece must give the same. */
#include <stdlib.h>
#include <string.h>

#include "ca/import.h"
#include "cmd/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t certificates;
    size_t rows;
    size_t bad;
    size_t bytes;
};

static lt_res on_der(void *self, lt_slice der)
{
    struct seen *s = self;
    struct ca_import_reader reader;
    struct lt_arena a;
    Ipc__ImportRow row;
    const struct ca_import_issuer *by = NULL;
    LT_ASSERT(der.len <= CMD_IMPORT_CERTIFICATE_MAX * 2);
    lt_arena_init(&a, 1 << 22);
    ca_import_reader_init(&reader);
    lt_ignore(ca_import_reader_add(&reader, der, &by)); /* a CA that signed itself is its own issuer */
    if (!lt_failed(ca_import_read(&reader, der, &a, &row, NULL))) {
        LT_ASSERT(row.serial.len > 0 && row.serial.len <= CA_IMPORT_SERIAL_MAX);
        LT_ASSERT(row.n_names <= CA_IMPORT_NAMES_MAX && row.name_set_sha256.len == 32);
    }
    ca_import_reader_done(&reader);
    lt_arena_done(&a);
    s->certificates++;
    s->bytes += der.len;
    return LT_OK;
}

static lt_res on_row(void *self, const lt_slice fields[CMD_IMPORT_COLUMNS])
{
    struct seen *s = self;
    for (size_t i = 0; i < CMD_IMPORT_COLUMNS; i++) {
        LT_ASSERT(fields[i].len <= CMD_IMPORT_LINE_MAX + 1);
        s->bytes += fields[i].len;
    }
    s->rows++;
    return LT_OK;
}

static lt_res on_bad(void *self, size_t line, const char *why)
{
    struct seen *s = self;
    (void)line;
    LT_ASSERT(strlen(why) > 0);
    s->bad++;
    return LT_OK;
}

static struct seen read_in(lt_slice bytes, size_t piece, const char *name)
{
    struct seen s = {0};
    const struct cmd_import_sink sink = {.self = &s, .der = on_der, .row = on_row, .bad = on_bad};
    struct cmd_import_reader *r = cmd_import_reader_new(&sink);
    cmd_import_reader_begin(r, name);
    for (size_t at = 0; at < bytes.len; at += piece) {
        lt_ignore(cmd_import_reader_feed(r, lt_slice_sub(bytes, at, piece))); /* our sink fails never */
    }
    lt_ignore(cmd_import_reader_end(r)); /* the same */
    cmd_import_reader_free(r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const char *name = (data[0] & 0x80) != 0 ? "t.csv" : "f";
    lt_slice bytes = LT_SLICE(data + 1, size - 1);
    struct seen whole = read_in(bytes, bytes.len, name);
    struct seen cut = read_in(bytes, 3 + (data[0] & 0x7f), name);
    LT_ASSERT(memcmp(&whole, &cut, sizeof whole) == 0);
    return 0;
}
