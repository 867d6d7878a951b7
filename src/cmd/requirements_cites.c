/* Reading the citation of a rule: which sections of which documents it names. */
#include <string.h>

#include "cmd/requirements.h"

/* Blanks, commas, semicolons and brackets stand between the words of a citation. */
static lt_slice next_word(lt_slice *rest)
{
    static const char between[] = " ,;()";
    size_t from = 0;
    while (from < rest->len && memchr(between, rest->ptr[from], sizeof(between) - 1) != NULL) {
        from++;
    }
    size_t to = from;
    while (to < rest->len && memchr(between, rest->ptr[to], sizeof(between) - 1) == NULL) {
        to++;
    }
    lt_slice word = lt_slice_sub(*rest, from, to - from);
    *rest = lt_slice_sub(*rest, to, SIZE_MAX);
    return word;
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

/* "RFC", "EVG": a document begins; "A.1" is a section. */
static bool begins_document(lt_slice word)
{
    return word.len >= 2 && is_upper(word.ptr[0]) && is_upper(word.ptr[1]);
}

/* All words of a document, in their order; *rest behind them. */
static bool take_document(lt_slice *rest, lt_slice document)
{
    lt_slice after = *rest;
    while (document.len > 0) {
        lt_slice word = next_word(&document);
        if (word.len > 0 && !lt_slice_eq(next_word(&after), word)) {
            return false;
        }
    }
    *rest = after;
    return true;
}

/* A citation is documents, each with sections: "BR 7.1.2.7.6, 7.1.4; RFC 5280 4.2.1.6". */
bool requirements_cites(const char *citation, lt_slice document, lt_slice section)
{
    lt_slice rest = lt_slice_cstr(citation);
    bool inside = false;
    while (rest.len > 0) {
        if (take_document(&rest, document)) {
            inside = true;
            continue;
        }
        lt_slice word = next_word(&rest);
        if (begins_document(word)) {
            inside = false;
        } else if (inside && lt_slice_eq(word, section)) {
            return true;
        }
    }
    return false;
}
