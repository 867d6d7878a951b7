/* RFC 1035 4.1: header, questions, answers. */
#include "validate/dns_answer.h"

#include <stdio.h>
#include <string.h>

enum { HEADER_LEN = 12, CLASS_IN = 1, RECORDS_MAX = 512, LABELS_MAX = 128, JUMPS_MAX = 32 };

struct cursor {
    lt_slice message;
    size_t at;
    bool bad; /* sticky */
};

static void skip(struct cursor *c, size_t len)
{
    c->bad = c->bad || len > c->message.len - c->at;
    c->at = c->bad ? c->message.len : c->at + len;
}

static uint8_t u8(struct cursor *c)
{
    uint8_t v = c->at < c->message.len ? c->message.ptr[c->at] : 0;
    skip(c, 1);
    return v;
}

static uint16_t u16(struct cursor *c)
{
    unsigned high = u8(c);
    return (uint16_t)(high << 8 | u8(c));
}

static uint32_t u32(struct cursor *c)
{
    uint32_t high = u16(c);
    return high << 16 | u16(c);
}

struct name {
    char text[VALIDATE_DNS_NAME];
    size_t len;
};

static void add_text(struct name *n, const char *text, size_t len, bool *bad)
{
    if (len >= sizeof n->text - n->len) {
        *bad = true;
        return;
    }
    memcpy(n->text + n->len, text, len);
    n->len += len;
    n->text[n->len] = '\0';
}

static void add_label(struct name *n, lt_slice label, bool *bad)
{
    if (n->len > 0) {
        add_text(n, ".", 1, bad);
    }
    for (size_t i = 0; i < label.len && !*bad; i++) {
        char escaped[8];
        uint8_t byte = label.ptr[i];
        bool upper = byte >= 'A' && byte <= 'Z';
        bool plain = byte > 0x20 && byte < 0x7f && byte != '.' && byte != '\\';
        int len = plain ? snprintf(escaped, sizeof escaped, "%c", upper ? byte + 32 : byte)
                        : snprintf(escaped, sizeof escaped, "\\%03u", byte);
        add_text(n, escaped, (size_t)len, bad);
    }
}

/* A name as text; a pointer must point to before itself, and so on. Moves behind the name. */
static void read_name(struct cursor *c, struct name *ret_name)
{
    size_t behind = 0; /* of the first pointer */
    size_t start = c->at;
    size_t jumps = 0;
    *ret_name = (struct name){.len = 0};
    for (size_t labels = 0; !c->bad; labels++) {
        uint8_t len = u8(c);
        if (len == 0 || labels > LABELS_MAX) {
            c->bad = c->bad || len != 0;
            break;
        }
        if ((len & 0xc0) == 0xc0) {
            size_t to = (size_t)(len & 0x3f) << 8 | u8(c);
            behind = behind == 0 ? c->at : behind;
            c->bad = c->bad || to >= start || to < HEADER_LEN || ++jumps > JUMPS_MAX;
            start = to;
            c->at = c->bad ? c->at : to;
            continue;
        }
        lt_slice label = lt_slice_sub(c->message, c->at, len);
        skip(c, len);
        c->bad = c->bad || (len & 0xc0) != 0;
        if (!c->bad) {
            add_label(ret_name, label, &c->bad);
        }
    }
    c->at = behind != 0 && !c->bad ? behind : c->at;
}

struct record {
    struct name owner;
    uint16_t type;
    uint32_t ttl;
    lt_slice data;
    size_t data_at;
};

static void read_record(struct cursor *c, struct record *ret_record)
{
    struct record r = {.type = 0};
    read_name(c, &r.owner);
    r.type = u16(c);
    uint16_t class = u16(c);
    r.ttl = u32(c);
    uint16_t len = u16(c);
    r.data_at = c->at;
    r.data = lt_slice_sub(c->message, c->at, len);
    skip(c, len);
    r.type = class == CLASS_IN ? r.type : 0;
    *ret_record = r;
}

static void note_ttl(struct validate_dns_message *m, uint32_t ttl)
{
    bool first = m->count == 0 && m->chain_count == 1;
    /* RFC 2181 8: a value with the highest bit is zero. */
    ttl = ttl > INT32_MAX ? 0 : ttl;
    m->ttl = first || ttl < m->ttl ? ttl : m->ttl;
}

static void take_alias(struct cursor *c, const struct record *r, struct validate_dns_message *m)
{
    struct cursor target = {.message = c->message, .at = r->data_at};
    struct name to;
    read_name(&target, &to);
    c->bad = c->bad || target.bad || m->chain_count == VALIDATE_DNS_CHAIN_MAX || m->count > 0;
    if (!c->bad) {
        note_ttl(m, r->ttl);
        memcpy(m->chain[m->chain_count], to.text, sizeof to.text);
        m->chain_count++;
    }
}

static void take_record(struct cursor *c, uint16_t type, struct validate_dns_message *m)
{
    struct record r;
    read_record(c, &r);
    if (c->bad || strcmp(r.owner.text, m->chain[m->chain_count - 1]) != 0) {
        return;
    }
    if (r.type == type) {
        note_ttl(m, r.ttl);
        if (m->count < VALIDATE_DNS_RECORDS_MAX) {
            m->records[m->count++] = r.data;
        } else {
            m->left_out++;
        }
    } else if (r.type == VALIDATE_DNS_CNAME) {
        take_alias(c, &r, m);
    }
}

/* The name that was asked for, as the chain's names are written. */
static void begin_chain(const char *name, struct validate_dns_message *m)
{
    size_t len = strnlen(name, VALIDATE_DNS_NAME);
    len -= len > 0 && name[len - 1] == '.' ? 1 : 0;
    LT_ASSERT(len < VALIDATE_DNS_NAME); /* libunbound refuses what is longer */
    for (size_t i = 0; i < len; i++) {
        m->chain[0][i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    }
    m->chain[0][len] = '\0';
    m->chain_count = 1;
}

lt_res validate_dns_read(lt_slice message, const char *name, uint16_t type,
                         struct validate_dns_message *ret_message)
{
    struct cursor c = {.message = message};
    struct validate_dns_message *m = ret_message;
    m->ttl = 0;
    m->count = 0;
    m->left_out = 0;
    begin_chain(name, m);
    skip(&c, 3);
    m->rcode = u8(&c) & 15;
    uint16_t questions = u16(&c);
    uint16_t answers = u16(&c);
    skip(&c, 4);
    LT_CHECK(!c.bad && questions <= 1 && answers <= RECORDS_MAX, LT_PEER_MALFORMED, "no DNS message");
    for (uint16_t i = 0; i < questions; i++) {
        struct name asked;
        read_name(&c, &asked);
        skip(&c, 4);
    }
    for (uint16_t i = 0; i < answers && !c.bad; i++) {
        take_record(&c, type, m);
    }
    LT_CHECK(!c.bad, LT_PEER_MALFORMED, "a DNS message that ends too early or goes in circles");
    return LT_OK;
}

lt_res validate_dns_addresses(const struct validate_dns_message *m, uint16_t type,
                              struct validate_address *list, size_t *count)
{
    size_t want = type == VALIDATE_DNS_AAAA ? 16 : 4;
    for (size_t i = 0; i < m->count && *count < VALIDATE_ADDRESSES_MAX; i++) {
        LT_CHECK(m->records[i].len == want, LT_PEER_MALFORMED, "an address of %zu bytes", m->records[i].len);
        list[*count] = (struct validate_address){.v6 = type == VALIDATE_DNS_AAAA};
        memcpy(list[*count].bytes, m->records[i].ptr, want);
        *count += 1;
    }
    return LT_OK;
}

lt_res validate_dns_txt(lt_slice rdata, uint8_t *ret_text, size_t size, size_t *ret_len)
{
    size_t at = 0;
    size_t out = 0;
    LT_CHECK(rdata.len > 0, LT_PEER_MALFORMED, "a TXT record without a string");
    while (at < rdata.len) {
        size_t len = rdata.ptr[at++];
        LT_CHECK(len <= rdata.len - at, LT_PEER_MALFORMED, "a TXT record that ends too early");
        LT_CHECK(len <= size - out, LT_PEER_TOO_LARGE, "a TXT record over %zu bytes", size);
        memcpy(ret_text + out, rdata.ptr + at, len);
        out += len;
        at += len;
    }
    *ret_len = out;
    return LT_OK;
}
