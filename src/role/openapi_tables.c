/* The operator API's tables as JSON, for the build alone (openapi.py): routes, who may, and the members of
 * changes, out of the very tables that notary, reader and registrar read them by. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/result.h"
#include "ca/api.h"
#include "incident/form.h"

enum { ROLES_MAX = 1000 };

static const char *const kinds[] = {
    [CA_API_QUERY] = "query", [CA_API_NONCE] = "nonce",       [CA_API_CALL] = "call",
    [CA_API_LOGIN] = "login", [CA_API_DOCUMENT] = "document",
};
static const char *const types[] = {
    [INCIDENT_TEXT] = "text", [INCIDENT_TEXTS] = "texts", [INCIDENT_NUMBER] = "number",
    [INCIDENT_TIME] = "time", [INCIDENT_HEX] = "hex",     [INCIDENT_BASE64] = "base64url",
    [INCIDENT_FLAG] = "flag", [INCIDENT_SCOPE] = "scope", [INCIDENT_PROOF] = "proofs",
};

static json_t *roles_of(unsigned readers)
{
    struct lt_buf text;
    lt_buf_init(&text, ROLES_MAX);
    ca_operator_roles_json(readers, &text);
    json_t *list = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    lt_buf_done(&text);
    LT_ASSERT(list != NULL);
    return list;
}

static void add(json_t *list, const struct ca_api_route *r, json_t *fields)
{
    unsigned readers = r->kind != CA_API_QUERY ? 0 : r->readers == 0 ? CA_READERS_ALL : r->readers;
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "method", r->method, "path", r->pattern, "what",
                            r->what, "kind", kinds[r->kind], "readers", roles_of(readers), "fields", fields);
    LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
}

static json_t *fields_of(const struct incident_form *form)
{
    json_t *list = json_array();
    for (size_t i = 0; i < form->field_count; i++) {
        const struct incident_field *f = &form->fields[i];
        json_t *row = json_pack("{s:s, s:s, s:b, s:I}", "name", f->name, "type", types[f->type], "needed",
                                f->needed, "max", (json_int_t)f->max);
        LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
    }
    return list;
}

static json_t *parameters(void)
{
    struct ca_api_parameter p;
    json_t *list = json_array();
    for (size_t i = 0; ca_api_parameter_nth(i, &p) != NULL; i++) {
        LT_ASSERT(json_array_append_new(list, json_pack("{s:s, s:s}", "name", p.name, "type", p.type)) == 0);
    }
    return list;
}

int main(void)
{
    json_t *routes = json_array();
    for (size_t i = 0; i < ca_api_route_count; i++) {
        add(routes, &ca_api_routes[i], json_null());
    }
    for (size_t i = 0; i < incident_form_area_count; i++) {
        for (size_t k = 0; k < incident_form_areas[i]->count; k++) {
            const struct incident_form *form = &incident_form_areas[i]->forms[k];
            add(routes, &form->route, fields_of(form));
        }
    }
    json_t *all = json_pack("{s:o, s:o}", "routes", routes, "parameters", parameters());
    LT_ASSERT(all != NULL && json_dumpf(all, stdout, JSON_INDENT(1)) == 0);
    json_decref(all);
    return ferror(stdout) != 0 ? 1 : 0;
}
