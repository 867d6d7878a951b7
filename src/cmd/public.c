/* What status says of profiles that browsers trust: why nothing is issued by them. */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/public_trust.h"
#include "cmd/cmd.h"
#include "cmd/public.h"

static lt_res load_perspectives(const char *folder, struct validate_perspectives *p)
{
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_STATE_IO, "%s cannot be opened", folder);
    return validate_perspectives_load(dir, "perspectives", p);
}

static json_t *told(const struct ca_profiles *profiles, const struct ca_public_trust *trust)
{
    json_t *lacks = json_array();
    json_t *names = json_array();
    size_t at = 0;
    const struct ca_profile *p = NULL;
    LT_ASSERT(lacks != NULL && names != NULL);
    while ((p = ca_public_profile(profiles, &at)) != NULL) {
        int added = json_array_append_new(names, json_string(p->name));
        LT_ASSERT(added == 0);
    }
    for (size_t i = 0; i < trust->lack_count; i++) {
        int added = json_array_append_new(lacks, json_string(trust->lacks[i]));
        LT_ASSERT(added == 0);
    }
    json_t *out = json_pack("{s:o, s:b, s:o, s:s}", "profiles", names, "issues", trust->lack_count == 0,
                            "lacks", lacks, "soon", trust->soon);
    LT_ASSERT(out != NULL);
    return out;
}

static lt_res judge(struct cmd *c, const char *folder, const struct ca_config *config, json_t **ret)
{
    struct ca_profiles profiles = {.count = 0};
    struct validate_perspectives perspectives;
    struct ca_public_trust trust;
    LT_TRY(ca_profiles_load(folder, c->now, &profiles));
    size_t at = 0;
    const struct ca_profile *profile = ca_public_profile(&profiles, &at);
    lt_res r = profile == NULL ? LT_OK : load_perspectives(folder, &perspectives);
    if (profile != NULL && !lt_failed(r)) {
        ca_public_trust_judge(config, &perspectives, c->now, &trust);
        *ret = told(&profiles, &trust);
        validate_perspectives_done(&perspectives);
    }
    ca_profiles_done(&profiles);
    return r;
}

json_t *cmd_public_status(struct cmd *c, const char *folder)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    json_t *found = NULL;
    lt_res r = ca_config_load(folder, &config);
    r = lt_failed(r) ? r : judge(c, folder, config, &found);
    return lt_failed(r) ? json_null() : found == NULL ? json_null() : found; /* files: doctor tells of them */
}

static lt_res say(const char *words, const json_t *public, const char *why)
{
    size_t i;
    json_t *name;
    LT_TRY(cmd_printf("public        %s by profile", words));
    json_array_foreach(json_object_get(public, "profiles"), i, name)
    {
        LT_TRY(cmd_printf("%s %s", i > 0 ? "," : "", json_string_value(name)));
    }
    return cmd_printf(": %s\n", why);
}

lt_res cmd_public_say(const json_t *public)
{
    size_t i;
    json_t *lack;
    if (json_is_null(public)) {
        return LT_OK;
    }
    json_array_foreach(json_object_get(public, "lacks"), i, lack)
    {
        LT_TRY(say("NOTHING IS ISSUED", public, json_string_value(lack)));
    }
    return cmd_text(public, "soon")[0] == '\0'
               ? LT_OK
               : say("soon nothing is issued", public, cmd_text(public, "soon"));
}
