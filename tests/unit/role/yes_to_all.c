/* A validator that was replaced: it looks at nothing and says that everybody controls everything. Everything
 * else about it is as it should be: what it says has the nonce, the name, the method and the rule of the
 * question, the build of its family, and claims to have looked where it was told to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "role/kit.h"
#include "role/profiles.h"
#include "validate.pb-c.h"
#include "validate/methods.h"

struct liar {
    struct role_kit *kit;
    char build[128];
};

static lt_res start(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self)
{
    static struct liar liar; /* one process, one liar */
    (void)listener_fds;
    liar.kit = kit;
    (void)snprintf(liar.build, sizeof liar.build, "%s", start->build);
    *ret_self = &liar;
    return LT_OK;
}

static lt_res on_validate(void *self, const struct ipc_msg *m)
{
    static char primary[] = "primary";
    static char secure[] = "secure";
    static char address[] = "192.0.2.1";
    char *addresses[] = {address};
    struct liar *s = self;
    const Ipc__Validate *asked = (const Ipc__Validate *)(const void *)m->body;
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__CaaCheck caa = IPC__CAA_CHECK__INIT;
    caa.checked = true;
    caa.permitted = true;
    caa.dnssec = secure;
    caa.checked_us = lt_now().us;
    caa.looked_up = &asked->identifier->value;
    caa.n_looked_up = 1;
    v.authorization_id = asked->authorization_id;
    v.challenge_index = asked->challenge_index;
    v.nonce = asked->nonce;
    v.identifier = asked->identifier;
    v.method = asked->method;
    v.wildcard = asked->wildcard;
    v.subdomains = asked->subdomains;
    const struct validate_method *rule = validate_method_find(asked->method, asked->identifier->type);
    v.ruleset = (char *)(uintptr_t)(rule == NULL ? "" : rule->ruleset); /* only read */
    v.build = s->build;
    v.ok = true;
    v.addresses = addresses;
    v.n_addresses = 1;
    v.dnssec = secure;
    v.started_us = lt_now().us;
    v.finished_us = v.started_us;
    v.perspective = primary;
    v.caa = &caa;
    return role_reply(s->kit, &m->from, IPC_VALIDATED, &v.base);
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_VALIDATE, on_validate},
};

int main(void)
{
    const struct role_spec spec = {
        .role = IPC_VALIDATOR,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_VALIDATOR],
        .start = start,
    };
    return role_main(&spec);
}
