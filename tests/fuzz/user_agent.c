/* A User-Agent of any bytes: what is kept of it is short, harmless in logs, SQL and HTML, and is the same
 * when it is read again. */
#include <string.h>

#include "ca/ready_tier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char manual[] = " manual";
    char client[CA_READY_CLIENT_SIZE];
    char again[CA_READY_CLIENT_SIZE];
    ca_ready_client(LT_SLICE(data, size), client);
    size_t len = strnlen(client, sizeof client);
    LT_ASSERT(len < sizeof client);
    bool by_hand = ca_ready_client_is_manual(LT_SLICE(client, len));
    size_t word = by_hand ? len - (sizeof manual - 1) : len;
    for (size_t i = 0; i < word; i++) {
        LT_ASSERT(client[i] > ' ' && client[i] < 0x7f && strchr("<>\"'&\\%;", client[i]) == NULL);
    }
    ca_ready_client(LT_SLICE(client, len), again);
    LT_ASSERT(strncmp(again, client, word) == 0);
    LT_ASSERT(again[word] == '\0' || strcmp(&again[word], manual) == 0); /* the word itself may say so */
    return 0;
}
