/* Drawings of a report: the fishbone of causes, and the run-off curve. Plain SVG without scripts or foreign
 * parts, every text escaped. */
#include <string.h>

#include "incident/report_write.h"

enum { WIDTH = 960, HEIGHT = 460, LEFT = 90, RIGHT = 30, TOP = 40, BOTTOM = 60 };

static void add_text(struct lt_buf *out, const char *text, size_t most)
{
    size_t n = 0;
    for (const char *p = text; *p != 0 && n < most; p++) {
        uint8_t c = (uint8_t)*p;
        n += (c & 0xc0) != 0x80;
        switch (c) {
        case '&':
            lt_buf_add_cstr(out, "&amp;");
            break;
        case '<':
            lt_buf_add_cstr(out, "&lt;");
            break;
        case '>':
            lt_buf_add_cstr(out, "&gt;");
            break;
        default:
            lt_buf_add_byte(out, c < 0x20 ? ' ' : c);
        }
    }
}

static void head(struct lt_buf *out, int width, int height, const char *title)
{
    lt_buf_addf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
        "font-size=\"13\">\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n<text x=\"20\" y=\"24\" "
        "font-size=\"16\">",
        width, height, width, height);
    add_text(out, title, 100);
    lt_buf_add_cstr(out, "</text>\n");
}

static void line(struct lt_buf *out, int x1, int y1, int x2, int y2, const char *style)
{
    lt_buf_addf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" %s/>\n", x1, y1, x2, y2, style);
}

static void label(struct lt_buf *out, int x, int y, const char *anchor, const char *text)
{
    lt_buf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y, anchor);
    add_text(out, text, 80);
    lt_buf_add_cstr(out, "</text>\n");
}

/* ---- fishbone ---- */

static const char *const categories[] = {"people",   "process",     "tools",
                                         "software", "environment", "measurement"};

static size_t bones_of(const json_t *facts, const char *category, struct lt_buf *out, int x, bool above,
                       int spine)
{
    size_t i;
    json_t *bone;
    size_t n = 0;
    json_array_foreach(json_object_get(facts, "bones"), i, bone)
    {
        if (strcmp(incident_fact(bone, "category"), category) != 0) {
            continue;
        }
        int y = above ? spine - 50 - (int)n * 20 : spine + 62 + (int)n * 20;
        int64_t cause = incident_fact_number(bone, "cause");
        lt_buf_addf(out, "<text x=\"%d\" y=\"%d\">", x + 12, y);
        add_text(out, incident_fact(bone, "text"), 44);
        if (cause > 0) {
            lt_buf_addf(out, " (#%lld)", (long long)cause);
        }
        lt_buf_add_cstr(out, "</text>\n");
        n++;
    }
    return n;
}

void incident_fishbone_svg(const json_t *facts, struct lt_buf *out)
{
    const json_t *incident = json_object_get(facts, "incident");
    int tallest = 0;
    size_t i;
    json_t *bone;
    int per[6] = {0};
    json_array_foreach(json_object_get(facts, "bones"), i, bone)
    {
        for (size_t k = 0; k < LT_COUNT(categories); k++) {
            per[k] += strcmp(incident_fact(bone, "category"), categories[k]) == 0;
            tallest = per[k] > tallest ? per[k] : tallest;
        }
    }
    int reach = 90 + tallest * 20;
    int spine = 50 + reach;
    int width = 1240;
    head(out, width, spine + reach + 40, "Root causes");
    line(out, 40, spine, width - 220, spine, "stroke=\"black\" stroke-width=\"3\"");
    lt_buf_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"200\" height=\"48\" fill=\"#eee\" stroke=\"black\"/>\n",
                width - 220, spine - 24);
    label(out, width - 120, spine + 4, "middle",
          incident_fact(incident, "title")[0] != 0 ? "the incident" : "");
    for (size_t k = 0; k < LT_COUNT(categories); k++) {
        bool above = k % 2 == 0;
        int x = 60 + (int)(k / 2) * 330;
        int y = above ? spine - reach + 10 : spine + reach - 10;
        line(out, x, y, x + 60, spine, "stroke=\"black\"");
        label(out, x, above ? y - 6 : y + 16, "start", categories[k]);
        (void)bones_of(facts, categories[k], out, x + 30, above, spine); /* how many: counted above */
    }
    lt_buf_add_cstr(out, "</svg>\n");
}

/* ---- run-off ---- */

static int last_hour(const struct incident_numbers *n)
{
    int last = 24;
    for (int h = 0; h < INCIDENT_HOURS_MAX; h++) {
        last = n->gone[h] + n->expiring[h] > 0 && h > last ? h : last;
    }
    return last + 1;
}

static void axis(struct lt_buf *out, const struct incident_numbers *n, int hours)
{
    line(out, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "stroke=\"black\"");
    line(out, LEFT, TOP, LEFT, HEIGHT - BOTTOM, "stroke=\"black\"");
    for (int i = 0; i <= 4; i++) {
        struct lt_buf b;
        lt_buf_init(&b, 64);
        int y = HEIGHT - BOTTOM - i * (HEIGHT - BOTTOM - TOP) / 4;
        incident_add_count(&b, n->total * i / 4);
        label(out, LEFT - 8, y + 4, "end", lt_buf_cstr(&b));
        line(out, LEFT - 4, y, WIDTH - RIGHT, y, "stroke=\"#ddd\"");
        lt_buf_reset(&b);
        if (hours > 96) {
            lt_buf_addf(&b, "%d d", hours * i / 4 / 24);
        } else {
            lt_buf_addf(&b, "%d h", hours * i / 4);
        }
        label(out, LEFT + i * (WIDTH - LEFT - RIGHT) / 4, HEIGHT - BOTTOM + 20, "middle", lt_buf_cstr(&b));
        lt_buf_done(&b);
    }
    label(out, LEFT, HEIGHT - 12, "start",
          "since the CA was aware; certificates that are neither revoked nor expired");
}

static int at_x(int hour, int hours)
{
    return LEFT + hour * (WIDTH - LEFT - RIGHT) / hours;
}

static int at_y(const struct incident_numbers *n, int64_t left)
{
    return HEIGHT - BOTTOM - (n->total > 0 ? (int)(left * (HEIGHT - BOTTOM - TOP) / n->total) : 0);
}

/* The line falls with each revocation and expiry; dashed from now on, where only expiry is certain. */
static void curve(struct lt_buf *out, const struct incident_numbers *n, int hours, int now_hour)
{
    int64_t left = n->total;
    int drawn = 0;
    for (int part = 0; part < 2; part++) {
        int end = part == 0 && now_hour < hours ? now_hour : hours;
        lt_buf_addf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" %spoints=\"%d,%d",
                    part == 0 ? "#004488" : "#888888", part == 0 ? "" : "stroke-dasharray=\"6 4\" ",
                    at_x(drawn, hours), at_y(n, left));
        for (; drawn < end; drawn++) {
            left -= n->gone[drawn] + n->expiring[drawn];
            lt_buf_addf(out, " %d,%d", at_x(drawn + 1, hours), at_y(n, left));
        }
        lt_buf_add_cstr(out, "\"/>\n");
    }
}

void incident_runoff_svg(const json_t *facts, const struct incident_numbers *n, struct lt_buf *out)
{
    const json_t *incident = json_object_get(facts, "incident");
    lt_time aware = incident_fact_time(incident, "aware");
    lt_time must = incident_fact_time(incident, "must");
    lt_time now = incident_fact_time(facts, "now");
    int64_t hour = 3600 * LT_US_PER_SECOND;
    int hours = last_hour(n);
    int64_t now_hour = (now.us - aware.us) / hour + 1;
    int64_t must_hour = (must.us - aware.us) / hour;
    head(out, WIDTH, HEIGHT, "Certificates left over time");
    axis(out, n, hours);
    curve(out, n, hours, now_hour < 0 ? 0 : now_hour > hours ? hours : (int)now_hour);
    if (must.us != 0 && must_hour >= 0 && must_hour <= hours) {
        int x = at_x((int)must_hour, hours);
        line(out, x, TOP, x, HEIGHT - BOTTOM, "stroke=\"#bb0000\" stroke-width=\"2\"");
        label(out, x + 6, TOP + 12, "start", "deadline");
    }
    lt_buf_add_cstr(out, "</svg>\n");
}
