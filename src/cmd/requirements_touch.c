/* What a changed statement may mean: the rules that cite its section, the profiles that its document binds,
 * and the valid certificates of those. */
#include "cmd/requirements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/profile.h"
#include "cmd/api.h"
#include "cmd/init.h"

enum { LIVE_MAX = 1000000, PAGE_ROWS = 1000, QUERY_MAX = 8192 };

struct requirement_profiles {
    struct ca_profiles all; /* owned */
    bool live;              /* of a CA folder */
};

json_t *requirements_rules(lt_slice document, lt_slice section)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < lint_rule_count(); i++) {
        const struct lint_rule *r = lint_rule_at(i);
        if (requirements_cites(r->citation, document, section)) {
            (void)json_array_append_new(ids,
                                        json_string(r->id)); /* an empty heap aborts where it is looked at */
        }
    }
    LT_ASSERT(ids != NULL);
    return ids;
}

static lt_res shipped(struct cmd *c, struct ca_profiles *ret_profiles)
{
    *ret_profiles = (struct ca_profiles){.rows = calloc(init_profile_count, sizeof(ret_profiles->rows[0]))};
    LT_ASSERT(ret_profiles->rows != NULL);
    for (size_t i = 0; i < init_profile_count; i++) {
        LT_TRY(ca_profile_parse(init_profiles[i].file, lt_slice_cstr(init_profiles[i].text), c->now,
                                &ret_profiles->rows[i]));
        ret_profiles->count++;
    }
    return LT_OK;
}

lt_res requirements_profiles(struct cmd *c, struct requirement_profiles **ret_profiles)
{
    const char *folder = NULL;
    struct requirement_profiles *p = calloc(1, sizeof(*p));
    LT_ASSERT(p != NULL);
    *ret_profiles = p;
    p->live = cmd_value(c, "dir") != NULL || getenv("LINTEL_DIR") != NULL;
    if (!p->live) {
        return shipped(c, &p->all);
    }
    LT_TRY(cmd_folder(c, &folder));
    return ca_profiles_load(folder, c->now, &p->all);
}

void requirements_profiles_free(struct requirement_profiles *p)
{
    if (p != NULL) {
        ca_profiles_done(&p->all);
        free(p);
    }
}

static bool is_smime(enum lint_profile p)
{
    return p >= LINT_PROFILE_SMIME_MV_LEGACY && p <= LINT_PROFILE_SMIME;
}

static bool is_tls(enum lint_profile p)
{
    return p >= LINT_PROFILE_TLS_DV && p <= LINT_PROFILE_TLS;
}

/* Which certificates a document speaks of. */
static bool binds(lt_slice document, enum lint_profile p)
{
    return (lt_slice_eq_cstr(document, "BR") && is_tls(p)) ||
           (lt_slice_eq_cstr(document, "EVG") && p == LINT_PROFILE_TLS_EV) ||
           (lt_slice_eq_cstr(document, "SBR") && is_smime(p)) ||
           (lt_slice_eq_cstr(document, "CSBR") && p == LINT_PROFILE_CODE_SIGNING) ||
           lt_slice_eq_cstr(document, "RFC 5280") || lt_slice_eq_cstr(document, "RFC 6960");
}

json_t *requirements_profiles_of(const struct requirement_profiles *p, lt_slice document)
{
    json_t *names = json_array();
    for (size_t i = 0; i < p->all.count; i++) {
        if (binds(document, p->all.rows[i]->lint_profile)) {
            (void)json_array_append_new(names, json_string(p->all.rows[i]->name));
        }
    }
    LT_ASSERT(names != NULL);
    return names;
}

/* Page by page, no more than LIVE_MAX. */
static lt_res count_live(struct cmd *c, const char *profile, size_t *ret_count)
{
    char cursor[1024] = "";
    *ret_count = 0;
    do {
        LT_CLEANUP(cmd_json_freep) json_t *page = NULL;
        struct lt_buf query;
        lt_buf_init(&query, QUERY_MAX);
        lt_buf_addf(&query, "certificates?limit=%d", PAGE_ROWS); /* the rest is joined with & */
        cmd_query_add(&query, "status", "valid");
        cmd_query_add(&query, "profile", profile);
        cmd_query_add(&query, "cursor", cursor[0] != 0 ? cursor : NULL);
        lt_res r = cmd_api_get(c, lt_buf_cstr(&query), &page);
        lt_buf_done(&query);
        LT_TRY(r);
        *ret_count += json_array_size(json_object_get(page, "certificates"));
        (void)snprintf(cursor, sizeof(cursor), "%s", cmd_text(page, "next")); /* the reader's are short */
    } while (cursor[0] != 0 && *ret_count < LIVE_MAX);
    return LT_OK;
}

lt_res requirements_live(struct cmd *c, const struct requirement_profiles *p, const json_t *names,
                         json_t **ret_json)
{
    size_t i;
    json_t *name;
    json_t *list = json_array();
    bool asked = p->live;
    LT_ASSERT(list != NULL);
    json_array_foreach(names, i, name)
    {
        size_t count = 0;
        lt_res r = asked ? count_live(c, json_string_value(name), &count) : (lt_res){LT_RETRY_UNAVAILABLE};
        if (lt_failed(r) && r.code != LT_RETRY_UNAVAILABLE) {
            json_decref(list);
            return r;
        }
        asked = !lt_failed(r); /* nobody serves: the count is not known */
        json_t *row = json_pack("{s:O, s:o}", "profile", name, "certificates",
                                asked ? json_integer((json_int_t)count) : json_null());
        LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
    }
    *ret_json = list;
    return LT_OK;
}
