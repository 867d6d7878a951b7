/* See pack.h. */
#include "incident/pack_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "crypto/digest.h"

enum { SUBJECT_MAX = 300, ROW_MAX = 512 * 1024, ARENA_MAX = 8 * 1024 * 1024, PPM = 1000000 };

struct packing {
    struct incident_pack *p;
    struct incident_pack_file *file;
    struct lt_buf line;
    struct lt_arena arena; /* of a row */
};

/* ---- cells: RFC 4180, and nothing that a spreadsheet would take for a formula ---- */

static void add_cell(struct packing *k, lt_slice text, bool first)
{
    bool quote = text.len > 0 && strchr("=+-@", text.ptr[0]) != NULL;
    bool formula = quote;
    for (size_t i = 0; i < text.len && !quote; i++) {
        quote = text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] < 0x20;
    }
    lt_buf_add_cstr(&k->line, first ? "" : ",");
    if (!quote) {
        lt_buf_add(&k->line, text);
        return;
    }
    lt_buf_add_byte(&k->line, '"');
    lt_buf_add_cstr(&k->line, formula ? "'" : "");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            lt_buf_add_byte(&k->line, '"');
        }
        lt_buf_add_byte(&k->line, text.ptr[i] < 0x20 && text.ptr[i] != '\n' ? ' ' : text.ptr[i]);
    }
    lt_buf_add_byte(&k->line, '"');
}

static void add_number(struct packing *k, int64_t n, bool first)
{
    lt_buf_addf(&k->line, "%s%lld", first ? "" : ",", (long long)n);
}

static void add_time(struct packing *k, int64_t us, bool first)
{
    char text[LT_RFC3339_SIZE] = "";
    if (us > 0) {
        lt_time_rfc3339((lt_time){us}, text);
    }
    lt_buf_addf(&k->line, "%s%s", first ? "" : ",", text);
}

static void add_column(struct packing *k, const struct store_rows *rows, int column, enum pack_kind kind,
                       bool first)
{
    if (store_is_null(rows, column)) {
        lt_buf_add_cstr(&k->line, first ? "" : ",");
        return;
    }
    switch (kind) {
    case PACK_TEXT:
        add_cell(k, store_bytes(rows, column), first);
        break;
    case PACK_NUMBER:
        add_number(k, store_int(rows, column), first);
        break;
    case PACK_TIME:
        add_time(k, store_int(rows, column), first);
        break;
    case PACK_HEX:
        lt_buf_add_cstr(&k->line, first ? "" : ",");
        lt_hex_add(&k->line, store_bytes(rows, column));
        break;
    case PACK_TRUTH:
        lt_buf_add_cstr(&k->line, first ? "" : ",");
        lt_buf_add_cstr(&k->line, store_int(rows, column) != 0 ? "yes" : "no");
        break;
    }
}

/* ---- files ---- */

static lt_res begin(struct packing *k, const char *name, const char *what, const struct pack_column *columns,
                    size_t count)
{
    struct incident_pack *p = k->p;
    LT_ASSERT(p->file_count < INCIDENT_PACK_FILES_MAX);
    k->file = &p->files[p->file_count++];
    *k->file = (struct incident_pack_file){.name = name, .what = what};
    LT_TRY(p->begin(p->self, name));
    lt_buf_reset(&k->line);
    for (size_t i = 0; i < count && columns[i].name != NULL; i++) {
        lt_buf_addf(&k->line, "%s%s", i == 0 ? "" : ",", columns[i].name);
    }
    lt_buf_add_cstr(&k->line, ",event,last event\n");
    return p->write(p->self, lt_buf_slice(&k->line));
}

static lt_res end_row(struct packing *k)
{
    lt_buf_add_byte(&k->line, '\n');
    LT_TRY(lt_buf_check(&k->line));
    k->file->rows++;
    if (k->p->progress != NULL && k->file->rows % 1000 == 0) {
        k->p->progress(k->p->self, k->file->name, k->file->rows);
    }
    return k->p->write(k->p->self, lt_buf_slice(&k->line));
}

/* "main 4711", or nothing. */
static lt_res add_found(struct packing *k, size_t statement, const struct store_value *values,
                        bool *ret_found)
{
    struct store_rows rows;
    char text[SUBJECT_MAX] = "";
    LT_TRY(store_query(k->p->store, &incident_pack_sql[statement], values, 3, &rows));
    *ret_found = store_next(&rows);
    if (*ret_found) {
        (void)snprintf(text, sizeof text, "%s %lld", store_cstr(&rows, 0), (long long)store_int(&rows, 1));
    }
    LT_TRY(store_rows_end(&rows));
    add_cell(k, lt_slice_cstr(text), false);
    return LT_OK;
}

/* The event that made the row, and the last of its family: "clock.opened", then "clock.met". A row without
 * the first is told all the same, and counted. */
static lt_res add_event(struct packing *k, const char *subject, const char *kind, const char *body)
{
    char family[SUBJECT_MAX];
    bool found = false;
    (void)snprintf(family, sizeof family, "%.*s.%%", (int)strcspn(kind, "."), kind); /* our own words */
    LT_TRY(add_found(k, PACK_SQL_EVENT,
                     (struct store_value[]){STORE_S(subject), STORE_S(kind), STORE_S(body)}, &found));
    k->file->unproven += found ? 0 : 1;
    return add_found(k, PACK_SQL_LAST,
                     (struct store_value[]){STORE_S(subject), STORE_S(family), STORE_S(body)}, &found);
}

static lt_res write_row(struct packing *k, size_t n, const struct store_rows *rows)
{
    lt_arena_reset(&k->arena);
    char *subject = lt_arena_cstr(&k->arena, store_bytes(rows, 0));
    char *body = lt_arena_cstr(&k->arena, store_bytes(rows, 1));
    LT_CHECK(subject != NULL && body != NULL, LT_PEER_TOO_LARGE, "a row is over the limit");
    lt_buf_reset(&k->line);
    for (size_t i = 0; i < PACK_COLUMNS_MAX && pack_files[n].columns[i].name != NULL; i++) {
        add_column(k, rows, (int)i + 2, pack_files[n].columns[i].kind, i == 0);
    }
    LT_TRY(add_event(k, subject, pack_files[n].event, body));
    return end_row(k);
}

static lt_res write_file(struct packing *k, size_t n)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(begin(k, pack_files[n].name, pack_files[n].what, pack_files[n].columns, PACK_COLUMNS_MAX));
    LT_TRY(store_query(k->p->store, &incident_pack_sql[PACK_SQL_FIRST + n],
                       STORE_ARGS(STORE_I(k->p->from.us), STORE_I(k->p->until.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = write_row(k, n, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* ---- the sample ---- */

static lt_res find_seed(struct packing *k)
{
    struct store_rows rows;
    struct incident_pack *p = k->p;
    LT_TRY(store_query(p->store, &incident_pack_sql[PACK_SQL_SEED], STORE_ARGS(STORE_I(p->until.us)), &rows));
    if (store_next(&rows) && store_bytes(&rows, 2).len == sizeof p->seed) {
        (void)snprintf(p->seed_event, sizeof p->seed_event, "%.60s %lld", store_cstr(&rows, 0),
                       (long long)store_int(&rows, 1));
        memcpy(p->seed, store_bytes(&rows, 2).ptr, sizeof p->seed);
    }
    return store_rows_end(&rows);
}

/* The first 8 bytes of SHA-256(seed ‖ issuer ‖ serial), as a number: the lowest are taken. */
static uint64_t draw(const struct incident_pack *p, int64_t issuer, lt_slice serial)
{
    struct crypto_stream s;
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t id[8];
    uint64_t n = 0;
    for (unsigned i = 0; i < sizeof id; i++) {
        id[i] = (uint8_t)((uint64_t)issuer >> (56 - 8 * i));
    }
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, LT_SLICE(p->seed, sizeof p->seed));
    crypto_stream_add(&s, LT_SLICE(id, sizeof id));
    crypto_stream_add(&s, serial);
    crypto_stream_finish(&s, hash);
    crypto_stream_done(&s);
    for (unsigned i = 0; i < 8; i++) {
        n = n << 8 | hash[i];
    }
    return n;
}

struct sampled {
    int64_t issuer;
    uint8_t serial[32];
    size_t serial_len;
    char issuer_name[64];
};
enum { SAMPLED_STEP = 1024 };

/* Those that were drawn, for the second file. */
struct sample {
    struct sampled *list; /* in an arena of its own */
    size_t count;
    size_t room;
    struct lt_arena arena;
    uint64_t *draws; /* of every certificate of the period; the same arena */
    size_t draw_room;
    uint64_t highest; /* that is taken */
};

static lt_res keep(struct sample *s, const struct store_rows *rows)
{
    if (s->count == s->room) {
        size_t room = s->room == 0 ? SAMPLED_STEP : 2 * s->room;
        struct sampled *list = LT_NEW_ARRAY(&s->arena, struct sampled, room);
        LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the sample is over the limit: take a smaller --sample");
        if (s->count > 0) {
            memcpy(list, s->list, s->count * sizeof *list);
        }
        s->list = list;
        s->room = room;
    }
    lt_slice serial = store_bytes(rows, 1);
    struct sampled *one = &s->list[s->count];
    one->issuer = store_int(rows, 0);
    one->serial_len = serial.len < sizeof one->serial ? serial.len : sizeof one->serial;
    memcpy(one->serial, serial.ptr, one->serial_len);
    (void)snprintf(one->issuer_name, sizeof one->issuer_name, "%s", store_cstr(rows, 2)); /* at most 63 */
    s->count++;
    return LT_OK;
}

static lt_res write_sampled(struct packing *k, struct sample *s, const struct store_rows *rows)
{
    LT_TRY(keep(s, rows));
    const struct sampled *one = &s->list[s->count - 1];
    char *subject = NULL;
    lt_arena_reset(&k->arena);
    subject = lt_arena_printf(&k->arena, "certificate %s %s", one->issuer_name,
                              lt_hex(&k->arena, LT_SLICE(one->serial, one->serial_len)));
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "a row is over the limit");
    lt_buf_reset(&k->line);
    add_cell(k, lt_slice_cstr(one->issuer_name), true);
    add_column(k, rows, 1, PACK_HEX, false);
    for (size_t i = 2; i < PACK_SAMPLE_COLUMNS; i++) {
        add_column(k, rows, (int)i + 1, pack_sample_columns[i].kind, false);
    }
    LT_TRY(add_event(k, subject, "certificate.issued", "%"));
    return end_row(k);
}

static lt_res note(struct packing *k, struct sample *s, uint64_t n)
{
    size_t count = (size_t)k->p->issued;
    if (count == s->draw_room) {
        size_t room = count == 0 ? SAMPLED_STEP : 2 * count;
        uint64_t *draws = LT_NEW_ARRAY(&s->arena, uint64_t, room);
        LT_CHECK(draws != NULL, LT_PEER_TOO_LARGE, "too many certificates: take a shorter period");
        if (count > 0) {
            memcpy(draws, s->draws, count * sizeof *draws);
        }
        s->draws = draws;
        s->draw_room = room;
    }
    s->draws[k->p->issued++] = n;
    return LT_OK;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* How high one may draw, so that it is the part that was asked for, or the next whole certificate above it.
 *= CABF-BR 8.7 "randomly selected sample" */
static lt_res draw_all(struct packing *k, struct sample *s)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(k->p->store, &incident_pack_sql[PACK_SQL_DRAWN],
                       STORE_ARGS(STORE_I(k->p->from.us), STORE_I(k->p->until.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = note(k, s, draw(k->p, store_int(&rows, 0), store_bytes(&rows, 1)));
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    if (k->p->issued > 0) {
        uint64_t wanted = (k->p->issued * k->p->sample_ppm + PPM - 1) / PPM;
        qsort(s->draws, (size_t)k->p->issued, sizeof *s->draws, by_value);
        s->highest = s->draws[(wanted < k->p->issued ? wanted : k->p->issued) - 1];
    }
    return LT_OK;
}

static lt_res write_samples(struct packing *k, struct sample *s)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(k->p->store, &incident_pack_sql[PACK_SQL_CERTIFICATES],
                       STORE_ARGS(STORE_I(k->p->from.us), STORE_I(k->p->until.us)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        bool take = draw(k->p, store_int(&rows, 0), store_bytes(&rows, 1)) <= s->highest;
        r = take ? write_sampled(k, s, &rows) : LT_OK;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* Names of the DNS stand in the book with their labels the other way round. */
static void add_name(struct packing *k, lt_slice type, lt_slice name)
{
    lt_buf_add_byte(&k->line, ',');
    if (!lt_slice_eq_cstr(type, "dns")) {
        lt_buf_add(&k->line, name);
        return;
    }
    for (size_t end = name.len; end > 0;) {
        size_t begin_at = end;
        while (begin_at > 0 && name.ptr[begin_at - 1] != '.') {
            begin_at--;
        }
        lt_buf_add(&k->line, lt_slice_sub(name, begin_at, end - begin_at));
        lt_buf_add_cstr(&k->line, begin_at > 0 ? "." : "");
        end = begin_at > 0 ? begin_at - 1 : 0;
    }
}

static lt_res write_proofs(struct packing *k, const struct sampled *one)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    lt_slice serial = LT_SLICE(one->serial, one->serial_len);
    LT_TRY(store_query(k->p->store, &incident_pack_sql[PACK_SQL_EVIDENCE],
                       STORE_ARGS(STORE_I(one->issuer), STORE_B(serial)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        char subject[SUBJECT_MAX];
        lt_buf_reset(&k->line);
        add_cell(k, lt_slice_cstr(one->issuer_name), true);
        lt_buf_add_byte(&k->line, ',');
        lt_hex_add(&k->line, serial);
        add_column(k, &rows, 0, PACK_TEXT, false);
        add_name(k, store_bytes(&rows, 0), store_bytes(&rows, 1));
        for (size_t i = 4; i < PACK_EVIDENCE_COLUMNS; i++) {
            add_column(k, &rows, (int)i - 2, pack_evidence_columns[i].kind, false);
        }
        (void)snprintf(subject, sizeof subject, "authorization %lld", (long long)store_int(&rows, 2));
        r = add_event(k, subject, store_int(&rows, 5) != 0 ? "authorization.valid" : "authorization.invalid",
                      "%");
        r = lt_failed(r) ? r : end_row(k);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

static lt_res write_certificates(struct packing *k, struct sample *s)
{
    LT_TRY(begin(k, "samples.csv", "certificates of the period, drawn by the seed", pack_sample_columns,
                 PACK_SAMPLE_COLUMNS));
    LT_TRY(draw_all(k, s));
    LT_TRY(write_samples(k, s));
    LT_TRY(begin(k, "evidence.csv", "what was seen of each name of these, and where the frame of it lies",
                 pack_evidence_columns, PACK_EVIDENCE_COLUMNS));
    for (size_t i = 0; i < s->count; i++) {
        LT_TRY(write_proofs(k, &s->list[i]));
    }
    return LT_OK;
}

lt_res incident_pack(struct incident_pack *p)
{
    enum { SAMPLE_ARENA_MAX = 1024 * 1024 * 1024 };
    struct packing k = {.p = p};
    struct sample s = {.count = 0};
    lt_buf_init(&k.line, ROW_MAX);
    lt_arena_init(&k.arena, ARENA_MAX);
    lt_arena_init(&s.arena, SAMPLE_ARENA_MAX);
    lt_res r = find_seed(&k);
    r = lt_failed(r) ? r : write_certificates(&k, &s);
    for (size_t n = 0; n < pack_file_count && !lt_failed(r); n++) {
        r = write_file(&k, n);
    }
    lt_buf_done(&k.line);
    lt_arena_done(&k.arena);
    lt_arena_done(&s.arena);
    return r;
}
