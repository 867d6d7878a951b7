/* Whether a folder is that of a test CA, and whether its files may then stand as they do: for serve, config
 * check and doctor, before a program of the family says the same. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "ca/profile.h"
#include "ca/testing.h"
#include "cmd/doctor.h"
#include "cmd/verbs.h"

static lt_res check_profiles(const char *folder, lt_time now)
{
    struct ca_profiles profiles;
    LT_TRY(ca_profiles_load(folder, now, &profiles));
    lt_res r = ca_profiles_check_testing(&profiles);
    ca_profiles_done(&profiles);
    return r;
}

lt_res cmd_testing_check(const char *folder, const struct ca_config *config, lt_time now, bool *ret_marked)
{
    *ret_marked = false;
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", folder, strerror(errno));
    LT_TRY(ca_testing_check(dir, config, ret_marked));
    return *ret_marked ? check_profiles(folder, now) : LT_OK;
}

void doctor_testing(struct doctor *d)
{
    bool marked = false;
    if (lt_failed(cmd_testing_check(d->folder, d->config, d->c->now, &marked))) {
        doctor_say(d, DOCTOR_BAD, "test CA", "%s", lt_error_last()->detail);
    } else if (marked) {
        const struct ca_config_testing *t = &d->config->testing;
        doctor_say(d, DOCTOR_WARN, "test CA", "THIS IS A TEST CA: nobody may trust what it issues%s%s",
                   t->wanted ? "; testing is on" : "",
                   t->always_valid ? ", and everything is proven without a look" : "");
    }
}
