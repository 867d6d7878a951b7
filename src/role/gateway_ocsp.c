/* OCSP (RFC 6960), answered out of two files that the publisher writes and this program maps: two searches in
 * memory and a response put together from what was signed ahead. A serial that neither has was never issued:
 * for it the ocsp-signer is asked, for that word alone and so often a second at most, so that strangers who
 * guess serials neither reach a key of the CA nor keep the responder busy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "http/date.h"
#include "ocsp.pb-c.h"
#include "role/gateway.h"

enum {
    MAX_AGE_S = 3600, /* a revocation shall be seen soon, long before nextUpdate */
    UNKNOWNS_A_SECOND = 500,
    UNKNOWN_WAIT_MS = 5000,
    ARENA_MAX = 16 * 1024,
    RESPONSE_MAX = 4096,
    PATH_MAX_LEN = 4096,
};

#define TYPE "application/ocsp-response"

/* ---- the files ---- */

void gateway_ocsp_open(struct gateway *g, const char *folder)
{
    g->ocsp_fd = -1;
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        g->ocsp_fd = openat(fd, "public/ocsp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    gateway_ocsp_tick(g);
}

static void unmap(struct gateway_ocsp_map *m)
{
    if (m->bytes.len > 0) {
        (void)munmap((void *)(uintptr_t)m->bytes.ptr, m->bytes.len); /* our own mapping: it cannot fail */
    }
    *m = (struct gateway_ocsp_map){0};
}

static int64_t changed_ns(const struct stat *st)
{
    return st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec;
}

static lt_res map(int fd, const struct stat *st, struct gateway_ocsp_map *ret_map)
{
    struct gateway_ocsp_map m = {.inode = st->st_ino, .changed_ns = changed_ns(st)};
    LT_CHECK(st->st_size > 0, LT_STATE_CORRUPT, "answers of OCSP are empty");
    size_t len = (size_t)st->st_size;
    const void *at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    LT_CHECK(at != MAP_FAILED, LT_STATE_IO, "answers of OCSP cannot be mapped: %s", strerror(errno));
    m.bytes = LT_SLICE(at, len);
    lt_res r = ca_ocsp_map_open(m.bytes, &m.map);
    if (lt_failed(r)) {
        unmap(&m);
        return r;
    }
    *ret_map = m;
    return LT_OK;
}

/* The file is replaced by name, never written over: the inode and its change tell a new one. */
static void refresh(struct gateway *g, const char *name, struct gateway_ocsp_map *old)
{
    struct stat st;
    struct gateway_ocsp_map fresh;
    if (fstatat(g->ocsp_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        (st.st_ino == old->inode && changed_ns(&st) == old->changed_ns)) {
        return;
    }
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(g->ocsp_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    if (lt_failed(map(fd, &st, &fresh))) {
        lt_log_error("answers of OCSP");
        return; /* what is mapped goes on */
    }
    unmap(old);
    *old = fresh;
}

/* ---- answers ---- */

static void send_response(struct http_exchange *x, lt_slice der, const struct http_header *headers,
                          size_t count)
{
    const struct http_answer answer = {
        .status = 200, .content_type = TYPE, .headers = headers, .header_count = count, .body = der};
    http_exchange_answer(x, &answer);
}

static void send_uncached(struct http_exchange *x, lt_slice der)
{
    const struct http_header headers[] = {{"cache-control", "no-store"},
                                          {"x-content-type-options", "nosniff"}};
    send_response(x, der, headers, LT_COUNT(headers));
}

static void send_error(struct http_exchange *x, enum x509_ocsp_error error)
{
    uint8_t bytes[X509_OCSP_ERROR_LEN];
    x509_ocsp_error_write(error, bytes);
    send_uncached(x, LT_SLICE(bytes, sizeof bytes));
    lt_metric_add("lintel_ocsp_errors_total", 1);
}

/* RFC 5019 6.2: what a cache in between may do with it. */
static void send_signed(const struct gateway *g, struct http_exchange *x, const struct ca_ocsp_row *row,
                        lt_slice der)
{
    char modified[HTTP_DATE_SIZE];
    char expires[HTTP_DATE_SIZE];
    char cache[80];
    char etag[2 + 2 * 16 + 1];
    int64_t left_s = row->next_s - lt_time_seconds(g->now);
    http_date(lt_time_from_seconds(row->this_s), modified);
    http_date(lt_time_from_seconds(row->next_s), expires);
    (void)snprintf(cache, sizeof cache, "max-age=%lld, public, no-transform, must-revalidate",
                   (long long)(left_s < MAX_AGE_S ? (left_s > 0 ? left_s : 0) : MAX_AGE_S));
    size_t at = (size_t)snprintf(etag, sizeof etag, "\"");
    for (size_t i = 0; i < 16; i++) {
        at += (size_t)snprintf(etag + at, sizeof etag - at, "%02x", row->signature[0][16 + i]);
    }
    (void)snprintf(etag + at, sizeof etag - at, "\"");
    const struct http_header headers[] = {
        {"last-modified", modified},           {"expires", expires}, {"cache-control", cache}, {"etag", etag},
        {"x-content-type-options", "nosniff"},
    };
    send_response(x, der, headers, LT_COUNT(headers));
}

/* ---- never issued ---- */

static bool may_ask(struct gateway *g)
{
    if (g->now_ms - g->unknown_since_ms >= 1000) {
        g->unknown_since_ms = g->now_ms;
        g->unknown_count = 0;
    }
    return g->unknown_count++ < UNKNOWNS_A_SECOND && role_linked(g->kit, IPC_OCSP_SIGNER);
}

static void ask_unknown(struct gateway *g, struct http_exchange *x, const char *issuer,
                        const struct x509_ocsp_certid *id)
{
    struct gateway_slot *slot = http_exchange_user(x);
    Ipc__OcspUnknown q = IPC__OCSP_UNKNOWN__INIT;
    q.issuer = (char *)(uintptr_t)issuer; /* packed, not kept, as is the serial */
    q.hash = (uint32_t)id->hash;
    q.serial = (ProtobufCBinaryData){id->serial.len, (uint8_t *)(uintptr_t)id->serial.ptr};
    slot->unknown_id = ++g->generation * GATEWAY_SLOTS + (uint64_t)(slot - g->slots);
    slot->unknown_due_ms = g->now_ms + UNKNOWN_WAIT_MS;
    if (!may_ask(g) || lt_failed(role_send(g->kit, IPC_OCSP_SIGNER, ROLE_ANY, IPC_OCSP_UNKNOWN,
                                           slot->unknown_id, &q.base))) {
        slot->unknown_id = 0;
        send_error(x, X509_OCSP_TRY_LATER);
        return;
    }
    g->unknown_open++;
}

static void forget(struct gateway *g, struct gateway_slot *slot)
{
    slot->unknown_id = 0;
    g->unknown_open -= g->unknown_open > 0;
}

lt_res gateway_on_unknown(void *self, const struct ipc_msg *m)
{
    struct gateway *g = self;
    const Ipc__OcspUnknownSigned *a = (const Ipc__OcspUnknownSigned *)m->body;
    struct gateway_slot *slot = &g->slots[m->from.id % GATEWAY_SLOTS];
    if (slot->exchange == NULL || slot->unknown_id == 0 || slot->unknown_id != m->from.id) {
        return LT_OK; /* the client left, or waited too long */
    }
    forget(g, slot);
    if (a->ok) {
        send_uncached(slot->exchange, LT_SLICE(a->response.data, a->response.len));
    } else {
        send_error(slot->exchange, X509_OCSP_TRY_LATER);
    }
    return LT_OK;
}

void gateway_ocsp_forget(struct gateway *g, struct gateway_slot *slot)
{
    if (slot->unknown_id != 0) {
        forget(g, slot);
    }
}

/* The delta first: a base that is newer than it holds all that it says. */
static void refresh_both(struct gateway *g)
{
    if (g->ocsp_fd >= 0) {
        refresh(g, "delta", &g->ocsp_delta);
        refresh(g, "base", &g->ocsp_base);
    }
}

void gateway_ocsp_tick(struct gateway *g)
{
    refresh_both(g);
    for (size_t i = 0; g->unknown_open > 0 && i < GATEWAY_SLOTS; i++) {
        struct gateway_slot *slot = &g->slots[i];
        if (slot->exchange != NULL && slot->unknown_id != 0 && g->now_ms >= slot->unknown_due_ms) {
            forget(g, slot);
            send_error(slot->exchange, X509_OCSP_TRY_LATER);
        }
    }
}

/* ---- requests ---- */

/* The later of the two; a revocation is never undone, so it counts whatever the other says. */
static bool better(const struct ca_ocsp_row *a, const struct ca_ocsp_row *b)
{
    if ((a->status == X509_OCSP_REVOKED) != (b->status == X509_OCSP_REVOKED)) {
        return a->status == X509_OCSP_REVOKED;
    }
    return a->this_s >= b->this_s;
}

static lt_res find(const struct gateway *g, const struct x509_ocsp_certid *id, struct lt_buf *out,
                   struct ca_ocsp_row *ret_row)
{
    struct ca_ocsp_row changed;
    struct lt_buf other;
    lt_buf_init(&other, RESPONSE_MAX);
    lt_res r = ca_ocsp_map_answer(&g->ocsp_base.map, id, out, ret_row);
    if (g->ocsp_delta.bytes.len > 0 &&
        !lt_failed(ca_ocsp_map_answer(&g->ocsp_delta.map, id, &other, &changed)) &&
        (lt_failed(r) || better(&changed, ret_row))) {
        lt_buf_reset(out);
        lt_buf_add(out, lt_buf_slice(&other));
        *ret_row = changed;
        r = lt_buf_check(out);
    }
    lt_buf_done(&other);
    return r;
}

static void answer(struct gateway *g, struct http_exchange *x, const struct x509_ocsp_certid *id)
{
    struct ca_ocsp_row row;
    struct ca_ocsp_issuer issuer;
    struct lt_buf out;
    lt_buf_init(&out, RESPONSE_MAX);
    lt_res r = find(g, id, &out, &row);
    if (r.code ==
        LT_PEER_NOT_FOUND) { /* another gateway may have seen newer files already: none contradicts it */
        refresh_both(g);
        lt_buf_reset(&out);
        r = find(g, id, &out, &row);
    }
    if (r.code == LT_PEER_NOT_FOUND && ca_ocsp_map_issuer(&g->ocsp_base.map, row.issuer, &issuer)) {
        issuer.name[sizeof issuer.name - 1] = 0;
        ask_unknown(g, x, issuer.name, id);
    } else if (r.code == LT_PEER_UNSUPPORTED) {
        /*= RFC 5019 2.2.3 "unauthorized" — we know nothing of that issuer */
        send_error(x, X509_OCSP_UNAUTHORIZED);
    } else if (lt_failed(r)) {
        lt_log_error("an answer of OCSP");
        send_error(x, X509_OCSP_INTERNAL);
    } else if (row.next_s <= lt_time_seconds(g->now)) {
        send_error(x, X509_OCSP_TRY_LATER); /* nobody is helped by an answer that has ended */
    } else {
        send_signed(g, x, &row, lt_buf_slice(&out));
        lt_metric_add("lintel_ocsp_answers_total", 1);
    }
    lt_buf_done(&out);
}

static void take_request(struct gateway *g, struct http_exchange *x, lt_slice der)
{
    struct x509_ocsp_request q;
    lt_res r = x509_ocsp_request_parse(der, &q);
    if (g->ocsp_base.bytes.len == 0) {
        send_error(x, X509_OCSP_TRY_LATER);
    } else if (r.code == LT_PEER_UNSUPPORTED) {
        send_error(x, X509_OCSP_UNAUTHORIZED);
    } else if (lt_failed(r)) {
        send_error(x, X509_OCSP_MALFORMED);
    } else {
        answer(g, x, &q.certid); /* a nonce is not repeated: answers are signed ahead */
    }
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/*= RFC 6960 A.1 "GET {url}/{url-encoding of base-64 encoding of the DER encoding of the OCSPRequest}" */
static lt_res read_path(struct lt_arena *a, lt_slice path, lt_slice *ret_der)
{
    uint8_t *text = lt_arena_alloc(a, path.len + 1);
    size_t len = 0;
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the path is too long");
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '/' && len == 0) {
            continue; /* of a base URL that ends with one */
        }
        bool escaped = path.ptr[i] == '%' && i + 2 < path.len;
        int high = escaped ? hex(path.ptr[i + 1]) : 0;
        int low = escaped ? hex(path.ptr[i + 2]) : 0;
        LT_CHECK(high >= 0 && low >= 0, LT_PEER_MALFORMED, "a broken percent escape");
        text[len++] = escaped ? (uint8_t)(high << 4 | low) : path.ptr[i];
        i += escaped ? 2 : 0;
    }
    return lt_unbase64(a, LT_SLICE(text, len), ret_der);
}

static void serve_get(struct gateway *g, struct http_exchange *x)
{
    struct lt_arena a;
    lt_slice der;
    lt_slice path = lt_slice_sub(http_exchange_request(x)->path, strlen("/ocsp"), SIZE_MAX);
    lt_arena_init(&a, ARENA_MAX);
    if (path.len > PATH_MAX_LEN || lt_failed(read_path(&a, path, &der))) {
        send_error(x, X509_OCSP_MALFORMED);
    } else {
        take_request(g, x, der);
    }
    lt_arena_done(&a);
}

/*= CABF-BR 4.9.9 "OCSP responders operated by the CA SHALL support the HTTP GET method, as described in RFC
 * 6960 and/or RFC 5019." */
void gateway_serve_ocsp(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    if (lt_slice_eq_cstr(r->method, "GET") || lt_slice_eq_cstr(r->method, "HEAD")) {
        serve_get(g, x);
    } else if (!lt_slice_eq_cstr(r->method, "POST")) {
        const struct http_header allow[] = {{"allow", "GET, HEAD, POST"}};
        const struct http_answer refused = {.status = 405, .headers = allow, .header_count = 1};
        http_exchange_answer(x, &refused);
    } else if (!lt_slice_eq_nocase(http_request_field(r, "content-type"),
                                   LT_LIT("application/ocsp-request"))) {
        http_exchange_problem(x, 415, NULL, "a request of OCSP is application/ocsp-request", 0);
    } else {
        take_request(g, x, r->body);
    }
}
