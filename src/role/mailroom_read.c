/* See mailroom_read.h. */
#include "role/mailroom_read.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "incident/notice_dsn.h"
#include "incident/problem_scan.h"
#include "incident/proof.h"
#include "role/mailroom_text.h"

enum {
    KEPT_MAX = 30 * 1024 * 1024,
    SCAN_MAX = 2 * 1024 * 1024, /* of one part */
    HEAD_MAX = 300,             /* bytes of one line of a letter's head that are told */
    REFERENCES_MAX = 20,
    HEADERS_MAX = 500,
    DEPTH_MAX = 20,
    ADDRESS_MAX = 320,
    DECODED_MAX = 40 * 1024 * 1024, /* of all parts together */
    DER_HEAD = 4,
    BOUNDARIES_MAX = 500,
    SEPARATORS_MAX = 50000,
};

struct look {
    struct lt_arena *a;
    Ipc__MailroomRead *m;
    struct incident_scan scan;
    struct incident_proofs *proofs;
    struct lt_buf kept; /* all parts, without private keys */
    lt_slice html;      /* the first, where there is no plain text */
    size_t decoded;
    size_t part;
};

void mailroom_start(void)
{
    g_mime_init();
}

static lt_res copy(struct look *l, lt_slice text, size_t most, char **ret_text)
{
    lt_slice clean;
    LT_TRY(incident_scan_clean(text, most, l->a, &clean));
    *ret_text = lt_arena_cstr(l->a, clean);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    return LT_OK;
}

/* Looked through for proofs; *ret_clean is the part without the private keys in it. */
static lt_res look_for_proofs(struct look *l, lt_slice bytes, lt_slice *ret_clean)
{
    size_t first = l->proofs->count;
    struct lt_buf out;
    LT_TRY(incident_proof_look(bytes, l->a, l->proofs));
    lt_buf_init(&out, KEPT_MAX);
    incident_proof_redact(bytes, l->proofs, first, &out);
    *ret_clean = out.overflow ? (lt_slice){0} : lt_arena_copy(l->a, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_CHECK(ret_clean->ptr != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    return LT_OK;
}

/* A line of a head is written into rows, events and letters: whoever pastes a key into a subject has sent it
 * all the same. */
static lt_res line(struct look *l, const char *text, char **ret_text)
{
    char *out = NULL;
    lt_slice clean;
    LT_TRY(look_for_proofs(l, lt_slice_cstr(text == NULL ? "" : text), &clean));
    LT_TRY(copy(l, clean, HEAD_MAX, &out));
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '\n' || *c == '\t' ? ' ' : *c;
    }
    *ret_text = out;
    return LT_OK;
}

/* ---- one part ---- */

/* What is a certificate, or may be one, is meant by its hash. */
static lt_res hash_item(struct look *l, lt_slice bytes, lt_slice hash)
{
    bool der = bytes.len > DER_HEAD && bytes.ptr[0] == 0x30 && bytes.ptr[1] == 0x82 &&
               ((size_t)bytes.ptr[2] << 8 | bytes.ptr[3]) + DER_HEAD == bytes.len;
    char *hex = der ? lt_hex(l->a, hash) : NULL;
    LT_CHECK(!der || hex != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    return der ? incident_scan_add(&l->scan, l->a, "sha256", lt_slice_cstr(hex)) : LT_OK;
}

static lt_res pem_items(struct look *l, lt_slice text)
{
    for (size_t i = 0; i < INCIDENT_SCAN_MAX; i++) {
        uint8_t hash[CRYPTO_SHA256_LEN];
        lt_slice label;
        lt_slice der;
        lt_res r = lt_pem_next(l->a, &text, &label, &der);
        if (r.code == LT_PEER_TOO_LARGE) {
            return r;
        }
        if (lt_failed(r)) {
            return LT_OK;
        }
        if (lt_slice_eq_cstr(label, "CERTIFICATE")) {
            crypto_sha256(der, hash);
            LT_TRY(hash_item(l, der, LT_SLICE(hash, sizeof hash)));
        }
    }
    return LT_OK;
}

static lt_res add_file(struct look *l, const char *name, const char *type, lt_slice bytes)
{
    Ipc__MailroomFile *f = LT_NEW(l->a, Ipc__MailroomFile);
    uint8_t *hash = lt_arena_alloc(l->a, CRYPTO_SHA256_LEN);
    LT_CHECK(f != NULL && hash != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    ipc__mailroom_file__init(f);
    LT_TRY(line(l, name, &f->name));
    LT_TRY(line(l, type, &f->type));
    crypto_sha256(bytes, hash);
    f->bytes = bytes.len;
    f->sha256 = (ProtobufCBinaryData){CRYPTO_SHA256_LEN, hash};
    l->m->files[l->m->n_files++] = f;
    return hash_item(l, bytes, LT_SLICE(hash, CRYPTO_SHA256_LEN));
}

static lt_res take_text(struct look *l, lt_slice text, bool html)
{
    lt_slice seen = lt_slice_sub(text, 0, SCAN_MAX);
    LT_TRY(incident_scan_text(seen, l->a, &l->scan));
    LT_TRY(pem_items(l, seen));
    if (l->m->text[0] != '\0' || html) {
        l->html = html && l->html.len == 0 ? seen : l->html;
        return LT_OK;
    }
    l->m->cut = seen.len > MAILROOM_TEXT_MAX;
    return copy(l, seen, MAILROOM_TEXT_MAX, &l->m->text);
}

static void keep(struct look *l, const char *name, const char *type, lt_slice bytes, lt_slice clean)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(bytes, hash);
    lt_buf_addf(&l->kept, "\n--- part %zu, %.100s, %.100s, %zu bytes, SHA-256 ", ++l->part, type, name,
                bytes.len);
    lt_hex_add(&l->kept, LT_SLICE(hash, sizeof hash));
    lt_buf_add_cstr(&l->kept, " ---\n");
    lt_buf_add(&l->kept, clean);
}

struct part {
    const char *name; /* of a file; "" */
    const char *type;
    bool text;
    bool html;
};

static lt_res take_part(struct look *l, const struct part *p, lt_slice bytes)
{
    lt_slice clean;
    lt_slice text;
    lt_slice kept;
    size_t first = l->proofs->count;
    LT_TRY(mailroom_text_utf16(bytes, l->a, &text));
    lt_slice seen = text;
    LT_TRY(p->html ? mailroom_text_html(text, l->a, &seen) : LT_OK);
    LT_TRY(look_for_proofs(l, seen, &clean));
    kept = clean;
    if (p->html && l->proofs->count == first) { /* not where its reader would see it */
        LT_TRY(look_for_proofs(l, text, &kept));
    }
    keep(l, p->name, p->type, bytes, kept);
    if (p->name[0] != '\0' || !p->text) {
        LT_TRY(add_file(l, p->name, p->type, bytes));
    }
    return p->text ? take_text(l, clean, p->html) : LT_OK;
}

/* ---- a letter ---- */

static lt_res take_leaf(struct look *l, GMimePart *leaf)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(leaf));
    GMimeDataWrapper *content = g_mime_part_get_content(leaf);
    const char *name = g_mime_part_get_filename(leaf);
    char *mime = type == NULL ? NULL : g_mime_content_type_get_mime_type(type);
    GByteArray *decoded = g_byte_array_new();
    GMimeStream *out = g_mime_stream_mem_new_with_byte_array(decoded); /* owns it */
    bool whole = content == NULL || g_mime_data_wrapper_write_to_stream(content, out) >= 0;
    const struct part p = {
        .name = name == NULL ? "" : name,
        .type = mime == NULL ? "" : mime,
        .text = type != NULL && g_mime_content_type_is_type(type, "text", "*"),
        .html = type != NULL && g_mime_content_type_is_type(type, "text", "html"),
    };
    lt_res r = LT_OK;
    l->decoded += decoded->len;
    if (whole && l->decoded <= DECODED_MAX) {
        lt_slice bytes = lt_arena_copy(l->a, LT_SLICE(decoded->data, decoded->len));
        r = bytes.ptr == NULL ? (lt_res){LT_PEER_TOO_LARGE} : take_part(l, &p, bytes);
    }
    g_object_unref(out);
    g_free(mime);
    return r;
}

static lt_res take_parts(struct look *l, GMimeMessage *message)
{
    GMimePartIter *i = g_mime_part_iter_new(GMIME_OBJECT(message));
    lt_res r = LT_OK;
    size_t count = 0;
    bool more = g_mime_part_iter_is_valid(i);
    while (more && !lt_failed(r) && count < MAILROOM_PARTS_MAX) {
        GMimeObject *part = g_mime_part_iter_get_current(i);
        if (part != NULL && GMIME_IS_PART(part)) {
            r = take_leaf(l, GMIME_PART(part));
            count++;
        }
        more = g_mime_part_iter_next(i);
    }
    g_mime_part_iter_free(i);
    return r;
}

/* What no reader of mail shows: looked through for proofs, and said nowhere. */
static lt_res take_aside(struct look *l, const char *what, const char *text)
{
    size_t before = l->proofs->count;
    lt_slice clean;
    if (text == NULL) {
        return LT_OK;
    }
    LT_TRY(look_for_proofs(l, lt_slice_cstr(text), &clean));
    if (l->proofs->count > before) {
        keep(l, "", what, lt_slice_cstr(text), clean);
    }
    return LT_OK;
}

/* Before the first part of a multipart, and behind the last. */
static lt_res take_around(struct look *l, GMimeObject *o, int depth)
{
    if (depth > DEPTH_MAX || !GMIME_IS_MULTIPART(o)) {
        return LT_OK;
    }
    GMimeMultipart *m = GMIME_MULTIPART(o);
    LT_TRY(take_aside(l, "preamble", g_mime_multipart_get_prologue(m)));
    LT_TRY(take_aside(l, "epilogue", g_mime_multipart_get_epilogue(m)));
    for (int i = 0; i < g_mime_multipart_get_count(m) && i < MAILROOM_PARTS_MAX; i++) {
        LT_TRY(take_around(l, g_mime_multipart_get_part(m, i), depth + 1));
    }
    return LT_OK;
}

/* Lines of the head that are told nowhere: those that are, are looked through where they are taken. */
static lt_res take_other_lines(struct look *l, GMimeMessage *message)
{
    static const char *const told[] = {"Subject", "From", "Message-Id"};
    GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(message));
    for (int i = 0; i < g_mime_header_list_get_count(list) && i < HEADERS_MAX; i++) {
        GMimeHeader *h = g_mime_header_list_get_header_at(list, i);
        bool is_told = false;
        for (size_t k = 0; k < LT_COUNT(told); k++) {
            is_told = is_told || g_ascii_strcasecmp(told[k], g_mime_header_get_name(h)) == 0;
        }
        LT_TRY(is_told ? LT_OK : take_aside(l, "a line of the head", g_mime_header_get_value(h)));
    }
    return LT_OK;
}

static bool is_address(const char *text)
{
    lt_slice s = lt_slice_cstr(text);
    size_t at = lt_slice_find(s, '@');
    bool good = s.len <= ADDRESS_MAX && at > 0 && at + 1 < s.len;
    for (size_t i = 0; i < s.len && good; i++) {
        good = s.ptr[i] > 0x20 && s.ptr[i] < 0x7f && strchr("<>,;\"()[]\\", s.ptr[i]) == NULL;
    }
    return good;
}

static lt_res take_from(struct look *l, GMimeMessage *message)
{
    InternetAddressList *list = g_mime_message_get_from(message);
    InternetAddress *first = list == NULL || internet_address_list_length(list) == 0
                                 ? NULL
                                 : internet_address_list_get_address(list, 0);
    if (first == NULL || !INTERNET_ADDRESS_IS_MAILBOX(first)) {
        return LT_OK;
    }
    const char *address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first));
    LT_TRY(line(l, internet_address_get_name(first), &l->m->from_name));
    return address != NULL && is_address(address) ? line(l, address, &l->m->from) : LT_OK;
}

static int64_t date_us(GDateTime *date)
{
    enum { US = 1000000 };
    int64_t seconds = date == NULL ? 0 : g_date_time_to_unix(date);
    return seconds > 0 && seconds < INT64_MAX / US ? seconds * US : 0;
}

static int64_t received_us(GMimeMessage *message)
{
    const char *head = g_mime_object_get_header(GMIME_OBJECT(message), "Received");
    const char *date = head == NULL ? NULL : strrchr(head, ';');
    GDateTime *when = date == NULL ? NULL : g_mime_utils_header_decode_date(date + 1);
    int64_t us = date_us(when);
    if (when != NULL) {
        g_date_time_unref(when);
    }
    return us;
}

static lt_res take_references(struct look *l, const char *text)
{
    lt_slice rest = lt_slice_cstr(text == NULL ? "" : text);
    while (rest.len > 0 && l->m->n_references < REFERENCES_MAX) {
        size_t begin = lt_slice_find(rest, '<');
        lt_slice id = lt_slice_sub(rest, begin, SIZE_MAX);
        size_t end = lt_slice_find(id, '>');
        if (end >= id.len) {
            return LT_OK;
        }
        LT_TRY(copy(l, lt_slice_sub(id, 0, end + 1), HEAD_MAX, &l->m->references[l->m->n_references++]));
        rest = lt_slice_sub(id, end + 1, SIZE_MAX);
    }
    return LT_OK;
}

static bool is_automatic(GMimeMessage *message)
{
    GMimeObject *o = GMIME_OBJECT(message);
    const char *said = g_mime_object_get_header(o, "Auto-Submitted");
    const char *precedence = g_mime_object_get_header(o, "Precedence");
    const char *path = g_mime_object_get_header(o, "Return-Path");
    /*= RFC 3834 2 "Automatic responses SHOULD NOT be issued in response to any message which contains an
     *  Auto-Submitted header field (see below), where that field has any value other than "no"." */
    return (said != NULL && g_ascii_strcasecmp(said, "no") != 0) ||
           (precedence != NULL && g_ascii_strcasecmp(precedence, "first-class") != 0) ||
           (path != NULL && strstr(path, "<>") != NULL) || g_mime_object_get_header(o, "List-Id") != NULL;
}

static lt_res take_head(struct look *l, GMimeMessage *message)
{
    const char *id = g_mime_message_get_message_id(message);
    LT_TRY(take_from(l, message));
    LT_TRY(line(l, g_mime_message_get_subject(message), &l->m->subject));
    if (id != NULL) {
        char *text = lt_arena_printf(l->a, "<%.250s>", id);
        LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
        LT_TRY(line(l, text, &l->m->message_id));
    }
    LT_TRY(take_references(l, g_mime_object_get_header(GMIME_OBJECT(message), "In-Reply-To")));
    LT_TRY(take_references(l, g_mime_object_get_header(GMIME_OBJECT(message), "References")));
    l->m->date_us = date_us(g_mime_message_get_date(message));
    l->m->received_us = received_us(message);
    l->m->automatic = is_automatic(message) || l->m->from[0] == '\0';
    return incident_scan_text(lt_slice_cstr(l->m->subject), l->a, &l->scan);
}

/* Letters of ours that came back say so in a part of their own. */
static lt_res take_returned(struct look *l, lt_slice raw)
{
    struct incident_dsn dsn;
    if (lt_failed(incident_dsn_read(raw, &dsn))) {
        return LT_OK;
    }
    l->m->bounce_of = lt_arena_printf(l->a, "<notice-%lld.%s@>", (long long)dsn.notice, dsn.token);
    LT_CHECK(l->m->bounce_of != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    l->m->delayed = dsn.action != INCIDENT_DSN_FAILED;
    LT_TRY(line(l, dsn.status, &l->m->bounce_status));
    return line(l, dsn.words, &l->m->bounce_words);
}

/* Parts upon parts upon parts: a parser is busy with them for longer than a stranger's letter is worth. Such
 * a letter is read as a text. */
static bool is_bomb(lt_slice raw)
{
    static const uint8_t word[] = "boundary=";
    size_t boundaries = 0;
    size_t lines = 0;
    for (size_t i = 0; i + sizeof word < raw.len; i++) {
        const uint8_t *c = raw.ptr + i;
        lines += c[0] == '\n' && c[1] == '-' && c[2] == '-' && c[3] != '-';
        boundaries += (c[0] == 'b' || c[0] == 'B') && memcmp(c + 1, word + 1, sizeof word - 2) == 0;
    }
    return boundaries > BOUNDARIES_MAX || lines > SEPARATORS_MAX;
}

static GMimeMessage *parse(lt_slice raw)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)raw.ptr, raw.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    return message;
}

/* ---- texts ---- */

/* What the public form begins with (raw_of in incident/problem_page.c): "name: value", a line each, up to the
 * first that is empty. */
static lt_res take_fields(struct look *l, lt_slice *text, lt_slice *ret_about)
{
    const struct {
        lt_slice name;
        char **to;
    } fields[] = {
        {LT_LIT("name: "), &l->m->from_name},
        {LT_LIT("clause: "), &l->m->clause},
        {LT_LIT("about: "), &l->m->subject},
        {LT_LIT("probe: "), &l->m->probe},
    };
    lt_slice row;
    while (lt_slice_split(text, '\n', &row) && row.len > 0) {
        for (size_t i = 0; i < LT_COUNT(fields); i++) {
            lt_slice value = lt_slice_sub(row, fields[i].name.len, SIZE_MAX);
            bool probe = fields[i].to == &l->m->probe;
            if (!lt_slice_starts(row, fields[i].name) || (probe && value.len != INCIDENT_PROBE_LEN)) {
                continue;
            }
            LT_TRY(copy(l, value, HEAD_MAX, fields[i].to));
            *ret_about = fields[i].to == &l->m->subject ? value : *ret_about;
        }
    }
    return LT_OK;
}

/* Of a form the thread has what its reporter wrote: which certificates, and what happened. */
static lt_res take_form(struct look *l, const char *form, lt_slice raw)
{
    bool fields = strcmp(form, "text") == 0 &&
                  (lt_slice_starts(raw, LT_LIT("contact: ")) || lt_slice_starts(raw, LT_LIT("probe: ")));
    lt_slice about = {0};
    lt_slice text;
    LT_TRY(look_for_proofs(l, raw, &text));
    keep(l, "", "text/plain", raw, text);
    LT_TRY(take_text(l, text, false));
    if (!fields) {
        return LT_OK;
    }
    LT_TRY(take_fields(l, &text, &about));
    if (about.len > 0) {
        char *both = lt_arena_printf(l->a, "%.*s\n\n%.*s", LT_FMT(about), LT_FMT(text));
        LT_CHECK(both != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
        text = lt_slice_cstr(both);
    }
    return copy(l, text, MAILROOM_TEXT_MAX, &l->m->text);
}

/* ---- all of it ---- */

static lt_res take_found(struct look *l)
{
    l->m->items = LT_NEW_ARRAY(l->a, Ipc__MailroomItem *, l->scan.count + 1);
    LT_CHECK(l->m->items != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    for (size_t i = 0; i < l->scan.count; i++) {
        Ipc__MailroomItem *item = LT_NEW(l->a, Ipc__MailroomItem);
        LT_CHECK(item != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
        ipc__mailroom_item__init(item);
        item->kind = (char *)(uintptr_t)l->scan.list[i].kind; /* packed, not kept */
        item->value = (char *)(uintptr_t)l->scan.list[i].value;
        l->m->items[l->m->n_items++] = item;
    }
    return LT_OK;
}

/* Letters say the same as text and as HTML. */
static bool was_there(const struct incident_proofs *list, size_t i)
{
    const struct incident_proof *p = &list->list[i];
    for (size_t k = 0; k < i; k++) {
        const struct incident_proof *q = &list->list[k];
        if (p->has_key && q->has_key && p->verdict == q->verdict && strcmp(p->kind, q->kind) == 0 &&
            strcmp(p->nonce, q->nonce) == 0 &&
            memcmp(p->spki_sha256, q->spki_sha256, sizeof p->spki_sha256) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res take_proofs(struct look *l, bool *ret_secret)
{
    LT_TRY(incident_proof_finish(l->a, l->proofs));
    l->m->proofs = LT_NEW_ARRAY(l->a, Ipc__KeyProof *, l->proofs->count + 1);
    LT_CHECK(l->m->proofs != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    *ret_secret = false;
    for (size_t i = 0; i < l->proofs->count; i++) {
        const struct incident_proof *p = &l->proofs->list[i];
        Ipc__KeyProof *message = LT_NEW(l->a, Ipc__KeyProof);
        LT_CHECK(message != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
        *ret_secret = *ret_secret || strcmp(p->kind, "private-key") == 0;
        if (p->verdict == INCIDENT_PROOF_NOTHING || was_there(l->proofs, i)) {
            continue; /* a certificate, a plain request: no proof at all */
        }
        LT_TRY(incident_proof_message(p, l->a, message));
        l->m->proofs[l->m->n_proofs++] = message;
    }
    return LT_OK;
}

static lt_res take_all(struct look *l, const char *form, lt_slice raw)
{
    GMimeMessage *message = strcmp(form, "mail") == 0 && !is_bomb(raw) ? parse(raw) : NULL;
    bool secret = false;
    if (message != NULL) {
        lt_res r = take_head(l, message);
        r = lt_failed(r) ? r : take_parts(l, message);
        r = lt_failed(r) ? r : take_other_lines(l, message);
        r = lt_failed(r) ? r : take_around(l, g_mime_message_get_mime_part(message), 0);
        g_object_unref(message);
        LT_TRY(r);
        LT_TRY(take_returned(l, raw));
    } else {
        LT_TRY(take_form(l, form, raw));
    }
    if (l->m->text[0] == '\0' && l->html.len > 0) {
        LT_TRY(copy(l, l->html, MAILROOM_TEXT_MAX, &l->m->text));
    }
    LT_TRY(take_found(l));
    LT_TRY(take_proofs(l, &secret));
    if (l->scan.probe != NULL && l->m->probe[0] == '\0') {
        LT_TRY(copy(l, lt_slice_cstr(l->scan.probe), HEAD_MAX, &l->m->probe));
    }
    l->m->takedown = l->m->n_proofs == 0 && incident_scan_takedown(&l->scan);
    /* What is no letter at all is for a person, whatever it says. */
    bool broken = strcmp(form, "mail") == 0 && message == NULL;
    l->m->hollow = !broken && l->m->n_proofs == 0 && l->m->n_files == 0 && incident_scan_hollow(&l->scan);
    if (secret) {
        LT_TRY(lt_buf_check(&l->kept));
        lt_slice kept = lt_arena_copy(l->a, lt_buf_slice(&l->kept));
        LT_CHECK(kept.ptr != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
        l->m->kept = (ProtobufCBinaryData){kept.len, (uint8_t *)(uintptr_t)kept.ptr};
    }
    return LT_OK;
}

lt_res mailroom_read(const char *form, lt_slice raw, struct lt_arena *a, Ipc__MailroomRead *ret_read)
{
    struct look l = {.a = a, .m = ret_read, .proofs = LT_NEW(a, struct incident_proofs)};
    ret_read->files = LT_NEW_ARRAY(a, Ipc__MailroomFile *, MAILROOM_PARTS_MAX + 1);
    ret_read->references = LT_NEW_ARRAY(a, char *, REFERENCES_MAX + 1);
    LT_CHECK(l.proofs != NULL && ret_read->files != NULL && ret_read->references != NULL, LT_PEER_TOO_LARGE,
             "the report is over the limit");
    lt_buf_init(&l.kept, KEPT_MAX);
    lt_buf_add_cstr(&l.kept,
                    "A private key was in this report. It was used to verify what it proves, and is left out "
                    "of what is kept.\n");
    lt_res r = take_all(&l, form, raw);
    lt_buf_done(&l.kept);
    return r;
}
