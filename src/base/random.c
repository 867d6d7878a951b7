/* Bytes from the kernel's CSPRNG. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

void lt_random(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        LT_ASSERT(n > 0 || errno == EINTR);
        if (n > 0) {
            out += n;
            len -= (size_t)n;
        }
    }
}
