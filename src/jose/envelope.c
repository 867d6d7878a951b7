/* A scanner over one fixed shape; the first surprise ends it. */
#include "jose/envelope.h"

struct scan {
    lt_slice body;
    size_t at;
    bool bad; /* sticky */
};

static void skip_blanks(struct scan *s)
{
    while (s->at < s->body.len) {
        uint8_t c = s->body.ptr[s->at];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            break;
        }
        s->at++;
    }
}

/* The byte that must come next, blanks before it aside. */
static void expect(struct scan *s, uint8_t byte)
{
    skip_blanks(s);
    s->bad = s->bad || s->at >= s->body.len || s->body.ptr[s->at] != byte;
    s->at += !s->bad;
}

static bool base64url_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A string of base64url characters, which holds for the three names as well. */
static lt_slice word(struct scan *s)
{
    expect(s, '"');
    size_t from = s->at;
    while (!s->bad && s->at < s->body.len && base64url_char(s->body.ptr[s->at])) {
        s->at++;
    }
    lt_slice text = s->bad ? (lt_slice){0} : LT_SLICE(&s->body.ptr[from], s->at - from);
    s->bad = s->bad || s->at >= s->body.len || s->body.ptr[s->at] != '"';
    s->at += !s->bad;
    return text;
}

static lt_slice *member(struct jws_envelope *e, lt_slice name)
{
    if (lt_slice_eq_cstr(name, "protected")) {
        return &e->protected;
    }
    if (lt_slice_eq_cstr(name, "payload")) {
        return &e->payload;
    }
    return lt_slice_eq_cstr(name, "signature") ? &e->signature : NULL;
}

bool jws_envelope_read(lt_slice body, struct jws_envelope *ret_envelope)
{
    enum { MEMBERS = 3 };
    struct scan s = {.body = body};
    struct jws_envelope e = {.protected = {NULL, 0}};
    expect(&s, '{');
    for (int i = 0; i < MEMBERS && !s.bad; i++) {
        lt_slice *value = member(&e, word(&s));
        expect(&s, ':');
        lt_slice text = word(&s);
        expect(&s, i + 1 < MEMBERS ? ',' : '}');
        s.bad = s.bad || value == NULL || value->ptr != NULL; /* a stranger, or the second of its name */
        if (!s.bad) {
            *value = text;
        }
    }
    skip_blanks(&s);
    if (s.bad || s.at != body.len) {
        return false;
    }
    *ret_envelope = e;
    return true;
}
