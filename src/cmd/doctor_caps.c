/* lintel doctor: is an issuer near its cap? What the registrar had counted, by the family's own word. */
#include "cmd/doctor.h"

enum { NEAR_PERCENT = 80 };

static void look(struct doctor *d, const json_t *row)
{
    int64_t percent = cmd_int(row, "percent");
    if (cmd_int(row, "cap") == 0) {
        return;
    }
    doctor_say(
        d,
        percent >= 100            ? DOCTOR_BAD
        : percent >= NEAR_PERCENT ? DOCTOR_WARN
                                  : DOCTOR_OK,
        "cap", "issuer %s: %lld certificates are good, %lld%% of its cap of %lld%s", cmd_text(row, "issuer"),
        (long long)cmd_int(row, "valid"), (long long)percent, (long long)cmd_int(row, "cap"),
        percent < NEAR_PERCENT ? "" : "; issue by another one (ceremony plan), as all of them fall at once");
}

void doctor_caps(struct doctor *d)
{
    LT_CLEANUP(cmd_json_freep) json_t *book = NULL;
    size_t i;
    json_t *row;
    if (cmd_folder_pid(d->folder) == 0 || lt_failed(cmd_api_get(d->c, "status", &book))) {
        return; /* that nobody answers is said by another check */
    }
    json_array_foreach(json_object_get(book, "caps"), i, row)
    {
        look(d, row);
    }
}
