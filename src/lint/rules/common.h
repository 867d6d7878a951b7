#ifndef LINT_RULES_COMMON_H
#define LINT_RULES_COMMON_H
/* Private to lint/rules/: small things that several rule files need. */
#include "lint/rules.h"

/* An assigned ISO 3166-1 alpha-2 code in capitals; user-assigned ones (XX, XK) are none. */
bool lint_country(lt_slice code);
/* zlint's list: the same in any case, XX, and AN, which was withdrawn. */
bool lint_country_loose(lt_slice code);
/* Seconds since 1970 of t moved by months; a day that the month does not have runs over into the next. months
 * is not negative. INT64_MAX beyond the year 9999. */
int64_t lint_add_months(lt_time t, int months);
/* The nine bits of KeyUsage that there are; zlint sees no others. */
#define LINT_KU_DEFINED ((uint32_t)0x1ff)
/* The public key is of the type id-ecPublicKey, whatever its curve. */
bool lint_key_is_ec(const struct lint_subject *s);
/* The Validity, for findings about it. */
lt_slice lint_validity_at(const struct lint_subject *s);
/* Name of an object identifier, or its dotted text when it is in no table: for messages. */
const char *lint_oid_label(const struct lint_subject *s, lt_slice der, enum x509_oid oid);
/* Is it one of the list? */
bool lint_oid_in(enum x509_oid oid, const enum x509_oid *list, size_t count);
bool lint_has_attribute(const struct x509_name *name, enum x509_oid oid);
/* Value of the last attribute of that type that has text (lint_is_text), empty without one. */
lt_slice lint_last_attribute(const struct x509_name *name, enum x509_oid oid);

/* Text of an otherName of the type SmtpUTF8Mailbox (RFC 9598). */
bool lint_smtp_utf8(const struct x509_general_name *name, lt_slice *ret_text);

#endif
