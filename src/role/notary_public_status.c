/* The front page and the status page: what goes on, what is fresh, and how it was on days past. What nobody
 * measured is said to be unknown. */
#include <string.h>

#include "role/notary_html.h"
#include "role/notary_public.h"

enum { DAYS = 90, DAY_MINUTES = 1440, HOUR_MINUTES = 60 };

#define TEXT notary_public_text
#define NUMBER notary_public_number

/* ---- what is so now ---- */

struct now {
    size_t open;   /* incidents */
    size_t broken; /* CRLs */
    size_t late;   /* the same */
    bool stopped;  /* the last look at today found that nothing could be issued */
};

static void count_crls(const json_t *known, struct now *now)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(known, "crls"), i, row)
    {
        const char *state = TEXT(row, "state");
        bool bad = strcmp(state, "expired") == 0 || strcmp(state, "broken") == 0 ||
                   strcmp(TEXT(row, "fetched"), "bad") == 0;
        now->broken += bad;
        now->late += !bad && strcmp(state, "late") == 0;
    }
    json_array_foreach(json_object_get(known, "crl_parts"), i, row)
    {
        now->broken += (size_t)NUMBER(row, "broken");
        now->late += (size_t)NUMBER(row, "late");
    }
}

static struct now look(const json_t *known)
{
    struct now now = {0};
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(known, "incidents"), i, row)
    {
        now.open += json_is_true(json_object_get(row, "open"));
    }
    json_array_foreach(json_object_get(known, "days"), i, row)
    {
        if (NUMBER(row, "ago") == 0 && strcmp(TEXT(row, "service"), "issue") == 0) {
            now.stopped = !json_is_true(json_object_get(row, "working"));
        }
    }
    count_crls(known, &now);
    return now;
}

static void add_now(struct lt_buf *out, const json_t *known, bool link)
{
    struct now now = look(known);
    const char *tone = now.broken > 0 ? "bad" : now.open > 0 || now.stopped ? "warning" : "good";
    lt_buf_addf(out, "<div class=\"box %s\"><p><strong>%s</strong>", tone,
                now.broken > 0 ? "Revocation information is out of date"
                : now.open > 0 ? "Certificates have to be replaced"
                : now.stopped  ? "No certificates are issued just now"
                               : "Everything works");
    if (now.open > 0) {
        lt_buf_addf(
            out,
            "<br>%zu %s open. <a href=\"/affected\">Look up whether a certificate of yours is affected</a>.",
            now.open, now.open == 1 ? "incident is" : "incidents are");
    }
    if (now.broken > 0) {
        lt_buf_addf(out, "<br>%zu %s expired, or not as published.", now.broken,
                    now.broken == 1 ? "revocation list is" : "revocation lists are");
    }
    notary_html_add(out, "<br><span class=\"quiet\">As of ", TEXT(known, "now"), ".</span>");
    lt_buf_add_cstr(out, link ? " <a href=\"/status\">Details</a></p></div>\n" : "</p></div>\n");
}

void notary_public_front(struct lt_buf *out, const struct wire_site *site, const json_t *known)
{
    static const struct {
        const char *path;
        const char *title;
        const char *words;
    } tiles[] = {
        {"/problem", "Report a problem with a certificate",
         "A key that others know, a certificate that should not exist, one that is misused. At any hour; you "
         "get "
         "a case number at once."},
        {"/key", "Prove that a private key is compromised",
         "Its certificates are revoked within seconds, by machine."},
        {"/affected", "Check whether a certificate is affected",
         "By serial number, fingerprint, name or account: must it be replaced, and by when?"},
        {"/status", "Status", "Incidents, revocation lists, and how it was on days past."},
        {"/get-certificates", "Get certificates", "Lines to copy for certbot, lego, acme.sh and Apache."},
        {"/hierarchy", "Our CA certificates",
         "Roots and issuing certificates, with fingerprints, to download."},
    };
    add_now(out, known, true);
    lt_buf_add_cstr(out, "<ul class=\"tiles\">\n");
    for (size_t i = 0; i < LT_COUNT(tiles); i++) {
        lt_buf_addf(out, "<li><a href=\"%s\">%s</a><p>%s</p></li>\n", tiles[i].path, tiles[i].title,
                    tiles[i].words);
    }
    lt_buf_add_cstr(out, "</ul>\n");
    if (site->terms_of_service != NULL && strncmp(site->terms_of_service, "https://", 8) == 0) {
        notary_html_attribute(out, "<p><a href=\"", site->terms_of_service, "\">Terms of service</a></p>\n");
    }
    if (site->website != NULL && strncmp(site->website, "https://", 8) == 0) {
        notary_html_attribute(out, "<p><a href=\"", site->website, "\">More about us</a></p>\n");
    }
}

/* ---- incidents ---- */

static void add_incident(struct lt_buf *out, const json_t *i)
{
    bool open = json_is_true(json_object_get(i, "open"));
    notary_html_add(out, "<h3>", TEXT(i, "title"), " ");
    notary_html_tag(out, open ? "warning" : "good", open ? "open" : "closed");
    lt_buf_add_cstr(out, "</h3>\n");
    if (TEXT(i, "words")[0] != '\0') {
        notary_html_add(out, "<p class=\"words\">", TEXT(i, "words"), "</p>\n");
    }
    lt_buf_addf(out, "<p>Incident %lld: ", (long long)NUMBER(i, "incident"));
    notary_html_number(out, NUMBER(i, "certificates"));
    lt_buf_add_cstr(out, " certificates");
    if (TEXT(i, "published")[0] != '\0') {
        notary_html_add(out, ", published ", TEXT(i, "published"), "");
    }
    if (TEXT(i, "deadline")[0] != '\0') {
        notary_html_add(out, ", <strong>revoked by ", TEXT(i, "deadline"), "</strong>");
    }
    lt_buf_addf(out, ". <a href=\"/affected/incident/%lld\">Whom it concerns, and the whole list</a></p>\n",
                (long long)NUMBER(i, "incident"));
}

static void add_incidents(struct lt_buf *out, const json_t *known)
{
    size_t i;
    const json_t *row;
    lt_buf_add_cstr(out, "<section><h2>Incidents</h2>\n");
    json_array_foreach(json_object_get(known, "incidents"), i, row)
    {
        add_incident(out, row);
    }
    if (json_array_size(json_object_get(known, "incidents")) == 0) {
        lt_buf_add_cstr(out, "<p>No incident is published.</p>\n");
    }
    lt_buf_add_cstr(out, "</section>\n");
}

/* ---- CRLs ---- */

static void add_crl(struct lt_buf *out, const json_t *c)
{
    static const struct {
        const char *state;
        const char *tone;
    } tones[] = {{"fresh", "good"}, {"late", "warning"}, {"broken", "bad"}, {"expired", "bad"}};
    const char *fetched = TEXT(c, "fetched");
    const char *tone = "";
    for (size_t i = 0; i < LT_COUNT(tones); i++) {
        tone = strcmp(tones[i].state, TEXT(c, "state")) == 0 ? tones[i].tone : tone;
    }
    notary_html_attribute(out, "<tr><th scope=\"row\"><a href=\"/crl/", TEXT(c, "issuer"), ".crl\">");
    notary_html_add(out, "", TEXT(c, "issuer"), "</a></th><td>");
    notary_html_tag(out, tone, TEXT(c, "state"));
    notary_html_add(out, "</td><td>", TEXT(c, "this_update"), "</td>");
    notary_html_add(out, "<td>", TEXT(c, "next_update"), "</td><td class=\"number\">");
    notary_html_number(out, NUMBER(c, "entries"));
    lt_buf_add_cstr(out, "</td><td>");
    if (fetched[0] == '\0') {
        lt_buf_add_cstr(out, "not looked at</td></tr>\n");
    } else {
        notary_html_tag(out, fetched, strcmp(fetched, "good") == 0 ? "as published" : "not as published");
        notary_html_add(out, " ", TEXT(c, "fetched_at"), "</td></tr>\n");
    }
}

static void add_parts(struct lt_buf *out, const json_t *p)
{
    bool good = NUMBER(p, "broken") == 0 && NUMBER(p, "late") == 0;
    notary_html_add(out, "<tr><th scope=\"row\">", TEXT(p, "issuer"), ", in parts</th><td>");
    notary_html_tag(out,
                    NUMBER(p, "broken") > 0 ? "bad"
                    : good                  ? "good"
                                            : "warning",
                    NUMBER(p, "broken") > 0 ? "broken"
                    : good                  ? "fresh"
                                            : "late");
    notary_html_add(out, "</td><td>", TEXT(p, "oldest_this_update"), " and later</td>");
    notary_html_add(out, "<td>", TEXT(p, "first_next_update"), " and later</td><td class=\"number\">");
    notary_html_number(out, NUMBER(p, "entries"));
    lt_buf_addf(out, "</td><td>%lld parts</td></tr>\n", (long long)NUMBER(p, "parts"));
}

static void add_crls(struct lt_buf *out, const json_t *known)
{
    size_t i;
    const json_t *row;
    lt_buf_add_cstr(
        out, "<section><h2>Revocation lists</h2>\n<div class=\"wide\" role=\"region\" "
             "aria-label=\"Revocation lists\" tabindex=\"0\"><table>"
             "<caption class=\"hidden\">Certificate revocation lists (CRL)</caption><thead><tr>"
             "<th scope=\"col\">Issuer</th><th scope=\"col\">State</th><th scope=\"col\">Published</th>"
             "<th scope=\"col\">Good until</th><th scope=\"col\">Entries</th>"
             "<th scope=\"col\">Fetched back</th></tr></thead><tbody>\n");
    json_array_foreach(json_object_get(known, "crls"), i, row)
    {
        add_crl(out, row);
    }
    json_array_foreach(json_object_get(known, "crl_parts"), i, row)
    {
        add_parts(out, row);
    }
    lt_buf_add_cstr(out, "</tbody></table></div>\n");
    if (json_array_size(json_object_get(known, "crls")) == 0) {
        lt_buf_add_cstr(out, "<p>No list was published yet.</p>\n");
    }
    lt_buf_add_cstr(out, "</section>\n");
}

/* ---- days past ---- */

static const struct service {
    const char *name;
    const char *title;
    const char *words;
} services[] = {
    {"issue", "Certificates can be issued",
     "What signs was running, and issuance was neither held nor stopped."},
    {"crl", "Revocation lists are fresh",
     "None had expired, and what was fetched back was what had been published."},
    {"ocsp", "OCSP answers are fresh", "New answers were being written."},
};

struct day {
    const json_t *row; /* NULL: nothing was measured */
    int64_t good;
    int64_t bad;
};

static void collect(const json_t *known, const char *service, struct day days[DAYS])
{
    size_t i;
    const json_t *row;
    memset(days, 0, DAYS * sizeof *days);
    json_array_foreach(json_object_get(known, "days"), i, row)
    {
        int64_t ago = NUMBER(row, "ago");
        if (ago >= 0 && ago < DAYS && strcmp(TEXT(row, "service"), service) == 0) {
            days[ago] = (struct day){row, NUMBER(row, "good_minutes"), NUMBER(row, "bad_minutes")};
        }
    }
}

static const char *tone_of(const struct day *d)
{
    return d->row == NULL ? "" : d->bad == 0 ? "good" : d->bad >= HOUR_MINUTES ? "bad" : "warning";
}

/* Down, and never up: 99.99 where one minute of a year was bad. */
static void add_percent(struct lt_buf *out, int64_t good, int64_t bad)
{
    int64_t share = good * 10000 / (good + bad);
    lt_buf_addf(out, "%lld.%02lld %%", (long long)(share / 100), (long long)(share % 100));
}

static void add_bars(struct lt_buf *out, const struct day days[DAYS])
{
    lt_buf_add_cstr(out, "<ul class=\"bars\" aria-hidden=\"true\">");
    for (size_t i = DAYS; i-- > 0;) {
        lt_buf_addf(out, "<li class=\"%s\"></li>", tone_of(&days[i]));
    }
    lt_buf_add_cstr(
        out,
        "</ul>\n<p class=\"legend\" aria-hidden=\"true\"><span>90 days ago</span><span>today</span></p>\n");
}

static void add_table(struct lt_buf *out, const struct service *s, const struct day days[DAYS])
{
    lt_buf_add_cstr(
        out, "<details><summary>Day by day</summary><div class=\"wide\" role=\"region\" tabindex=\"0\" ");
    lt_buf_addf(out,
                "aria-label=\"%s, day by day\"><table class=\"days\"><caption class=\"hidden\">%s, day by day"
                "</caption><thead><tr><th scope=\"col\">Day (UTC)</th><th scope=\"col\">Worked</th>"
                "<th scope=\"col\">Minutes it did not</th><th scope=\"col\">Minutes not measured</th>"
                "<th scope=\"col\">What was wrong last</th></tr></thead><tbody>\n",
                s->title, s->title);
    for (size_t i = 0; i < DAYS; i++) {
        const struct day *d = &days[i];
        if (d->row == NULL) {
            continue;
        }
        int64_t unknown = DAY_MINUTES - d->good - d->bad;
        notary_html_add(out, "<tr><th scope=\"row\">", TEXT(d->row, "day"), "</th><td class=\"number\">");
        add_percent(out, d->good, d->bad);
        lt_buf_addf(out, "</td><td class=\"number\">%lld</td><td class=\"number\">", (long long)d->bad);
        lt_buf_addf(out, i == 0 ? "the day goes on" : "%lld", (long long)(unknown < 0 ? 0 : unknown));
        notary_html_add(out, "</td><td>", TEXT(d->row, "words"), "</td></tr>\n");
    }
    lt_buf_add_cstr(out, "</tbody></table></div></details>\n");
}

static void add_service(struct lt_buf *out, const json_t *known, const struct service *s)
{
    struct day days[DAYS];
    int64_t good = 0;
    int64_t bad = 0;
    collect(known, s->name, days);
    for (size_t i = 0; i < DAYS; i++) {
        good += days[i].good;
        bad += days[i].bad;
    }
    if (good + bad == 0) {
        return;
    }
    lt_buf_addf(out, "<h3>%s</h3>\n<p>", s->title);
    add_percent(out, good, bad);
    lt_buf_add_cstr(out, " of the ");
    notary_html_number(out, good + bad);
    lt_buf_addf(out, " minutes that were measured in 90 days. %s</p>\n", s->words);
    add_bars(out, days);
    add_table(out, s, days);
}

static void add_days(struct lt_buf *out, const json_t *known)
{
    lt_buf_add_cstr(out, "<section><h2>Days past</h2>\n");
    for (size_t i = 0; i < LT_COUNT(services); i++) {
        add_service(out, known, &services[i]);
    }
    if (TEXT(known, "since")[0] == '\0') {
        lt_buf_add_cstr(out, "<p>Nothing was measured yet.</p></section>\n");
        return;
    }
    notary_html_add(out, "<h3>What this can tell, and what it cannot</h3>\n<p>Measured since ",
                    TEXT(known, "since"),
                    ", once a minute, by the certificate authority itself, from inside; what does not work "
                    "in the first half of a minute counts as a minute without it. A minute in which its "
                    "software did not run is in no count: it is shown as not measured, and a day without any "
                    "as a grey bar. ");
    lt_buf_add_cstr(
        out, "Whether our addresses could be reached from where you are we cannot see, but for revocation "
             "lists that were fetched back through the public address. The same as data: "
             "<a href=\"/status.json\">status.json</a>.</p></section>\n");
}

void notary_public_status(struct lt_buf *out, const struct wire_site *site, const json_t *known)
{
    (void)site;
    add_now(out, known, false);
    add_incidents(out, known);
    add_crls(out, known);
    add_days(out, known);
}
