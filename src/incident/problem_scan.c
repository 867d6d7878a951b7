/* See problem_scan.h. */
#include "incident/problem_scan.h"

#include <string.h>

enum {
    BEFORE_MAX = 48, /* how far back a word says what a number is */
    SERIAL_LEAST = 16,
    SERIAL_MOST = 40,
    HASH_DIGITS = 64,
    NAME_MOST = 253,
    CLAUSE_MOST = 40,
    HOLLOW_LETTERS = 40,
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_hex(uint8_t c)
{
    c = lower(c);
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    c = lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c >= 0x80;
}

static uint8_t at(lt_slice t, size_t i)
{
    return i < t.len ? t.ptr[i] : 0;
}

static bool here(lt_slice t, size_t i, const char *word)
{
    size_t n = strlen(word);
    if (i > t.len || t.len - i < n) {
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        if (lower(t.ptr[i + k]) != (uint8_t)word[k]) {
            return false;
        }
    }
    return true;
}

/* Is the word within some letters before that place? */
static bool before(lt_slice t, size_t i, const char *word)
{
    size_t from = i > BEFORE_MAX ? i - BEFORE_MAX : 0;
    for (size_t k = from; k < i; k++) {
        if (here(t, k, word)) {
            return true;
        }
    }
    return false;
}

lt_res incident_scan_add(struct incident_scan *s, struct lt_arena *a, const char *kind, lt_slice value)
{
    bool name = strcmp(kind, "name") == 0;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->list[i].kind, kind) == 0 && lt_slice_eq_cstr(value, s->list[i].value)) {
            return LT_OK;
        }
    }
    if (s->count == INCIDENT_SCAN_MAX || (name && s->names == INCIDENT_SCAN_NAMES_MAX)) {
        return LT_OK; /* the rest is in the text */
    }
    char *copy = lt_arena_cstr(a, value);
    LT_CHECK(copy != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    s->list[s->count++] = (struct incident_found){kind, copy};
    s->names += name;
    return LT_OK;
}

/* ---- numbers ---- */

/* Digits with colons or without; *ret_end: behind them. */
static size_t hex_run(lt_slice t, size_t i, uint8_t out[HASH_DIGITS + 1], size_t *ret_end)
{
    size_t n = 0;
    bool colons = is_hex(at(t, i)) && is_hex(at(t, i + 1)) && at(t, i + 2) == ':';
    while (is_hex(at(t, i)) && n <= HASH_DIGITS) {
        out[n > HASH_DIGITS ? HASH_DIGITS : n] = lower(at(t, i));
        n++;
        i++;
        if (colons && n % 2 == 0 && at(t, i) == ':' && is_hex(at(t, i + 1))) {
            i++;
        }
    }
    *ret_end = i;
    return n;
}

static lt_res take_hex(lt_slice t, size_t i, struct lt_arena *a, struct incident_scan *s, size_t *ret_end)
{
    uint8_t digits[HASH_DIGITS + 1];
    size_t end = i;
    size_t n = hex_run(t, i, digits, &end);
    lt_slice value = LT_SLICE(digits, n);
    bool colons = end - i > n;
    *ret_end = end;
    if (n > HASH_DIGITS || is_word(at(t, end))) { /* a longer word: pass it over whole */
        while (is_word(at(t, *ret_end))) {
            (*ret_end)++;
        }
        return LT_OK;
    }
    if (n == HASH_DIGITS) {
        bool key = before(t, i, "spki") || before(t, i, "pubkey") || before(t, i, "key hash");
        return incident_scan_add(s, a, key ? "spki" : "sha256", value);
    }
    bool said = before(t, i, "serial");
    bool long_enough = said ? n >= 4 : n >= 2 * SERIAL_LEAST || (colons && n >= SERIAL_LEAST);
    if (n % 2 != 0 && said && n < SERIAL_MOST) {
        memmove(digits + 1, digits, n); /* leading zero left out */
        digits[0] = '0';
        value = LT_SLICE(digits, ++n);
    }
    return long_enough && n <= SERIAL_MOST && n % 2 == 0 ? incident_scan_add(s, a, "serial", value) : LT_OK;
}

/* crt.sh/?id=123, ?q=HEX, ?sha256=HEX, ?serial=HEX, ?spkisha256=HEX */
static lt_res take_crtsh(lt_slice t, size_t i, struct lt_arena *a, struct incident_scan *s, size_t *ret_end)
{
    static const struct {
        const char *word;
        const char *kind;
    } rows[] = {{"crt.sh/?id=", "crtsh"},
                {"crt.sh/?q=", "sha256"},
                {"crt.sh/?sha256=", "sha256"},
                {"crt.sh/?serial=", "serial"},
                {"crt.sh/?spkisha256=", "spki"}};
    *ret_end = i + strlen("crt.sh");
    for (size_t r = 0; r < LT_COUNT(rows); r++) {
        if (!here(t, i, rows[r].word)) {
            continue;
        }
        size_t from = i + strlen(rows[r].word);
        uint8_t digits[HASH_DIGITS + 1];
        size_t n = hex_run(t, from, digits, ret_end);
        const char *kind = strcmp(rows[r].kind, "sha256") == 0 && n != HASH_DIGITS
                               ? (n >= 2 * SERIAL_LEAST ? "serial" : "crtsh")
                               : rows[r].kind;
        return n > 0 && n <= HASH_DIGITS ? incident_scan_add(s, a, kind, LT_SLICE(digits, n)) : LT_OK;
    }
    return LT_OK;
}

/* ---- names ---- */

static bool is_label(uint8_t c)
{
    c = lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
}

/* Names of files look like names. */
static bool is_top(lt_slice label)
{
    static const char *const files[] = {"txt", "pem", "crt", "cer", "der",  "key",  "csr", "pdf", "png",
                                        "jpg", "zip", "eml", "log", "html", "json", "c",   "h",   "py"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        if (lt_slice_eq_cstr(label, files[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < label.len; i++) {
        if (is_digit(label.ptr[i])) {
            return label.len > 4 && memcmp(label.ptr, "xn--", 4) == 0;
        }
    }
    return label.len >= 2 && label.len <= 24;
}

static lt_res take_name(lt_slice t, size_t i, struct lt_arena *a, struct incident_scan *s, size_t *ret_end)
{
    uint8_t name[NAME_MOST];
    size_t n = 0;
    size_t top = 0;
    size_t end = i;
    while (n < sizeof name && (is_label(at(t, end)) || (at(t, end) == '.' && is_label(at(t, end + 1))))) {
        top = at(t, end) == '.' ? n + 1 : top;
        name[n++] = lower(at(t, end++));
    }
    *ret_end = end > i ? end : i + 1;
    bool mail = at(t, end) == '@' || (i > 0 && t.ptr[i - 1] == '@');
    if (top == 0 || mail || n == sizeof name || name[0] == '-' || !is_top(LT_SLICE(name + top, n - top))) {
        return LT_OK;
    }
    static const char *const ours[] = {"crt.sh", "www.w3.org", "bugzilla.mozilla.org", "cabforum.org"};
    for (size_t k = 0; k < LT_COUNT(ours); k++) {
        if (lt_slice_eq_cstr(LT_SLICE(name, n), ours[k])) {
            return LT_OK;
        }
    }
    return incident_scan_add(s, a, "name", LT_SLICE(name, n));
}

/* ---- clauses ---- */

static const struct {
    const char *word; /* lower case */
    const char *document;
} documents[] = {
    {"baseline requirements", "CABF-BR"},
    {"cabf-br", "CABF-BR"},
    {"tls br", "CABF-BR"},
    {"brs", "CABF-BR"},
    {"br", "CABF-BR"},
    {"evg", "CABF-EVG"},
    {"cabf-evg", "CABF-EVG"},
    {"mrsp", "MRSP"},
    {"rfc 5280", "RFC 5280"},
    {"rfc5280", "RFC 5280"},
    {"rfc 8659", "RFC 8659"},
};

/* "BR 7.1.2.7.6", "BRs section 4.9.1.1", "RFC 5280, 4.2.1.6". */
static lt_res take_clause(lt_slice t, size_t i, struct lt_arena *a, struct incident_scan *s, bool *ret_taken)
{
    *ret_taken = false;
    for (size_t r = 0; r < LT_COUNT(documents); r++) {
        size_t k = i + strlen(documents[r].word);
        if (!here(t, i, documents[r].word) || is_word(at(t, k))) {
            continue;
        }
        for (size_t skip = 0; skip < 24 && k < t.len && !is_digit(t.ptr[k]); skip++) {
            k++;
        }
        size_t from = k;
        size_t dots = 0;
        while (is_digit(at(t, k)) || (at(t, k) == '.' && is_digit(at(t, k + 1)))) {
            dots += at(t, k++) == '.';
        }
        if (dots < 1 || dots > 6 || k - from > CLAUSE_MOST) {
            return LT_OK;
        }
        char *text = lt_arena_printf(a, "%s %.*s", documents[r].document, (int)(k - from),
                                     (const char *)t.ptr + from);
        LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
        *ret_taken = true;
        return incident_scan_add(s, a, "clause", lt_slice_cstr(text));
    }
    return LT_OK;
}

/* ---- all of it ---- */

static size_t words_here(lt_slice t, size_t i, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (here(t, i, *words)) {
            return 1;
        }
    }
    return 0;
}

static lt_res take_probe(lt_slice t, size_t i, struct lt_arena *a, struct incident_scan *s)
{
    size_t n = 0;
    size_t from = i + strlen("lintel-probe:");
    while (n < INCIDENT_PROBE_LEN && is_word(at(t, from + n)) && at(t, from + n) < 0x80) {
        n++;
    }
    if (n == INCIDENT_PROBE_LEN && s->probe == NULL) {
        s->probe = lt_arena_cstr(a, lt_slice_sub(t, from, n));
        LT_CHECK(s->probe != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    }
    return LT_OK;
}

/* At the first letter of a word; *ret_next: where to go on. */
static lt_res take_word(lt_slice t, size_t i, struct lt_arena *a, struct incident_scan *s, size_t *ret_next)
{
    static const char *const takedown[] = {"phish",   "take down",   "takedown",  "take-down",
                                           "dmca",    "copyright",   "trademark", "malware",
                                           "infring", "counterfeit", NULL};
    static const char *const trouble[] = {"compromis", "misissu", "mis-issu",  "revok", "private key",
                                          "serial",    "caa",     "unauthori", NULL};
    size_t end = i;
    bool taken = false;
    s->takedown += words_here(t, i, takedown);
    s->trouble += words_here(t, i, trouble);
    if (here(t, i, "lintel-probe:")) {
        LT_TRY(take_probe(t, i, a, s));
    }
    if (here(t, i, "crt.sh/")) {
        return take_crtsh(t, i, a, s, ret_next);
    }
    LT_TRY(take_clause(t, i, a, s, &taken));
    if (is_hex(t.ptr[i])) {
        uint8_t digits[HASH_DIGITS + 1];
        if (hex_run(t, i, digits, &end) >= 4 && !is_word(at(t, end)) &&
            !(at(t, end) == '.' && is_word(at(t, end + 1)))) {
            return take_hex(t, i, a, s, ret_next);
        }
    }
    return take_name(t, i, a, s, ret_next);
}

/* Base64 between PEM lines is no text. *open: there is no end any more, and it is not looked for again. */
static size_t behind_pem(lt_slice t, size_t i, bool *open)
{
    static const char end[] = "-----end ";
    for (size_t k = i; k < t.len && !*open; k++) {
        if (t.ptr[k] == '-' && here(t, k, end)) {
            return k + sizeof end - 1;
        }
    }
    *open = true;
    return i + 1;
}

lt_res incident_scan_text(lt_slice text, struct lt_arena *a, struct incident_scan *s)
{
    bool inside = false; /* of a word */
    bool open = false;
    for (size_t i = 0; i < text.len;) {
        if (text.ptr[i] == '-' && here(text, i, "-----begin ")) {
            i = behind_pem(text, i, &open);
            inside = false;
        } else if (!is_word(text.ptr[i]) || inside) {
            s->letters += is_word(text.ptr[i]);
            inside = is_word(text.ptr[i]);
            i++;
        } else {
            size_t next = i + 1;
            LT_TRY(take_word(text, i, a, s, &next));
            s->letters += next > i ? next - i : 1;
            i = next > i ? next : i + 1;
            inside = is_word(at(text, i)) && is_word(at(text, i - 1));
        }
    }
    return LT_OK;
}

static size_t certificates(const struct incident_scan *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        n += strcmp(s->list[i].kind, "name") != 0;
    }
    return n;
}

bool incident_scan_takedown(const struct incident_scan *s)
{
    return s->takedown > 0 && s->trouble == 0 && certificates(s) == 0;
}

bool incident_scan_hollow(const struct incident_scan *s)
{
    return s->count == 0 && s->trouble == 0 && (s->letters < HOLLOW_LETTERS || s->takedown == 0);
}

/* ---- clean ---- */

/* Length of the character there; 0: it is no UTF-8. */
static size_t utf8_len(lt_slice t, size_t i)
{
    uint8_t c = t.ptr[i];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : c >= 0xe0 && c < 0xf0 ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;
    for (size_t k = 1; k < n; k++) {
        if ((at(t, i + k) & 0xc0) != 0x80 || i + k >= t.len) {
            return 0;
        }
    }
    bool long_form = (c == 0xe0 && at(t, i + 1) < 0xa0) || (c == 0xf0 && at(t, i + 1) < 0x90);
    bool outside = (c == 0xed && at(t, i + 1) >= 0xa0) || (c == 0xf4 && at(t, i + 1) >= 0x90);
    bool control = c == 0xc2 && at(t, i + 1) < 0xa0;
    return long_form || outside || control ? 0 : n;
}

lt_res incident_scan_clean(lt_slice text, size_t most, struct lt_arena *a, lt_slice *ret_text)
{
    size_t room = text.len * 2 + 4 < most ? text.len * 2 + 4 : most;
    uint8_t *out = lt_arena_alloc(a, room + 4);
    size_t n = 0;
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    for (size_t i = 0; i < text.len && n + 4 <= room;) {
        uint8_t c = text.ptr[i];
        size_t len = utf8_len(text, i);
        if (c < 0x20 || c == 0x7f) {
            bool kept = c == '\n' || c == '\t';
            if (kept) {
                out[n++] = c;
            }
            i++;
        } else if (len > 0) {
            memcpy(out + n, text.ptr + i, len);
            n += len;
            i += len;
        } else {
            if (c >= 0xa0) {
                out[n++] = (uint8_t)(0xc0 | (c >> 6));
                out[n++] = (uint8_t)(0x80 | (c & 0x3f));
            }
            i++;
        }
    }
    *ret_text = LT_SLICE(out, n);
    return LT_OK;
}
