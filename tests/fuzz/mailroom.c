/* Problem reports as strangers write them: letters by the first byte, texts otherwise. */
#include "role/mailroom_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    struct lt_arena a;
    Ipc__MailroomRead said = IPC__MAILROOM_READ__INIT;
    if (!started) {
        mailroom_start();
        started = true;
    }
    bool mail = size > 0 && data[0] != '!';
    lt_arena_init(&a, MAILROOM_ARENA_MAX);
    lt_ignore(
        mailroom_read(mail ? "mail" : "text", LT_SLICE(data, size), &a, &said)); /* only what it reaches */
    lt_arena_done(&a);
    return 0;
}
