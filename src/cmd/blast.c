/* lintel ca blast-radius: what falls when a key, an issuer, a profile, a build, a perspective or a token
 * fails. What the book knows comes from a reader; where keys are kept is in lintel.yaml. */
#include <stdio.h>
#include <string.h>

#include "ca/config.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { TOKENS_MAX = 64, NAME_SIZE = 160 };

static const char *const tiers[] = {"automatic", "unattended", "reachable", "by-hand", "hold-out"};

/* Issuers whose keys are kept in the same place fall together. */
struct place {
    char name[NAME_SIZE];
    int64_t certificates;
    int64_t tiers[LT_COUNT(tiers)];
};

/* "token=NAME" of a PKCS#11 URI, else its module: two slots of one device are one device. */
static void place_name(const struct ca_config *config, const struct ca_config_issuer *i, char ret[NAME_SIZE])
{
    const char *token = strstr(i->pkcs11_uri, "token=");
    if (i->offline) {
        (void)snprintf(ret, NAME_SIZE, "offline");
    } else if (i->pkcs11_uri[0] == '\0') {
        (void)snprintf(ret, NAME_SIZE, "files below keys/ (no HSM)");
    } else if (token != NULL) {
        token += strlen("token=");
        (void)snprintf(ret, NAME_SIZE, "token %.*s", (int)strcspn(token, ";?"), token);
    } else {
        (void)snprintf(ret, NAME_SIZE, "module %.120s", config->token_module);
    }
}

static struct place *place_of(struct place *list, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    if (*count == TOKENS_MAX) {
        return NULL;
    }
    (void)snprintf(list[*count].name, NAME_SIZE, "%s", name); /* of the same size */
    return &list[(*count)++];
}

static void add_issuer(const struct ca_config *config, const json_t *row, struct place *list, size_t *count)
{
    char name[NAME_SIZE];
    const struct ca_config_issuer *i = ca_config_issuer(config, lt_slice_cstr(cmd_text(row, "name")));
    if (i == NULL || strcmp(cmd_text(row, "kind"), "issuer") != 0) {
        return;
    }
    place_name(config, i, name);
    struct place *p = place_of(list, count, name);
    if (p != NULL) {
        p->certificates += cmd_int(row, "certificates");
        for (size_t t = 0; t < LT_COUNT(tiers); t++) {
            p->tiers[t] += cmd_int(json_object_get(row, "tiers"), tiers[t]);
        }
    }
}

/* Rows of kind "hsm", behind the others. */
static lt_res add_places(struct cmd *c, json_t *answer)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    struct place list[TOKENS_MAX] = {{.certificates = 0}};
    size_t count = 0;
    size_t i;
    json_t *row;
    json_t *rows = json_object_get(answer, "rows");
    const char *folder = NULL;
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(ca_config_load(folder, &config));
    json_array_foreach(rows, i, row)
    {
        add_issuer(config, row, list, &count);
    }
    for (i = 0; i < count; i++) {
        json_t *by_tier = json_object();
        LT_ASSERT(by_tier != NULL);
        for (size_t t = 0; t < LT_COUNT(tiers); t++) {
            LT_ASSERT(json_object_set_new(by_tier, tiers[t], json_integer(list[i].tiers[t])) == 0);
        }
        row = json_pack("{s:s, s:s, s:I, s:I, s:o}", "kind", "hsm", "name", list[i].name, "certificates",
                        (json_int_t)list[i].certificates, "falls", (json_int_t)list[i].certificates, "tiers",
                        by_tier);
        LT_CHECK(row != NULL && json_array_append_new(rows, row) == 0, LT_PEER_USAGE,
                 "a token's name in lintel.yaml is no UTF-8");
    }
    return LT_OK;
}

static const char *cell(struct cmd *c, int64_t n)
{
    const char *text = lt_arena_printf(&c->arena, "%lld", (long long)n);
    LT_ASSERT(text != NULL);
    return text;
}

static lt_res print_rows(struct cmd *c, const json_t *answer, const char *kind)
{
    static const char *const heads[] = {"KIND",       "NAME",      "CERTIFICATES", "FALL",    "AUTOMATIC",
                                        "UNATTENDED", "REACHABLE", "BY-HAND",      "HOLD-OUT"};
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        const json_t *by = json_object_get(row, "tiers");
        if (kind != NULL && strcmp(kind, cmd_text(row, "kind")) != 0) {
            continue;
        }
        const char *const cells[] = {cmd_text(row, "kind"),
                                     cmd_text(row, "name"),
                                     cell(c, cmd_int(row, "certificates")),
                                     cell(c, cmd_int(row, "falls")),
                                     cell(c, cmd_int(by, tiers[0])),
                                     cell(c, cmd_int(by, tiers[1])),
                                     cell(c, cmd_int(by, tiers[2])),
                                     cell(c, cmd_int(by, tiers[3])),
                                     cell(c, cmd_int(by, tiers[4]))};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res print_caps(const json_t *answer)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "caps"), i, row)
    {
        if (cmd_int(row, "cap") > 0) {
            LT_TRY(cmd_printf("cap of %s: %lld of %lld, %lld%%%s\n", cmd_text(row, "issuer"),
                              (long long)cmd_int(row, "valid"), (long long)cmd_int(row, "cap"),
                              (long long)cmd_int(row, "percent"),
                              cmd_int(row, "percent") >= 100  ? ": REACHED"
                              : cmd_int(row, "percent") >= 80 ? ": near"
                                                              : ""));
        }
    }
    return LT_OK;
}

static void keep_kind(json_t *answer, const char *kind)
{
    json_t *rows = json_object_get(answer, "rows");
    for (size_t i = json_array_size(rows); kind != NULL && i > 0; i--) {
        if (strcmp(kind, cmd_text(json_array_get(rows, i - 1), "kind")) != 0) {
            (void)json_array_remove(rows, i - 1); /* it is there */
        }
    }
}

static lt_res run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *kind = cmd_value(c, "by");
    LT_TRY(cmd_api_get(c, "blast-radius", &answer));
    LT_TRY(add_places(c, answer));
    keep_kind(answer, kind);
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(print_rows(c, answer, kind));
    return print_caps(answer);
}

static const struct cmd_option options[] = {
    {"by", "KIND", "rows of this kind alone", false,
     "key issuer profile build validator-build perspective hsm"},
};

const struct cmd_verb cmd_ca_blast_radius = {
    .name = "ca blast-radius",
    .words = "",
    .summary = "what falls when a key, an issuer, a profile, a build, a perspective or an HSM fails",
    .help = "Certificates that are in force, by what they stand on, with the tiers of their subscribers. A\n"
            "key has all that is below it. FALL is less than CERTIFICATES for a perspective, where enough\n"
            "of the others agreed. A certificate whose names were proved in several ways counts with each.\n"
            "\n"
            "examples:\n"
            "  lintel ca blast-radius\n"
            "  lintel ca blast-radius --by issuer --json\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
