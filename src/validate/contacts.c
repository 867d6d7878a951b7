/* The form of a mail address, and which of them BR 3.2.2.4.4 lets a CA construct. */
#include "validate/contacts.h"

#include <string.h>

enum { LOCAL_MAX = 64, LABEL_MAX = 63 };

/*= CABF-BR 3.2.2.4.4 "'admin', 'administrator', 'webmaster', 'hostmaster', or 'postmaster'" */
const char *const validate_contact_locals[] = {"admin",      "administrator", "webmaster",
                                               "hostmaster", "postmaster",    NULL};

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5322 3.2.3: dot-atom of atext. */
static bool is_local(lt_slice s)
{
    static const char others[] = "!#$%&'*+-/=?^_`{|}~";
    bool fine = s.len > 0 && s.len <= LOCAL_MAX;
    bool dot = true; /* none may stand in front */
    for (size_t i = 0; i < s.len && fine; i++) {
        uint8_t c = s.ptr[i];
        bool is_dot = c == '.';
        fine = is_dot ? !dot : is_alnum(c) || (c != 0 && strchr(others, c) != NULL);
        dot = is_dot;
    }
    return fine && !dot;
}

static bool is_domain(lt_slice s)
{
    lt_slice rest = s;
    lt_slice label;
    bool fine = s.len > 0 && s.ptr[s.len - 1] != '.';
    while (fine && lt_slice_split(&rest, '.', &label)) {
        fine = label.len > 0 && label.len <= LABEL_MAX && is_alnum(label.ptr[0]) &&
               is_alnum(label.ptr[label.len - 1]);
        for (size_t i = 0; i < label.len && fine; i++) {
            fine = is_alnum(label.ptr[i]) || label.ptr[i] == '-';
        }
    }
    return fine;
}

bool validate_contact_is(lt_slice text)
{
    size_t at = lt_slice_find(text, '@');
    return text.len <= VALIDATE_CONTACT_MAX && at < text.len && is_local(lt_slice_sub(text, 0, at)) &&
           is_domain(lt_slice_sub(text, at + 1, SIZE_MAX));
}

bool validate_contact_equal(lt_slice a, lt_slice b)
{
    size_t at = lt_slice_find(a, '@');
    return validate_contact_is(a) && validate_contact_is(b) &&
           lt_slice_eq(lt_slice_sub(a, 0, at), lt_slice_sub(b, 0, lt_slice_find(b, '@'))) &&
           lt_slice_eq_nocase(lt_slice_sub(a, at, SIZE_MAX),
                              lt_slice_sub(b, lt_slice_find(b, '@'), SIZE_MAX));
}

/* name is domain, or lies below it. */
static bool lies_in(lt_slice name, lt_slice domain)
{
    if (domain.len == 0 || name.len < domain.len) {
        return false;
    }
    size_t before = name.len - domain.len;
    return lt_slice_eq_nocase(lt_slice_sub(name, before, SIZE_MAX), domain) &&
           (before == 0 || name.ptr[before - 1] == '.');
}

bool validate_contact_constructed(lt_slice address, lt_slice name, lt_slice highest)
{
    size_t at = lt_slice_find(address, '@');
    lt_slice domain = lt_slice_sub(address, at + 1, SIZE_MAX);
    bool local = false;
    for (size_t i = 0; validate_contact_locals[i] != NULL; i++) {
        local = local || lt_slice_eq_cstr(lt_slice_sub(address, 0, at), validate_contact_locals[i]);
    }
    return validate_contact_is(address) && local && lies_in(name, domain) && lies_in(domain, highest);
}
