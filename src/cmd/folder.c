/* Finding the CA folder, and whether a family runs in it: run/supervisor.pid is locked as long as it does. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "cmd/cmd.h"

lt_res cmd_folder(const struct cmd *c, const char **ret_folder)
{
    const char *folder = cmd_value(c, "dir");
    folder = folder != NULL ? folder : getenv("LINTEL_DIR");
    if (folder == NULL || folder[0] == 0) {
        LT_CHECK(access(CA_CONFIG_FILE, F_OK) == 0, LT_PEER_USAGE,
                 "which CA folder? Give --dir DIR or set LINTEL_DIR; `lintel init DIR` makes one");
        folder = ".";
    }
    *ret_folder = folder;
    return LT_OK;
}

lt_res cmd_book(struct cmd *c, const char *folder, const char **ret_path)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(folder, &config));
    const char *path = ca_config_store(config, folder, &c->arena);
    *ret_path = path == NULL ? NULL : lt_arena_cstr(&c->arena, lt_slice_cstr(path));
    LT_CHECK(*ret_path != NULL, LT_PEER_USAGE, "%s: the path is too long", folder);
    return LT_OK;
}

lt_res cmd_host(struct cmd *c, const char *folder, const char **ret_name)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(folder, &config));
    *ret_name = lt_arena_cstr(&c->arena, lt_slice_cstr(config->host));
    LT_CHECK(*ret_name != NULL, LT_PEER_USAGE, "%s: the host's name is too long", folder);
    return LT_OK;
}

static int open_pid_file(const char *folder, int flags)
{
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -1 : openat(dir, "run/supervisor.pid", flags | O_CLOEXEC | O_NOFOLLOW, 0644);
}

int cmd_folder_pid(const char *folder)
{
    LT_CLEANUP(lt_fd_closep) int fd = open_pid_file(folder, O_RDONLY);
    char text[32];
    uint64_t pid = 0;
    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        return 0;
    }
    ssize_t n = pread(fd, text, sizeof(text), 0);
    lt_slice digits = LT_SLICE(text, n > 0 ? (size_t)n : 0);
    digits = lt_slice_sub(digits, 0, lt_slice_find(digits, '\n'));
    return lt_failed(lt_parse_u64(digits, INT32_MAX, &pid)) ? -1 : (int)pid;
}

lt_res cmd_folder_lock(const char *folder, int *ret_fd)
{
    int fd = open_pid_file(folder, O_RDWR | O_CREAT);
    LT_CHECK(fd >= 0, LT_PEER_USAGE,
             "%s/run/supervisor.pid cannot be opened (%s); is this a CA folder, and yours?", folder,
             strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd); /* nothing was written */
        LT_FAIL(LT_PEER_CONFLICT, "%s: the family runs (process %d); stop it first, this works offline alone",
                folder, cmd_folder_pid(folder));
    }
    *ret_fd = fd;
    return LT_OK;
}

/* A reader that has seen enough, such as head, is no error to complain of. */
static lt_res not_written(void)
{
    LT_CHECK(errno != EPIPE, LT_STATE_CLOSED, "standard output is closed");
    LT_FAIL(LT_STATE_IO, "standard output: %s", strerror(errno));
}

lt_res cmd_print(lt_slice text)
{
    bool ok = fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    return ok ? LT_OK : not_written();
}

lt_res cmd_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool ok = vfprintf(stdout, format, args) >= 0 && fflush(stdout) == 0;
    va_end(args);
    return ok ? LT_OK : not_written();
}

lt_res cmd_would(const struct cmd *c, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* a longer one is cut */
    va_end(args);
    if (!c->json) {
        return cmd_printf("%s\n", text);
    }
    struct lt_buf out;
    lt_buf_init(&out, 8192);
    lt_buf_add_cstr(&out, "{\"done\":false,\"would\":");
    lt_json_add_string(&out, lt_slice_cstr(text));
    lt_buf_add_cstr(&out, "}\n");
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}
