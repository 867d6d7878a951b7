/* The rules are rows: a name is refused by the first that matches, with its sentence. */
#include <idn2.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "acme/json_own.h"
#include "acme/names.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "validate/address.h"

enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63, SET_MAX = 1000, JSON_MAX = 512 * 1024 };

struct acme_names {
    const psl_ctx_t *builtin; /* static storage of the library */
    psl_ctx_t *file;          /* owned; NULL when the built-in list is newer */
};

static const struct acme_name_fault good = {NULL, NULL, NULL};
static const char br_internal[] = "CA/B BR 4.2.2";

static struct acme_name_fault malformed(const char *detail, const char *rule)
{
    return (struct acme_name_fault){"malformed", detail, rule};
}

static struct acme_name_fault rejected(const char *detail, const char *rule)
{
    return (struct acme_name_fault){"rejectedIdentifier", detail, rule};
}

/* Names that stand below no registry. A row matches the name itself and all below it.
 *= CABF-BR 4.2.2 "CAs SHALL NOT issue Certificates containing Internal Names or Reserved IP Addresses" */
static const struct {
    const char *suffix;
    const char *detail;
    const char *rule;
} reserved[] = {
    {"local", "Names below .local are for multicast DNS; no public CA can vouch for them.", "RFC 6762"},
    {"localhost", "localhost is every machine's own name.", "RFC 6761"},
    {"test", "Names below .test are reserved for testing.", "RFC 6761"},
    {"invalid", "Names below .invalid never exist.", "RFC 6761"},
    {"example", "Names below .example are reserved for documentation.", "RFC 6761"},
    {"internal", "Names below .internal are for private networks; they have no owner that could be proven.",
     "CA/B BR 4.2.2, ICANN resolution 2024.07.29.06"},
    {"onion",
     "Names below .onion have no DNS: they are proven over Tor alone, which this server does not offer. Use "
     "a certificate for a name in the DNS.",
     "RFC 7686, CA/B BR appendix B"},
    {"alt", "Names below .alt are not in the DNS.", "RFC 9476"},
    {"home.arpa", "Names below home.arpa belong to every home.", "RFC 8375"},
    /*= CABF-BR 4.2.2 "CAs SHALL NOT issue Certificates containing Domain Names that end in an IP Reverse
       Zone" */
    {"in-addr.arpa", "Names of the reverse address zones get no certificates.",
     "CA/B BR 4.2.2, since 2026-03-15"},
    {"ip6.arpa", "Names of the reverse address zones get no certificates.",
     "CA/B BR 4.2.2, since 2026-03-15"},
};

lt_res acme_names_open(struct acme_names **ret_names)
{
    const psl_ctx_t *builtin = psl_builtin();
    const char *path = psl_dist_filename();
    psl_ctx_t *file = path == NULL || path[0] == '\0' ? NULL : psl_load_file(path);
    LT_CHECK(builtin != NULL || file != NULL, LT_STATE_IO,
             "no public suffix list: install the package publicsuffix");
    struct acme_names *n = calloc(1, sizeof *n);
    LT_ASSERT(n != NULL);
    n->builtin = builtin;
    n->file = file;
    *ret_names = n;
    return LT_OK;
}

void acme_names_close(struct acme_names *n)
{
    if (n != NULL) {
        psl_free(n->file);
        free(n);
    }
}

/* Is it, as a whole, a suffix that a registry of the ICANN section hands names out under? */
bool acme_name_is_suffix(const struct acme_names *n, const char *name)
{
    const psl_ctx_t *list = n->file != NULL ? n->file : n->builtin;
    return psl_is_public_suffix2(list, name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 1;
}

const char *acme_name_topmost(const struct acme_names *n, const char *name)
{
    const char *top = name;
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        if (acme_name_is_suffix(n, dot + 1) || strchr(dot + 1, '.') == NULL) {
            return top;
        }
        top = dot + 1;
    }
    return top;
}

bool acme_name_below(const char *name, const char *domain)
{
    lt_slice n = lt_slice_cstr(name);
    lt_slice d = lt_slice_cstr(domain);
    return n.len > d.len + 1 && lt_slice_ends(n, d) && n.ptr[n.len - d.len - 1] == '.';
}

bool acme_name_is_wildcard(const char *name)
{
    return name[0] == '*' && name[1] == '.';
}

const char *acme_name_base(const char *name)
{
    return acme_name_is_wildcard(name) ? name + 2 : name;
}

static bool letter_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/*= RFC 5890 2.3.2.1 "form of an IDNA-valid string" */
static bool good_a_label(lt_slice label)
{
    char text[LABEL_MAX_LEN + 1];
    char *unicode = NULL;
    char *again = NULL;
    memcpy(text, label.ptr, label.len);
    text[label.len] = '\0';
    bool same = idn2_to_unicode_8z8z(text, &unicode, 0) == IDN2_OK &&
                idn2_lookup_u8((const uint8_t *)unicode, (uint8_t **)&again, IDN2_NFC_INPUT) == IDN2_OK &&
                lt_slice_eq(lt_slice_cstr(again), label);
    idn2_free(unicode);
    idn2_free(again);
    return same;
}

static struct acme_name_fault check_label(lt_slice label)
{
    if (label.len == 0 || label.len > LABEL_MAX_LEN) {
        return malformed("The name has a label that is empty or over 63 characters.", "RFC 1035 2.3.4");
    }
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.ptr[i];
        bool inner = i > 0 && i + 1 < label.len;
        if (!letter_digit(c) && !(c == '-' && inner)) {
            return malformed("The name has a label that is not letters, digits and inner hyphens.",
                             "RFC 1034 3.5");
        }
    }
    if (label.len >= 4 && label.ptr[2] == '-' && label.ptr[3] == '-') {
        if (!lt_slice_starts(label, LT_LIT("xn--"))) {
            return rejected("The name has a label with hyphens in third and fourth place that is no A-label.",
                            "RFC 5890 2.3.1");
        }
        if (!good_a_label(label)) {
            return rejected("The name has a label that begins with xn-- and is no valid A-label.",
                            "RFC 5890 2.3.2.1");
        }
    }
    return good;
}

static bool all_digits(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

/* Labels one by one; the last one in ret_top. */
static struct acme_name_fault check_form(lt_slice name, size_t *ret_labels, lt_slice *ret_top)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN) {
        return malformed("The name is empty or over 253 characters.", "RFC 1035 2.3.4");
    }
    if (name.ptr[name.len - 1] == '.') {
        return malformed("The name ends in a dot; leave it out.", "RFC 8555 7.1.4");
    }
    lt_slice rest = name;
    lt_slice label;
    *ret_labels = 0;
    while (lt_slice_split(&rest, '.', &label)) {
        struct acme_name_fault fault = check_label(label);
        if (fault.type != NULL) {
            return fault;
        }
        *ret_top = label;
        *ret_labels += 1;
    }
    if (all_digits(*ret_top)) {
        return malformed("The name ends in a number: an address is an identifier of type ip.", "RFC 8738 3");
    }
    return good;
}

static bool is_or_below(lt_slice name, const char *suffix)
{
    lt_slice s = lt_slice_cstr(suffix);
    return lt_slice_ends(name, s) && (name.len == s.len || name.ptr[name.len - s.len - 1] == '.');
}

static struct acme_name_fault check_reserved(const struct acme_names *n, lt_slice name, const char *text,
                                             lt_slice top)
{
    for (size_t i = 0; i < LT_COUNT(reserved); i++) {
        if (is_or_below(name, reserved[i].suffix)) {
            return rejected(reserved[i].detail, reserved[i].rule);
        }
    }
    if (!acme_name_is_suffix(n, text + (name.len - top.len))) {
        return rejected("The name does not end in a top-level domain that exists.", br_internal);
    }
    if (acme_name_is_suffix(n, text)) {
        return rejected("The name is a public suffix: names are registered below it.", "CA/B BR 3.2.2.6");
    }
    return good;
}

/* An address: one that the public Internet routes, in its canonical text.
 *= RFC 8738 3 "the textual form of the address as defined in Section 2.1 of [RFC1123] for IPv4 and in
 *= Section 4 of [RFC5952] for IPv6." */
static struct acme_name_fault check_address(const struct acme_name_rules *rules, const char *value)
{
    struct validate_address a;
    char text[VALIDATE_ADDRESS_TEXT];
    if (lt_failed(validate_address_parse(lt_slice_cstr(value), &a))) {
        return malformed("This is no IP address.", "RFC 8738 3");
    }
    validate_address_print(&a, text);
    if (strcmp(text, value) != 0) {
        return malformed("The address is not in its canonical form.", "RFC 5952 4");
    }
    if (!rules->address) {
        return (struct acme_name_fault){"unsupportedIdentifier",
                                        "The profile gives no certificates for addresses.", "profile"};
    }
    const char *special = validate_address_special(&a);
    if (special != NULL && !rules->local) {
        return rejected("Reserved addresses get no certificates (CA/B BR 4.2.2).", special);
    }
    return good;
}

struct acme_name_fault acme_name_check(const struct acme_names *n, const struct acme_name_rules *rules,
                                       const Ipc__Identifier *id)
{
    if (strcmp(id->type, "ip") == 0) {
        return check_address(rules, id->value);
    }
    if (strcmp(id->type, "dns") != 0) {
        return (struct acme_name_fault){
            "unsupportedIdentifier", "Only identifiers of type dns and ip are known here.", "RFC 8555 9.7.7"};
    }
    bool wildcard = acme_name_is_wildcard(id->value);
    const char *text = acme_name_base(id->value);
    lt_slice name = lt_slice_cstr(text);
    size_t labels = 0;
    lt_slice top = {0};
    struct acme_name_fault fault = check_form(name, &labels, &top);
    if (fault.type != NULL) {
        return fault;
    }
    if (wildcard && !rules->wildcard) {
        return rejected("The profile gives no wildcard certificates.", "profile");
    }
    if (rules->local) {
        return good;
    }
    if (labels < 2) {
        return rejected("The name has a single label: it is not public.", br_internal);
    }
    return check_reserved(n, name, text, top);
}

static int compare(const void *left, const void *right)
{
    const Ipc__Identifier *a = *(Ipc__Identifier *const *)left;
    const Ipc__Identifier *b = *(Ipc__Identifier *const *)right;
    int by_type = strcmp(a->type, b->type);
    return by_type != 0 ? by_type : strcmp(a->value, b->value);
}

static char *lower(struct lt_arena *a, const char *s)
{
    char *copy = lt_arena_cstr(a, lt_slice_cstr(s));
    for (char *c = copy; c != NULL && *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    return copy;
}

static lt_res add_name(struct lt_arena *a, const char *type, const char *value, struct acme_name_set *set)
{
    Ipc__Identifier *id = LT_NEW(a, Ipc__Identifier);
    LT_CHECK(id != NULL && type != NULL && value != NULL, LT_PEER_TOO_LARGE, "acme: too many identifiers");
    ipc__identifier__init(id);
    id->type = lower(a, type);
    id->value = lower(a, value);
    LT_CHECK(id->type != NULL && id->value != NULL, LT_PEER_TOO_LARGE, "acme: too many identifiers");
    set->list[set->count++] = id;
    return LT_OK;
}

static void sort_unique(struct acme_name_set *set)
{
    size_t kept = 0;
    if (set->count > 0) {
        qsort(set->list, set->count, sizeof set->list[0], compare);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (kept == 0 || compare(&set->list[i], &set->list[kept - 1]) != 0) {
            set->list[kept++] = set->list[i];
        }
    }
    set->count = kept;
}

lt_res acme_name_set_of(struct lt_arena *a, Ipc__Identifier *const *list, size_t count,
                        struct acme_name_set *ret_set)
{
    struct acme_name_set set = {.list = LT_NEW_ARRAY(a, Ipc__Identifier *, count == 0 ? 1 : count)};
    LT_CHECK(set.list != NULL && count <= SET_MAX, LT_PEER_TOO_LARGE, "acme: too many identifiers");
    for (size_t i = 0; i < count; i++) {
        LT_TRY(add_name(a, list[i]->type, list[i]->value, &set));
    }
    sort_unique(&set);
    *ret_set = set;
    return LT_OK;
}

bool acme_name_set_eq(const struct acme_name_set *a, const struct acme_name_set *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (compare(&a->list[i], &b->list[i]) != 0) {
            return false;
        }
    }
    return true;
}

void acme_name_set_json(const struct acme_name_set *set, struct lt_buf *out)
{
    lt_buf_add_byte(out, '[');
    for (size_t i = 0; i < set->count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "[" : ",[");
        lt_json_add_string(out, lt_slice_cstr(set->list[i]->type));
        lt_buf_add_byte(out, ',');
        lt_json_add_string(out, lt_slice_cstr(set->list[i]->value));
        lt_buf_add_byte(out, ']');
    }
    lt_buf_add_byte(out, ']');
}

lt_res acme_name_set_read(struct lt_arena *a, lt_slice json, struct acme_name_set *ret_set)
{
    struct acme_own o = {.rest = json};
    size_t most = 0;
    for (size_t i = 0; i < json.len; i++) {
        most += json.ptr[i] == '[';
    }
    struct acme_name_set set = {.list = LT_NEW_ARRAY(a, Ipc__Identifier *, most == 0 ? 1 : most)};
    LT_CHECK(set.list != NULL, LT_PEER_TOO_LARGE, "acme: too many identifiers");
    acme_own_skip(&o, "[");
    while (!o.bad && !acme_own_is(&o, "]")) {
        (void)acme_own_is(&o, ","); /* our own text: between two */
        acme_own_skip(&o, "[");
        const char *type = acme_own_string(&o, a);
        acme_own_skip(&o, ",");
        const char *value = acme_own_string(&o, a);
        acme_own_skip(&o, "]");
        LT_CHECK(!o.bad && set.count < most, LT_STATE_CORRUPT, "acme: an order's identifiers are not ours");
        LT_TRY(add_name(a, type, value, &set));
    }
    LT_TRY(acme_own_done(&o));
    *ret_set = set;
    return LT_OK;
}

lt_res acme_name_set_sha256(const struct acme_name_set *set, uint8_t ret_hash[32])
{
    struct lt_buf json;
    lt_buf_init(&json, JSON_MAX);
    acme_name_set_json(set, &json);
    lt_res fits = lt_buf_check(&json);
    crypto_sha256(lt_buf_slice(&json), ret_hash);
    lt_buf_done(&json);
    return fits;
}
