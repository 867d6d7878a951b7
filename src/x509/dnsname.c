/* Host names and addresses. */
#include "x509/dnsname.h"

#include <string.h>

static bool digit(uint8_t b)
{
    return b >= '0' && b <= '9';
}

static bool all_digits(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!digit(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

/*= RFC 5890 2.3.1 labels "in the third and fourth character positions" with "--" are reserved: A-labels alone
 * here */
static lt_res label_check(lt_slice label)
{
    LT_CHECK(label.len > 0, LT_PEER_MALFORMED, "an empty label");
    LT_CHECK(label.len <= X509_DNS_LABEL_MAX, LT_PEER_MALFORMED, "a label of %zu bytes: at most %d",
             label.len, X509_DNS_LABEL_MAX);
    for (size_t i = 0; i < label.len; i++) {
        uint8_t b = label.ptr[i];
        bool good = digit(b) || b == '-' || (b >= 'a' && b <= 'z');
        LT_CHECK(good, LT_PEER_MALFORMED, "a label with byte 0x%02x: lower-case letters, digits and '-' only",
                 b);
    }
    LT_CHECK(label.ptr[0] != '-' && label.ptr[label.len - 1] != '-', LT_PEER_MALFORMED,
             "a label that begins or ends with '-'");
    bool reserved = label.len >= 4 && label.ptr[2] == '-' && label.ptr[3] == '-';
    bool a_label = label.len > 4 && lt_slice_starts(label, LT_LIT("xn--"));
    LT_CHECK(!reserved || a_label, LT_PEER_MALFORMED, "a label with '--' that is no A-label");
    return LT_OK;
}

lt_res x509_dns_check(lt_slice name, unsigned flags)
{
    LT_CHECK(name.len > 0 && name.len <= X509_DNS_MAX, LT_PEER_MALFORMED, "a name of %zu bytes: 1 to %d",
             name.len, X509_DNS_MAX);
    bool wildcard = (flags & X509_DNS_WILDCARD) != 0 && lt_slice_starts(name, LT_LIT("*."));
    lt_slice rest = wildcard ? LT_SLICE(name.ptr + 2, name.len - 2) : name;
    lt_slice label = {0};
    size_t count = 0;
    while (lt_slice_split(&rest, '.', &label)) {
        LT_TRY(label_check(label));
        count++;
    }
    LT_CHECK(count >= 2, LT_PEER_MALFORMED, "a name of one label: fully qualified names only");
    LT_CHECK(!all_digits(label), LT_PEER_MALFORMED, "a last label of digits: that is an address");
    return LT_OK;
}

bool x509_dns_below(lt_slice name, lt_slice suffix)
{
    if (lt_slice_starts(name, LT_LIT("*."))) {
        name = lt_slice_sub(name, 2, name.len - 2);
    }
    if (suffix.len == 0 || name.len < suffix.len) {
        return false;
    }
    lt_slice tail = lt_slice_sub(name, name.len - suffix.len, suffix.len);
    if (!lt_slice_eq_nocase(tail, suffix)) {
        return false;
    }
    return name.len == suffix.len || name.ptr[name.len - suffix.len - 1] == '.';
}

void x509_dns_reverse(lt_slice name, struct lt_buf *out)
{
    size_t end = name.len;
    for (size_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '.') {
            lt_buf_add(out, lt_slice_sub(name, i, end - i));
            lt_buf_add_byte(out, '.');
            end = i - 1;
        }
    }
    lt_buf_add(out, lt_slice_sub(name, 0, end));
}

/* "192.0.2.1": four decimal numbers without leading zeros. */
static bool ipv4_parse(lt_slice text, uint8_t out[4])
{
    lt_slice part = {0};
    size_t n = 0;
    while (lt_slice_split(&text, '.', &part)) {
        if (n == 4 || part.len == 0 || part.len > 3 || !all_digits(part) ||
            (part.len > 1 && part.ptr[0] == '0')) {
            return false;
        }
        unsigned value = 0;
        for (size_t i = 0; i < part.len; i++) {
            value = value * 10 + (unsigned)(part.ptr[i] - '0');
        }
        if (value > 255) {
            return false;
        }
        out[n++] = (uint8_t)value;
    }
    return n == 4;
}

static int hex_value(uint8_t b)
{
    return digit(b)               ? b - '0'
           : b >= 'a' && b <= 'f' ? b - 'a' + 10
           : b >= 'A' && b <= 'F' ? b - 'A' + 10
                                  : -1;
}

static bool group_parse(lt_slice part, uint8_t out[2])
{
    unsigned value = 0;
    if (part.len == 0 || part.len > 4) {
        return false;
    }
    for (size_t i = 0; i < part.len; i++) {
        int h = hex_value(part.ptr[i]);
        if (h < 0) {
            return false;
        }
        value = value << 4 | (unsigned)h;
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)(value & 0xff);
    return true;
}

/* Groups of 16 bits between colons, the last of them perhaps an IPv4 address; empty text is no group at all.
 */
static bool groups_parse(lt_slice text, uint8_t out[16], size_t *ret_len)
{
    lt_slice part = {0};
    *ret_len = 0;
    if (text.len == 0) {
        return true;
    }
    while (lt_slice_split(&text, ':', &part)) {
        bool last = text.ptr == NULL;
        if (last && lt_slice_find(part, '.') < part.len) {
            if (*ret_len > 12 || !ipv4_parse(part, out + *ret_len)) {
                return false;
            }
            *ret_len += 4;
        } else {
            if (*ret_len > 14 || !group_parse(part, out + *ret_len)) {
                return false;
            }
            *ret_len += 2;
        }
    }
    return true;
}

/*= RFC 4291 2.2 "The "::" can only appear once in an address." */
static bool ipv6_parse(lt_slice text, uint8_t out[16])
{
    size_t gap = text.len;
    for (size_t i = 0; i + 1 < text.len && gap == text.len; i++) {
        if (text.ptr[i] == ':' && text.ptr[i + 1] == ':') {
            gap = i;
        }
    }
    uint8_t head[16];
    uint8_t tail[16];
    size_t head_len = 0;
    size_t tail_len = 0;
    if (!groups_parse(lt_slice_sub(text, 0, gap), head, &head_len)) {
        return false;
    }
    memcpy(out, head, head_len);
    if (gap == text.len) {
        return head_len == 16;
    }
    /* IPv4 stands at the very end alone, so not before the gap. */
    if (lt_slice_find(lt_slice_sub(text, 0, gap), '.') < gap ||
        !groups_parse(lt_slice_sub(text, gap + 2, text.len), tail, &tail_len) || head_len + tail_len > 14) {
        return false;
    }
    memset(out + head_len, 0, 16 - head_len - tail_len);
    memcpy(out + 16 - tail_len, tail, tail_len);
    return true;
}

lt_res x509_ip_parse(lt_slice text, struct x509_ip *ret_ip)
{
    struct x509_ip ip = {.len = lt_slice_find(text, ':') < text.len ? 16 : 4};
    bool good = ip.len == 4 ? ipv4_parse(text, ip.bytes) : ipv6_parse(text, ip.bytes);
    LT_CHECK(good, LT_PEER_MALFORMED, "no IP address: '%.*s'", LT_FMT(text));
    *ret_ip = ip;
    return LT_OK;
}

/*= RFC 5952 4.2.3 "When there is an alternative choice in the placement of a "::", the longest run of
 * consecutive 16-bit 0 fields MUST be shortened"; 4.2.2 one field alone is not */
static void longest_zeros(const uint16_t field[8], size_t *ret_at, size_t *ret_len)
{
    size_t run = 0;
    *ret_at = 8;
    *ret_len = 1;
    for (size_t i = 0; i < 8; i++) {
        run = field[i] == 0 ? run + 1 : 0;
        if (run > *ret_len) {
            *ret_len = run;
            *ret_at = i + 1 - run;
        }
    }
}

lt_res x509_ip_text(lt_slice bytes, struct lt_buf *out)
{
    LT_CHECK(bytes.len == 4 || bytes.len == 16, LT_PEER_MALFORMED, "an address of %zu bytes", bytes.len);
    const uint8_t *b = bytes.ptr;
    if (bytes.len == 4) {
        lt_buf_addf(out, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return LT_OK;
    }
    uint16_t field[8];
    for (size_t i = 0; i < 8; i++) {
        field[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
    }
    size_t at = 0;
    size_t len = 0;
    longest_zeros(field, &at, &len);
    for (size_t i = 0; i < 8; i++) {
        if (i == at) {
            lt_buf_add_cstr(out, "::");
            i += len - 1;
            continue;
        }
        lt_buf_addf(out, "%s%x", i > 0 && i != at + len ? ":" : "", field[i]);
    }
    return LT_OK;
}
