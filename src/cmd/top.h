#ifndef CMD_TOP_H
#define CMD_TOP_H
/* lintel top: the overview as lines of text, for a terminal that is redrawn and for one that is not. top.c:
 * the terminal and its keys; top_frame.c: lines; top_page.c: what is on them. */
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"

enum top_style { TOP_PLAIN, TOP_BOLD, TOP_DIM, TOP_OK, TOP_WARNING, TOP_BAD, TOP_CHOSEN };

enum { TOP_WIDTH = 100, TOP_FRAME_MAX = 256 * 1024, TOP_TEXT = 32, TOP_PICTURE = 256 };

struct top_frame {
    struct lt_buf *out; /* borrowed */
    bool screen;        /* redrawn in place: lines are cut at the width, and end at the height */
    bool colour;
    bool utf8;
    size_t width;
    size_t height; /* the last row is the footer's */
    size_t row;    /* of the next line */
};

/* Control characters of what others wrote are shown as "?": nobody's title moves the cursor. */
void top_line(struct top_frame *f, enum top_style style, const char *format, ...) LT_PRINTF(3, 4);
/* On the last row, and clears what is behind the lines. */
void top_foot(struct top_frame *f, const char *text);
/* "3,048,291", "3 h 12 min", "[####----]"; they return their first argument. */
const char *top_number(char text[TOP_TEXT], int64_t n);
const char *top_span(char text[TOP_TEXT], int64_t seconds);
const char *top_bar(const struct top_frame *f, char picture[TOP_PICTURE], int64_t part, int64_t whole);
/* One sign for each value, by the largest of them. */
const char *top_spark(const struct top_frame *f, char picture[TOP_PICTURE], const int64_t *values,
                      size_t count);
enum top_style top_style_of(const char *level); /* "ok", "warning", "bad" */

/* Pages. now: by the family's clock. chosen: which of the incidents. */
void top_overview(struct top_frame *f, const json_t *doc, lt_time now, size_t chosen);
void top_incident(struct top_frame *f, const json_t *doc, lt_time now);

#endif
