/* What the courier does with a scan: whom it goes to, whom not, at what pace, and what it says of each. */
#include "../http/rig.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "role/courier_usage.h"

enum { SEEN_MAX = 64 };

struct seen {
    char name[64];
    uint32_t port;
    char outcome[24];
    char address[64];
    uint8_t sha256[32];
    size_t sha256_len;
    size_t serial_len;
};

struct bench {
    struct rig r;
    struct courier_usage *c;
    struct seen seen[SEEN_MAX];
    size_t count;
    size_t failures;
    int64_t scan;
    char folder[64];
    const char *resolver; /* NULL: the machine's */
};

static void told(void *self, const Ipc__UsageSeen *m)
{
    struct bench *b = self;
    b->scan = m->scan;
    b->failures += m->failed[0] != '\0';
    for (size_t i = 0; i < m->n_sights; i++) {
        const Ipc__UsageSight *s = m->sights[i];
        struct seen *to = &b->seen[b->count++];
        assert_true(b->count < SEEN_MAX);
        (void)snprintf(to->name, sizeof to->name, "%s", s->name);
        (void)snprintf(to->outcome, sizeof to->outcome, "%s", s->outcome);
        (void)snprintf(to->address, sizeof to->address, "%s", s->address);
        to->port = s->port;
        to->sha256_len = s->sha256.len;
        to->serial_len = s->serial.len;
        if (s->sha256.len == sizeof to->sha256) {
            memcpy(to->sha256, s->sha256.data, sizeof to->sha256);
        }
    }
}

static void write_targets(const struct bench *b, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/usage", b->folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s/usage/targets", b->folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

static void set_up(struct bench *b)
{
    *b = (struct bench){.count = 0};
    rig_init(&b->r, HTTP_LISTEN_TLS, NULL);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/lintel-test-usage-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    write_targets(b, "");
    assert_ok(courier_usage_new(b->r.base, b->folder, told, b, &b->c));
}

static void tear_down(struct bench *b)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/usage/targets", b->folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/usage", b->folder);
    (void)rmdir(path);
    (void)rmdir(b->folder);
    courier_usage_free(b->c);
    rig_done(&b->r);
}

static void look(struct bench *b, char **names, size_t count, uint32_t port, bool private_too)
{
    Ipc__UsageTarget targets[SEEN_MAX];
    Ipc__UsageTarget *list[SEEN_MAX];
    Ipc__UsageLook m = IPC__USAGE_LOOK__INIT;
    for (size_t i = 0; i < count; i++) {
        ipc__usage_target__init(&targets[i]);
        targets[i].name = names[i];
        targets[i].port = port;
        list[i] = &targets[i];
    }
    m.scan = 5;
    m.page = 3;
    m.rate = 200;
    m.concurrency = 8;
    m.timeout_ms = 2000;
    m.private_too = private_too;
    m.targets = list;
    m.n_targets = count;
    m.resolver = b->resolver == NULL ? m.resolver : (char *)(uintptr_t)b->resolver;
    courier_usage_look(b->c, &m);
}

static void wait_for(struct bench *b, size_t count)
{
    int64_t until_ms = lt_monotonic_ms() + 10000;
    courier_usage_tick(b->c);
    while (b->count < count && lt_monotonic_ms() < until_ms) {
        (void)event_base_loop(b->r.base, EVLOOP_ONCE);
        courier_usage_tick(b->c);
    }
    assert_int_equal(b->count, count);
    assert_int_equal(courier_usage_open(b->c), 0);
}

static const struct seen *of(const struct bench *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++) {
        if (strcmp(b->seen[i].name, name) == 0) {
            return &b->seen[i];
        }
    }
    fail_msg("nothing was said of %s", name);
    return NULL;
}

static char www[] = "com.example.www";
static char shop[] = "com.example.shop";
static char elsewhere[] = "com.example.elsewhere";
static char loopback[] = "127.0.0.1";
static char strange[] = "";

static void test_whom(void **state)
{
    (void)state;
    struct bench b;
    char text[200];
    set_up(&b);
    (void)snprintf(text, sizeof text,
                   "www.example.com 127.0.0.1:%d\nshop.example.com -\nelsewhere.example.com 127.0.0.1:1\n",
                   b.r.port);
    write_targets(&b, text);
    assert_ok(courier_usage_reload(b.c, b.folder));
    char *names[] = {www, shop, elsewhere, strange};
    look(&b, names, LT_COUNT(names), 443, false); /* targets may be of any network */
    wait_for(&b, 4);
    assert_int_equal(b.scan, 5);
    const struct seen *s = of(&b, www);
    uint8_t hash[32];
    unsigned len = 0;
    assert_string_equal(s->outcome, "served");
    assert_int_equal(s->port, 443); /* of the question */
    assert_string_equal(s->address, "127.0.0.1");
    assert_int_equal(X509_digest(SSL_CTX_get0_certificate(b.r.server_tls), EVP_sha256(), hash, &len), 1);
    assert_int_equal(s->sha256_len, sizeof hash);
    assert_memory_equal(s->sha256, hash, sizeof hash);
    assert_string_equal(of(&b, shop)->outcome, "skipped");
    assert_string_equal(of(&b, elsewhere)->outcome, "refused");
    assert_int_equal(of(&b, elsewhere)->sha256_len, 0);
    assert_string_equal(of(&b, strange)->outcome, "no-address");
    tear_down(&b);
}

static void test_private_networks(void **state)
{
    (void)state;
    struct bench b;
    char *names[] = {loopback};
    set_up(&b);
    look(&b, names, 1, (uint32_t)b.r.port, false);
    wait_for(&b, 1);
    assert_string_equal(b.seen[0].outcome, "not-allowed");
    look(&b, names, 1, (uint32_t)b.r.port, true);
    wait_for(&b, 2);
    assert_string_equal(b.seen[1].outcome, "served");
    tear_down(&b);
}

/* 200 a second, of which 20 may come at once: 40 take a tenth of a second more. */
static void test_pace(void **state)
{
    (void)state;
    struct bench b;
    char *names[40];
    set_up(&b);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        names[i] = loopback;
    }
    int64_t begun_ms = lt_monotonic_ms();
    look(&b, names, LT_COUNT(names), (uint32_t)b.r.port, true);
    assert_true(courier_usage_open(b.c) <= 4); /* to one address */
    wait_for(&b, LT_COUNT(names));
    assert_true(lt_monotonic_ms() - begun_ms >= 95);
    tear_down(&b);
}

static void test_stopped(void **state)
{
    (void)state;
    struct bench b;
    char *names[40];
    set_up(&b);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        names[i] = loopback;
    }
    look(&b, names, LT_COUNT(names), (uint32_t)b.r.port, true);
    size_t open = courier_usage_open(b.c);
    courier_usage_stop(b.c, 6); /* another scan */
    courier_usage_stop(b.c, 5);
    wait_for(&b, open);
    tear_down(&b);
}

/* A resolver that does not answer says nothing of names: a few are told so, many stop the scan. */
static void test_no_resolver(void **state)
{
    (void)state;
    struct bench b;
    char *names[40] = {www, shop};
    set_up(&b);
    b.resolver = "nonsense";
    look(&b, names, 2, (uint32_t)b.r.port, true);
    wait_for(&b, 2);
    assert_string_equal(of(&b, www)->outcome, "dns-failed");
    assert_string_equal(of(&b, shop)->outcome, "dns-failed");
    assert_int_equal(b.failures, 0);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        names[i] = www;
    }
    look(&b, names, LT_COUNT(names), (uint32_t)b.r.port, true);
    courier_usage_tick(b.c);
    assert_int_equal(b.failures, 1);
    assert_int_equal(b.scan, 5);
    assert_int_equal(b.count, 2); /* the others are looked at when it goes on */
    assert_int_equal(courier_usage_open(b.c), 0);
    b.resolver = NULL;
    names[0] = loopback;
    look(&b, names, 1, (uint32_t)b.r.port, true);
    wait_for(&b, 3);
    assert_string_equal(of(&b, loopback)->outcome, "served");
    tear_down(&b);
}

static void test_bad_targets(void **state)
{
    (void)state;
    struct bench b;
    struct courier_usage *fresh = NULL;
    char *names[] = {loopback};
    set_up(&b);
    assert_string_equal(courier_usage_broken(b.c), "");
    write_targets(&b, "www.example.com\n");
    assert_ok(courier_usage_reload(b.c, b.folder));
    assert_non_null(strstr(courier_usage_broken(b.c), "usage/targets:1:"));
    look(&b, names, 1, (uint32_t)b.r.port, true); /* nobody is gone to */
    assert_int_equal(b.count, 0);
    assert_int_equal(b.failures, 1);
    assert_int_equal(courier_usage_open(b.c), 0);
    assert_ok(courier_usage_new(b.r.base, b.folder, told, &b, &fresh));
    assert_non_null(strstr(courier_usage_broken(fresh), "usage/targets:1:"));
    courier_usage_free(fresh);
    write_targets(&b, "");
    assert_ok(courier_usage_reload(b.c, b.folder));
    look(&b, names, 1, (uint32_t)b.r.port, true);
    wait_for(&b, 1);
    assert_fails(courier_usage_reload(b.c, "/nonexistent"), LT_STATE_IO);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whom),        cmocka_unit_test(test_private_networks),
        cmocka_unit_test(test_pace),        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_bad_targets), cmocka_unit_test(test_no_resolver),
    };
    crypto_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
