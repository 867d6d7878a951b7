#ifndef DEBIAN_KEYS_POOL_H
#define DEBIAN_KEYS_POOL_H
/* The random pool of OpenSSL 0.9.8c as Debian shipped it from 2006 to 2008 (CVE-2008-0166): the line is
 * missing that mixed in what the pool was fed, so that its output follows from the process id, the size and
 * byte order of a long, and how many bytes it was fed in which portions. Written from the algorithm; only for
 * finding the keys it made. */
#include <stdint.h>

enum { POOL_STATE = 1023, POOL_DIGEST = 20 };

/* Of the machine that made the key. */
struct pool_machine {
    const char *name; /* "le64" */
    unsigned long_len;
    unsigned time_len;
    unsigned stat_len; /* of struct stat */
    int big_endian;
};

struct pool {
    struct pool_machine machine;
    uint32_t pid;
    uint8_t state[POOL_STATE + POOL_DIGEST];
    uint8_t digest[POOL_DIGEST];
    uint64_t count[2];
    unsigned at;    /* next byte of state to be fed */
    unsigned used;  /* bytes of state that have been fed */
    double entropy; /* as the pool believes */
    int polled;
    int stirred;
};

void pool_init(struct pool *p, const struct pool_machine *machine, uint32_t pid);
/* Feeds len bytes of whatever. */
void pool_feed(struct pool *p, unsigned len, double entropy);
/* What the pool did by itself before its first output: /dev/urandom, pid, uid, time. */
void pool_poll(struct pool *p);
void pool_read(struct pool *p, uint8_t *out, unsigned len);

#endif
