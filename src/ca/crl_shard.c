/* Shards of CRLs and their addresses. */
#include "ca/crl_shard.h"

#include <stdio.h>
#include <string.h>

enum { TAIL = 4 };

/* The end of a serial is drawn at random, so shards fill evenly, whoever asks for certificates. */
uint32_t ca_crl_shard_of(lt_slice serial, uint32_t count)
{
    uint32_t drawn = 0;
    size_t from = serial.len > TAIL ? serial.len - TAIL : 0;
    for (size_t i = from; i < serial.len; i++) {
        drawn = drawn << 8 | serial.ptr[i];
    }
    return count == 0 ? 0 : 1 + drawn % count;
}

void ca_crl_name(const char *issuer, uint32_t shard, char ret_name[CA_CRL_NAME_MAX])
{
    if (shard == 0) {
        (void)snprintf(ret_name, CA_CRL_NAME_MAX, "%.60s.crl", issuer);
    } else {
        (void)snprintf(ret_name, CA_CRL_NAME_MAX, "%.60s/%u.crl", issuer, shard);
    }
}

const char *ca_crl_url(struct lt_arena *a, const char *base, const char *issuer, uint32_t shard)
{
    char name[CA_CRL_NAME_MAX];
    ca_crl_name(issuer, shard, name);
    return lt_arena_printf(a, "%s/crl/%s", base, name);
}

/* Digits without a leading zero, so that a number has one spelling. */
static bool read_shard(lt_slice digits, uint32_t *ret_shard)
{
    uint32_t n = 0;
    bool good = digits.len > 0 && digits.ptr[0] != '0';
    for (size_t i = 0; good && i < digits.len; i++) {
        good = digits.ptr[i] >= '0' && digits.ptr[i] <= '9';
        n = n * 10 + (uint32_t)(digits.ptr[i] - '0');
        good = good && n <= CA_CRL_SHARDS_MAX;
    }
    *ret_shard = good ? n : 0;
    return good;
}

static bool skip(lt_slice *at, const char *text)
{
    lt_slice head = lt_slice_cstr(text);
    bool there = lt_slice_starts(*at, head);
    *at = there ? lt_slice_sub(*at, head.len, SIZE_MAX) : *at;
    return there;
}

bool ca_crl_url_shard(lt_slice url, const char *base, const char *issuer, uint32_t *ret_shard)
{
    *ret_shard = 0;
    if (base[0] == 0 || !skip(&url, base) || !skip(&url, "/crl/") || !skip(&url, issuer)) {
        return false;
    }
    if (lt_slice_eq_cstr(url, ".crl")) {
        return true;
    }
    lt_slice end = LT_LIT(".crl");
    if (!skip(&url, "/") || url.len <= end.len || !lt_slice_ends(url, end)) {
        return false;
    }
    return read_shard(lt_slice_sub(url, 0, url.len - end.len), ret_shard);
}
