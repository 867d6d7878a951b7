/* The map of renewal information: its rule, its format, its search. */
#include "ca/ari_map.h"

#include <string.h>

#include "base/text.h"

enum {
    SHORT_LIFE_S = 10 * 86400,
    SPREAD = 50, /* a fiftieth of its life: how wide the window is, and how far the serial moves it */
    LEAST_WIDTH_S = 2,
    REVOKED_BEFORE_S = 3600,
    REVOKED_UNTIL_S = 1800,
};

static const uint8_t magic[8] = {'L', 'T', 'A', 'R', 'I', 0x01, 0x02, 0x03};

/* Even over its range for serials that are random in their last bytes. */
static int64_t jitter(lt_slice serial, int64_t range)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < serial.len; i++) {
        h = (h ^ serial.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return range <= 0 ? 0 : (int64_t)((h >> 16) % (uint64_t)range);
}

static void by_rule(const struct ca_ari_facts *f, struct ca_ari_window *w)
{
    int64_t from_s = lt_time_seconds(f->not_before);
    int64_t life_s = lt_time_seconds(f->not_after) - from_s;
    life_s = life_s < 1 ? 1 : life_s;
    int64_t at_s = life_s < SHORT_LIFE_S ? life_s / 2 : life_s / 3 * 2;
    int64_t width_s = life_s / SPREAD;
    width_s = width_s < LEAST_WIDTH_S ? LEAST_WIDTH_S : width_s;
    int64_t start_s = from_s + at_s - width_s + jitter(f->serial, width_s);
    w->start = lt_time_from_seconds(start_s);
    w->end = lt_time_from_seconds(start_s + width_s);
}

void ca_ari_window_of(const struct ca_ari_facts *f, struct ca_ari_window *ret_window)
{
    *ret_window = (struct ca_ari_window){.url = f->set_url};
    if (f->revoked.us != 0) {
        /*= RFC 9773 4.2 "If the selected time is in the past, attempt renewal immediately." */
        ret_window->start = lt_time_add_seconds(f->revoked, -REVOKED_BEFORE_S);
        ret_window->end = lt_time_add_seconds(f->revoked, -REVOKED_UNTIL_S);
    } else if (f->set_start.us != 0 && f->set_end.us > f->set_start.us) {
        ret_window->start = f->set_start;
        ret_window->end = f->set_end;
    } else {
        by_rule(f, ret_window);
    }
}

int ca_ari_row_compare(const struct ca_ari_row *a, const struct ca_ari_row *b)
{
    if (a->issuer != b->issuer) {
        return a->issuer < b->issuer ? -1 : 1;
    }
    int c = memcmp(a->serial, b->serial, sizeof a->serial);
    return c != 0 ? c : (int)a->serial_len - (int)b->serial_len;
}

struct ca_ari_header ca_ari_head(int64_t generation, uint64_t rows, uint32_t issuers, uint64_t strings)
{
    struct ca_ari_header h = {
        .generation = generation,
        .rows = rows,
        .strings = strings,
        .issuers = issuers,
        .row_size = sizeof(struct ca_ari_row),
    };
    memcpy(h.magic, magic, sizeof magic);
    return h;
}

lt_res ca_ari_map_open(lt_slice bytes, struct ca_ari_map *ret_map)
{
    struct ca_ari_map m = {0};
    LT_CHECK(bytes.len >= sizeof m.head, LT_STATE_CORRUPT, "renewal information of %zu bytes", bytes.len);
    memcpy(&m.head, bytes.ptr, sizeof m.head);
    LT_CHECK(memcmp(m.head.magic, magic, sizeof magic) == 0 && m.head.row_size == sizeof(struct ca_ari_row) &&
                 m.head.issuers <= CA_ARI_ISSUERS_MAX,
             LT_STATE_CORRUPT, "renewal information of another version");
    size_t rest = bytes.len - sizeof m.head;
    size_t issuers = m.head.issuers * sizeof(struct ca_ari_issuer);
    LT_CHECK(issuers <= rest && m.head.strings <= rest - issuers, LT_STATE_CORRUPT,
             "renewal information is cut short");
    size_t rows = rest - issuers - (size_t)m.head.strings;
    LT_CHECK(rows % sizeof(struct ca_ari_row) == 0 && rows / sizeof(struct ca_ari_row) == m.head.rows,
             LT_STATE_CORRUPT, "renewal information with %zu bytes of rows, which are %llu", rows,
             (unsigned long long)m.head.rows);
    m.issuers = lt_slice_sub(bytes, sizeof m.head, issuers);
    m.rows = lt_slice_sub(bytes, sizeof m.head + issuers, rows);
    m.strings = lt_slice_sub(bytes, sizeof m.head + issuers + rows, SIZE_MAX);
    *ret_map = m;
    return LT_OK;
}

lt_res ca_ari_certid_read(lt_slice text, struct lt_arena *a, struct ca_ari_certid *ret_id)
{
    size_t dot = lt_slice_find(text, '.');
    lt_slice serial;
    /*= RFC 9773 4.1 "the period character" */
    LT_CHECK(text.len <= CA_ARI_CERTID_MAX && dot < text.len, LT_PEER_MALFORMED,
             "not a certificate identifier: two base64url texts with a period between them");
    LT_TRY(lt_unbase64url(a, lt_slice_sub(text, 0, dot), &ret_id->key_id));
    LT_TRY(lt_unbase64url(a, lt_slice_sub(text, dot + 1, SIZE_MAX), &serial));
    bool zero = serial.len > 1 && serial.ptr[0] == 0;
    /*= RFC 9773 4.1 "the base64url encoding of the DER-encoded Serial Number field (without the tag and
     *length = bytes)" */
    bool der = serial.len > 0 && serial.ptr[0] < 0x80 && (!zero || serial.ptr[1] >= 0x80);
    LT_CHECK(der && ret_id->key_id.len > 0, LT_PEER_MALFORMED,
             "not a certificate identifier: the serial is not the content of a positive DER INTEGER");
    ret_id->serial = zero ? lt_slice_sub(serial, 1, SIZE_MAX) : serial;
    return LT_OK;
}

void ca_ari_certid_add(struct lt_buf *out, const struct ca_ari_certid *id)
{
    uint8_t der[CA_ARI_SERIAL_MAX + 2] = {0};
    size_t zero = id->serial.len > 0 && id->serial.ptr[0] >= 0x80 ? 1 : 0;
    size_t len = id->serial.len < CA_ARI_SERIAL_MAX ? id->serial.len : CA_ARI_SERIAL_MAX;
    if (len > 0) {
        memcpy(&der[zero], id->serial.ptr, len);
    }
    lt_base64url_add(out, id->key_id);
    lt_buf_add_byte(out, '.');
    lt_base64url_add(out, LT_SLICE(der, zero + len));
}

static bool find_issuer(const struct ca_ari_map *map, lt_slice key_id, uint16_t *ret_issuer)
{
    for (uint16_t i = 0; i < map->head.issuers; i++) {
        struct ca_ari_issuer one;
        memcpy(&one, lt_slice_sub(map->issuers, i * sizeof one, sizeof one).ptr, sizeof one);
        if (one.len <= CA_ARI_KEY_ID_MAX && lt_slice_eq(LT_SLICE(one.key_id, one.len), key_id)) {
            *ret_issuer = i;
            return true;
        }
    }
    return false;
}

static void fill(const struct ca_ari_map *map, const struct ca_ari_row *row, struct ca_ari_window *w)
{
    lt_slice url = {0};
    if (row->url != 0 && row->url <= map->strings.len) {
        url = lt_slice_sub(map->strings, row->url - 1, CA_ARI_URL_MAX + 1);
        url.len = lt_slice_find(url, '\n');
    }
    *w = (struct ca_ari_window){lt_time_from_seconds(row->start_s), lt_time_from_seconds(row->end_s), url};
}

static bool find_row(const struct ca_ari_map *map, const struct ca_ari_row *wanted,
                     struct ca_ari_window *ret_window)
{
    size_t low = 0;
    size_t high = (size_t)map->head.rows;
    while (low < high) {
        struct ca_ari_row row;
        size_t mid = low + (high - low) / 2;
        memcpy(&row, lt_slice_sub(map->rows, mid * sizeof row, sizeof row).ptr, sizeof row);
        int c = ca_ari_row_compare(wanted, &row);
        if (c == 0) {
            fill(map, &row, ret_window);
            return true;
        }
        low = c > 0 ? mid + 1 : low;
        high = c > 0 ? high : mid;
    }
    return false;
}

bool ca_ari_map_knows(const struct ca_ari_map *map, lt_slice key_id)
{
    uint16_t place;
    return find_issuer(map, key_id, &place);
}

bool ca_ari_map_find(const struct ca_ari_map *map, const struct ca_ari_certid *id,
                     struct ca_ari_window *ret_window)
{
    struct ca_ari_row wanted = {0};
    if (id->serial.len == 0 || id->serial.len > sizeof wanted.serial ||
        !find_issuer(map, id->key_id, &wanted.issuer)) {
        return false;
    }
    memcpy(wanted.serial, id->serial.ptr, id->serial.len);
    wanted.serial_len = (uint8_t)id->serial.len;
    return find_row(map, &wanted, ret_window);
}
