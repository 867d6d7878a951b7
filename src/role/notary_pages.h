#ifndef ROLE_NOTARY_PAGES_H
#define ROLE_NOTARY_PAGES_H
/* Pages for people: a link with a token leads to one. A page is a row: its path, the word by which the
 * registrar knows it, the fields that its form may post. GET looks and changes nothing; POST does. The
 * registrar answers in typed words (proto/ipc/pages.proto), out of which notary_html.h makes HTML.
 *
 * A new page: a row in notary_pages.c, a row in acme/pages.c, its path in the gateway's routes. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "http.pb-c.h"
#include "pages.pb-c.h"

enum {
    NOTARY_PAGE_FIELDS_MAX = 12,
    NOTARY_PAGE_AREAS_MAX = 4,
    NOTARY_PAGE_FILES_MAX = 8,
    NOTARY_PAGE_REQUESTS_MAX = 32,
    NOTARY_PAGE_TOKEN_MIN = 16,
    NOTARY_PAGE_TOKEN_MAX = 86
};

struct notary_page {
    const char *prefix;                         /* of the path; the token follows */
    const char *name;                           /* PageCall.page */
    const char *fields[NOTARY_PAGE_FIELDS_MAX]; /* that a POST may bring; all others are refused */
    const char *requests; /* the one of them that has certificate requests (PEM); NULL: none has */
    const char *areas[NOTARY_PAGE_AREAS_MAX]; /* those of them that are texts of some lines */
    const char *file;   /* the one that has files: what is in them is handed on as one text; NULL: none has */
    const char *proofs; /* the one of them that has proofs of key compromise; NULL: none has */
    /* those in which proofs are looked for as well; they are handed on without private keys */
    const char *clean[NOTARY_PAGE_FIELDS_MAX];
    bool open;     /* nobody needs a token: the path is the prefix, and nothing more */
    bool nameless; /* nothing of who asks is handed on */
};

/* The page that the path is of, or NULL. ret_token: what follows, unchecked. */
const struct notary_page *notary_page_find(lt_slice path, lt_slice *ret_token);
/* May this be a token? base64url, of a length that ours have. */
bool notary_page_token(lt_slice token);
/* Value of the Content-Security-Policy header: static storage after the first call. */
const char *notary_page_policy(void);

/* notary_files.c: adds what a file holds to a text: as it is where it is one, else as PEM. Bytes that may be
 * a private key are labelled as one, so that whoever reads the text finds and removes it. */
LT_MUST_USE lt_res notary_file_text(const Ipc__FormPart *file, struct lt_arena *a, struct lt_buf *out);

#endif
