#ifndef TESTS_UNIT_ROLE_NOTARY_RIG_H
#define TESTS_UNIT_ROLE_NOTARY_RIG_H
/* A notary without its process: the test is its gateway, registrar and reader, and keeps everything it says.
 */
#include "check.h"

#include "http.pb-c.h"
#include "jose/json.h"
#include "role/notary_core.h"

#define BASE "https://ca.example"
#define KID BASE "/acme/account/12"

/* Everything the notary said, oldest first. */
enum { SAID_MAX = 600 };
struct said {
    enum ipc_role to;
    enum ipc_type type;
    uint64_t id;
    ProtobufCMessage *body;
};
extern struct said said[SAID_MAX];
extern size_t said_count;
extern size_t said_read;
extern bool registrar_is_there;
extern bool rig_testing; /* set_up makes the notary of a test CA */
extern struct notary *notary;
extern struct lt_arena arena;
extern struct crypto_key *account_key;
extern struct crypto_key *other_key;

struct ask {
    const char *method;
    const char *path;
    const char *query;
    const char *listener;
    const char *content_type;
    lt_slice body;
    bool has_peer;
    uint32_t uid;
};

const struct said *heard(enum ipc_type type);
void heard_nothing(void);
void tell(enum ipc_role from, enum ipc_type type, uint64_t id, const ProtobufCMessage *body,
          lt_res (*handle)(struct notary *n, const struct ipc_msg *m));
void grant_nonces(size_t count);
int set_up(void **state);
int tear_down(void **state);
int make_keys(void **state);
int drop_keys(void **state);
void send_http(const struct ask *a);
/* The same, with whatever else a gateway may say. */
void send_request(const Ipc__HttpRequest *r);
lt_slice sign_for(struct crypto_key *key, const char *kid, const char *url, const char *payload);
void post(const char *path, lt_slice body);
void post_signed(struct crypto_key *key, const char *path, const char *payload);
const Ipc__HttpResponse *answered(uint32_t status);
const char *header(const Ipc__HttpResponse *r, const char *name);
void refused(uint32_t status, const char *type);
void answer_key(const struct said *lookup, struct crypto_key *key, const char *status);
void answer_call(const struct said *call, const char *problem);
void forget_said(void);

#define TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)

#endif
