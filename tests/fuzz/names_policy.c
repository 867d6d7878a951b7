/* policy/names.yaml: any text is refused or is a policy whose rows mean one thing, and that finds a row for
 * whatever name: the name of a row is found by it or by one before it. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "acme/names_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAME_MAX_LEN = 260 };

static void ask(const struct acme_policy *p, const char *type, const char *value,
                const struct acme_policy_row *row)
{
    char type_copy[8];
    char value_copy[NAME_MAX_LEN];
    enum acme_policy_action action = ACME_POLICY_ALLOW;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    (void)snprintf(type_copy, sizeof type_copy, "%s", type);
    (void)snprintf(value_copy, sizeof value_copy, "%s", value);
    id.type = type_copy;
    id.value = value_copy;
    const char *profile = row != NULL && row->profile != NULL ? row->profile : "tls-server";
    const struct acme_policy_row *found = acme_policy_find(p, &id, row == NULL ? 7 : row->account, profile,
                                                           &action);
    LT_ASSERT(found == NULL ? action == p->otherwise : action == found->action);
    LT_ASSERT(row == NULL || row->name == NULL || (found != NULL && found <= row));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"example.com", "*.example.com", "a.b.bank.example",
                                        "xn--80ak6aa92e.com", "com"};
    struct acme_policy p;
    if (lt_failed(acme_policy_parse(LT_SLICE(data, size), &p))) {
        return 0;
    }
    LT_ASSERT(p.otherwise != ACME_POLICY_REVIEW);
    for (size_t i = 0; i < p.count; i++) {
        const struct acme_policy_row *row = &p.rows[i];
        size_t kinds = (size_t)(row->name != NULL) + (size_t)(row->suffix != NULL) +
                       (size_t)(row->word != NULL);
        LT_ASSERT(kinds <= 1 && row->id[0] != '\0' && row->reason != NULL && row->account >= 0);
        LT_ASSERT(kinds == 1 || row->account != 0 || row->profile != NULL);
        if (row->name != NULL && strlen(row->name) < NAME_MAX_LEN) {
            ask(&p, "dns", row->name, row);
        }
    }
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        ask(&p, "dns", names[i], NULL);
    }
    ask(&p, "ip", "192.0.2.1", NULL);
    ask(&p, "ip", "2001:db8::1", NULL);
    acme_policy_done(&p);
    return 0;
}
