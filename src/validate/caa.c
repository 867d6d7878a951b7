/* RFC 8659 4: grammar and meaning of the properties. */
#include "validate/caa.h"

static const struct {
    const char *name;
    enum validate_caa_tag tag;
} tags[] = {
    {"issue", VALIDATE_CAA_ISSUE},        {"issuewild", VALIDATE_CAA_ISSUEWILD},
    {"iodef", VALIDATE_CAA_IODEF},        {"issuemail", VALIDATE_CAA_OTHER},
    {"issuevmc", VALIDATE_CAA_OTHER},     {"contactemail", VALIDATE_CAA_OTHER},
    {"contactphone", VALIDATE_CAA_OTHER},
};

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 8659 4.1: flags, length of the tag, tag, value. */
lt_res validate_caa_parse(lt_slice rdata, struct validate_caa_property *ret_property)
{
    LT_CHECK(rdata.len >= 2, LT_PEER_MALFORMED, "a CAA record of %zu bytes", rdata.len);
    size_t len = rdata.ptr[1];
    /* Only letters and digits, at least one of them. */
    LT_CHECK(len > 0 && len + 2 <= rdata.len, LT_PEER_MALFORMED, "a CAA tag of %zu bytes", len);
    struct validate_caa_property p = {
        .flags = rdata.ptr[0],
        .name = lt_slice_sub(rdata, 2, len),
        .value = lt_slice_sub(rdata, 2 + len, SIZE_MAX),
    };
    for (size_t i = 0; i < len; i++) {
        LT_CHECK(is_alnum(p.name.ptr[i]), LT_PEER_MALFORMED, "a CAA tag with the byte 0x%02x", p.name.ptr[i]);
    }
    /* RFC 8659 4.1: tags compare without case. */
    for (size_t i = 0; i < LT_COUNT(tags); i++) {
        p.tag = lt_slice_eq_nocase(p.name, lt_slice_cstr(tags[i].name)) ? tags[i].tag : p.tag;
    }
    *ret_property = p;
    return LT_OK;
}

void validate_caa_text(const struct validate_caa_property *p, struct lt_buf *out)
{
    lt_buf_addf(out, "%u %.*s \"", p->flags, LT_FMT(p->name));
    for (size_t i = 0; i < p->value.len; i++) {
        uint8_t c = p->value.ptr[i];
        if (c < 0x20 || c > 0x7e) {
            lt_buf_addf(out, "\\%03u", c);
        } else if (c == '"' || c == '\\') {
            lt_buf_addf(out, "\\%c", c);
        } else {
            lt_buf_add_byte(out, c);
        }
    }
    lt_buf_add_byte(out, '"');
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

/* label *("." label), label = (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT)) */
static bool is_domain(lt_slice s)
{
    lt_slice rest = s;
    lt_slice label;
    size_t labels = 0;
    while (lt_slice_split(&rest, '.', &label)) {
        if (label.len == 0 || !is_alnum(label.ptr[0]) || !is_alnum(label.ptr[label.len - 1])) {
            return false;
        }
        for (size_t i = 0; i < label.len; i++) {
            if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-') {
                return false;
            }
        }
        labels++;
    }
    return labels > 0 && s.ptr[s.len - 1] != '.';
}

/* parameter = tag "=" value; value = *(%x21-3A / %x3C-7E) */
static bool add_parameter(lt_slice text, struct validate_issue_value *v)
{
    size_t equals = lt_slice_find(text, '=');
    if (equals == text.len || v->count == VALIDATE_CAA_PARAMETERS_MAX) {
        return false;
    }
    lt_slice name = trim(lt_slice_sub(text, 0, equals));
    lt_slice value = trim(lt_slice_sub(text, equals + 1, SIZE_MAX));
    bool fine = name.len > 0 && is_alnum(name.ptr[0]) && is_alnum(name.ptr[name.len - 1]);
    for (size_t i = 0; i < name.len; i++) {
        fine = fine && (is_alnum(name.ptr[i]) || name.ptr[i] == '-');
    }
    for (size_t i = 0; i < value.len; i++) {
        fine = fine && value.ptr[i] >= 0x21 && value.ptr[i] <= 0x7e;
    }
    v->parameters[v->count].name = name;
    v->parameters[v->count].value = value;
    v->count += fine;
    return fine;
}

/* issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]] */
bool validate_issue_read(lt_slice text, struct validate_issue_value *v)
{
    *v = (struct validate_issue_value){.count = 0};
    if (text.len > VALIDATE_CAA_VALUE_MAX) {
        return false;
    }
    size_t semicolon = lt_slice_find(text, ';');
    v->domain = trim(lt_slice_sub(text, 0, semicolon));
    if (v->domain.len > 0 && !is_domain(v->domain)) {
        return false;
    }
    lt_slice rest = trim(lt_slice_sub(text, semicolon + 1, SIZE_MAX));
    bool more = semicolon < text.len && rest.len > 0;
    while (more) {
        size_t end = lt_slice_find(rest, ';');
        if (!add_parameter(lt_slice_sub(rest, 0, end), v)) {
            return false;
        }
        more = end < rest.len;
        rest = lt_slice_sub(rest, end + 1, SIZE_MAX);
    }
    return true;
}

static bool names_us(const struct validate_issue_value *v, const struct validate_caa_question *q)
{
    for (size_t i = 0; i < q->issuer_count; i++) {
        if (lt_slice_eq_nocase(v->domain, lt_slice_cstr(q->issuer_domains[i]))) {
            return true;
        }
    }
    return false;
}

/* RFC 8657 3: two accounturi in one property fit no account. */
static bool account_fits(const struct validate_issue_value *v, lt_slice account_uri)
{
    size_t named = 0;
    bool equal = false;
    for (size_t i = 0; i < v->count; i++) {
        if (lt_slice_eq_nocase(v->parameters[i].name, LT_LIT("accounturi"))) {
            named++;
            equal = account_uri.len > 0 && lt_slice_eq(v->parameters[i].value, account_uri);
        }
    }
    return named == 0 || (named == 1 && equal);
}

static bool method_listed(lt_slice list, lt_slice method)
{
    lt_slice one;
    bool found = false;
    while (lt_slice_split(&list, ',', &one)) {
        found = found || (method.len > 0 && lt_slice_eq(trim(one), method));
    }
    return found;
}

/* RFC 8657 4: a list of methods, of which unknown ones are nothing to us. */
static bool method_fits(const struct validate_issue_value *v, lt_slice method)
{
    size_t named = 0;
    bool listed = false;
    for (size_t i = 0; i < v->count; i++) {
        if (lt_slice_eq_nocase(v->parameters[i].name, LT_LIT("validationmethods"))) {
            named++;
            listed = method_listed(v->parameters[i].value, method);
        }
    }
    return named == 0 || (named == 1 && listed);
}

/* NULL: this property permits. */
static const char *refusal(const struct validate_caa_property *p, const struct validate_caa_question *q)
{
    struct validate_issue_value v;
    if (!validate_issue_read(p->value, &v)) {
        return " does not follow the grammar of RFC 8659";
    }
    if (!names_us(&v, q)) {
        return " names another CA, or none";
    }
    if (!account_fits(&v, q->account_uri)) {
        return " names another account";
    }
    return method_fits(&v, q->method) ? NULL : " does not allow this validation method";
}

static const char *say(struct lt_arena *a, const char *head, const struct validate_caa_property *p,
                       const char *tail)
{
    const char *text = lt_arena_printf(a, "%s%.*s%s", head, LT_FMT(lt_slice_sub(p->name, 0, 32)), tail);
    return text == NULL ? "CAA does not permit it" : text;
}

/* The index of an unknown critical property, or count. */
static size_t find_critical(const struct validate_caa_property *set, size_t count)
{
    size_t i = 0;
    while (i < count &&
           !((set[i].flags & VALIDATE_CAA_CRITICAL) != 0 && set[i].tag == VALIDATE_CAA_UNKNOWN)) {
        i++;
    }
    return i;
}

static size_t count_tag(const struct validate_caa_property *set, size_t count, enum validate_caa_tag tag)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += set[i].tag == tag;
    }
    return found;
}

/* The first property that permits decides; else the last that refused is named. */
static void judge_issuers(const struct validate_caa_property *set, size_t count, enum validate_caa_tag tag,
                          const struct validate_caa_question *q, struct lt_arena *a,
                          struct validate_caa_verdict *v)
{
    for (size_t i = 0; i < count; i++) {
        if (set[i].tag != tag) {
            continue;
        }
        const char *why = refusal(&set[i], q);
        v->decided_by = i;
        v->permitted = why == NULL;
        v->why = why == NULL ? "CAA names this CA" : say(a, "the CAA property ", &set[i], why);
        if (v->permitted) {
            return;
        }
    }
}

void validate_caa_judge(const struct validate_caa_property *set, size_t count,
                        const struct validate_caa_question *q, struct lt_arena *a,
                        struct validate_caa_verdict *ret_verdict)
{
    *ret_verdict = (struct validate_caa_verdict){.decided_by = count};
    if (count > VALIDATE_CAA_MAX) {
        ret_verdict->why = "the CAA record set is larger than any that can be meant";
        return;
    }
    /* RFC 8659 4.1: critical and not understood forbids. */
    size_t critical = find_critical(set, count);
    if (critical < count) {
        ret_verdict->decided_by = critical;
        ret_verdict->why = say(a, "CAA holds the critical property ", &set[critical],
                               ", which is not known here");
        return;
    }
    /* RFC 8659 4.3: where there is an issuewild, issue says nothing about wildcards. */
    bool wild = q->wildcard && count_tag(set, count, VALIDATE_CAA_ISSUEWILD) > 0;
    enum validate_caa_tag tag = wild ? VALIDATE_CAA_ISSUEWILD : VALIDATE_CAA_ISSUE;
    if (count_tag(set, count, tag) == 0) {
        ret_verdict->permitted = true;
        ret_verdict->why = "CAA restricts nothing of this kind";
        return;
    }
    judge_issuers(set, count, tag, q, a, ret_verdict);
}
