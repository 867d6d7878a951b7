/* Addresses, names and subscribers of any bytes: what is taken as an address is one, and no letter has
 * another header than ours, a bare line end, or an end before its end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "role/courier_letter.h"
#include "validate/contacts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LETTER_MAX = 1 << 20, HEADERS = 9, LINE_MAX_LEN = 998 };

static char empty[] = "";

static void check_letter(lt_slice letter)
{
    size_t headers = 0;
    bool body = false;
    LT_ASSERT(letter.len >= 2 && letter.ptr[letter.len - 1] == '\n');
    while (letter.len > 0) {
        size_t end = lt_slice_find(letter, '\n');
        LT_ASSERT(end < letter.len && end > 0 && letter.ptr[end - 1] == '\r' && end <= LINE_MAX_LEN);
        lt_slice line = lt_slice_sub(letter, 0, end - 1);
        LT_ASSERT(lt_slice_find(line, '\r') == line.len && lt_slice_find(line, 0) == line.len);
        body = body || line.len == 0;
        headers += body ? 0 : 1;
        LT_ASSERT(body || line.ptr[0] != ' ');
        letter = lt_slice_sub(letter, end + 1, SIZE_MAX);
    }
    LT_ASSERT(body && headers == HEADERS);
}

/* Fields end with a line end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Ipc__MailSend m = IPC__MAIL_SEND__INIT;
    char **const fields[] = {&m.to,  &m.name, &m.subscriber, &m.ca,   &m.from,
                             &m.url, &m.rule, &m.host,       &m.relay};
    char *copies[LT_COUNT(fields)] = {NULL};
    lt_slice rest = LT_SLICE(data, size);
    lt_slice field;
    struct courier_relay relay;
    struct lt_buf out;
    for (size_t i = 0; i < LT_COUNT(fields); i++) {
        *fields[i] = empty;
        if (lt_slice_split(&rest, i == 2 || i == 3 ? '\1' : '\n',
                           &field)) { /* line ends in subscribers' names */
            copies[i] = calloc(1, field.len + 1);
            LT_ASSERT(copies[i] != NULL);
            memcpy(copies[i], field.len > 0 ? field.ptr : (const uint8_t *)"", field.len);
            *fields[i] = copies[i];
        }
    }
    lt_buf_init(&out, LETTER_MAX);
    if (!lt_failed(courier_letter_write(&m, &out))) {
        LT_ASSERT(validate_contact_is(lt_slice_cstr(m.to)) && strpbrk(m.to, " <>\",\r\n") == NULL);
        check_letter(lt_buf_slice(&out));
    }
    if (!lt_failed(courier_relay_read(m.relay, &relay))) {
        LT_ASSERT(relay.port > 0 && relay.host[0] != '\0' && strpbrk(relay.host, " /@\r\n") == NULL);
    }
    (void)validate_contact_constructed(lt_slice_cstr(m.to), lt_slice_cstr(m.name), lt_slice_cstr(m.host));
    lt_buf_done(&out);
    for (size_t i = 0; i < LT_COUNT(fields); i++) {
        free(copies[i]);
    }
    return 0;
}
