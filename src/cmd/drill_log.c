/* How far a drill is, durably: FOLDER/drill/steps, a line of JSON for each beginning and each end of a step,
 * synced before it goes on; FOLDER/drill/scenario.yaml, which is followed to the end whatever becomes of the
 * one that was shipped; FOLDER/drill/run.json, how it was started. A line that a crash cut is not there. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/api.h"
#include "cmd/drill.h"

enum { LOG_MAX = 1024 * 1024, RUN_MAX = 64 * 1024 };

static lt_res open_folder(const struct drill *d, int *ret_fd)
{
    *ret_fd = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(*ret_fd >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", d->folder, strerror(errno));
    return LT_OK;
}

static lt_res open_log(struct drill *d, int dir)
{
    d->log_fd = openat(dir, "drill/steps", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    LT_CHECK(d->log_fd >= 0, LT_STATE_IO, "%.150s/drill/steps: %s", d->folder, strerror(errno));
    return LT_OK;
}

lt_res drill_log_begin(struct drill *d, lt_slice scenario)
{
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    LT_CLEANUP(cmd_json_freep)
    json_t *run = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "mode", d->mode, "certificates",
                            (json_int_t)d->certificates, "seed", (json_int_t)d->seed, "begun_us",
                            (json_int_t)d->begun_us, "speed", (json_int_t)d->speed, "reacting",
                            (json_int_t)d->reacting);
    LT_ASSERT(run != NULL);
    char *text = json_dumps(run, JSON_INDENT(1));
    LT_ASSERT(text != NULL);
    lt_res r = open_folder(d, &dir);
    r = lt_failed(r) ? r : lt_file_replace(dir, "drill/scenario.yaml", 0644, scenario);
    r = lt_failed(r) ? r : lt_file_replace(dir, "drill/run.json", 0644, lt_slice_cstr(text));
    free(text);
    return lt_failed(r) ? r : open_log(d, dir);
}

static size_t find_step(const struct drill *d, const char *id)
{
    size_t i = 0;
    while (i < d->scenario.step_count && strcmp(d->scenario.steps[i].id, id) != 0) {
        i++;
    }
    return i;
}

static void take_line(struct drill *d, lt_slice line)
{
    LT_CLEANUP(cmd_json_freep) json_t *one = json_loadb((const char *)line.ptr, line.len, 0, NULL);
    size_t at = one == NULL ? d->scenario.step_count : find_step(d, cmd_text(one, "step"));
    if (at == d->scenario.step_count) {
        return;
    }
    struct drill_done *done = &d->done[at];
    done->begun = true;
    done->begun_us = cmd_int(one, "begun_us");
    if (strcmp(cmd_text(one, "state"), "done") == 0) {
        done->done = true;
        done->ended_us = cmd_int(one, "ended_us");
        done->worked_ms = cmd_int(one, "worked_ms");
        d->worked_ms = cmd_int(one, "all_ms");
        (void)json_object_update(d->kept, json_object_get(one, "kept")); /* both are objects */
    }
    d->detected_us = d->detected_us == 0 ? done->begun_us : d->detected_us;
}

static lt_res read_run(struct drill *d, int dir)
{
    lt_slice text;
    LT_TRY(lt_file_read(&d->c->arena, dir, "drill/run.json", RUN_MAX, &text));
    LT_CLEANUP(cmd_json_freep) json_t *run = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    LT_CHECK(run != NULL, LT_STATE_CORRUPT, "%.150s/drill/run.json does not read", d->folder);
    d->mode = lt_arena_cstr(&d->c->arena, lt_slice_cstr(cmd_text(run, "mode")));
    d->certificates = (uint64_t)cmd_int(run, "certificates");
    d->seed = (uint64_t)cmd_int(run, "seed");
    d->speed = (uint64_t)cmd_int(run, "speed");
    d->reacting = (uint64_t)cmd_int(run, "reacting");
    d->begun_us = cmd_int(run, "begun_us");
    LT_ASSERT(d->mode != NULL);
    return LT_OK;
}

lt_res drill_log_open(struct drill *d)
{
    lt_slice text;
    lt_slice line;
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    LT_TRY(open_folder(d, &dir));
    LT_TRY(read_run(d, dir));
    LT_TRY(lt_file_read(&d->c->arena, dir, "drill/scenario.yaml", DRILL_TEXT_MAX, &text));
    LT_TRY(drill_parse("drill/scenario.yaml", text, &d->scenario));
    lt_res r = lt_file_read(&d->c->arena, dir, "drill/steps", LOG_MAX, &text);
    if (r.code == LT_PEER_NOT_FOUND) {
        return open_log(d, dir);
    }
    LT_TRY(r);
    while (lt_slice_split(&text, '\n', &line)) {
        take_line(d, line);
    }
    LT_TRY(open_log(d, dir));
    return lt_write_all(d->log_fd, LT_LIT("\n")); /* behind a line that was cut */
}

lt_res drill_log_step(struct drill *d, size_t step, bool done)
{
    const struct drill_done *at = &d->done[step];
    LT_CLEANUP(cmd_json_freep)
    json_t *line = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:O}", "step", d->scenario.steps[step].id,
                             "state", done ? "done" : "begun", "begun_us", (json_int_t)at->begun_us,
                             "ended_us", (json_int_t)at->ended_us, "worked_ms", (json_int_t)at->worked_ms,
                             "all_ms", (json_int_t)d->worked_ms, "kept", d->kept);
    LT_ASSERT(line != NULL);
    char *text = json_dumps(line, JSON_COMPACT);
    LT_ASSERT(text != NULL);
    lt_res r = lt_write_all(d->log_fd, lt_slice_cstr(text));
    r = lt_failed(r) ? r : lt_write_all(d->log_fd, LT_LIT("\n"));
    free(text);
    LT_TRY(r);
    LT_CHECK(fdatasync(d->log_fd) == 0, LT_STATE_IO, "%.150s/drill/steps: %s", d->folder, strerror(errno));
    return LT_OK;
}

void drill_log_done(struct drill *d)
{
    if (d->log_fd >= 0) {
        (void)close(d->log_fd); /* synced line by line */
        d->log_fd = -1;
    }
}
