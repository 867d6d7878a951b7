/* lintel top: the overview in a terminal, drawn anew every two seconds; the same document as the console's
 * first page (GET /api/v1/overview). Reads only. Where standard output is no terminal it is printed once.
 *
 * The terminal is given back as it was, whatever ends us but SIGKILL: signals are read as everything else is.
 */
#include "cmd/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { EVERY_S = 2, EVERY_MOST_S = 3600, LEAST_WIDTH = 20, LEAST_HEIGHT = 5, KEYS_MAX = 64, DETAIL = 201 };

struct top {
    struct cmd *c;
    bool terminal;
    struct termios before;
    int signals;
    uint64_t every_s;
    json_t *overview; /* owned; NULL: none came yet */
    json_t *incident; /* owned; of the page that is open; NULL: the overview is shown */
    int64_t open;     /* incident whose page is shown; 0: none */
    size_t chosen;
    int64_t got_ms; /* when it came */
    int64_t asked_ms;
    char trouble[DETAIL]; /* why the last question was not answered; "" */
    bool done;
};

/* ---- asking ---- */

static void ask(struct top *t)
{
    json_t *fresh = NULL;
    char path[64];
    t->asked_ms = lt_monotonic_ms();
    lt_arena_reset(&t->c->arena); /* of this run: each question begins with all of it */
    lt_res r = cmd_api_get(t->c, "overview", &fresh);
    if (lt_failed(r)) {
        (void)snprintf(t->trouble, sizeof t->trouble, "%s", lt_error_last()->detail); /* cut */
        return;
    }
    t->trouble[0] = '\0';
    t->got_ms = t->asked_ms;
    json_decref(t->overview);
    t->overview = fresh;
    if (t->open == 0) {
        return;
    }
    fresh = NULL;
    (void)snprintf(path, sizeof path, "incidents/%lld", (long long)t->open);
    if (lt_failed(cmd_api_get(t->c, path, &fresh))) {
        (void)snprintf(t->trouble, sizeof t->trouble, "%s", lt_error_last()->detail);
        return;
    }
    json_decref(t->incident);
    t->incident = fresh;
}

/* The family's clock, which in a drill is not ours. */
static lt_time now_of(const struct top *t)
{
    lt_time now = {0};
    if (lt_failed(lt_time_parse(lt_slice_cstr(cmd_text(t->overview, "now")), &now))) {
        now = lt_now();
    }
    return (lt_time){now.us + (lt_monotonic_ms() - t->got_ms) * 1000};
}

/* ---- drawing ---- */

static bool speaks_utf8(void)
{
    const char *locale = getenv("LC_ALL");
    locale = locale == NULL || locale[0] == '\0' ? getenv("LC_CTYPE") : locale;
    locale = locale == NULL || locale[0] == '\0' ? getenv("LANG") : locale;
    return locale != NULL && (strstr(locale, "UTF-8") != NULL || strstr(locale, "utf8") != NULL);
}

static struct top_frame frame_of(const struct top *t, struct lt_buf *out)
{
    const char *plain = getenv("NO_COLOR");
    struct winsize size = {.ws_col = 0};
    struct top_frame f = {.out = out,
                          .screen = t->terminal,
                          .colour = t->terminal && (plain == NULL || plain[0] == '\0'),
                          .utf8 = speaks_utf8(),
                          .width = TOP_WIDTH,
                          .height = LEAST_HEIGHT};
    if (t->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        f.width = size.ws_col > LEAST_WIDTH ? size.ws_col : LEAST_WIDTH;
        f.height = size.ws_row > LEAST_HEIGHT ? size.ws_row : LEAST_HEIGHT;
    }
    return f;
}

static lt_res draw(struct top *t)
{
    struct lt_buf out;
    lt_buf_init(&out, TOP_FRAME_MAX);
    struct top_frame f = frame_of(t, &out);
    lt_buf_add_cstr(&out, f.screen ? "\033[H" : "");
    if (t->trouble[0] != '\0') {
        top_line(&f, TOP_BAD, "NO ANSWER: %s", t->trouble);
    }
    if (t->open != 0 && t->incident != NULL) {
        top_incident(&f, t->incident, now_of(t));
        top_foot(&f, "left back   r ask now   q quit");
    } else if (t->overview != NULL) {
        top_overview(&f, t->overview, now_of(t), t->chosen);
        top_foot(&f, "up, down choose an incident   Enter open it   r ask now   q quit");
    } else {
        top_foot(&f, "q quit");
    }
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* ---- keys ---- */

static int64_t chosen_id(const struct top *t)
{
    return cmd_int(json_array_get(json_object_get(t->overview, "incidents"), t->chosen), "id");
}

static void close_page(struct top *t)
{
    json_decref(t->incident);
    t->incident = NULL;
    t->open = 0;
}

enum key { KEY_NONE, KEY_UP, KEY_DOWN, KEY_OPEN, KEY_BACK, KEY_AGAIN, KEY_QUIT };

static const struct {
    const char *bytes;
    enum key key;
} keys[] = {
    {"\033[A", KEY_UP},   {"\033OA", KEY_UP}, {"k", KEY_UP},        {"\033[B", KEY_DOWN},
    {"\033OB", KEY_DOWN}, {"j", KEY_DOWN},    {"\033[C", KEY_OPEN}, {"\033OC", KEY_OPEN},
    {"\r", KEY_OPEN},     {"\n", KEY_OPEN},   {"\033[D", KEY_BACK}, {"\033OD", KEY_BACK},
    {"\177", KEY_BACK},   {"r", KEY_AGAIN},   {"q", KEY_QUIT},      {"Q", KEY_QUIT},
    {"\003", KEY_QUIT},   {"\004", KEY_QUIT}, {"\033", KEY_BACK}, /* alone: behind all that begin so */
};

static void press(struct top *t, enum key key)
{
    size_t count = json_array_size(json_object_get(t->overview, "incidents"));
    if (key == KEY_QUIT) {
        t->done = true;
    } else if (key == KEY_BACK) {
        close_page(t);
    } else if (key == KEY_UP && t->chosen > 0) {
        t->chosen--;
    } else if (key == KEY_DOWN && t->chosen + 1 < count) {
        t->chosen++;
    } else if (key == KEY_OPEN && t->open == 0 && t->chosen < count) {
        t->open = chosen_id(t);
        t->asked_ms = 0;
    } else if (key == KEY_AGAIN) {
        t->asked_ms = 0;
    }
}

static void take_keys(struct top *t, lt_slice typed)
{
    while (typed.len > 0 && !t->done) {
        size_t used = 1; /* what is no key of ours is nothing */
        for (size_t i = 0; i < LT_COUNT(keys); i++) {
            if (lt_slice_starts(typed, lt_slice_cstr(keys[i].bytes))) {
                used = strlen(keys[i].bytes);
                press(t, keys[i].key);
                break;
            }
        }
        typed = lt_slice_sub(typed, used, typed.len);
    }
}

/* ---- the terminal ---- */

static lt_res take_terminal(struct top *t)
{
    sigset_t set;
    LT_CHECK(tcgetattr(STDIN_FILENO, &t->before) == 0, LT_STATE_IO, "the terminal: %s", strerror(errno));
    LT_ASSERT(sigemptyset(&set) == 0 && sigaddset(&set, SIGWINCH) == 0 && sigaddset(&set, SIGTERM) == 0 &&
              sigaddset(&set, SIGHUP) == 0 && sigaddset(&set, SIGINT) == 0);
    LT_ASSERT(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    LT_CHECK(t->signals >= 0, LT_STATE_IO, "signals: %s", strerror(errno));
    struct termios raw = t->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    LT_CHECK(tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0, LT_STATE_IO, "the terminal: %s", strerror(errno));
    return cmd_print(LT_LIT("\033[?1049h\033[?25l")); /* another screen, no cursor */
}

static void give_back(const struct top *t)
{
    lt_ignore(cmd_print(LT_LIT("\033[?25h\033[?1049l"))); /* a terminal that is gone needs nothing */
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &t->before);
}

static void take_signals(struct top *t)
{
    struct signalfd_siginfo info;
    while (read(t->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        t->done = t->done || info.ssi_signo != SIGWINCH; /* another size: it is drawn anyway */
    }
}

/* Until a key, a signal, the next second or the next question. */
static lt_res wait_for_something(struct top *t)
{
    char typed[KEYS_MAX];
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = t->signals, .events = POLLIN}};
    int64_t left_ms = t->asked_ms + (int64_t)t->every_s * 1000 - lt_monotonic_ms();
    int timeout = left_ms < 0 ? 0 : left_ms > 1000 ? 1000 : (int)left_ms; /* clocks are drawn each second */
    int n = poll(fds, LT_COUNT(fds), timeout);
    LT_CHECK(n >= 0 || errno == EINTR, LT_STATE_IO, "poll: %s", strerror(errno));
    take_signals(t);
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        ssize_t got = read(STDIN_FILENO, typed, sizeof typed);
        t->done = t->done || got < 0 || (got == 0 && (fds[0].revents & POLLHUP) != 0);
        take_keys(t, LT_SLICE(typed, got > 0 ? (size_t)got : 0));
    }
    return LT_OK;
}

static lt_res live(struct top *t)
{
    lt_res r = LT_OK;
    while (!t->done && !lt_failed(r)) {
        if (t->asked_ms == 0 || lt_monotonic_ms() - t->asked_ms >= (int64_t)t->every_s * 1000) {
            ask(t);
        }
        r = draw(t);
        r = lt_failed(r) ? r : wait_for_something(t);
    }
    return r;
}

static lt_res once(struct top *t)
{
    struct cmd *c = t->c;
    LT_TRY(cmd_api_get(c, "overview", &t->overview));
    t->got_ms = lt_monotonic_ms();
    c->findings += strcmp(cmd_text(json_object_get(t->overview, "worst"), "level"), "bad") == 0;
    return c->json ? cmd_print_json(t->overview) : draw(t);
}

static lt_res run(struct cmd *c)
{
    struct top t = {.c = c, .signals = -1};
    const char *folder = NULL;
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(cmd_number(c, "every", EVERY_S, EVERY_MOST_S, &t.every_s));
    LT_CHECK(t.every_s > 0, LT_PEER_USAGE, "--every 0: at least one second");
    lt_res r = LT_OK;
    if (c->json || cmd_flag(c, "once") || isatty(STDOUT_FILENO) != 1 || isatty(STDIN_FILENO) != 1) {
        r = once(&t);
    } else {
        t.terminal = true;
        r = take_terminal(&t);
        r = lt_failed(r) ? r : live(&t);
        struct lt_error why = *lt_error_last();
        give_back(&t);
        r = lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : r;
    }
    lt_fd_closep(&t.signals);
    json_decref(t.overview);
    json_decref(t.incident);
    return r;
}

static const struct cmd_option options[] = {
    {"once", NULL, "print it once; so it is where standard output is no terminal", false, NULL},
    {"every", "SECONDS", "ask so often (default: 2)", false, NULL},
};
const struct cmd_verb cmd_top = {
    .name = "top",
    .words = "",
    .summary = "one glance, live: what is wrong, which clock ends first, what runs",
    .help = "The same overview as the console's first page. Up and down choose an incident, Enter opens it, "
            "left goes\n"
            "back, r asks at once, q quits. Printed once, or with --json, the status is 6 when something is "
            "bad.\n"
            "\n"
            "examples:\n"
            "  lintel top\n"
            "  lintel top --once\n"
            "  lintel top --json | jq -r .worst.text\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
