/* Certificates that operators bring in. What is whole comes as DER and is taken apart by the notary behind
 * this (ca/import.h); of others there are a serial number and dates. */
#include <string.h>

#include "base/text.h"
#include "ca/api_internal.h"
#include "ca/import.h"
#include "x509/dnsname.h"

enum { REASON_MAX = 10, HASH_LEN = 32, LABEL_MAX = 40, BITS_MAX = 65536 };

static const struct {
    const char *name;
    uint32_t type;
} key_types[] = {{"rsa", 1}, {"p256", 2}, {"p384", 3}, {"p521", 4}, {"ed25519", 5}};

static lt_res too_large(void)
{
    LT_FAIL(LT_PEER_TOO_LARGE, "the request is over the limit");
}

static ProtobufCBinaryData bytes_of(lt_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr};
}

static lt_res read_serial(const json_t *o, struct lt_arena *a, Ipc__ImportRow *row)
{
    lt_slice text;
    lt_slice serial;
    LT_TRY(jose_json_string(o, "serial", &text));
    LT_TRY(lt_unhex(a, text, &serial));
    while (serial.len > 1 && serial.ptr[0] == 0) {
        serial = lt_slice_sub(serial, 1, serial.len);
    }
    LT_CHECK(serial.len > 0 && serial.len <= CA_IMPORT_SERIAL_MAX, LT_PEER_MALFORMED,
             "a serial number of %zu bytes", serial.len);
    row->serial = bytes_of(serial);
    return LT_OK;
}

static lt_res read_key(const json_t *o, struct lt_arena *a, Ipc__ImportRow *row)
{
    lt_slice type;
    uint64_t bits = 0;
    LT_TRY(ca_api_hash(o, "sha256", a, &row->sha256));
    LT_TRY(ca_api_hash(o, "spki-sha256", a, &row->spki_sha256));
    LT_TRY(jose_json_optional_string(o, "key-type", &type));
    LT_TRY(ca_api_count(o, "key-bits", BITS_MAX, &bits));
    for (size_t i = 0; i < LT_COUNT(key_types); i++) {
        row->key_type = lt_slice_eq_cstr(type, key_types[i].name) ? key_types[i].type : row->key_type;
    }
    LT_CHECK(type.len == 0 || row->key_type != 0, LT_PEER_MALFORMED, "\"key-type\": there is no \"%.*s\"",
             (int)(type.len > LABEL_MAX ? LABEL_MAX : type.len), (const char *)type.ptr);
    row->key_bits = (uint32_t)bits;
    return LT_OK;
}

/* What came to be in certificates, the rules of today or not; nothing that a spreadsheet takes for a formula.
 */
static bool is_name(const char *text, const char *type)
{
    struct x509_ip ip;
    bool mail = strcmp(type, "email") == 0;
    const char *first = mail ? "abcdefghijklmnopqrstuvwxyz0123456789_"
                             : "abcdefghijklmnopqrstuvwxyz0123456789_*";
    const char *rest = mail ? "abcdefghijklmnopqrstuvwxyz0123456789._%+'=/-@"
                            : "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(text);
    if (strcmp(type, "ip") == 0) {
        return !lt_failed(x509_ip_parse(lt_slice_cstr(text), &ip));
    }
    return strchr(first, text[0]) != NULL && strspn(text + 1, rest) == len - 1 && text[len - 1] != '.' &&
           strstr(text, "..") == NULL;
}

static lt_res read_name(const json_t *value, struct lt_arena *a, Ipc__ImportRow *row)
{
    const char *text = json_string_value(value);
    size_t len = text == NULL ? 0 : strlen(text);
    Ipc__Identifier *id = LT_NEW(a, Ipc__Identifier);
    LT_TRY(id == NULL ? too_large() : LT_OK);
    LT_CHECK(len > 0 && len <= CA_IMPORT_NAME_MAX, LT_PEER_MALFORMED,
             "\"names\" has a member that is no name");
    ipc__identifier__init(id);
    id->value = lt_arena_cstr(a, lt_slice_cstr(text));
    LT_TRY(id->value == NULL ? too_large() : LT_OK);
    for (size_t i = 0; i < len; i++) {
        char c = id->value[i];
        LT_CHECK(c > ' ' && c < 0x7f, LT_PEER_MALFORMED, "\"names\" has a member that is no name");
        id->value[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    id->type = (char *)(uintptr_t)(strchr(text, '@') != NULL            ? "email"
                                   : strchr(text, ':') != NULL          ? "ip"
                                   : strspn(text, "0123456789.") == len ? "ip"
                                                                        : "dns"); /* constants; packed */
    LT_CHECK(is_name(id->value, id->type), LT_PEER_MALFORMED, "\"%.60s\" is no name", id->value);
    row->names[row->n_names++] = id;
    return LT_OK;
}

static lt_res read_names(const json_t *o, struct lt_arena *a, Ipc__ImportRow *row)
{
    const json_t *names = json_object_get(o, "names");
    size_t count = json_array_size(names);
    LT_CHECK(names == NULL || json_is_array(names), LT_PEER_MALFORMED, "\"names\" is no array");
    LT_CHECK(count <= CA_IMPORT_NAMES_MAX, LT_PEER_TOO_LARGE, "over %d names", CA_IMPORT_NAMES_MAX);
    row->names = LT_NEW_ARRAY(a, Ipc__Identifier *, count + 1);
    LT_TRY(row->names == NULL ? too_large() : LT_OK);
    for (size_t i = 0; i < count; i++) {
        LT_TRY(read_name(json_array_get(names, i), a, row));
    }
    return ca_import_name_set(row, a);
}

static lt_res read_revoked(const json_t *o, Ipc__ImportRow *row)
{
    uint64_t reason = 0;
    LT_TRY(ca_api_time(o, "revoked", false, &row->revoked_us));
    LT_TRY(ca_api_count(o, "reason", REASON_MAX, &reason));
    /*= RFC 5280 5.3.1 "-- value 7 is not used" */
    LT_CHECK(reason != 7 && reason != 8, LT_PEER_MALFORMED, "\"reason\" %u is none of a revocation",
             (unsigned)reason);
    LT_CHECK(reason == 0 || row->revoked_us != 0, LT_PEER_MALFORMED, "\"reason\" without \"revoked\"");
    row->reason = (uint32_t)reason;
    return LT_OK;
}

static lt_res read_row(const json_t *o, struct lt_arena *a, Ipc__ImportRow *row)
{
    lt_slice der = {0};
    LT_CHECK(json_is_object(o), LT_PEER_MALFORMED, "\"certificates\" has a member that is no object");
    LT_TRY(read_revoked(o, row));
    if (json_object_get(o, "der") != NULL) {
        LT_TRY(jose_json_bytes(o, "der", a, &der));
        LT_CHECK(der.len > 0, LT_PEER_MALFORMED, "\"der\" is empty");
        row->der = bytes_of(der);
        return LT_OK;
    }
    LT_TRY(ca_api_text(o, "issuer", true, a, &row->issuer));
    LT_TRY(read_serial(o, a, row));
    LT_TRY(read_key(o, a, row));
    LT_TRY(ca_api_time(o, "not-before", true, &row->not_before_us));
    LT_TRY(ca_api_time(o, "not-after", true, &row->not_after_us));
    LT_TRY(ca_api_time(o, "issued", false, &row->issued_us));
    LT_CHECK(row->not_before_us <= row->not_after_us, LT_PEER_MALFORMED, "it ends before it begins");
    return read_names(o, a, row);
}

lt_res ca_api_import_row(const json_t *o, struct lt_arena *a, Ipc__ImportRow *row)
{
    return read_row(o, a, row);
}

static lt_res read_issuers(const json_t *payload, struct lt_arena *a, Ipc__ImportWanted *w)
{
    const json_t *list = json_object_get(payload, "issuers");
    size_t count = json_array_size(list);
    LT_CHECK(list == NULL || json_is_array(list), LT_PEER_MALFORMED, "\"issuers\" is no array");
    LT_CHECK(count <= CA_IMPORT_ISSUERS_MAX, LT_PEER_TOO_LARGE, "over %d issuers", CA_IMPORT_ISSUERS_MAX);
    w->issuers = LT_NEW_ARRAY(a, ProtobufCBinaryData, count + 1);
    LT_TRY(w->issuers == NULL ? too_large() : LT_OK);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        lt_slice der = {0};
        LT_CHECK(text != NULL, LT_PEER_MALFORMED, "\"issuers\" has a member that is no text");
        LT_TRY(lt_unbase64url(a, lt_slice_cstr(text), &der));
        w->issuers[w->n_issuers++] = bytes_of(der);
    }
    return LT_OK;
}

static lt_res new_wanted(struct lt_arena *a, Ipc__ImportWanted **ret_wanted)
{
    *ret_wanted = LT_NEW(a, Ipc__ImportWanted);
    LT_TRY(*ret_wanted == NULL ? too_large() : LT_OK);
    ipc__import_wanted__init(*ret_wanted);
    return LT_OK;
}

lt_res ca_api_read_import(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                          Ipc__OperatorCall *call)
{
    (void)t;
    LT_TRY(new_wanted(a, &call->import_));
    LT_TRY(ca_api_text(payload, "source", true, a, &call->import_->source));
    return ca_api_text(payload, "note", false, a, &call->import_->note);
}

lt_res ca_api_read_import_rows(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                               Ipc__OperatorCall *call)
{
    const json_t *list = json_object_get(payload, "certificates");
    size_t count = json_array_size(list);
    uint64_t account = 0;
    uint64_t id = 0;
    LT_TRY(new_wanted(a, &call->import_));
    Ipc__ImportWanted *w = call->import_;
    LT_CHECK(t->id.len > 1 && t->id.ptr[0] == 'i' &&
                 !lt_failed(lt_parse_u64(lt_slice_sub(t->id, 1, t->id.len), INT64_MAX, &id)),
             LT_PEER_NOT_FOUND, "an import is written i123");
    LT_CHECK(json_is_array(list) && count > 0, LT_PEER_MALFORMED, "\"certificates\" is no array, or empty");
    LT_CHECK(count <= CA_IMPORT_ROWS_MAX, LT_PEER_TOO_LARGE, "over %d certificates", CA_IMPORT_ROWS_MAX);
    w->id = (int64_t)id;
    LT_TRY(ca_api_text(payload, "profile", false, a, &w->profile));
    LT_TRY(ca_api_count(payload, "account", INT64_MAX, &account));
    w->account = (int64_t)account;
    LT_TRY(read_issuers(payload, a, w));
    w->rows = LT_NEW_ARRAY(a, Ipc__ImportRow *, count);
    LT_TRY(w->rows == NULL ? too_large() : LT_OK);
    for (size_t i = 0; i < count; i++) {
        Ipc__ImportRow *row = LT_NEW(a, Ipc__ImportRow);
        LT_TRY(row == NULL ? too_large() : LT_OK);
        ipc__import_row__init(row);
        LT_TRY(read_row(json_array_get(list, i), a, row));
        w->rows[w->n_rows++] = row;
    }
    return LT_OK;
}

lt_res ca_api_read_import_issuer(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                                 Ipc__OperatorCall *call)
{
    lt_slice der;
    (void)t;
    call->import_issuer = LT_NEW(a, Ipc__ImportIssuer);
    LT_TRY(call->import_issuer == NULL ? too_large() : LT_OK);
    ipc__import_issuer__init(call->import_issuer);
    LT_TRY(ca_api_text(payload, "name", true, a, &call->import_issuer->name));
    LT_TRY(jose_json_bytes(payload, "der", a, &der));
    call->import_issuer->der = bytes_of(der);
    return LT_OK;
}
