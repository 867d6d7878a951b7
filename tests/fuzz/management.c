/* The management face of a test CA, as far as a notary reads it: a serial out of a path, or a certificate
 * with the renewal information that a test sets. Whatever the bytes, and whatever the reader says to them,
 * the gateway gets one answer, and keeps nothing under a name that is none.
 *
 * Input: one byte; then the serial, or the body of the POST (bit 0). Bit 1: the reader has no such
 * certificate; bit 2: what is behind the first NUL is its answer. */
#include <string.h>

#include "jose/json.h"
#include "role/notary_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_SIZE = 256 };

static struct {
    uint64_t query; /* id of the question to the reader; 0: none */
    unsigned answers;
    bool kept;
} seen;

static lt_res say(void *self, enum ipc_role to, enum ipc_type type, uint64_t id, const ProtobufCMessage *body)
{
    (void)self;
    if (type == IPC_QUERY) {
        const Ipc__Query *q = (const Ipc__Query *)(const void *)body;
        LT_ASSERT(to == IPC_READER && q->serial.len > 0 && q->serial.len <= 20);
        seen.query = id;
    }
    return LT_OK;
}

static lt_res reply(void *self, const struct ipc_addr *to, enum ipc_type type, const ProtobufCMessage *body)
{
    const Ipc__HttpResponse *r = (const Ipc__HttpResponse *)(const void *)body;
    (void)self;
    (void)to;
    LT_ASSERT(type == IPC_HTTP_RESPONSE && r->status >= 200);
    for (size_t i = 0; i < r->n_headers; i++) {
        const char *value = r->headers[i]->value;
        if (strcmp(r->headers[i]->name, "lintel-renewal-info") == 0) {
            LT_ASSERT(r->status == 200 && strchr(value, '.') != NULL);
            LT_ASSERT(strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
                      strlen(value));
            seen.kept = true;
        }
    }
    seen.answers++;
    return LT_OK;
}

static void ask(struct notary *n, uint8_t flags, lt_slice rest)
{
    char path[PATH_SIZE];
    char listener[] = "management";
    char get[] = "GET";
    char post[] = "POST";
    Ipc__HttpRequest q = IPC__HTTP_REQUEST__INIT;
    bool set = (flags & 1) != 0;
    lt_slice shown = lt_slice_sub(rest, 0, PATH_SIZE / 2);
    (void)snprintf(path, sizeof path, set ? "/set-renewal-info/" : "/cert-status-by-serial/%.*s",
                   LT_FMT(shown));
    q.method = set ? post : get;
    q.path = path;
    q.listener = listener;
    if (set) {
        q.body = (ProtobufCBinaryData){rest.len, (uint8_t *)(uintptr_t)rest.ptr}; /* only read */
    }
    const struct ipc_msg m = {
        .from = {.role = IPC_GATEWAY, .id = 1}, .type = IPC_HTTP_REQUEST, .body = &q.base};
    LT_ASSERT(!lt_failed(notary_http(n, &m)));
}

static void answer(struct notary *n, uint8_t flags, const char *json)
{
    static char type[] = "malformed";
    Ipc__QueryReply r = IPC__QUERY_REPLY__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    p.type = type;
    p.status = 404;
    r.problem = (flags & 2) != 0 ? &p : NULL;
    r.json = (char *)(uintptr_t)json; /* only read */
    const struct ipc_msg m = {
        .from = {.role = IPC_READER, .id = seen.query}, .type = IPC_QUERY_REPLY, .body = &r.base};
    lt_res done = notary_query_reply(n, &m);
    if (lt_failed(
            done)) { /* a reader that speaks no JSON is broken; the client is answered when time is up */
        LT_ASSERT(lt_class_of(done.code) == LT_CLASS_PEER);
        notary_tick(n, 1000000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 60000) {
        return 0;
    }
    const struct notary_options options = {
        .site = {.base_url = "https://ca.example", .terms_of_service = "", .website = ""}, .testing = true};
    const struct notary_ports ports = {.send = say, .reply = reply};
    struct notary *n = notary_new(&options, &ports);
    lt_slice rest = LT_SLICE(data + 1, size - 1);
    lt_slice body = lt_slice_sub(rest, 0, lt_slice_find(rest, 0));
    char json[4096] = "{\"serial\":\"0cf6\",\"status\":\"valid\",\"pem\":\"x\"}";
    if ((data[0] & 4) != 0 && body.len + 1 < rest.len) {
        lt_slice said = lt_slice_sub(rest, body.len + 1, sizeof json - 1);
        memcpy(json, said.ptr, said.len);
        json[said.len] = 0;
    }
    memset(&seen, 0, sizeof seen);
    notary_tick(n, 1000);
    ask(n, data[0], body);
    if (seen.query != 0) {
        answer(n, data[0], json);
    }
    LT_ASSERT(seen.answers == 1 && notary_in_flight(n) == 0);
    LT_ASSERT(!seen.kept || ((data[0] & 1) != 0 && (data[0] & 2) == 0));
    notary_free(n);
    return 0;
}
