/* A DNS message as a resolver hands it over, and what is read out of its records. The first byte says which
 * type was asked for. */
#include <string.h>

#include "validate/caa.h"
#include "validate/dns_answer.h"
#include "validate/dns_txt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_txt(lt_slice rdata)
{
    static const char *const domains[] = {"ca.example"};
    static const struct validate_persist_question q = {
        .issuer_domains = domains, .issuer_count = 1, .account_uri = {(const uint8_t *)"u", 1}};
    uint8_t text[VALIDATE_DNS_TXT_MAX];
    size_t len = 0;
    bool ours = false;
    if (!lt_failed(validate_dns_txt(rdata, text, sizeof text, &len))) {
        LT_ASSERT(len <= sizeof text);
        (void)validate_persist_refusal(LT_SLICE(text, len), &q, &ours); /* any answer will do */
        (void)validate_underscore_label(LT_SLICE(text, len));           /* as above */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t types[] = {VALIDATE_DNS_A, VALIDATE_DNS_AAAA, VALIDATE_DNS_TXT, VALIDATE_DNS_CAA,
                                     VALIDATE_DNS_CNAME};
    static struct validate_dns_message m;
    struct validate_address list[VALIDATE_ADDRESSES_MAX];
    struct validate_caa_property property;
    size_t count = 0;
    if (size == 0) {
        return 0;
    }
    uint16_t type = types[data[0] % LT_COUNT(types)];
    if (lt_failed(validate_dns_read(LT_SLICE(data + 1, size - 1), "a.de", type, &m))) {
        return 0;
    }
    LT_ASSERT(m.count <= VALIDATE_DNS_RECORDS_MAX && m.chain_count >= 1 &&
              m.chain_count <= VALIDATE_DNS_CHAIN_MAX);
    for (size_t i = 0; i < m.chain_count; i++) {
        LT_ASSERT(strnlen(m.chain[i], VALIDATE_DNS_NAME) < VALIDATE_DNS_NAME);
    }
    for (size_t i = 0; i < m.count; i++) {
        use_txt(m.records[i]);
        lt_res r = validate_caa_parse(m.records[i], &property);
        (void)r; /* refused is as good as taken */
    }
    lt_res r = validate_dns_addresses(&m, type, list, &count);
    LT_ASSERT(lt_failed(r) || count <= VALIDATE_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        (void)validate_address_special(&list[i]); /* any answer will do, a crash will not */
    }
    return 0;
}
