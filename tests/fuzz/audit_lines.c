/* Events that somebody says are a book's: whatever the lines are, they are refused with their number, or held
 * against their hashes. */
#include "ca/audit_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void found(void *self, const char *what, const char *subject, const char *detail)
{
    uint64_t *count = self;
    LT_ASSERT(what[0] != '\0' && subject != NULL && detail != NULL);
    (*count)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ca_audit_reader *reader = NULL;
    struct ca_audit_read_counts counts;
    uint64_t findings = 0;
    lt_slice rest = LT_SLICE(data, size);
    lt_slice line;
    if (lt_failed(ca_audit_reader_new(LT_SLICE(NULL, 0), &findings, found, &reader))) {
        return 0;
    }
    lt_res r = LT_OK;
    while (!lt_failed(r) && lt_slice_split(&rest, '\n', &line)) {
        r = ca_audit_reader_line(reader, line);
    }
    LT_ASSERT(!lt_failed(ca_audit_reader_end(reader, &counts)));
    LT_ASSERT(counts.findings == findings);
    ca_audit_reader_free(reader);
    return 0;
}
