/* The subset of TOML that zlint's options use: [section] headers, key = true, false or a whole number,
 * comments. Sections that zlint knows but that hold nothing for us may stand there. Everything else is
 * refused with its line: an option that is silently ignored is worse than none. */
#include <string.h>

#include "cmd/lint.h"

#include "base/text.h"

enum { ROUNDS_MAX = 1000000, OPTION_COUNT = 6 };

/* One of the two places, in the configuration that is read. */
struct option {
    const char *section;
    const char *key;
    bool *flag;
    uint32_t *count;
    bool seen;
};

const char cmd_lint_toml_known[] =
    "[CABFBaselineRequirementsConfig] CrossSignedCa, [e_subj_orgunit_in_ca_cert] CrossCert, "
    "[e_ca_multiple_reserved_policy_oids] CrossCert, [e_subj_contains_html_entities] Skip, "
    "[e_crl_next_update_invalid] SubscriberCRL, [e_rsa_fermat_factorization] Rounds";

/* As `zlint -exampleConfig` writes them. */
static const char *const empty_sections[] = {
    "AppleRootStorePolicyConfig",
    "CABFEVGuidelinesConfig",
    "CommunityConfig",
    "MozillaRootStorePolicyConfig",
    "RFC5280Config",
    "RFC5480Config",
    "RFC5891Config",
    "e_ca_common_name_missing",
    "e_ca_country_name_invalid",
    "e_ca_country_name_missing",
    "e_ca_organization_name_missing",
};

struct toml {
    const char *name;
    size_t line;
    lt_slice section;
    struct option options[OPTION_COUNT];
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

static lt_slice some_of(lt_slice s)
{
    return lt_slice_sub(s, 0, 40);
}

static bool known_section(const struct toml *t, lt_slice name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (lt_slice_eq_cstr(name, t->options[i].section)) {
            return true;
        }
    }
    for (size_t i = 0; i < LT_COUNT(empty_sections); i++) {
        if (lt_slice_eq_cstr(name, empty_sections[i])) {
            return true;
        }
    }
    return false;
}

static lt_res take_section(struct toml *t, lt_slice line)
{
    LT_CHECK(line.len > 2 && line.ptr[line.len - 1] == ']', LT_PEER_USAGE,
             "%.80s:%zu: a section is written [name]", t->name, t->line);
    t->section = trim(lt_slice_sub(line, 1, line.len - 2));
    LT_CHECK(known_section(t, t->section), LT_PEER_USAGE, "%.80s:%zu: there is no section [%.*s]", t->name,
             t->line, LT_FMT(some_of(t->section)));
    return LT_OK;
}

static lt_res no_such_key(const struct toml *t, lt_slice key)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        LT_CHECK(!lt_slice_eq_cstr(t->section, t->options[i].section), LT_PEER_USAGE,
                 "%.80s:%zu: [%.*s] has no key \"%.*s\", but %s", t->name, t->line, LT_FMT(t->section),
                 LT_FMT(some_of(key)), t->options[i].key);
    }
    LT_FAIL(LT_PEER_USAGE, "%.80s:%zu: [%.*s] has no keys; there stands \"%.*s\"", t->name, t->line,
            LT_FMT(t->section), LT_FMT(some_of(key)));
}

static lt_res put(const struct toml *t, const struct option *o, lt_slice value)
{
    uint64_t number = 0;
    if (o->flag != NULL) {
        bool on = lt_slice_eq_cstr(value, "true");
        LT_CHECK(on || lt_slice_eq_cstr(value, "false"), LT_PEER_USAGE,
                 "%.80s:%zu: %s is true or false, not \"%.*s\"", t->name, t->line, o->key,
                 LT_FMT(some_of(value)));
        *o->flag = on;
        return LT_OK;
    }
    LT_CHECK(!lt_failed(lt_parse_u64(value, ROUNDS_MAX, &number)), LT_PEER_USAGE,
             "%.80s:%zu: %s is a whole number up to %d, not \"%.*s\"", t->name, t->line, o->key, ROUNDS_MAX,
             LT_FMT(some_of(value)));
    *o->count = (uint32_t)number;
    return LT_OK;
}

static lt_res take_value(struct toml *t, lt_slice line)
{
    size_t equals = lt_slice_find(line, '=');
    LT_CHECK(equals < line.len, LT_PEER_USAGE, "%.80s:%zu: neither [section] nor key = value: \"%.*s\"",
             t->name, t->line, LT_FMT(some_of(line)));
    lt_slice key = trim(lt_slice_sub(line, 0, equals));
    LT_CHECK(t->section.len > 0, LT_PEER_USAGE, "%.80s:%zu: \"%.*s\" stands in no [section]", t->name,
             t->line, LT_FMT(some_of(key)));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        struct option *o = &t->options[i];
        if (lt_slice_eq_cstr(t->section, o->section) && lt_slice_eq_cstr(key, o->key)) {
            LT_CHECK(!o->seen, LT_PEER_USAGE, "%.80s:%zu: %s is given twice", t->name, t->line, o->key);
            o->seen = true;
            return put(t, o, trim(lt_slice_sub(line, equals + 1, SIZE_MAX)));
        }
    }
    return no_such_key(t, key);
}

/* What tells files apart is the end of a long path. */
static const char *end_of(const char *path)
{
    enum { SHOWN = 80 };
    size_t len = strlen(path);
    return len > SHOWN ? path + len - SHOWN : path;
}

lt_res cmd_lint_toml(lt_slice text, const char *name, struct lint_config *ret_config)
{
    struct lint_config c = lint_config_default();
    struct toml t = {
        .name = end_of(name),
        .options = {{"CABFBaselineRequirementsConfig", "CrossSignedCa", &c.cross_signed_ca, NULL, false},
                    {"e_subj_orgunit_in_ca_cert", "CrossCert", &c.subject_ou_cross_cert, NULL, false},
                    {"e_ca_multiple_reserved_policy_oids", "CrossCert", &c.reserved_oids_cross_cert, NULL,
                     false},
                    {"e_subj_contains_html_entities", "Skip", &c.html_entities_skip, NULL, false},
                    {"e_crl_next_update_invalid", "SubscriberCRL", &c.crl_of_subscribers, NULL, false},
                    {"e_rsa_fermat_factorization", "Rounds", NULL, &c.fermat_rounds, false}},
    };
    lt_slice line;
    text = lt_slice_starts(text, LT_LIT("\xef\xbb\xbf")) ? lt_slice_sub(text, 3, SIZE_MAX) : text; /* a BOM */
    while (lt_slice_split(&text, '\n', &line)) {
        t.line++;
        line = trim(lt_slice_sub(line, 0, lt_slice_find(line, '#')));
        if (line.len == 0) {
            continue;
        }
        LT_TRY(line.ptr[0] == '[' ? take_section(&t, line) : take_value(&t, line));
    }
    *ret_config = c;
    return LT_OK;
}
