/* Host names: split as the linters of the field split them, so that verdicts can be compared: the ICANN part
 * of the public suffix list alone, the rule "*" for what stands in none, and a wildcard is a label like any
 * other
 * ("*.com" is "*" left of "com"). Nothing is refused: bytes that are no host name at all are split at dots.
 */
#include "lint/names.h"

#include <libpsl.h>
#include <string.h>

#include "lint/tlds.h"
#include "x509/dnsname.h"

enum {
    SUFFIX_LABELS_MAX = 6, /* rules of the list have up to five, a wildcard's name one more */
    SUFFIX_BYTES_MAX = 255,
};

static uint8_t lower(uint8_t b)
{
    return b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20) : b;
}

/* Letters of the label in lower case against a name of the table. */
static int compare(lt_slice label, const char *name)
{
    for (size_t i = 0; i < label.len; i++) {
        int order = (int)lower(label.ptr[i]) - (int)(uint8_t)name[i];
        if (name[i] == '\0') {
            return 1; /* even where the label has a NUL there */
        }
        if (order != 0) {
            return order;
        }
    }
    return name[label.len] == '\0' ? 0 : -1;
}

const struct lint_tld *lint_tld_find(lt_slice label)
{
    size_t low = 0;
    size_t high = lint_tld_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(label, lint_tlds[middle].name);
        if (order == 0) {
            return &lint_tlds[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Where labels begin, from the right, as far as the list may look. */
static size_t starts_of(lt_slice text, size_t starts[SUFFIX_LABELS_MAX])
{
    size_t count = 0;
    for (size_t i = text.len; i > 0 && count < SUFFIX_LABELS_MAX; i--) {
        if (text.ptr[i - 1] == '.') {
            starts[count++] = i;
        }
    }
    if (count < SUFFIX_LABELS_MAX) {
        starts[count++] = 0;
    }
    return count;
}

/* The longest tail of whole labels that is a public suffix; the last label when there is none. */
static size_t suffix_start(lt_slice text)
{
    size_t starts[SUFFIX_LABELS_MAX];
    char tail[SUFFIX_BYTES_MAX + 1];
    size_t count = starts_of(text, starts);
    for (size_t i = count; i-- > 1;) {
        size_t len = text.len - starts[i];
        if (len > SUFFIX_BYTES_MAX || len == 0) {
            continue;
        }
        for (size_t k = 0; k < len; k++) {
            tail[k] = (char)lower(text.ptr[starts[i] + k]);
        }
        tail[len] = '\0';
        bool single = memchr(tail, '\0', len) == NULL;
        if (single && tail[0] != '.' && psl_is_public_suffix2(psl_builtin(), tail, PSL_TYPE_ICANN) == 1) {
            return starts[i];
        }
    }
    return starts[0];
}

/* Everything left of the suffix: its last label, and what stands before that. */
static void split(struct lint_name *n)
{
    lt_slice text = n->text;
    if (text.len == 0 || text.ptr[0] == '.' || text.ptr[text.len - 1] == '.') {
        return;
    }
    size_t at = suffix_start(text);
    n->suffix = lt_slice_sub(text, at, text.len - at);
    if (at == 0) {
        return; /* it is a suffix itself, or one label */
    }
    n->psl_ok = n->suffix.len > 0;
    size_t end = at - 1;
    size_t start = end;
    while (start > 0 && text.ptr[start - 1] != '.') {
        start--;
    }
    n->sld = lt_slice_sub(text, start, end - start);
    n->trd = start == 0 ? lt_slice_sub(text, 0, 0) : lt_slice_sub(text, 0, start - 1);
}

static bool host_byte(uint8_t b)
{
    uint8_t l = lower(b);
    return (l >= 'a' && l <= 'z') || (b >= '0' && b <= '9') || b == '-' || b == '_' || b == '.';
}

static bool is_address(lt_slice text)
{
    struct x509_ip ip;
    bool begins = text.len > 0 && text.len < 64 &&
                  ((text.ptr[0] >= '0' && text.ptr[0] <= '9') || lt_slice_find(text, ':') < text.len);
    return begins && !lt_failed(x509_ip_parse(text, &ip));
}

void lint_name_split(lt_slice text, bool is_cn, struct lint_name *ret_name)
{
    struct lint_name *n = ret_name;
    *n = (struct lint_name){.text = text, .is_cn = is_cn, .label_count = 1, .ldh = text.len > 0};
    n->is_ip = is_cn && is_address(text);
    n->wildcard = lt_slice_starts(text, LT_LIT("*."));
    size_t last = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.') {
            n->label_count++;
            last = i + 1;
        }
        n->ldh = n->ldh && (host_byte(text.ptr[i]) || (i == 0 && n->wildcard));
    }
    n->tld = lt_slice_sub(text, last, text.len - last);
    n->tld_row = lint_tld_find(n->tld);
    split(n);
}
