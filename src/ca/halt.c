/* What a halt is and what it hits. Uses no book, so that the examiner judges by the same lines. */
#include "ca/halt.h"

#include <string.h>

#include "base/text.h"
#include "x509/dnsname.h"

static const struct {
    Ipc__HaltKind kind;
    const char *name;
    const char *words; /* for clients */
} kinds[] = {
    {IPC__HALT_KIND__HALT_ALL, "all", "all certificates"},
    {IPC__HALT_KIND__HALT_PROFILE, "profile", "this profile"},
    {IPC__HALT_KIND__HALT_ISSUER, "issuer", "this issuer"},
    {IPC__HALT_KIND__HALT_ACCOUNT, "account", "this account"},
    {IPC__HALT_KIND__HALT_NAME_SUFFIX, "name-suffix", "a name in this request"},
    {IPC__HALT_KIND__HALT_METHOD, "method", "names that were validated by this method"},
};

const char *ca_halt_kind_name(Ipc__HaltKind kind)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "none";
}

Ipc__HaltKind ca_halt_kind_by_name(lt_slice name)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (lt_slice_eq_cstr(name, kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return IPC__HALT_KIND__HALT_NONE;
}

static bool is_account(const char *value, int64_t account_id)
{
    uint64_t id = 0;
    lt_res r = lt_parse_u64(lt_slice_cstr(value), INT64_MAX, &id);
    return !lt_failed(r) && account_id != 0 && id == (uint64_t)account_id;
}

/* "*.example.com" would serve the halted "a.example.com" too. */
static bool wildcard_over(lt_slice name, lt_slice suffix)
{
    size_t dot = lt_slice_find(suffix, '.');
    return lt_slice_starts(name, LT_LIT("*.")) && dot < suffix.len &&
           lt_slice_eq(lt_slice_sub(name, 2, name.len), lt_slice_sub(suffix, dot + 1, suffix.len));
}

static bool hits_name(const char *suffix, const struct ca_halt_subject *s)
{
    for (size_t i = 0; i < s->name_count; i++) {
        lt_slice name = lt_slice_cstr(s->names[i]->value);
        if (x509_dns_below(name, lt_slice_cstr(suffix)) || wildcard_over(name, lt_slice_cstr(suffix))) {
            return true;
        }
    }
    return false;
}

static bool hits_method(const char *method, const struct ca_halt_subject *s)
{
    for (size_t i = 0; i < s->method_count; i++) {
        if (strcmp(s->methods[i], method) == 0) {
            return true;
        }
    }
    return false;
}

static bool hits(const Ipc__Halt *h, const struct ca_halt_subject *s)
{
    switch (h->kind) {
    case IPC__HALT_KIND__HALT_ALL:
        return true;
    case IPC__HALT_KIND__HALT_PROFILE:
        return lt_slice_eq_cstr(s->profile, h->value);
    case IPC__HALT_KIND__HALT_ISSUER:
        return lt_slice_eq_cstr(s->issuer, h->value);
    case IPC__HALT_KIND__HALT_ACCOUNT:
        return is_account(h->value, s->account_id);
    case IPC__HALT_KIND__HALT_NAME_SUFFIX:
        return hits_name(h->value, s);
    case IPC__HALT_KIND__HALT_METHOD:
        return hits_method(h->value, s);
    case IPC__HALT_KIND__HALT_NONE:
    case _IPC__HALT_KIND_IS_INT_SIZE:
        break;
    }
    return true; /* a halt that we do not understand stops everything */
}

/* What a halt is for, in words for clients. */
static const char *kind_words(Ipc__HaltKind kind)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].words;
        }
    }
    return "this request";
}

/* Clients read this: neither the operators' reason nor the halted value, which may name somebody else. */
lt_res ca_halt_check(Ipc__Halt *const *halts, size_t count, const struct ca_halt_subject *s)
{
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(!hits(halts[i], s), LT_POLICY_HALTED, "issuance is halted for %s; try again later (halt %s)",
                 kind_words(halts[i]->kind), halts[i]->id);
    }
    return LT_OK;
}

bool ca_halt_method(Ipc__Halt *const *halts, size_t count, const char *method)
{
    for (size_t i = 0; i < count; i++) {
        if (halts[i]->kind == IPC__HALT_KIND__HALT_METHOD && strcmp(halts[i]->value, method) == 0) {
            return true;
        }
    }
    return false;
}

bool ca_halt_any_method(Ipc__Halt *const *halts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (halts[i]->kind == IPC__HALT_KIND__HALT_METHOD) {
            return true;
        }
    }
    return false;
}

static bool printable(const char *s, size_t max)
{
    size_t len = 0;
    for (; s[len] != 0; len++) {
        if ((uint8_t)s[len] < 0x20 || s[len] == 0x7f || len >= max) {
            return false;
        }
    }
    return true;
}

static bool word(const char *s)
{
    for (const char *c = s; *c != 0; c++) {
        bool good = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '.' ||
                    *c == '_';
        if (!good) {
            return false;
        }
    }
    return s[0] != 0 && strlen(s) <= 64;
}

/* "example.com", and "com" for a whole top-level domain too. */
static bool suffix_form(const char *s)
{
    size_t label = 0;
    for (const char *c = s; *c != 0; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == ':';
        if (*c == '.' ? label == 0 : !letter) {
            return false;
        }
        label = *c == '.' ? 0 : label + 1;
    }
    return label > 0 && strlen(s) <= X509_DNS_MAX;
}

static bool value_fits(const Ipc__Halt *h)
{
    uint64_t id = 0;
    switch (h->kind) {
    case IPC__HALT_KIND__HALT_ALL:
        return h->value[0] == 0;
    case IPC__HALT_KIND__HALT_PROFILE:
    case IPC__HALT_KIND__HALT_ISSUER:
    case IPC__HALT_KIND__HALT_METHOD:
        return word(h->value);
    case IPC__HALT_KIND__HALT_ACCOUNT:
        return !lt_failed(lt_parse_u64(lt_slice_cstr(h->value), INT64_MAX, &id)) && id > 0;
    case IPC__HALT_KIND__HALT_NAME_SUFFIX:
        return suffix_form(h->value);
    case IPC__HALT_KIND__HALT_NONE:
    case _IPC__HALT_KIND_IS_INT_SIZE:
        break;
    }
    return false;
}

lt_res ca_halt_valid(const Ipc__Halt *h)
{
    LT_CHECK(value_fits(h), LT_PEER_MALFORMED,
             "a halt is one of all, profile NAME, issuer NAME, account ID, method NAME, "
             "name-suffix example.com (lower case)");
    LT_CHECK(h->reason[0] != 0 && printable(h->reason, 500), LT_PEER_MALFORMED,
             "a halt needs a reason of at most 500 printable bytes");
    LT_CHECK(h->id[0] == 0 || word(h->id), LT_PEER_MALFORMED, "a halt's id is a short lower-case word");
    return LT_OK;
}
