/* Lines of a report's appendices. */
#include "incident/report_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "incident/report_write.h"
#include "x509/cert.h"

enum { KEY_SIZE = 64, CELL_ARENA = 4 * 1024 * 1024, CELL_MAX = 1024 * 1024, SERIAL_MAX = 20 };

static const char *const reasons[] = {"unspecified",        "keyCompromise", "cACompromise",
                                      "affiliationChanged", "superseded",    "cessationOfOperation",
                                      "certificateHold",    "unknown",       "removeFromCRL",
                                      "privilegeWithdrawn", "aACompromise"};

const char incident_late_head[] =
    "Certificate SHA-256 hash,Serial #,Issuer,Not after,Reason,Expected revocation or expiry\r\n";

static int64_t get32(const uint8_t *p)
{
    return (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
}

void incident_member_read(const uint8_t *row, size_t size, struct incident_member *ret_member)
{
    struct incident_member m = {.not_after_s = get32(row + 32),
                                .revoked_s = get32(row + 36),
                                .reason = row[40],
                                .issuer = row[41],
                                .profile = row[42]};
    (void)memcpy(m.sha256, row, 32);
    if (size == INCIDENT_ROW_LONG && row[INCIDENT_ROW_SHORT] <= SERIAL_MAX) {
        m.serial = LT_SLICE(row + INCIDENT_ROW_SHORT + 1, row[INCIDENT_ROW_SHORT]);
    }
    *ret_member = m;
}

/* ---- cells ---- */

static void put_hex(char *out, lt_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.ptr[i] >> 4];
        out[2 * i + 1] = digits[bytes.ptr[i] & 15];
    }
    out[2 * bytes.len] = 0;
}

static void add_hex(struct lt_buf *out, lt_slice bytes)
{
    char hex[65] = "";
    if (bytes.len * 2 < sizeof hex) {
        put_hex(hex, bytes);
    }
    lt_buf_add_cstr(out, hex);
}

/* "2026-03-01 02:10:00 UTC"; by hand, since there are millions of them. */
static void add_time(struct lt_buf *out, int64_t seconds)
{
    struct lt_date d = lt_date_of(lt_time_from_seconds(seconds));
    const struct {
        int value;
        int digits;
        uint8_t behind;
    } parts[] = {{d.year, 4, '-'}, {d.month, 2, '-'},  {d.day, 2, ' '},
                 {d.hour, 2, ':'}, {d.minute, 2, ':'}, {d.second, 2, ' '}};
    for (size_t i = 0; i < LT_COUNT(parts); i++) {
        uint8_t text[5];
        int value = parts[i].value;
        for (int k = parts[i].digits; k > 0; k--) {
            text[k - 1] = (uint8_t)('0' + value % 10);
            value /= 10;
        }
        text[parts[i].digits] = parts[i].behind;
        lt_buf_add(out, LT_SLICE(text, (size_t)parts[i].digits + 1));
    }
    lt_buf_add(out, LT_LIT("UTC"));
}

static void add_quoted(struct lt_buf *out, lt_slice text)
{
    lt_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        lt_buf_add_cstr(out, text.ptr[i] == '"' ? "\"" : "");
        lt_buf_add_byte(out, text.ptr[i]);
    }
    lt_buf_add_byte(out, '"');
}

static void add_cell(struct lt_buf *out, lt_slice text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len && !quoted; i++) {
        quoted = text.ptr[i] != 0 && strchr(",\"\r\n", text.ptr[i]) != NULL;
    }
    if (quoted) {
        add_quoted(out, text);
    } else {
        lt_buf_add(out, text);
    }
}

void incident_add_crt_sh(struct lt_buf *out, const struct incident_member *m)
{
    lt_buf_add(out, LT_LIT(INCIDENT_CRT_SH));
    add_hex(out, LT_SLICE(m->sha256, sizeof m->sha256));
    lt_buf_add_byte(out, '\n');
}

/* ---- what is late ---- */

static lt_res index_rows(const json_t *facts, const char *list, json_t *own)
{
    size_t i;
    json_t *row;
    char key[KEY_SIZE];
    json_array_foreach(json_object_get(facts, list), i, row)
    {
        (void)snprintf(key, sizeof key, "%d/%.40s", (int)incident_fact_number(row, "issuer"),
                       incident_fact(row, "serial"));
        LT_CHECK(json_object_set(own, key, row) == 0, LT_STATE_CORRUPT, "a serial number that is no text");
    }
    return LT_OK;
}

lt_res incident_late_init(const json_t *facts, lt_time plan_end, lt_time now, struct incident_late *ret_late)
{
    size_t i;
    json_t *row;
    *ret_late = (struct incident_late){
        .own = json_object(), .common = "not replaced yet", .plan_end = plan_end, .now = now};
    LT_ASSERT(ret_late->own != NULL);
    json_array_foreach(json_object_get(facts, "sections"), i, row)
    {
        if (strcmp(incident_fact(row, "section"), "delay.reason") == 0 &&
            incident_fact(row, "text")[0] != 0) {
            ret_late->common = incident_fact(row, "text");
        }
    }
    lt_res r = index_rows(facts, "holds", ret_late->own);
    r = lt_failed(r) ? r : index_rows(facts, "delays", ret_late->own); /* said later, and of it: it wins */
    if (lt_failed(r)) {
        incident_late_done(ret_late);
    }
    return r;
}

void incident_late_done(struct incident_late *l)
{
    json_decref(l->own);
    l->own = NULL;
}

static const json_t *own_row(const struct incident_late *l, const struct incident_member *m)
{
    char hex[2 * SERIAL_MAX + 1] = "";
    char key[KEY_SIZE];
    if (m->serial.len <= SERIAL_MAX) {
        put_hex(hex, m->serial);
    }
    (void)snprintf(key, sizeof key, "%d/%s", m->issuer, hex);
    return json_object_get(l->own, key);
}

/* When it will be revoked: as was said of it, else with the plan, unless it runs out before. */
static int64_t expected(const struct incident_late *l, const json_t *own, int64_t not_after_s)
{
    lt_time until = incident_fact_time(own, "until");
    if (until.us == 0 && l->plan_end.us > l->now.us) {
        until = l->plan_end;
    }
    int64_t until_s = lt_time_seconds(until);
    return until_s == 0 || until_s > not_after_s ? not_after_s : until_s;
}

void incident_add_late(struct lt_buf *out, const struct incident_late *l, const struct incident_member *m)
{
    const json_t *own = own_row(l, m);
    if (m->revoked_s != 0 || m->not_after_s < lt_time_seconds(l->now)) {
        return;
    }
    add_hex(out, LT_SLICE(m->sha256, sizeof m->sha256));
    lt_buf_add_byte(out, ',');
    add_hex(out, m->serial);
    lt_buf_addf(out, ",%d,", m->issuer);
    add_time(out, m->not_after_s);
    lt_buf_add_byte(out, ',');
    if (own != NULL) {
        add_cell(out, lt_slice_cstr(incident_fact(own, "reason")));
    } else {
        add_quoted(out, lt_slice_cstr(l->common)); /* as it always was */
    }
    lt_buf_add_byte(out, ',');
    add_time(out, expected(l, own, m->not_after_s));
    lt_buf_add_cstr(out, "\r\n");
}

/* ---- the CSV ---- */

void incident_add_csv_head(struct lt_buf *out)
{
    for (size_t i = 0; i < INCIDENT_APPENDIX_COLUMNS; i++) {
        lt_buf_addf(out, "%s%s", i == 0 ? "" : ",", incident_appendix_columns[i]);
    }
    lt_buf_add_cstr(out, "\r\n");
}

static void add_name(struct lt_buf *out, const struct x509_name *name, const char *otherwise)
{
    struct lt_buf b;
    lt_buf_init(&b, CELL_MAX);
    if (name != NULL) {
        x509_name_text(name, &b);
    }
    add_cell(out, b.len > 0 ? lt_buf_slice(&b) : lt_slice_cstr(otherwise));
    lt_buf_done(&b);
}

static void add_dns_names(struct lt_buf *out, const struct x509_cert *cert)
{
    struct lt_buf b;
    lt_buf_init(&b, CELL_MAX);
    for (size_t i = 0; cert != NULL && i < cert->ext.san.count; i++) {
        if (cert->ext.san.list[i].type == X509_GN_DNS) {
            lt_buf_addf(&b, "%s%.*s", b.len > 0 ? " " : "", LT_FMT(cert->ext.san.list[i].value));
        }
    }
    add_cell(out, lt_buf_slice(&b));
    lt_buf_done(&b);
}

static void add_line(struct lt_buf *out, const struct incident_csv *c, const struct incident_member *m,
                     const struct x509_cert *cert)
{
    bool revoked = m->revoked_s != 0;
    bool expired = !revoked && m->not_after_s < lt_time_seconds(c->late->now);
    lt_buf_add_cstr(out, "N/A,");
    add_hex(out, LT_SLICE(m->sha256, sizeof m->sha256));
    lt_buf_add_byte(out, ',');
    add_name(out, cert == NULL ? NULL : &cert->subject, "N/A");
    lt_buf_add_byte(out, ',');
    add_name(out, cert == NULL ? NULL : &cert->issuer, c->issuer_name);
    lt_buf_add_byte(out, ',');
    add_time(out, m->not_before_s);
    lt_buf_add_byte(out, ',');
    add_time(out, m->not_after_s);
    lt_buf_add_byte(out, ',');
    add_hex(out, m->serial);
    lt_buf_add_byte(out, ',');
    if (c->names != NULL) {
        add_cell(out, lt_slice_cstr(c->names));
    } else {
        add_dns_names(out, cert);
    }
    lt_buf_addf(out, ",%s,", revoked ? "Yes" : expired ? "N/A" : c->delayed ? "Delayed" : "Planned");
    if (revoked) {
        add_time(out, m->revoked_s);
    } else if (!expired && c->delayed) {
        add_time(out, expected(c->late, own_row(c->late, m), m->not_after_s));
    } else if (!expired && c->must.us != 0) {
        add_time(out, lt_time_seconds(c->must));
    } else {
        lt_buf_add_cstr(out, "N/A");
    }
    lt_buf_addf(out, ",%s\r\n", revoked ? reasons[m->reason < LT_COUNT(reasons) ? m->reason : 0] : "N/A");
}

lt_res incident_add_csv(struct lt_buf *out, const struct incident_csv *c, const struct incident_member *m,
                        lt_slice der)
{
    struct x509_cert cert;
    struct lt_arena a;
    lt_arena_init(&a, CELL_ARENA);
    bool whole = der.len > 0 && !lt_failed(x509_cert_parse(der, &a, &cert));
    add_line(out, c, m, whole ? &cert : NULL);
    lt_arena_done(&a);
    return lt_buf_check(out);
}
