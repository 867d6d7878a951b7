/* Which methods a person is offered for which name. */
#include <string.h>

#include "acme/desk_private.h"
#include "acme/enroll_private.h"
#include "validate/methods.h"

bool acme_challenge_by_hand(const char *method, const char *identifier_type)
{
    const struct validate_method *m = validate_method_find(method, identifier_type);
    return m != NULL && !m->acme && m->kind != VALIDATE_KIND_CAA;
}

/* The method that was asked for this name, or for all; NULL: none was. */
static const char *wanted_for(const struct acme_by_hand *h, const Ipc__Identifier *name)
{
    const char *any = NULL;
    for (size_t i = 0; i < h->count; i++) {
        if (strcmp(h->methods[i]->name, name->value) == 0) {
            return h->methods[i]->method;
        }
        any = h->methods[i]->name[0] == '\0' ? h->methods[i]->method : any;
    }
    return any;
}

/* Mail goes to people who did not ask for it: only where somebody wants it. */
bool acme_by_hand_offers(const struct acme_by_hand *h, const struct validate_method *m,
                         const Ipc__Identifier *name, lt_time now)
{
    const char *wanted = wanted_for(h, name);
    return acme_challenge_by_hand(m->name, m->identifier) && strcmp(m->identifier, name->type) == 0 &&
           validate_method_refusal(m, acme_name_is_wildcard(name->value), now) == NULL &&
           (wanted == NULL ? m->kind != VALIDATE_KIND_MAIL : strcmp(wanted, m->name) == 0);
}

const char *acme_by_hand_contact(const struct acme_by_hand *h)
{
    return h->contact;
}
