/* Answers of OCSP, as the gateways have them: are they there, will they last, and are the newest certificates
 * known within the minutes that the rules give. A sample of the answers is read, and the newest hundred
 * certificates are looked up as a gateway would. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/freshness.h"
#include "ca/ocsp_map.h"
#include "cmd/doctor.h"

enum { SAMPLE = 100000, NEWEST = 100 };
#define BASE "public/ocsp/base"
#define DELTA "public/ocsp/delta"

struct file {
    lt_slice bytes; /* mapped */
    struct ca_ocsp_map map;
};

struct look {
    struct doctor *d;
    struct file base;
    struct file delta; /* of another generation, or none: empty */
    uint64_t seen;
    uint64_t old;     /* past half of what is allowed until the next signature */
    uint64_t expired; /* nobody may rely on them any more */
};

static void unmap(struct file *f)
{
    if (f->bytes.len > 0) {
        (void)munmap((void *)(uintptr_t)f->bytes.ptr, f->bytes.len); /* only read */
    }
    *f = (struct file){.bytes = {0}};
}

static lt_res map_file(int dir, const char *path, struct file *ret)
{
    struct stat st;
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0 && fstat(fd, &st) == 0, LT_PEER_NOT_FOUND, "%s: %s", path, strerror(errno));
    LT_CHECK(st.st_size > 0, LT_STATE_CORRUPT, "%s is empty", path);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "%s: %s", path, strerror(errno));
    ret->bytes = LT_SLICE(p, (size_t)st.st_size);
    return ca_ocsp_map_open(ret->bytes, &ret->map);
}

/* The delta of another base says nothing beside this one. */
static lt_res map_both(struct look *l)
{
    LT_TRY(map_file(l->d->dir, BASE, &l->base));
    if (lt_failed(map_file(l->d->dir, DELTA, &l->delta)) ||
        l->delta.map.head.generation != l->base.map.head.generation) {
        unmap(&l->delta);
    }
    return LT_OK;
}

static bool find(const struct file *f, const char *issuer, lt_slice serial, struct ca_ocsp_row *ret_row)
{
    struct ca_ocsp_issuer named;
    struct ca_ocsp_row wanted;
    for (uint16_t i = 0; f->bytes.len > 0 && ca_ocsp_map_issuer(&f->map, i, &named); i++) {
        if (strcmp(named.name, issuer) == 0) {
            return ca_ocsp_row_key(i, serial, &wanted) && ca_ocsp_map_find(&f->map, &wanted, ret_row);
        }
    }
    return false;
}

static void look_at_ages(struct look *l)
{
    uint64_t rows = l->base.map.head.rows;
    uint64_t every = rows / SAMPLE + 1;
    struct ca_ocsp_row row;
    for (uint64_t at = 0; ca_ocsp_map_row(&l->base.map, at, &row); at += every) {
        lt_time made = lt_time_from_seconds(row.this_s);
        l->seen++;
        l->expired += lt_time_from_seconds(row.next_s).us <= l->d->c->now.us;
        l->old += ca_fresh_judge(CA_FRESH_ANSWER_UPDATE, made, l->d->c->now) == CA_FRESH_BROKEN;
    }
}

static void say_ages(const struct look *l)
{
    if (l->expired > 0 || l->old > 0) {
        doctor_say(
            l->d, DOCTOR_BAD, "OCSP",
            "%llu of %llu answers that were looked at have expired, %llu are older than the rules allow; is "
            "ocsp-signer running? the log says what keeps it",
            (unsigned long long)l->expired, (unsigned long long)l->seen, (unsigned long long)l->old);
    } else {
        doctor_say(l->d, DOCTOR_OK, "OCSP",
                   "%llu certificates have answers, and those that were looked at last",
                   (unsigned long long)l->base.map.head.rows);
    }
}

static bool has_ocsp(const struct doctor *d, const char *issuer)
{
    const struct ca_config_issuer *i = ca_config_issuer(d->config, lt_slice_cstr(issuer));
    return i != NULL && i->ocsp;
}

/* The oldest of the newest certificates that no gateway knows; {0}: all are known. */
static lt_time oldest_unknown(const struct look *l, const json_t *certificates)
{
    size_t n;
    json_t *c;
    lt_time oldest = {0};
    json_array_foreach(json_object_get(certificates, "certificates"), n, c)
    {
        struct ca_ocsp_row row;
        lt_slice serial;
        lt_time issued;
        const char *issuer = cmd_text(c, "issuer");
        bool counts = has_ocsp(l->d, issuer) &&
                      !lt_failed(lt_unhex(&l->d->c->arena, lt_slice_cstr(cmd_text(c, "serial")), &serial)) &&
                      !lt_failed(lt_time_parse(lt_slice_cstr(cmd_text(c, "issued")), &issued));
        if (counts && !find(&l->delta, issuer, serial, &row) && !find(&l->base, issuer, serial, &row)) {
            oldest = oldest.us == 0 || issued.us < oldest.us ? issued : oldest;
        }
    }
    return oldest;
}

static void say_newest(const struct look *l)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[64];
    (void)snprintf(path, sizeof(path), "certificates?limit=%d", NEWEST);
    if (cmd_folder_pid(l->d->folder) == 0 || lt_failed(cmd_api_get(l->d->c, path, &answer))) {
        return; /* nobody serves: nothing is answered, and nothing is issued */
    }
    lt_time oldest = oldest_unknown(l, answer);
    enum ca_fresh_state state = oldest.us == 0 ? CA_FRESH_GOOD
                                               : ca_fresh_judge(CA_FRESH_ANSWER, oldest, l->d->c->now);
    if (state != CA_FRESH_GOOD) {
        doctor_say(
            l->d, state == CA_FRESH_BROKEN ? DOCTOR_BAD : DOCTOR_WARN, "OCSP",
            "a certificate that is %lld minutes old has no answer yet, and 15 are allowed; the log says what "
            "keeps publisher or ocsp-signer",
            (long long)((l->d->c->now.us - oldest.us) / LT_US_PER_SECOND / 60));
    } else {
        doctor_say(l->d, DOCTOR_OK, "OCSP", "the newest certificates are known");
    }
}

void doctor_ocsp(struct doctor *d)
{
    struct look l = {.d = d};
    bool any = false;
    for (uint32_t i = 0; i < d->config->issuer_count; i++) {
        any = any || d->config->issuers[i].ocsp;
    }
    if (!any) {
        return;
    }
    lt_res r = map_both(&l);
    if (lt_failed(r)) {
        doctor_say(d, r.code == LT_PEER_NOT_FOUND ? DOCTOR_WARN : DOCTOR_BAD, "OCSP", "%s%s",
                   lt_error_last()->detail, "; the family makes it when it starts");
    } else {
        look_at_ages(&l);
        say_ages(&l);
        say_newest(&l);
    }
    unmap(&l.base);
    unmap(&l.delta);
}
