/* The load generator's name server: what is ours, what is not, and queries that are none. */
#include "check.h"

#include "cmd/bench.h"

/* A query: id 0x1234, RD; the name in wire form; type; class; with an OPT record or not. */
static size_t make_query(uint8_t *out, const char *name, unsigned type, unsigned class, bool edns)
{
    const uint8_t head[12] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, edns ? 1 : 0};
    size_t n = sizeof head;
    memcpy(out, head, sizeof head);
    while (*name != 0) {
        size_t len = strcspn(name, ".");
        out[n++] = (uint8_t)len;
        memcpy(out + n, name, len);
        n += len;
        name += len + (name[len] == '.' ? 1 : 0);
    }
    const uint8_t tail[5] = {0, (uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(class >> 8), (uint8_t) class};
    memcpy(out + n, tail, sizeof tail);
    n += sizeof tail;
    const uint8_t opt[11] = {0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 0};
    memcpy(out + n, opt, sizeof opt);
    return n + (edns ? sizeof opt : 0);
}

static void test_answers(void **state)
{
    (void)state;
    enum { A = 1, AAAA = 28, CAA = 257, IN = 1 };
    static const struct {
        const char *name;
        unsigned type;
        unsigned class;
        bool edns;
        unsigned code;
        unsigned answers;
        unsigned authority;
    } rows[] = {
        {"c1-x.example.com", A, IN, false, 0, 1, 0},
        {"C1-X.Example.COM", A, IN, true, 0, 1, 0},
        {"example.com", A, IN, true, 0, 1, 0},
        {"a.b.c.example.com", A, IN, true, 0, 1, 0},
        {"c1-x.example.com", AAAA, IN, true, 0, 0, 1},
        {"c1-x.example.com", CAA, IN, false, 0, 0, 1},
        {"example.org", A, IN, true, 5, 0, 0},
        {"notexample.com", A, IN, true, 5, 0, 0},
        {"com", A, IN, true, 5, 0, 0},
        {"", A, IN, true, 5, 0, 0},
        {"example.com", A, 3, true, 5, 0, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint8_t query[512];
        struct lt_buf out;
        lt_buf_init(&out, 512);
        size_t len = make_query(query, rows[i].name, rows[i].type, rows[i].class, rows[i].edns);
        assert_ok(bench_dns_answer(LT_SLICE(query, len), "example.com", &out));
        assert_true(out.ptr[0] == 0x12 && out.ptr[1] == 0x34);
        assert_int_equal(out.ptr[2] & 0x81, 0x81); /* an answer; RD as asked */
        assert_int_equal(out.ptr[3] & 0x0f, rows[i].code);
        assert_int_equal(out.ptr[7], rows[i].answers);
        assert_int_equal(out.ptr[9], rows[i].authority);
        assert_int_equal(out.ptr[11], rows[i].edns ? 1 : 0);
        size_t question = len - 12 - (rows[i].edns ? 11 : 0);
        assert_memory_equal(out.ptr + 12, query + 12, question); /* letter case included */
        size_t expected = 12 + question + rows[i].answers * 16 + rows[i].authority * 34 +
                          (rows[i].edns ? 11 : 0);
        assert_int_equal(out.len, expected);
        if (rows[i].answers > 0) {
            assert_memory_equal(out.ptr + 12 + question + 12, "\x7f\0\0\1", 4);
        }
        lt_buf_done(&out);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    uint8_t query[512];
    struct lt_buf out;
    size_t len = make_query(query, "c1.example.com", 1, 1, false);
    lt_buf_init(&out, 512);
    for (size_t cut = 0; cut < len; cut++) {
        assert_fails(bench_dns_answer(LT_SLICE(query, cut), "example.com", &out), LT_PEER_MALFORMED);
    }
    query[2] |= 0x80; /* an answer is no question: two of these would talk for ever */
    assert_fails(bench_dns_answer(LT_SLICE(query, len), "example.com", &out), LT_PEER_MALFORMED);
    query[2] = 1;
    query[5] = 2; /* two questions */
    assert_fails(bench_dns_answer(LT_SLICE(query, len), "example.com", &out), LT_PEER_MALFORMED);
    query[5] = 1;
    query[12] = 0xc0; /* a pointer in the question */
    assert_fails(bench_dns_answer(LT_SLICE(query, len), "example.com", &out), LT_PEER_MALFORMED);
    query[12] = 2;
    query[2] = 0x28; /* another operation */
    lt_buf_reset(&out);
    assert_ok(bench_dns_answer(LT_SLICE(query, len), "example.com", &out));
    assert_int_equal(out.ptr[3] & 0x0f, 4);
    lt_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
