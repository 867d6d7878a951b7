/* The hierarchy with its certificates, and how to get certificates: lines to copy, which a test runs as they
 * stand (tests/e2e/test_public_pages.py). */
#include <string.h>

#include "role/notary_html.h"
#include "role/notary_public.h"

#define TEXT notary_public_text

enum { DEPTH_MAX = 8 };

/* ---- hierarchy ---- */

static void add_row(struct lt_buf *out, const char *name, const char *value)
{
    notary_html_add(out, "<tr><th scope=\"row\">", name, "</th><td>");
    notary_html_add(out, "", value, "</td></tr>\n");
}

static void add_issuer(struct lt_buf *out, const json_t *i, size_t depth)
{
    lt_buf_addf(out, depth == 0 ? "<section><h2>" : "<section><h%zu>", depth + 2);
    notary_html_add(out, "", TEXT(i, "subject"), "");
    lt_buf_addf(out, "</h%zu>\n", depth + 2);
    notary_html_attribute(out, "<p><a class=\"button\" href=\"/ca/", TEXT(i, "name"),
                          ".crt\" download>Download ");
    notary_html_attribute(out, "", TEXT(i, "name"), ".crt</a></p>\n<table class=\"rows\">\n");
    add_row(out, "SHA-256 fingerprint", TEXT(i, "sha256"));
    add_row(out, "Serial number", TEXT(i, "serial"));
    add_row(out, "Key", TEXT(i, "key_type"));
    add_row(out, "Good from", TEXT(i, "not_before"));
    add_row(out, "Good until", TEXT(i, "not_after"));
    add_row(out, "Its key", json_is_true(json_object_get(i, "online")) ? "signs here" : "is kept offline");
    lt_buf_add_cstr(out, "</table>\n");
    notary_html_add(out, "<details><summary>As PEM</summary><pre tabindex=\"0\">", TEXT(i, "pem"),
                    "</pre></details>\n</section>\n");
}

/* By steps down; no recursion. What names no parent that is there, or itself, is a root. */
struct walk {
    const json_t *list;
    size_t at[DEPTH_MAX]; /* next to look at, at each depth */
    const char *parent[DEPTH_MAX];
};

static bool is_root(const json_t *list, const json_t *i)
{
    size_t k;
    const json_t *row;
    const char *parent = TEXT(i, "parent");
    if (parent[0] == '\0' || strcmp(parent, TEXT(i, "name")) == 0) {
        return true;
    }
    json_array_foreach(list, k, row)
    {
        if (strcmp(TEXT(row, "name"), parent) == 0) {
            return false;
        }
    }
    return true;
}

static const json_t *next_at(struct walk *w, size_t depth)
{
    while (w->at[depth] < json_array_size(w->list)) {
        const json_t *i = json_array_get(w->list, w->at[depth]++);
        bool root = is_root(w->list, i);
        if (depth == 0 ? root : !root && strcmp(TEXT(i, "parent"), w->parent[depth]) == 0) {
            return i;
        }
    }
    return NULL;
}

void notary_public_hierarchy(struct lt_buf *out, const struct wire_site *site, const json_t *known)
{
    struct walk w = {.list = json_object_get(known, "issuers")};
    size_t depth = 0;
    (void)site;
    lt_buf_add_cstr(
        out, "<p class=\"lead\">The certificates that ours are signed with. Whoever is to trust our "
             "certificates needs the root; servers send the others along.</p>\n<p>Compare the "
             "fingerprint of a root with one that you got another way, such as in our policy, before you "
             "trust it. Files are DER; <code>openssl x509 -inform der -in FILE -out FILE.pem</code> makes "
             "PEM of them.</p>\n");
    for (;;) {
        const json_t *i = next_at(&w, depth);
        if (i == NULL && depth == 0) {
            break;
        }
        if (i == NULL) {
            lt_buf_add_cstr(out, "</div>\n");
            depth--;
            continue;
        }
        add_issuer(out, i, depth);
        if (depth + 1 < DEPTH_MAX) {
            depth++;
            w.at[depth] = 0;
            w.parent[depth] = TEXT(i, "name");
            lt_buf_add_cstr(out, "<div class=\"tree\">\n");
        }
    }
    if (json_array_size(w.list) == 0) {
        lt_buf_add_cstr(out, "<p>There is none yet.</p>\n");
    }
}

/* ---- how to get certificates ---- */

/* "%U": the URL of the directory. */
static const struct client {
    const char *id;
    const char *name;
    const char *words;
    const char *lines;
    const char *bound; /* the same with an external account binding */
    const char *trust; /* how it is told of our root */
} clients[] = {
    {"certbot", "certbot",
     "On the machine that www.example.org leads to, where nothing else listens on port 80:",
     "certbot certonly --standalone --server %U --agree-tos --email you@example.org --domain "
     "www.example.org\n",
     "certbot certonly --standalone --server %U --agree-tos --email you@example.org --eab-kid KID "
     "--eab-hmac-key KEY "
     "--domain www.example.org\n",
     "export REQUESTS_CA_BUNDLE=/path/to/root.pem\n"},
    {"lego", "lego", "The same, with one program and no more:",
     "lego --server %U --accept-tos --email you@example.org --http --domains www.example.org run\n",
     "lego --server %U --accept-tos --email you@example.org --eab --kid KID --hmac KEY --http --domains "
     "www.example.org run\n",
     "export LEGO_CA_CERTIFICATES=/path/to/root.pem\n"},
    {"acme-sh", "acme.sh", "A shell script:",
     "acme.sh --issue --server %U --accountemail you@example.org --standalone --domain www.example.org\n",
     "acme.sh --register-account --server %U --accountemail you@example.org --eab-kid KID --eab-hmac-key "
     "KEY\n"
     "acme.sh --issue --server %U --standalone --domain www.example.org\n",
     "export CA_BUNDLE=/path/to/root.pem\n"},
    {"apache", "Apache, with mod_md", "Into its configuration; it renews by itself:",
     "MDCertificateAuthority %U\nMDCertificateAgreement accepted\nMDContactEmail you@example.org\n"
     "MDomain www.example.org\n",
     "MDCertificateAuthority %U\nMDCertificateAgreement accepted\nMDContactEmail you@example.org\n"
     "MDExternalAccountBinding KID KEY\nMDomain www.example.org\n",
     "MDCACertificateFile /path/to/root.pem\n"},
};

static void add_lines(struct lt_buf *out, const char *lines, const char *url)
{
    for (const char *c = lines; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 'U') {
            notary_page_escape(out, lt_slice_cstr(url));
            c++;
        } else if (*c == '\n') {
            lt_buf_add_byte(out, '\n');
        } else {
            notary_page_escape(out, LT_SLICE(c, 1));
        }
    }
}

static void add_client(struct lt_buf *out, const struct client *c, const struct wire_site *site,
                       const char *url)
{
    lt_buf_addf(out, "<section><h2>%s</h2>\n<p>%s</p>\n<pre id=\"%s\" tabindex=\"0\">", c->name, c->words,
                c->id);
    add_lines(out, site->external_account_required ? c->bound : c->lines, url);
    lt_buf_addf(
        out,
        "</pre>\n<p>Where the root is not trusted yet:</p>\n<pre id=\"%s-trust\" tabindex=\"0\">%s</pre>"
        "</section>\n",
        c->id, c->trust);
}

static void add_profiles(struct lt_buf *out, const struct wire_site *site)
{
    if (site->profile_count == 0) {
        return;
    }
    lt_buf_add_cstr(out,
                    "<section><h2>Kinds of certificates</h2>\n<p>Clients that know profiles may name one; "
                    "others get the first that fits.</p>\n<table class=\"rows\">\n");
    for (size_t i = 0; i < site->profile_count; i++) {
        add_row(out, site->profiles[i].name, site->profiles[i].description);
    }
    lt_buf_add_cstr(out, "</table></section>\n");
}

void notary_public_connect(struct lt_buf *out, const struct wire_site *site, const json_t *known)
{
    struct lt_buf url;
    (void)known;
    lt_buf_init(&url, 1024);
    lt_buf_addf(&url, "%s/acme/directory", site->base_url);
    lt_buf_add_cstr(
        out,
        "<p class=\"lead\">Certificates are issued to programs that speak ACME (RFC 8555), and renewed by "
        "them. Put your own name in the place of www.example.org.</p>\n<table class=\"rows\">"
        "<tr><th scope=\"row\">Directory</th><td class=\"mono\" id=\"directory\">");
    notary_page_escape(out, lt_slice_cstr(lt_buf_cstr(&url)));
    lt_buf_add_cstr(out, "</td></tr></table>\n");
    if (site->external_account_required) {
        lt_buf_add_cstr(
            out, "<div class=\"box\"><p>You need a key from us first: it consists of a key identifier (KID) "
                 "and a secret (KEY), which are used once, to register.</p></div>\n");
    }
    lt_buf_add_cstr(
        out, "<p>Machines that do not trust our root yet have to be told of it: get it from "
             "<a href=\"/hierarchy\">our CA certificates</a>, compare its fingerprint, and make PEM of "
             "it.</p>\n");
    for (size_t i = 0; i < LT_COUNT(clients); i++) {
        add_client(out, &clients[i], site, lt_buf_cstr(&url));
    }
    add_profiles(out, site);
    lt_buf_add_cstr(
        out, "<section><h2>Be ready to replace them</h2>\n<p>Now and then certificates have to be revoked "
             "within a day. Programs that ask for renewal information (RFC 9773) replace them in time by "
             "themselves; give a mail address, so that we can tell you. <a href=\"/affected\">Check whether "
             "a certificate of yours is affected.</a></p></section>\n");
    lt_buf_done(&url);
}
