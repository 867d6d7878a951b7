/* Verbs beside a drill: the folder says how far its clock is ahead. Whoever runs the drill has the clock
 * itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/config.h"
#include "ca/scratch.h"
#include "cmd/cmd.h"

lt_res cmd_drill_time(struct cmd *c)
{
    static struct lt_clock_page page;
    const char *folder = cmd_value(c, "dir");
    folder = folder != NULL ? folder : getenv("LINTEL_DIR");
    folder = folder == NULL || folder[0] == 0 ? "." : folder;
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int64_t ahead_us = 0;
    if (dir < 0 || faccessat(dir, CA_SCRATCH_MARK, F_OK, 0) != 0 ||
        faccessat(dir, CA_CONFIG_FILE, F_OK, 0) != 0) {
        return LT_OK; /* where a folder is needed, its absence is said there */
    }
    LT_TRY(ca_scratch_ahead(dir, &ahead_us));
    atomic_store_explicit(&page.ahead_us, ahead_us, memory_order_relaxed);
    lt_clock_use(&page);
    c->now = lt_now();
    return LT_OK;
}

lt_res cmd_no_drill(const char *folder)
{
    bool marked = false;
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", folder, strerror(errno));
    LT_TRY(ca_scratch_marked(dir, &marked));
    LT_CHECK(!marked, LT_POLICY_REFUSED, "%.150s is the folder of a drill: `lintel drill serve` shows it",
             folder);
    return LT_OK;
}
