#ifndef CMD_BACKUP_H
#define CMD_BACKUP_H
/* A backup is a folder: the book at one moment, and behind it what may be newer without harm, all named with
 * their hashes by MANIFEST (manifest.h). backup.c: the verbs; backup_files.c: files on their way;
 * restore_put.c: the way back; restore.c: the book and the journal are made to agree. */
#include "cmd/cmd.h"
#include "cmd/manifest.h"
#include "signer/journal.h"
#include "store/store.h"

#define BACKUP_MANIFEST "MANIFEST"
#define BACKUP_UNFINISHED "UNFINISHED" /* there while it is being made */
#define BACKUP_BOOK "book/lintel.db"
#define BACKUP_JOURNAL "journal/signer.log"

/* For a terminal on standard error: what, how much of how much, how fast, how long still. */
struct backup_progress {
    const char *what;
    uint64_t done; /* bytes */
    uint64_t total;
    int64_t began_ms;
    int64_t said_ms;
};
void backup_progress_init(struct backup_progress *p, uint64_t total);
void backup_progress_add(struct backup_progress *p, const char *what, uint64_t bytes);
void backup_progress_done(struct backup_progress *p);
/* "6.2 GB" */
#define BACKUP_SIZE_TEXT 16
void backup_size(uint64_t bytes, char ret_text[BACKUP_SIZE_TEXT]);

/* Folders on both sides, and the files that go over. */
struct backup_files {
    int from; /* borrowed */
    int to;   /* borrowed */
    struct lt_arena *arena;
    struct manifest_file *list; /* of the arena; MANIFEST_FILES_MAX */
    size_t count;
    struct backup_progress *progress;
    const char *ending; /* of copies until somebody renames them; NULL: none */
};
/* Room for the list. */
LT_MUST_USE lt_res backup_files_init(struct backup_files *f);
/* Everything of the CA folder that belongs into a backup beside book, evidence and journal, as paths and
 * lengths; of the private parts only with keys. */
LT_MUST_USE lt_res backup_list(struct backup_files *f, bool keys);
/* NNNNNN.seg. */
LT_MUST_USE lt_res backup_list_evidence(struct backup_files *f);
/* All below a folder. */
LT_MUST_USE lt_res backup_list_below(struct backup_files *f, const char *folder, const char *suffix);
LT_MUST_USE lt_res backup_list_one(struct backup_files *f, const char *path);
/* Copies it, folders made as needed, and fills its hash. What is there already with the same bytes stays. A
 * file that is gone meanwhile has the path "". */
LT_MUST_USE lt_res backup_copy(struct backup_files *f, struct manifest_file *file, unsigned mode);
/* Reads it again. */
LT_MUST_USE lt_res backup_hash(int dir, const char *path, struct backup_progress *p, uint64_t *ret_bytes,
                               uint8_t ret_hash[MANIFEST_HASH_LEN]);
/* The first bytes of that file are the same on both sides. */
LT_MUST_USE lt_res backup_same_start(int a, int b, const char *path, uint64_t bytes, bool *ret_same);
/* LT_STATE_CORRUPT: the file is not the one that the manifest names. */
LT_MUST_USE lt_res backup_verify_file(int dir, const struct manifest_file *file, struct backup_progress *p);
/* The manifest, and every file against it. */
LT_MUST_USE lt_res backup_open(struct cmd *c, const char *path, int *ret_dir, struct manifest *ret_manifest);
LT_MUST_USE lt_res backup_verify(int dir, const struct manifest *m);

/* How far a journal goes; all zeros where there is none. A torn end does not count. */
LT_MUST_USE lt_res backup_walk_journal(int dir, struct journal_summary *ret_summary);
/* How far a book knows the journal of that host's signer. */
LT_MUST_USE lt_res backup_acknowledged(struct store *s, const char *host, int64_t *ret_sequence);

/* lintel restore BACKUP: restore_put.c */
LT_MUST_USE lt_res restore_put(struct cmd *c, const char *backup);

#endif
