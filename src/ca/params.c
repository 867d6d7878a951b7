/* A strict reader of canonical, flat JSON objects. */
#include "ca/params.h"

struct reader {
    lt_slice rest;
    bool bad; /* sticky */
};

static bool is_next(struct reader *r, uint8_t c)
{
    if (r->bad || r->rest.len == 0 || r->rest.ptr[0] != c) {
        return false;
    }
    r->rest = lt_slice_sub(r->rest, 1, r->rest.len);
    return true;
}

static void expect(struct reader *r, uint8_t c)
{
    if (!is_next(r, c)) {
        r->bad = true;
    }
}

static lt_slice string(struct reader *r)
{
    expect(r, '"');
    size_t len = r->bad ? 0 : lt_slice_find(r->rest, '"');
    lt_slice s = lt_slice_sub(r->rest, 0, len);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < 0x20 || s.ptr[i] >= 0x7f || s.ptr[i] == '\\') {
            r->bad = true;
        }
    }
    r->rest = lt_slice_sub(r->rest, len, r->rest.len);
    expect(r, '"');
    return s;
}

static void member(struct reader *r, struct ca_params *p)
{
    if (p->count == CA_PARAMS_KEYS_MAX) {
        r->bad = true;
        return;
    }
    lt_slice key = string(r);
    expect(r, ':');
    lt_slice value = string(r);
    bool sorted = p->count == 0 || lt_slice_cmp(p->list[p->count - 1].key, key) < 0;
    if (r->bad || key.len == 0 || !sorted) {
        r->bad = true;
        return;
    }
    p->list[p->count].key = key;
    p->list[p->count].value = value;
    p->count++;
}

lt_res ca_params_parse(lt_slice json, struct ca_params *ret_params)
{
    LT_CHECK(json.len <= CA_PARAMS_MAX, LT_PEER_TOO_LARGE, "parameters over %d bytes", CA_PARAMS_MAX);
    struct reader r = {.rest = json};
    struct ca_params p = {.count = 0};
    expect(&r, '{');
    if (!is_next(&r, '}')) {
        member(&r, &p);
        while (!r.bad && is_next(&r, ',')) {
            member(&r, &p);
        }
        expect(&r, '}');
    }
    LT_CHECK(!r.bad && r.rest.len == 0, LT_PEER_MALFORMED,
             "parameters are one JSON object of strings: keys sorted, no blanks, no escapes");
    *ret_params = p;
    return LT_OK;
}

lt_slice ca_params_get(const struct ca_params *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++) {
        if (lt_slice_eq_cstr(p->list[i].key, key)) {
            return p->list[i].value;
        }
    }
    return LT_SLICE(NULL, 0);
}
