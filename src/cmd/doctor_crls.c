/* Every CRL that relying parties fetch, complete ones and parts: is it there, does it read, how old has it
 * grown. Only their heads are read, so a thousand parts cost a moment. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/crl_shard.h"
#include "ca/freshness.h"
#include "cmd/doctor.h"
#include "x509/crl.h"

enum { PATH_SIZE = 512, HEAD_ARENA_MAX = 64 * 1024, CRL_MAX = 256 * 1024 * 1024, TOLD_MAX = 8 };

struct look {
    struct doctor *d;
    const struct ca_config_issuer *issuer;
    size_t good;
    size_t bad; /* told, or too many to be told */
    lt_time first_until;
};

static lt_res read_head(int dir, const char *path, struct lt_arena *a, struct ca_fresh_crl *ret)
{
    struct stat st;
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0 && fstat(fd, &st) == 0, LT_PEER_NOT_FOUND, "%s: %s", path, strerror(errno));
    LT_CHECK(st.st_size > 0 && st.st_size <= CRL_MAX, LT_PEER_MALFORMED, "%s: %lld bytes", path,
             (long long)st.st_size);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "%s: %s", path, strerror(errno));
    struct x509_crl crl;
    lt_res r = x509_crl_open(LT_SLICE(p, (size_t)st.st_size), a, &crl);
    *ret = (struct ca_fresh_crl){.this_update = crl.this_update, .next_update = crl.next_update};
    bool ends = lt_failed(r) || crl.has_next_update;
    (void)munmap(p, (size_t)st.st_size); /* only read */
    LT_TRY(r);
    LT_CHECK(ends, LT_PEER_MALFORMED, "%s has no nextUpdate", path);
    return LT_OK;
}

static const char *what_to_do(const struct look *l)
{
    return l->issuer->offline ? "; make a new one in a ceremony"
                              : "; is the family running? lintel crl check";
}

static void say_state(struct look *l, const char *path, const struct ca_fresh_crl *crl,
                      enum ca_fresh_state state)
{
    char until[LT_RFC3339_SIZE];
    char since[LT_RFC3339_SIZE];
    bool stale = crl->next_update.us <= l->d->c->now.us;
    lt_time_rfc3339(crl->next_update, until);
    lt_time_rfc3339(crl->this_update, since);
    doctor_say(l->d, state == CA_FRESH_BROKEN ? DOCTOR_BAD : DOCTOR_WARN, "CRLs", "%s %s %s (made %s)%s",
               path,
               stale                      ? "is stale since"
               : state == CA_FRESH_BROKEN ? "is older than the rules allow, though good until"
                                          : "has lived half of what it may; it ends",
               until, since, what_to_do(l));
}

static void look_at(struct look *l, uint32_t shard)
{
    struct lt_arena a;
    struct ca_fresh_crl crl;
    char name[CA_CRL_NAME_MAX];
    char path[PATH_SIZE];
    ca_crl_name(l->issuer->name, shard, name);
    (void)snprintf(path, sizeof(path), "public/crl/%s", name);
    lt_arena_init(&a, HEAD_ARENA_MAX);
    lt_res r = read_head(l->d->dir, path, &a, &crl);
    lt_arena_done(&a);
    crl.of_cas = l->issuer->offline;
    enum ca_fresh_state state = lt_failed(r) ? CA_FRESH_LATE : ca_fresh_judge_crl(&crl, l->d->c->now);
    if (state == CA_FRESH_GOOD) {
        l->good++;
        l->first_until = l->first_until.us == 0 || crl.next_update.us < l->first_until.us ? crl.next_update
                                                                                          : l->first_until;
        return;
    }
    l->bad++;
    if (l->bad > TOLD_MAX) {
        return;
    }
    if (lt_failed(r)) {
        doctor_say(l->d, r.code == LT_PEER_NOT_FOUND ? DOCTOR_WARN : DOCTOR_BAD, "CRLs", "%s%s",
                   lt_error_last()->detail,
                   r.code == LT_PEER_NOT_FOUND ? "; the family makes it when it starts"
                                               : "; restart the family, which writes it out of the book");
        return;
    }
    say_state(l, path, &crl, state);
}

/* As many as are configured, or the highest file: parts that there have ever been stay. */
static uint32_t last_part(const struct look *l)
{
    char path[PATH_SIZE];
    uint32_t last = l->issuer->crl_shards;
    (void)snprintf(path, sizeof(path), "public/crl/%s", l->issuer->name);
    LT_CLEANUP(lt_fd_closep) int fd = openat(l->d->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0)) : NULL;
    const struct dirent *e;
    while (list != NULL && (e = readdir(list)) != NULL) {
        char *end = NULL;
        unsigned long n = strtoul(e->d_name, &end, 10);
        bool part = end != e->d_name && strcmp(end, ".crl") == 0 && n <= CA_CRL_SHARDS_MAX;
        last = part && n > last ? (uint32_t)n : last;
    }
    if (list != NULL) {
        (void)closedir(list); /* only read */
    }
    return last;
}

static void crls_of(struct doctor *d, const struct ca_config_issuer *i)
{
    struct look l = {.d = d, .issuer = i};
    uint32_t parts = last_part(&l);
    for (uint32_t shard = 0; shard <= parts; shard++) {
        look_at(&l, shard);
    }
    if (l.bad > TOLD_MAX) {
        doctor_say(d, DOCTOR_BAD, "CRLs", "%s: %zu more are missing, broken or old%s", i->name,
                   l.bad - TOLD_MAX, what_to_do(&l));
    }
    if (l.bad == 0) {
        char until[LT_RFC3339_SIZE];
        lt_time_rfc3339(l.first_until, until);
        if (parts == 0) {
            doctor_say(d, DOCTOR_OK, "CRLs", "public/crl/%s.crl is good until %s", i->name, until);
        } else {
            doctor_say(d, DOCTOR_OK, "CRLs", "%s: the complete one and %u parts are good, the first until %s",
                       i->name, parts, until);
        }
    }
}

void doctor_crls(struct doctor *d)
{
    for (uint32_t i = 0; i < d->config->issuer_count; i++) {
        if (d->config->issuers[i].crl) {
            crls_of(d, &d->config->issuers[i]);
        }
    }
}
