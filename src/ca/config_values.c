#include "ca/config_values.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

enum { ADDRESS_MAX = 64, LABEL_MAX = 63, NAME_MAX_LEN = 253, FIELDS_MAX = 16 };

static bool is_address(const char *text)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

bool ca_value_is_listen_host(const char *text)
{
    return strcmp(text, "localhost") == 0 || is_address(text);
}

bool ca_value_is_resolver(const char *text)
{
    char host[ADDRESS_MAX];
    uint64_t port = 53;
    size_t len = strcspn(text, "@");
    if (len >= sizeof host) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    bool port_good = text[len] == '\0' ||
                     !lt_failed(lt_parse_u64(lt_slice_cstr(text + len + 1), UINT16_MAX, &port));
    return port_good && port > 0 && is_address(host);
}

bool ca_value_is_issuer_domain(const char *text)
{
    lt_slice rest = lt_slice_cstr(text);
    lt_slice label;
    size_t labels = 0;
    /* A dot at the end would be a last, empty label. */
    if (rest.len == 0 || rest.len > NAME_MAX_LEN || rest.ptr[rest.len - 1] == '.') {
        return false;
    }
    while (lt_slice_split(&rest, '.', &label)) {
        if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' ||
            label.ptr[label.len - 1] == '-') {
            return false;
        }
        for (size_t i = 0; i < label.len; i++) {
            if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", label.ptr[i]) == NULL || label.ptr[i] == 0) {
                return false;
            }
        }
        labels++;
    }
    return labels >= 2;
}

/* Words of a line up to a comment. */
static size_t fields_of(lt_slice line, lt_slice *fields)
{
    size_t count = 0;
    size_t at = 0;
    while (at < line.len && line.ptr[at] != ';' && count < FIELDS_MAX) {
        size_t from = at;
        while (at < line.len && strchr(" \t\r;", line.ptr[at]) == NULL) {
            at++;
        }
        if (at > from) {
            fields[count++] = lt_slice_sub(line, from, at - from);
        } else if (line.ptr[at] != ';') {
            at++;
        }
    }
    return count;
}

static bool is_number(lt_slice text, uint64_t most)
{
    uint64_t n = 0;
    return !lt_failed(lt_parse_u64(text, most, &n));
}

/* "NAME [TTL] [IN] DS TAG ALGORITHM DIGEST-TYPE HEX", "NAME [TTL] [IN] DNSKEY FLAGS 3 ALGORITHM BASE64". */
static bool is_anchor(const lt_slice *fields, size_t count)
{
    size_t at = 1;
    at += at < count && is_number(fields[at], UINT32_MAX);
    at += at < count && lt_slice_eq_cstr(fields[at], "IN");
    if (at + 4 >= count || (!lt_slice_eq_cstr(fields[at], "DS") && !lt_slice_eq_cstr(fields[at], "DNSKEY"))) {
        return false;
    }
    return is_number(fields[at + 1], UINT16_MAX) && is_number(fields[at + 2], UINT8_MAX) &&
           is_number(fields[at + 3], UINT8_MAX);
}

lt_res ca_value_anchors(const char *file, lt_slice text)
{
    lt_slice fields[FIELDS_MAX];
    lt_slice rest = text;
    lt_slice line;
    size_t anchors = 0;
    for (size_t at = 1; lt_slice_split(&rest, '\n', &line); at++) {
        size_t count = fields_of(line, fields);
        LT_CHECK(count == 0 || is_anchor(fields, count), LT_PEER_USAGE,
                 "validation.trust-anchor: %.120s:%zu: this is no DS and no DNSKEY record", file, at);
        anchors += count > 0;
    }
    LT_CHECK(anchors > 0, LT_PEER_USAGE, "validation.trust-anchor: %.120s holds no DS and no DNSKEY record",
             file);
    return LT_OK;
}
