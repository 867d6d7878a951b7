#ifndef HTTP_DATE_H
#define HTTP_DATE_H
/* Dates as HTTP writes them: IMF-fixdate of RFC 9110 section 5.6.7. The two obsolete forms are not read. */
#include "base/clock.h"

#define HTTP_DATE_SIZE 30
/* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL. */
void http_date(lt_time t, char ret_text[HTTP_DATE_SIZE]);
LT_MUST_USE lt_res http_date_parse(lt_slice text, lt_time *ret_time);

#endif
