/* Notices to machines: a real server takes one, refuses others; and where the courier does not go. */
#include "../http/rig.h"

#include <stdio.h>
#include <string.h>

#include "role/courier_hook.h"

struct bench {
    struct rig r;
    struct courier_hook *h;
    size_t count;
    bool accepted;
    bool final;
    char said[256];
};

static void told(void *self, const Ipc__HookSent *m)
{
    struct bench *b = self;
    b->count++;
    b->accepted = m->accepted;
    b->final = m->final;
    (void)snprintf(b->said, sizeof b->said, "%s", m->said);
    assert_int_equal(m->notice_id, 17);
    assert_int_equal(m->attempt, 3);
}

static void set_up(struct bench *b)
{
    *b = (struct bench){.count = 0};
    rig_init(&b->r, HTTP_LISTEN_PLAIN, NULL);
    assert_ok(courier_hook_new(b->r.base, told, b, &b->h));
}

static void tear_down(struct bench *b)
{
    courier_hook_free(b->h);
    rig_done(&b->r);
}

static void send_to(struct bench *b, const char *url, bool allow_private)
{
    static char message[] = "notice-17.0a";
    static char signature[] = "v1,AAAA";
    static uint8_t body[] = "{\"type\":\"message\"}";
    Ipc__HookSend m = IPC__HOOK_SEND__INIT;
    size_t before = b->count;
    m.notice_id = 17;
    m.attempt = 3;
    m.url = (char *)(uintptr_t)url; /* only read */
    m.message = message;
    m.signature = signature;
    m.timestamp_s = 1795000000;
    m.body = (ProtobufCBinaryData){sizeof body - 1, body};
    m.allow_private = allow_private;
    courier_hook_send(b->h, &m);
    for (size_t i = 0; i < 500 && b->count == before; i++) {
        courier_hook_tick(b->h);
        rig_wait(&b->r, 10);
        struct timespec t = {.tv_nsec = 2000000};
        (void)nanosleep(&t, NULL);
    }
    assert_int_equal(b->count, before + 1);
    assert_int_equal(courier_hook_open(b->h), 0);
}

static void test_taken(void **state)
{
    struct bench b;
    char url[64];
    (void)state;
    set_up(&b);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/hook", b.r.port);
    send_to(&b, url, true);
    assert_true(b.accepted);
    assert_string_equal(b.said, "127.0.0.1: status 200");
    assert_string_equal(b.r.last_path, "/hook");
    assert_memory_equal(b.r.last_body, "{\"type\":\"message\"}", b.r.last_body_len);
    tear_down(&b);
}

static void test_not_there(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b);
    send_to(&b, "http://127.0.0.1:1/", true);
    assert_false(b.accepted || b.final);
    tear_down(&b);
}

/* For good: where we do not go, however often it is tried. */
static void test_where_it_does_not_go(void **state)
{
    static const char *const bad[] = {
        "https://127.0.0.1/",   "https://127.0.0.1:14000/",
        "https://[::1]/",       "https://10.0.0.1/",
        "https://192.168.1.1/", "https://169.254.169.254/",
        "https://localhost/",   "http://127.0.0.1/",
        "http://192.0.2.1/",    "ftp://127.0.0.1/",
        "file:///etc/passwd",   "https://",
        "https:///x",           "",

    };
    struct bench b;
    (void)state;
    set_up(&b);
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        send_to(&b, bad[i], false);
        if (b.accepted || !b.final) {
            fail_msg("%s: accepted=%d final=%d %s", bad[i], b.accepted, b.final, b.said);
        }
    }
    assert_int_equal(b.r.requests, 0);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_where_it_does_not_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
