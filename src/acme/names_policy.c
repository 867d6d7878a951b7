/* policy/names.yaml by schema, and the search through its rows. */
#include "acme/names_policy.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ca/yaml_load.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"

enum { ARENA_MAX = 64 * 1024 * 1024, STRING_MAX = 256, REASON_MAX = 200 };

struct raw_row {
    const char *id;
    enum acme_policy_action action;
    const char *name;
    const char *suffix;
    const char *word;
    const char *account;
    const char *profile;
    const char *reason;
};

struct raw {
    enum acme_policy_action otherwise;
    struct raw_row *rows;
    uint32_t row_count;
};

static const cyaml_strval_t actions[] = {
    {"allow", ACME_POLICY_ALLOW}, {"deny", ACME_POLICY_DENY}, {"review", ACME_POLICY_REVIEW}};
#define TEXT(key_, flags_, member_) \
    CYAML_FIELD_STRING_PTR(key_, flags_, struct raw_row, member_, 1, STRING_MAX)
static const cyaml_schema_field_t row_fields[] = {
    TEXT("id", CYAML_FLAG_DEFAULT, id),
    CYAML_FIELD_ENUM("action", CYAML_FLAG_DEFAULT | CYAML_FLAG_STRICT, struct raw_row, action, actions,
                     LT_COUNT(actions)),
    TEXT("name", CYAML_FLAG_OPTIONAL, name),
    TEXT("suffix", CYAML_FLAG_OPTIONAL, suffix),
    TEXT("word", CYAML_FLAG_OPTIONAL, word),
    TEXT("account", CYAML_FLAG_OPTIONAL, account),
    TEXT("profile", CYAML_FLAG_OPTIONAL, profile),
    TEXT("reason", CYAML_FLAG_DEFAULT, reason),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t row_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_row, row_fields),
};
static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_ENUM("default", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct raw, otherwise, actions,
                     LT_COUNT(actions)),
    CYAML_FIELD_SEQUENCE_COUNT("rows", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw, rows, row_count,
                               &row_entry, 0, ACME_POLICY_ROWS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, fields),
};

static bool lower_name(const char *text, bool dots)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-';
        if (!plain && !(dots && (*c == '.' || *c == ':' || (*c == '*' && c == text)))) {
            return false;
        }
    }
    return text[0] != '\0' && text[0] != '.';
}

static lt_res take_row(const struct ca_yaml *y, size_t at, const struct raw_row *in,
                       struct acme_policy_row *out)
{
    char path[64];
    uint64_t account = 0;
    (void)snprintf(path, sizeof path, "rows.%zu", at); /* fits */
    size_t kinds = (size_t)(in->name != NULL) + (in->suffix != NULL) + (in->word != NULL);
    if (kinds > 1) {
        return ca_yaml_refuse(y, path, "one of name, suffix and word, not %zu of them", kinds);
    }
    if (kinds == 0 && in->account == NULL && in->profile == NULL) {
        return ca_yaml_refuse(y, path, "it fits everything: say default: deny instead");
    }
    if ((in->name != NULL && !lower_name(in->name, true)) ||
        (in->suffix != NULL && (!lower_name(in->suffix, true) || in->suffix[0] == '*')) ||
        (in->word != NULL && !lower_name(in->word, false))) {
        return ca_yaml_refuse(y, path,
                              "names are lower-case A-labels, a word is letters, digits and hyphens");
    }
    if (in->account != NULL &&
        (lt_failed(lt_parse_u64(lt_slice_cstr(in->account), INT64_MAX, &account)) || account == 0)) {
        return ca_yaml_refuse(y, path, "account \"%.40s\" is no id of an account", in->account);
    }
    if (!lower_name(in->id, false) || strlen(in->reason) > REASON_MAX) {
        return ca_yaml_refuse(y, path, "an id of lower-case letters, digits and hyphens, and a short reason");
    }
    *out = (struct acme_policy_row){in->id,   in->action,       in->name,    in->suffix,
                                    in->word, (int64_t)account, in->profile, in->reason};
    return LT_OK;
}

/* A refusal names its row: there is one of that name. Sorted out once, at the reading of a file. */
static lt_res check_id(const struct ca_yaml *y, const struct acme_policy_row *rows, size_t at)
{
    char path[64];
    (void)snprintf(path, sizeof path, "rows.%zu", at); /* fits */
    for (size_t i = 0; i < at; i++) {
        if (strcmp(rows[i].id, rows[at].id) == 0) {
            return ca_yaml_refuse(y, path, "row %zu has the id \"%s\" already", i + 1, rows[at].id);
        }
    }
    return LT_OK;
}

static lt_res read_rows(const struct ca_yaml *y, const struct raw *raw, struct acme_policy *p)
{
    struct acme_policy_row *rows = LT_NEW_ARRAY(&p->arena, struct acme_policy_row, raw->row_count + 1);
    LT_CHECK(rows != NULL, LT_PEER_TOO_LARGE, "%s: too many rows", y->file);
    if (raw->otherwise == ACME_POLICY_REVIEW) {
        return ca_yaml_refuse(y, "default", "allow or deny: a person cannot look at everything");
    }
    for (size_t i = 0; i < raw->row_count; i++) {
        LT_TRY(take_row(y, i, &raw->rows[i], &rows[i]));
        LT_TRY(check_id(y, rows, i));
    }
    p->rows = rows;
    p->count = raw->row_count;
    p->otherwise = raw->otherwise;
    return LT_OK;
}

lt_res acme_policy_parse(lt_slice yaml, struct acme_policy *ret_policy)
{
    const struct ca_yaml y = {ACME_POLICY_FILE, yaml};
    void *raw = NULL;
    struct acme_policy p = {.otherwise = ACME_POLICY_ALLOW};
    lt_arena_init(&p.arena, ARENA_MAX);
    lt_res r = ca_yaml_load(&y, &schema, &p.arena, &raw);
    if (!lt_failed(r)) {
        r = read_rows(&y, raw, &p);
    }
    if (lt_failed(r)) {
        lt_arena_done(&p.arena);
        return r;
    }
    crypto_sha256(yaml, p.sha256);
    *ret_policy = p;
    return LT_OK;
}

lt_res acme_policy_load(int folder_fd, struct acme_policy *ret_policy)
{
    struct lt_arena text;
    lt_slice yaml = {0};
    lt_arena_init(&text, ACME_POLICY_MAX_BYTES * 2);
    lt_res r = lt_file_read(&text, folder_fd, ACME_POLICY_FILE, ACME_POLICY_MAX_BYTES, &yaml);
    if (r.code == LT_PEER_NOT_FOUND) {
        *ret_policy = (struct acme_policy){.otherwise = ACME_POLICY_ALLOW};
        lt_arena_init(&ret_policy->arena, ARENA_MAX);
        r = LT_OK;
    } else if (!lt_failed(r)) {
        r = acme_policy_parse(yaml, ret_policy);
    }
    lt_arena_done(&text);
    return r;
}

void acme_policy_done(struct acme_policy *p)
{
    lt_arena_done(&p->arena);
    *p = (struct acme_policy){.otherwise = ACME_POLICY_ALLOW};
}

/* Is the word a part of one label? Labels have no dot, a word neither. */
static bool has_word(lt_slice name, lt_slice word)
{
    for (size_t at = 0; at + word.len <= name.len; at++) {
        if (lt_slice_eq(lt_slice_sub(name, at, word.len), word)) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct acme_policy_row *r, const Ipc__Identifier *id, int64_t account,
                 const char *profile)
{
    lt_slice name = lt_slice_cstr(id->value);
    if ((r->account != 0 && r->account != account) ||
        (r->profile != NULL && strcmp(r->profile, profile) != 0)) {
        return false;
    }
    if (r->name != NULL) {
        return lt_slice_eq_cstr(name, r->name);
    }
    if (r->suffix != NULL) {
        return strcmp(id->type, "dns") == 0 && x509_dns_below(name, lt_slice_cstr(r->suffix));
    }
    return r->word == NULL || (strcmp(id->type, "dns") == 0 && has_word(name, lt_slice_cstr(r->word)));
}

const struct acme_policy_row *acme_policy_find(const struct acme_policy *p, const Ipc__Identifier *id,
                                               int64_t account, const char *profile,
                                               enum acme_policy_action *ret_action)
{
    *ret_action = p == NULL ? ACME_POLICY_ALLOW : p->otherwise;
    for (size_t i = 0; p != NULL && i < p->count; i++) {
        if (fits(&p->rows[i], id, account, profile)) {
            *ret_action = p->rows[i].action;
            return &p->rows[i];
        }
    }
    return NULL;
}
