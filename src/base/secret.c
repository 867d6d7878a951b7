/* Locked, wiped memory for secrets: whole pages of their own, so that a lock covers nothing else. */
#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static lt_res map_pages(size_t len, struct lt_secret *ret_secret)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (len + page) / page * page;
    void *p = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "no memory for a secret: %s", strerror(errno));
    (void)mlock(p, mapped); /* RLIMIT_MEMLOCK may be 0; swap is then the operator's to forbid */
    (void)madvise(p, mapped, MADV_DONTDUMP); /* core dumps are off as well */
    *ret_secret = (struct lt_secret){.ptr = p, .len = len, .mapped = mapped};
    return LT_OK;
}

lt_res lt_secret_new(lt_slice bytes, struct lt_secret *ret_secret)
{
    LT_TRY(map_pages(bytes.len, ret_secret));
    if (bytes.len > 0) {
        memcpy(ret_secret->ptr, bytes.ptr, bytes.len);
    }
    return LT_OK;
}

void lt_secret_done(struct lt_secret *s)
{
    if (s != NULL && s->ptr != NULL) {
        explicit_bzero(s->ptr, s->mapped);
        (void)munmap(s->ptr, s->mapped);
        *s = (struct lt_secret){0};
    }
}

lt_res lt_secret_from_fd(int fd, size_t max, struct lt_secret *ret_secret)
{
    struct lt_secret s;
    LT_TRY(map_pages(max + 1, &s));
    size_t len = 0;
    while (len <= max) {
        ssize_t n = read(fd, s.ptr + len, max + 1 - len);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            int error = errno;
            lt_secret_done(&s);
            LT_FAIL(LT_STATE_IO, "reading a secret: %s", strerror(error));
        }
        len += n > 0 ? (size_t)n : 0;
    }
    if (len > max) {
        lt_secret_done(&s);
        LT_FAIL(LT_PEER_USAGE, "a secret file holds more than %zu bytes", max);
    }
    if (len > 0 && s.ptr[len - 1] == '\n') {
        len--;
    }
    s.len = len;
    *ret_secret = s;
    return LT_OK;
}
