/* What a file holds: PEM with any number of blocks, DER, or base64 of DER, told apart by looking. Blocks that
 * are none of ours (keys) are passed over; a block whose base64 is broken is named, and the next one is still
 * read. What kind of object DER is, is told by its outermost tags, so that a broken one gets its findings. */
#include "cmd/lint.h"

#include <string.h>

#include "base/text.h"

enum {
    LABEL_MAX = 64,
    TAG_INTEGER = 0x02,
    TAG_ENUMERATED = 0x0a,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_CONTEXT_0 = 0xa0,
};

static const struct {
    const char *label;
    unsigned kind;
} labels[] = {
    {"CERTIFICATE", LINT_CERTIFICATE},
    {"X509 CERTIFICATE", LINT_CERTIFICATE},
    {"X509 CRL", LINT_CRL},
    {"CRL", LINT_CRL},
    {"CERTIFICATE REQUEST", LINT_CSR},
    {"NEW CERTIFICATE REQUEST", LINT_CSR},
    {"OCSP RESPONSE", LINT_OCSP},
    {"TBS CERTIFICATE", LINT_CERTIFICATE},
    {"TBSCERTIFICATE", LINT_CERTIFICATE},
};

const char *cmd_lint_kind_name(unsigned kind)
{
    return kind == LINT_CERTIFICATE ? "certificate"
           : kind == LINT_CRL       ? "crl"
           : kind == LINT_OCSP      ? "ocsp"
           : kind == LINT_CSR       ? "csr"
                                    : "";
}

/* The first element of *rest by its first bytes, however wrong its length is; 0 at the end. */
static uint8_t peel(lt_slice *rest, lt_slice *ret_content)
{
    lt_slice s = *rest;
    *ret_content = LT_SLICE(NULL, 0);
    if (s.len < 2) {
        *rest = LT_SLICE(NULL, 0);
        return s.len == 0 ? 0 : s.ptr[0];
    }
    size_t header = 2;
    size_t len = s.ptr[1];
    if (len > 0x80 && len <= 0x88) {
        size_t bytes = len - 0x80;
        len = 0;
        for (size_t i = 0; i < bytes && header < s.len; i++) {
            len = len << 8 | s.ptr[header++];
        }
    } else if (len >= 0x80) {
        len = s.len; /* indefinite, or nonsense: all that is left */
    }
    *ret_content = lt_slice_sub(s, header, len);
    *rest = lt_slice_sub(s, header + ret_content->len, SIZE_MAX);
    return s.ptr[0];
}

static bool is_time(uint8_t tag)
{
    return tag == TAG_UTC_TIME || tag == TAG_GENERALIZED_TIME;
}

/* body: what stands in the SEQUENCE that is signed. */
static unsigned kind_of_body(lt_slice body)
{
    uint8_t tags[4];
    lt_slice content;
    for (size_t i = 0; i < LT_COUNT(tags); i++) {
        tags[i] = peel(&body, &content);
    }
    if (tags[0] == TAG_CONTEXT_0) {
        return LINT_CERTIFICATE;
    }
    if (tags[0] == TAG_SEQUENCE && tags[1] == TAG_SEQUENCE && is_time(tags[2])) {
        return LINT_CRL; /* version 1 */
    }
    if (tags[0] != TAG_INTEGER || tags[1] != TAG_SEQUENCE || tags[2] != TAG_SEQUENCE) {
        return 0;
    }
    return is_time(tags[3])                           ? LINT_CRL
           : tags[3] == TAG_SEQUENCE                  ? LINT_CERTIFICATE
           : tags[3] == TAG_CONTEXT_0 || tags[3] == 0 ? LINT_CSR
                                                      : 0;
}

unsigned cmd_lint_kind_of(lt_slice der, bool bare)
{
    lt_slice outer;
    lt_slice inner;
    if (peel(&der, &outer) != TAG_SEQUENCE) {
        return 0;
    }
    if (bare) {
        return kind_of_body(outer);
    }
    uint8_t first = peel(&outer, &inner);
    return first == TAG_ENUMERATED ? LINT_OCSP : first == TAG_SEQUENCE ? kind_of_body(inner) : 0;
}

/* Offset of needle in s, or s.len. */
static size_t find_text(lt_slice s, const char *needle)
{
    size_t len = strlen(needle);
    const void *hit = s.len == 0 ? NULL : memmem(s.ptr, s.len, needle, len);
    return hit == NULL ? s.len : (size_t)((const uint8_t *)hit - s.ptr);
}

/* Behind "-----BEGIN " at the start of a line; false when there is none. */
static bool find_begin(lt_slice *rest)
{
    static const char begin[] = "-----BEGIN ";
    for (;;) {
        size_t at = find_text(*rest, begin);
        if (at == rest->len) {
            return false;
        }
        bool starts_line = at == 0 || rest->ptr[at - 1] == '\n' || rest->ptr[at - 1] == '\r';
        *rest = lt_slice_sub(*rest, at + sizeof(begin) - 1, SIZE_MAX);
        if (starts_line) {
            return true;
        }
    }
}

static unsigned kind_of_label(lt_slice label)
{
    for (size_t i = 0; i < LT_COUNT(labels); i++) {
        if (lt_slice_eq_cstr(label, labels[i].label)) {
            return labels[i].kind;
        }
    }
    return 0;
}

/* The label, *rest behind its dashes. */
static lt_slice take_label(lt_slice *rest)
{
    size_t len = find_text(lt_slice_sub(*rest, 0, LABEL_MAX + 5), "-----");
    lt_slice label = lt_slice_sub(*rest, 0, len);
    *rest = lt_slice_sub(*rest, len + 5, SIZE_MAX);
    return label;
}

static size_t count_blocks(lt_slice text)
{
    size_t count = 0;
    while (find_begin(&text)) {
        count += kind_of_label(take_label(&text)) != 0;
    }
    return count;
}

void cmd_lint_open(struct cmd_lint_reader *r, lt_slice bytes, bool bare)
{
    lt_slice rest = bytes;
    bool der = cmd_lint_kind_of(bytes, bare) != 0;
    *r = (struct cmd_lint_reader){.rest = bytes, .pem = !der && find_begin(&rest), .count = 1, .bare = bare};
    if (r->pem) {
        r->count = count_blocks(bytes);
    }
}

/* "Proc-Type: …" lines of RFC 1421 end with an empty one. */
static lt_slice without_headers(lt_slice body)
{
    lt_slice line = body;
    lt_slice rest = body;
    (void)lt_slice_split(&rest, '\n', &line); /* the rest of the BEGIN line */
    lt_slice first = rest;
    (void)lt_slice_split(&first, '\n', &line);
    if (lt_slice_find(line, ':') == line.len) {
        return body;
    }
    while (lt_slice_split(&rest, '\n', &line)) {
        if (line.len == 0 || (line.len == 1 && line.ptr[0] == '\r')) {
            return rest;
        }
    }
    return body;
}

static lt_res next_block(struct cmd_lint_reader *r, struct lt_arena *a, struct cmd_lint_object *ret_object)
{
    char end[LABEL_MAX + 16] = "-----END ";
    unsigned kind = 0;
    lt_slice label = LT_SLICE(NULL, 0);
    while (kind == 0) {
        LT_CHECK(find_begin(&r->rest), LT_PEER_NOT_FOUND, "no further PEM block");
        label = take_label(&r->rest);
        kind = kind_of_label(label);
    }
    size_t used = strlen(end);
    memcpy(end + used, label.ptr, label.len); /* labels[] has none longer */
    memcpy(end + used + label.len, "-----", 6);
    size_t body_len = find_text(r->rest, end);
    LT_CHECK(body_len < r->rest.len, LT_PEER_MALFORMED, "the PEM block has no line %s", end);
    lt_slice body = lt_slice_sub(r->rest, 0, body_len);
    r->rest = lt_slice_sub(r->rest, body_len, SIZE_MAX);
    LT_TRY(lt_unbase64(a, without_headers(body), &ret_object->der));
    LT_CHECK(ret_object->der.len > 0, LT_PEER_MALFORMED, "the PEM block is empty");
    unsigned seen = cmd_lint_kind_of(ret_object->der, r->bare);
    bool misnamed = seen == LINT_CRL || seen == LINT_OCSP || (seen != 0 && kind != LINT_CERTIFICATE);
    ret_object->kind = misnamed ? seen : kind;
    return LT_OK;
}

static bool is_base64_text(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && strchr("+/= \t\r\n", c) == NULL) {
            return false;
        }
    }
    return s.len > 0;
}

lt_res cmd_lint_next(struct cmd_lint_reader *r, struct lt_arena *a, struct cmd_lint_object *ret_object)
{
    *ret_object = (struct cmd_lint_object){.kind = 0};
    if (r->pem) {
        return next_block(r, a, ret_object);
    }
    LT_CHECK(r->count > 0, LT_PEER_NOT_FOUND, "no further object");
    r->count = 0;
    LT_CHECK(r->rest.len > 0, LT_PEER_MALFORMED, "it is empty");
    ret_object->der = r->rest;
    ret_object->kind = cmd_lint_kind_of(r->rest, r->bare);
    if (ret_object->kind == 0 && is_base64_text(r->rest)) {
        LT_TRY(lt_unbase64(a, r->rest, &ret_object->der));
        LT_CHECK(ret_object->der.len > 0, LT_PEER_MALFORMED, "it is empty");
        ret_object->kind = cmd_lint_kind_of(ret_object->der, r->bare);
    }
    return LT_OK;
}
