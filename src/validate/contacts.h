#ifndef VALIDATE_CONTACTS_H
#define VALIDATE_CONTACTS_H
/* Mail addresses that may answer for a name: those that its owner wrote into the DNS (BR appendix A), and the
 * five that can be constructed (BR 3.2.2.4.4). Sans-I/O; who looks them up is email.c.
 *
 * An address is plain here: letters of a dot-atom, "@", a host name in A-labels. Quoted local parts,
 * comments, address literals and letters outside ASCII, which RFC 6532 knows too, are refused: no letter is
 * sent where two readers might see two addresses. */
#include "base/slice.h"

enum { VALIDATE_CONTACT_MAX = 254, VALIDATE_CONTACTS_MAX = 8 };

/* Nothing before or after it. */
bool validate_contact_is(lt_slice text);
/* The same mailbox: the local part to the letter, the domain without case. */
bool validate_contact_equal(lt_slice a, lt_slice b);
/* One of the five at the name itself or at a parent of it, no higher than `highest` (a parent of the name, or
 * the name). */
bool validate_contact_constructed(lt_slice address, lt_slice name, lt_slice highest);
/* The five local parts; NULL after the last. */
extern const char *const validate_contact_locals[];

#endif
