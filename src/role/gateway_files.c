/* The public files: CRLs and CA certificates, as the publisher left them. Two folders, plain names, nothing
 * else: a link or another ending does not exist here, and one slash is in the name of a part of a CRL. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "http/date.h"
#include "role/gateway.h"

enum { NAME_SIZE = 128, ETAG_SIZE = 96, CRL_MAX_AGE_S = 300, CA_MAX_AGE_S = 86400, LIST_MAX_AGE_S = 60 };

static const struct kind {
    const char *prefix;
    const char *ending;
    const char *content_type;
    int max_age_s; /* a new CRL shall be seen soon after a revocation, long before nextUpdate of the old one
                    */
} crl_kind = {"/crl/", ".crl", "application/pkix-crl", CRL_MAX_AGE_S},
  ca_kind = {"/ca/", ".crt", "application/pkix-cert", CA_MAX_AGE_S},
  list_kind = {"/affected/", ".csv", "text/csv; charset=utf-8", LIST_MAX_AGE_S};

static lt_res open_folder(const char *folder, const char *below, int *ret_fd)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    *ret_fd = openat(fd, below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(*ret_fd >= 0, LT_STATE_IO, "%s/%s: %s: is this a folder made by lintel init?", folder, below,
             strerror(errno));
    return LT_OK;
}

lt_res gateway_files_open(struct gateway *g, const char *folder)
{
    LT_TRY(open_folder(folder, "public/crl", &g->crl_fd));
    LT_TRY(open_folder(folder, "public/ca", &g->ca_fd));
    return open_folder(folder, "public", &g->public_fd);
}

/* "NAME.crl", where NAME is letters, digits, "-", "_" and single dots. */
static bool name_good(lt_slice name, const char *ending)
{
    bool good = name.len < NAME_SIZE && lt_slice_ends(name, lt_slice_cstr(ending)) && name.ptr[0] != '.';
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t c = name.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || (c == '.' && name.ptr[i - 1] != '.');
    }
    return good;
}

/* Of an issuer's name, as the configuration takes them. */
static bool folder_good(lt_slice name)
{
    bool good = name.len > 0 && name.len < NAME_SIZE;
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t c = name.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    return good;
}

static bool open_file(int dir_fd, lt_slice name, int *ret_fd, struct stat *ret_st)
{
    char path[NAME_SIZE];
    (void)snprintf(path, sizeof path, "%.*s", LT_FMT(name)); /* who checked it measured it */
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, ret_st) != 0 || !S_ISREG(ret_st->st_mode)) {
        return false;
    }
    *ret_fd = LT_TAKE(fd, -1);
    return true;
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

/*= RFC 9110 13.1.2 "A recipient MUST use the weak comparison function when comparing entity tags" */
bool gateway_tag_listed(lt_slice list, const char *etag)
{
    lt_slice item;
    while (lt_slice_split(&list, ',', &item)) {
        item = trim(item);
        if (lt_slice_starts(item, LT_LIT("W/"))) {
            item = lt_slice_sub(item, 2, SIZE_MAX);
        }
        if (lt_slice_eq_cstr(item, etag) || lt_slice_eq_cstr(item, "*")) {
            return true;
        }
    }
    return false;
}

static bool not_modified(const struct http_request *r, const char *etag, lt_time modified)
{
    lt_slice tags = http_request_field(r, "if-none-match");
    lt_slice since = http_request_field(r, "if-modified-since");
    lt_time t;
    if (tags.len > 0) {
        /*= RFC 9110 13.1.3 "A recipient MUST ignore If-Modified-Since if the request contains an
         * If-None-Match" */
        return gateway_tag_listed(tags, etag);
    }
    return since.len > 0 && !lt_failed(http_date_parse(since, &t)) && modified.us <= t.us;
}

/* Of a file that is replaced, never written over. Its mtime is thisUpdate, a whole second, which two CRLs may
 * share with their length: the inode and its change in nanoseconds tell them apart. */
/*= RFC 9110 8.8.1 "a strong validator is representation metadata that changes value whenever a change occurs
 * to the representation data" */
static void make_etag(const struct stat *st, char ret_etag[ETAG_SIZE])
{
    (void)snprintf(ret_etag, ETAG_SIZE, "\"%llx-%llx-%lx-%llx\"", (unsigned long long)st->st_ino,
                   (unsigned long long)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec,
                   (unsigned long long)st->st_size); /* at most 16 + 16 + 8 + 16 digits */
}

static void send_file(struct http_exchange *x, const struct kind *kind, int fd, const struct stat *st)
{
    char etag[ETAG_SIZE];
    char modified[HTTP_DATE_SIZE];
    char cache[64];
    lt_time changed = lt_time_from_seconds(st->st_mtim.tv_sec);
    make_etag(st, etag);
    (void)snprintf(cache, sizeof cache, "public, max-age=%d", kind->max_age_s);
    http_date(changed, modified);
    const struct http_header headers[] = {
        {"etag", etag},
        {"last-modified", modified},
        {"cache-control", cache},
        {"x-content-type-options", "nosniff"},
    };
    bool same = not_modified(http_exchange_request(x), etag, changed);
    const struct http_answer answer = {
        .status = same ? 304 : 200,
        .content_type = same ? NULL : kind->content_type,
        .headers = headers,
        .header_count = LT_COUNT(headers),
        .has_file = !same,
        .file_fd = same ? -1 : fd,
        .file_len = same ? 0 : (uint64_t)st->st_size,
    };
    if (same) {
        (void)close(fd); /* read only */
    }
    http_exchange_answer(x, &answer);
}

/* "ISSUER/7.crl": a folder, which is none where it is a link, and a name in it. */
static bool open_shard(int dir_fd, lt_slice name, int *ret_fd, struct stat *ret_st)
{
    lt_slice rest = name;
    lt_slice issuer;
    char path[NAME_SIZE];
    if (!lt_slice_split(&rest, '/', &issuer) || !name_good(rest, crl_kind.ending) || !folder_good(issuer)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%.*s", LT_FMT(issuer)); /* folder_good measured it */
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && open_file(fd, rest, ret_fd, ret_st);
}

static bool open_any(const struct kind *kind, int dir_fd, lt_slice name, int *ret_fd, struct stat *ret_st)
{
    if (name_good(name, kind->ending)) {
        return open_file(dir_fd, name, ret_fd, ret_st);
    }
    return kind == &crl_kind && open_shard(dir_fd, name, ret_fd, ret_st);
}

static void serve(struct http_exchange *x, const struct kind *kind, int dir_fd)
{
    const struct http_request *r = http_exchange_request(x);
    lt_slice name = lt_slice_sub(r->path, strlen(kind->prefix), SIZE_MAX);
    int fd;
    struct stat st;
    if (!lt_slice_eq_cstr(r->method, "GET") && !lt_slice_eq_cstr(r->method, "HEAD")) {
        const struct http_header allow[] = {{"allow", "GET, HEAD"}};
        const struct http_answer answer = {.status = 405, .headers = allow, .header_count = 1};
        http_exchange_answer(x, &answer);
    } else if (!open_any(kind, dir_fd, name, &fd, &st)) {
        http_exchange_problem(x, 404, NULL, "no such file is published", 0);
    } else {
        send_file(x, kind, fd, &st);
    }
}

void gateway_serve_crl(struct gateway *g, struct http_exchange *x)
{
    serve(x, &crl_kind, g->crl_fd);
}

void gateway_serve_ca(struct gateway *g, struct http_exchange *x)
{
    serve(x, &ca_kind, g->ca_fd);
}

/* Lists of incidents are files; whatever else is below is a look-up. The publisher makes the folder when the
 * first list is wanted. */
void gateway_serve_affected(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    if (!lt_slice_ends(r->path, lt_slice_cstr(list_kind.ending))) {
        gateway_ask(g, x);
        return;
    }
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(g->public_fd, "incident", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    serve(x, &list_kind, fd);
}
