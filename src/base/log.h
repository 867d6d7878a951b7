#ifndef BASE_LOG_H
#define BASE_LOG_H
/* The log of a process: one line per event on standard error, JSON for programs or text on a terminal.
 * Roles and CLI verbs log; library folders never do. Key material, tokens and whole nonces have no place
 * here. */
#include "base/clock.h"
#include "base/slice.h"

enum lt_log_level { LT_LOG_DEBUG, LT_LOG_INFO, LT_LOG_WARN, LT_LOG_ERROR };
enum lt_log_format { LT_LOG_TEXT, LT_LOG_JSON };

/* role: a word for the process, static storage. */
void lt_log_init(const char *role, enum lt_log_format format, enum lt_log_level least);
/* what: a fixed phrase ("certificate issued"); then pairs of key and value as one printf: "serial=%s
 * order=%s". Values with blanks are quoted by the caller; the JSON form splits at blanks outside quotes. */
void lt_log(enum lt_log_level level, const char *what, const char *format, ...) LT_PRINTF(3, 4);
/* A text from outside for detail="…": a quotation mark in it would end it, and what follows would be fields
 * of somebody else's making; it becomes an apostrophe. Cut to the size. */
const char *lt_log_plain(const char *text, char *ret_text, size_t size);
/* The last error record of this process as a line: what failed, code, detail, place. */
void lt_log_error(const char *what);

#endif
