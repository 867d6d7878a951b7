/* Names and grammar of the DNS methods. */
#include "validate/dns_txt.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "validate/caa.h"

void validate_account_label(const uint8_t hash[32], char ret_label[VALIDATE_ACCOUNT_LABEL])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t at = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    ret_label[at++] = '_';
    for (size_t i = 0; i < 10; i++) { /* 80 bits: no padding */
        bits = (bits << 8 | hash[i]) & 0xffff;
        held += 8;
        while (held >= 5) {
            held -= 5;
            ret_label[at++] = letters[bits >> held & 31];
        }
    }
    ret_label[at] = '\0';
}

void validate_reverse_name(const struct validate_address *a, char ret_name[VALIDATE_REVERSE_NAME])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    if (!a->v6) {
        (void)snprintf(ret_name, VALIDATE_REVERSE_NAME, "%u.%u.%u.%u.in-addr.arpa", a->bytes[3], a->bytes[2],
                       a->bytes[1], a->bytes[0]); /* it fits */
        return;
    }
    for (size_t i = 16; i > 0; i--) {
        ret_name[at++] = digits[a->bytes[i - 1] & 15];
        ret_name[at++] = '.';
        ret_name[at++] = digits[a->bytes[i - 1] >> 4];
        ret_name[at++] = '.';
    }
    memcpy(ret_name + at, "ip6.arpa", sizeof "ip6.arpa");
}

/* How often a parameter stands there, and its value. Keys compare without case, as CAA's do. */
static size_t parameter(const struct validate_issue_value *v, lt_slice name, lt_slice *ret_value)
{
    size_t found = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (lt_slice_eq_nocase(v->parameters[i].name, name)) {
            *ret_value = v->parameters[i].value;
            found++;
        }
    }
    return found;
}

static bool names_us(const struct validate_issue_value *v, const struct validate_persist_question *q)
{
    for (size_t i = 0; i < q->issuer_count; i++) {
        if (lt_slice_eq_nocase(v->domain, lt_slice_cstr(q->issuer_domains[i]))) {
            return true;
        }
    }
    return false;
}

/*= CABF-BR 3.2.2.4.22 "the parameter value MUST be a base-10 encoded integer representing a UNIX timestamp"
 */
static const char *time_refusal(const struct validate_issue_value *v, lt_time now)
{
    lt_slice text = {0};
    uint64_t until = 0;
    size_t times = parameter(v, LT_LIT("persistUntil"), &text);
    if (times == 0) {
        return NULL;
    }
    if (times > 1 || lt_failed(lt_parse_u64(text, INT64_MAX / LT_US_PER_SECOND, &until))) {
        return "its persistUntil is not one number of seconds";
    }
    /*= CABF-BR 3.2.2.4.22 "If the time of the check is after the time specified in the persistUntil parameter
     * value, the CA MUST NOT use the record as evidence" */
    return lt_time_from_seconds((int64_t)until).us < now.us ? "its persistUntil has passed" : NULL;
}

const char *validate_persist_refusal(lt_slice text, const struct validate_persist_question *q, bool *ret_ours)
{
    struct validate_issue_value v;
    lt_slice value = {0};
    *ret_ours = false;
    /*= CABF-BR 3.2.2.4.22 "The RDATA value MUST conform to the issue-value syntax" */
    if (!validate_issue_read(text, &v)) {
        return "it does not follow the grammar of RFC 8659 4.2";
    }
    /*= CABF-BR 3.2.2.4.22 "The issuer-domain-name value MUST be an Issuer Domain Name disclosed by the CA" */
    if (v.domain.len == 0 || !names_us(&v, q)) {
        return "it names another CA, or none";
    }
    *ret_ours = true;
    /*= CABF-BR 3.2.2.4.22 "The issue-value MUST contain an accounturi parameter" */
    size_t times = parameter(&v, LT_LIT("accounturi"), &value);
    if (times != 1) {
        return times == 0 ? "it has no accounturi" : "it has more than one accounturi";
    }
    if (q->account_uri.len == 0 || !lt_slice_eq(value, q->account_uri)) {
        return "its accounturi is another account's";
    }
    const char *why = time_refusal(&v, q->now);
    if (why != NULL || !q->wildcard) {
        return why;
    }
    /*= draft-ietf-acme-dns-persist-00 5 "MUST include the policy=wildcard parameter value" */
    times = parameter(&v, LT_LIT("policy"), &value);
    return times == 1 && lt_slice_eq_nocase(value, LT_LIT("wildcard"))
               ? NULL
               : "it has no policy=wildcard, which a wildcard name needs";
}

bool validate_underscore_label(lt_slice label)
{
    bool fine = label.len >= 2 && label.len <= 63 && label.ptr[0] == '_';
    for (size_t i = 0; i < label.len && fine; i++) {
        uint8_t c = label.ptr[i];
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    }
    return fine;
}
