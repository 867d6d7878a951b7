/* Words of any bytes in every template: no letter has another header than ours, a bare line end, or a line
 * that is too long. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "incident/notice_text.h"
#include "role/courier_letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LETTER_MAX = 1 << 20, LINE_MAX_LEN = 998 };

static bool known(lt_slice line)
{
    static const char *const names[] = {"Date:",           "From:",         "To:",          "Subject:",
                                        "Message-ID:",     "Reply-To:",     "In-Reply-To:", "References:",
                                        "Auto-Submitted:", "MIME-Version:", "Content-"};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        if (lt_slice_starts(line, lt_slice_cstr(names[i]))) {
            return true;
        }
    }
    return lt_slice_starts(line, LT_LIT(" =?utf-8?B?")); /* a folded subject */
}

static void check_letter(lt_slice letter)
{
    size_t subjects = 0;
    bool body = false;
    while (letter.len > 0) {
        size_t end = lt_slice_find(letter, '\n');
        LT_ASSERT(end < letter.len && end > 0 && letter.ptr[end - 1] == '\r' && end <= LINE_MAX_LEN);
        lt_slice line = lt_slice_sub(letter, 0, end - 1);
        LT_ASSERT(lt_slice_find(line, '\r') == line.len && lt_slice_find(line, 0) == line.len);
        body = body || line.len == 0;
        LT_ASSERT(body || known(line));
        subjects += !body && lt_slice_starts(line, LT_LIT("Subject:"));
        letter = lt_slice_sub(letter, end + 1, SIZE_MAX);
    }
    LT_ASSERT(body && subjects == 1);
}

/* The first byte chooses the template; fields end with a line end, the last one is the JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Ipc__MailSend m = IPC__MAIL_SEND__INIT;
    static char kind[] = "notice";
    static char to[] = "a@b.example";
    static char host[] = "ca.example";
    static char ca[] = "CA";
    static char token[] = "0a";
    char **const fields[] = {&m.reply_to, &m.in_reply_to, &m.subject, &m.words};
    char *copies[LT_COUNT(fields)] = {NULL};
    struct lt_buf out;
    lt_slice rest = LT_SLICE(data, size);
    if (size == 0) {
        return 0;
    }
    m.kind = kind;
    m.notice = (char *)(uintptr_t)incident_templates[data[0] % incident_template_count].kind;
    m.to = m.from = to;
    m.host = host;
    m.ca = ca;
    m.token = token;
    m.mail_id = 1;
    rest = lt_slice_sub(rest, 1, SIZE_MAX);
    for (size_t i = 0; i < LT_COUNT(fields); i++) {
        lt_slice field = rest;
        if (i + 1 < LT_COUNT(fields) && !lt_slice_split(&rest, '\n', &field)) {
            field = (lt_slice){0};
        }
        copies[i] = calloc(1, field.len + 1);
        LT_ASSERT(copies[i] != NULL);
        if (field.len > 0) {
            memcpy(copies[i], field.ptr, field.len);
        }
        *fields[i] = copies[i];
    }
    lt_buf_init(&out, LETTER_MAX);
    if (!lt_failed(courier_letter_write(&m, &out))) {
        check_letter(lt_buf_slice(&out));
    }
    lt_buf_done(&out);
    for (size_t i = 0; i < LT_COUNT(fields); i++) {
        free(copies[i]);
    }
    return 0;
}
