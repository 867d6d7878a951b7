/* Answers of OCSP in mapped memory. */
#include "ca/ocsp_map.h"

#include <string.h>

static const uint8_t magic[8] = {'L', 'T', 'O', 'C', 'S', 'P', '0', '1'};

_Static_assert(sizeof(struct ca_ocsp_row) == 200, "no padding that would be written");
_Static_assert(sizeof(struct ca_ocsp_header) % 8 == 0 && sizeof(struct ca_ocsp_issuer) % 8 == 0, "aligned");

int ca_ocsp_row_compare(const struct ca_ocsp_row *a, const struct ca_ocsp_row *b)
{
    if (a->issuer != b->issuer) {
        return a->issuer < b->issuer ? -1 : 1;
    }
    size_t a_len = a->serial_len <= sizeof a->serial ? a->serial_len : sizeof a->serial;
    size_t b_len = b->serial_len <= sizeof b->serial ? b->serial_len : sizeof b->serial;
    return lt_slice_cmp(LT_SLICE(a->serial, a_len), LT_SLICE(b->serial, b_len));
}

struct ca_ocsp_header ca_ocsp_head(int64_t generation, uint64_t rows, uint32_t issuers, uint32_t responders)
{
    struct ca_ocsp_header h = {.generation = generation,
                               .rows = rows,
                               .issuers = issuers,
                               .responders = responders,
                               .row_size = sizeof(struct ca_ocsp_row)};
    memcpy(h.magic, magic, sizeof magic);
    return h;
}

lt_res ca_ocsp_map_open(lt_slice bytes, struct ca_ocsp_map *ret_map)
{
    struct ca_ocsp_map m = {.rows = bytes};
    LT_CHECK(bytes.len >= sizeof m.head, LT_STATE_CORRUPT, "answers of OCSP: no header");
    memcpy(&m.head, bytes.ptr, sizeof m.head);
    LT_CHECK(memcmp(m.head.magic, magic, sizeof magic) == 0 && m.head.row_size == sizeof(struct ca_ocsp_row),
             LT_STATE_CORRUPT, "answers of OCSP: of another program");
    LT_CHECK(m.head.issuers <= CA_OCSP_ISSUERS_MAX && m.head.responders <= CA_OCSP_RESPONDERS_MAX &&
                 m.head.rows <= bytes.len / sizeof(struct ca_ocsp_row),
             LT_STATE_CORRUPT, "answers of OCSP: counts that cannot be");
    size_t rows = (size_t)m.head.rows * sizeof(struct ca_ocsp_row);
    size_t issuers = m.head.issuers * sizeof(struct ca_ocsp_issuer);
    size_t responders = m.head.responders * sizeof(struct ca_ocsp_responder);
    LT_CHECK(bytes.len == sizeof m.head + rows + issuers + responders, LT_STATE_CORRUPT,
             "answers of OCSP: the parts do not fill the file");
    m.rows = lt_slice_sub(bytes, sizeof m.head, rows);
    m.issuers = lt_slice_sub(bytes, sizeof m.head + rows, issuers);
    m.responders = lt_slice_sub(bytes, sizeof m.head + rows + issuers, responders);
    *ret_map = m;
    return LT_OK;
}

static bool copy(lt_slice part, uint64_t at, size_t size, void *ret)
{
    if (at >= part.len / size) {
        return false;
    }
    memcpy(ret, lt_slice_sub(part, (size_t)at * size, size).ptr, size);
    return true;
}

bool ca_ocsp_map_row(const struct ca_ocsp_map *map, uint64_t at, struct ca_ocsp_row *ret_row)
{
    return copy(map->rows, at, sizeof *ret_row, ret_row);
}

bool ca_ocsp_map_issuer(const struct ca_ocsp_map *map, size_t at, struct ca_ocsp_issuer *ret_issuer)
{
    return copy(map->issuers, at, sizeof *ret_issuer, ret_issuer);
}

bool ca_ocsp_map_responder(const struct ca_ocsp_map *map, size_t at, struct ca_ocsp_responder *ret_responder)
{
    return copy(map->responders, at, sizeof *ret_responder, ret_responder);
}

bool ca_ocsp_map_find_issuer(const struct ca_ocsp_map *map, const struct x509_ocsp_certid *id,
                             uint16_t *ret_at)
{
    size_t len = x509_ocsp_hash_len(id->hash);
    for (uint16_t i = 0; i < map->head.issuers; i++) {
        struct ca_ocsp_issuer one;
        if (ca_ocsp_map_issuer(map, i, &one) &&
            lt_slice_eq(id->name_hash, LT_SLICE(one.name_hash[id->hash], len)) &&
            lt_slice_eq(id->key_hash, LT_SLICE(one.key_hash[id->hash], len))) {
            *ret_at = i;
            return true;
        }
    }
    return false;
}

bool ca_ocsp_map_find(const struct ca_ocsp_map *map, const struct ca_ocsp_row *wanted,
                      struct ca_ocsp_row *ret_row)
{
    uint64_t low = 0;
    uint64_t high = map->head.rows;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (!ca_ocsp_map_row(map, mid, ret_row)) {
            return false;
        }
        int c = ca_ocsp_row_compare(wanted, ret_row);
        if (c == 0) {
            return true;
        }
        low = c > 0 ? mid + 1 : low;
        high = c > 0 ? high : mid;
    }
    return false;
}

bool ca_ocsp_row_key(uint16_t issuer, lt_slice serial, struct ca_ocsp_row *ret_row)
{
    *ret_row = (struct ca_ocsp_row){.issuer = issuer};
    if (serial.len == 0 || serial.len > sizeof ret_row->serial) {
        return false;
    }
    memcpy(ret_row->serial, serial.ptr, serial.len);
    ret_row->serial_len = (uint8_t)serial.len;
    return true;
}

void ca_ocsp_row_data(const struct ca_ocsp_row *row, const struct ca_ocsp_issuer *issuer,
                      const struct ca_ocsp_responder *responder, enum x509_ocsp_hash hash,
                      struct x509_ocsp_data *ret_data)
{
    size_t len = x509_ocsp_hash_len(hash);
    *ret_data = (struct x509_ocsp_data){
        .responder_key_hash = LT_SLICE(responder->key_hash, sizeof responder->key_hash),
        .produced = lt_time_from_seconds(row->this_s),
        .certid = {hash, LT_SLICE(issuer->name_hash[hash], len), LT_SLICE(issuer->key_hash[hash], len),
                   LT_SLICE(row->serial, row->serial_len)},
        .status = (enum x509_ocsp_status)row->status,
        .revoked = lt_time_from_seconds(row->revoked_s),
        .reason = row->reason,
        .this_update = lt_time_from_seconds(row->this_s),
        .next_update = lt_time_from_seconds(row->next_s),
    };
}

/* Up to the last second that GeneralizedTime can say. */
static bool times_sound(const struct ca_ocsp_row *row)
{
    static const int64_t last_s = INT64_C(253402300799);
    const int64_t times[] = {row->this_s, row->next_s, row->revoked_s};
    for (size_t i = 0; i < LT_COUNT(times); i++) {
        if (times[i] < 0 || times[i] > last_s) {
            return false;
        }
    }
    return true;
}

static lt_res write_answer(const struct ca_ocsp_map *map, const struct ca_ocsp_row *row,
                           enum x509_ocsp_hash hash, struct lt_buf *out)
{
    struct ca_ocsp_issuer issuer;
    struct ca_ocsp_responder responder;
    struct x509_ocsp_data data;
    bool sound = row->serial_len <= sizeof row->serial && row->status <= X509_OCSP_UNKNOWN &&
                 row->reason <= 10 && row->signature_len[hash] <= CA_OCSP_SIGNATURE_MAX &&
                 row->signature_len[hash] > 0 && times_sound(row);
    LT_CHECK(sound && ca_ocsp_map_issuer(map, row->issuer, &issuer) &&
                 ca_ocsp_map_responder(map, row->responder, &responder) &&
                 responder.len <= CA_OCSP_CERTIFICATE_MAX,
             LT_STATE_CORRUPT, "answers of OCSP: a row that cannot be");
    ca_ocsp_row_data(row, &issuer, &responder, hash, &data);
    struct lt_buf tbs;
    lt_buf_init(&tbs, 1024);
    lt_res r = x509_ocsp_data_write(&data, &tbs);
    if (!lt_failed(r)) {
        r = x509_ocsp_response_write(lt_buf_slice(&tbs), X509_SIG_ECDSA_SHA256,
                                     LT_SLICE(row->signature[hash], row->signature_len[hash]),
                                     LT_SLICE(responder.certificate, responder.len), out);
    }
    lt_buf_done(&tbs);
    return r;
}

lt_res ca_ocsp_map_answer(const struct ca_ocsp_map *map, const struct x509_ocsp_certid *id,
                          struct lt_buf *out, struct ca_ocsp_row *ret_row)
{
    struct ca_ocsp_row wanted;
    uint16_t issuer;
    *ret_row = (struct ca_ocsp_row){0};
    LT_CHECK(ca_ocsp_map_find_issuer(map, id, &issuer), LT_PEER_UNSUPPORTED, "no issuer of ours");
    bool found = ca_ocsp_row_key(issuer, id->serial, &wanted) && ca_ocsp_map_find(map, &wanted, ret_row);
    ret_row->issuer = issuer;
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no such serial");
    return write_answer(map, ret_row, id->hash, out);
}

/* ---- when ---- */

enum { HOUR = 3600, DAY = 24 * HOUR };

/* Dated: a new edition is a new row. Four days is the middle of what is allowed, and two until the next
 * signature leaves the other two to mend whatever stopped it. */
/*= CABF-BR 4.9.9 "OCSP responses for Subscriber Certificates MUST have a validity interval greater than or
 *= equal to eight hours and less than or equal to ten days." */
/*= CABF-BR 4.9.9 "For OCSP responses with validity intervals greater than or equal to sixteen hours, the CA
 *= SHALL provide an updated OCSP response at least eight hours prior to the `nextUpdate`, and no later than
 *= four days after the `thisUpdate`." */
static const struct {
    int64_t from_s; /* since 1970 */
    struct ca_ocsp_times times;
} rules[] = {
    {0, {.valid_s = 4 * DAY, .refresh_s = 2 * DAY, .authoritative_s = DAY}},
    /* 2025-01-15
     *= CABF-BR 4.9.9 "starting no more than 15 minutes after the Certificate or Precertificate is first
     *= published or otherwise made available." */
    {1736899200, {.valid_s = 4 * DAY, .refresh_s = 2 * DAY, .authoritative_s = 15 * 60}},
};

struct ca_ocsp_times ca_ocsp_times_at(lt_time now)
{
    size_t i = LT_COUNT(rules) - 1;
    while (i > 0 && lt_time_seconds(now) < rules[i].from_s) {
        i--;
    }
    return rules[i].times;
}
