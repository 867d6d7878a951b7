/* Mail of any bytes: what is taken as a letter of ours that came back has a number and a token that could be,
 * and words that end no line. */
#include <stdint.h>
#include <string.h>

#include "incident/notice_dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text, size_t size)
{
    LT_ASSERT(strlen(text) < size);
    for (size_t i = 0; text[i] != '\0'; i++) {
        LT_ASSERT(text[i] >= 0x20 && text[i] < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct incident_dsn d;
    if (!lt_failed(incident_dsn_read(LT_SLICE(data, size), &d))) {
        LT_ASSERT(d.notice > 0 && d.token[0] != '\0');
        LT_ASSERT(strspn(d.token, "0123456789abcdef") == strlen(d.token));
        check_printable(d.token, sizeof d.token);
        check_printable(d.status, sizeof d.status);
        check_printable(d.words, sizeof d.words);
    }
    if (incident_dsn_message_id(LT_SLICE(data, size), &d)) {
        LT_ASSERT(d.notice > 0 && strlen(d.token) < sizeof d.token);
    }
    return 0;
}
