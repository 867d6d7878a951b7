/* A DNS message as a resolver hands it over. */
#include "validate/dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct validate_address list[VALIDATE_ADDRESSES_MAX];
    size_t count = 0;
    lt_res a = validate_dns_addresses(LT_SLICE(data, size), VALIDATE_DNS_A, list, &count);
    lt_res b = validate_dns_addresses(LT_SLICE(data, size), VALIDATE_DNS_AAAA, list, &count);
    LT_ASSERT(count <= VALIDATE_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        char text[VALIDATE_ADDRESS_TEXT];
        validate_address_print(&list[i], text);
        (void)validate_address_special(&list[i]); /* any answer will do, a crash will not */
    }
    (void)a; /* refused is as good as taken */
    (void)b;
    return 0;
}
