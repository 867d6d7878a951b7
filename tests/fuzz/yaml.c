/* lintel.yaml and profiles: whatever stands in the file, it is read or refused with a place. */
#include "ca/config.h"
#include "ca/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ca_config *config = NULL;
    struct ca_profile *profile = NULL;
    const lt_time now = {INT64_C(1795000000) * LT_US_PER_SECOND};
    lt_slice text = LT_SLICE(data, size);
    if (!lt_failed(ca_config_parse(text, &config))) {
        LT_ASSERT(config->host_name_count > 0 && config->gateways > 0);
        ca_config_free(config);
    }
    if (!lt_failed(ca_profile_parse("profiles/x.yaml", text, now, &profile))) {
        LT_ASSERT(profile->kind == CA_PROFILE_CA || (profile->key_usage & X509_KU_KEY_CERT_SIGN) == 0);
        ca_profile_free(profile);
    }
    return 0;
}
