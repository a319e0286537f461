// A made-up history for the benchmark `query`: shared declarations. The same sizes make the same history, but for the
// moment at which it ends.
#pragma once
#include <stddef.h>
#include <stdint.h>

// MARK: which paths there are (paths.c)

#define ROOTS 8               // root 0 is roundcube-backup
#define FILES_A_DIRECTORY 10
#define DIRECTORIES_A_TOP 100  // a root holds some such directories of directories, and those hold the files
#define LONGEST_PATH 4096

struct corpus {
    const char *base;  // the absolute path that the roots lie in
    long files;        // of all roots together; a multiple of 80
};

long corpus_directories(const struct corpus *corpus);  // those with files in them
long corpus_files_a_root(const struct corpus *corpus);
long corpus_tops_a_root(const struct corpus *corpus);
size_t root_path(const struct corpus *corpus, int root, char *path);
size_t top_name(int root, long top, char *name);
size_t directory_name(const struct corpus *corpus, long directory, char *name);
size_t directory_path(const struct corpus *corpus, long directory, char *path);
size_t file_name(long file, char *name);
int64_t file_size(long file, uint64_t version);
int root_of(const struct corpus *corpus, long directory);
long top_of(const struct corpus *corpus, long directory);  // counted in its root

// MARK: what happened to them (rows.c)

#define SECOND 1000000000ll
#define DAYS 90                  // the default `keep`
#define RECENT_HITS 1000         // rows of root 0 in the last hour, each of a path of its own
#define RECENT_OTHERS 4000       // and of the other roots
#define RECENT_SPAN (1200 * SECOND)  // all of them in the last 20 minutes: they stay in the hour while it is measured

enum kind { CREATED = 1, REPLACED, MODIFIED, METADATA, MOVED, DELETED };  // as ChangeKind stores them
extern const char *const kind_words[];

struct row {
    int64_t at;  // nanoseconds since 1970
    enum kind kind;
    long file, from;  // from: -1 but of what was moved
    int64_t size;
};

struct sink {
    void (*row)(void *context, const struct row *row);
    void (*commit)(void *context);  // what came since the last one was one transaction
    void *context;
};

// Hands out `count` rows over all files in the order of time, the last just before `end`.
void rows_make(const struct corpus *corpus, long count, int64_t end, const struct sink *sink);

// The file of a row of the last hour: 0 to RECENT_HITS - 1 lie in root 0, the RECENT_OTHERS after them in others.
long recent_file(const struct corpus *corpus, long number);

// MARK: the three forms that it gets

struct store;  // store.c: store.db as the tracker leaves it after SIGTERM
struct store *store_open(const struct corpus *corpus, const char *directory);
void store_row(struct store *store, const struct row *row);
void store_commit(struct store *store);
void store_close(struct store *store);

struct text_log;  // text_log.c: a line a row, TIMESTAMP KIND PATH
struct text_log *text_log_open(const struct corpus *corpus, const char *path);
void text_log_row(struct text_log *log, const struct row *row);
void text_log_close(struct text_log *log);

// tree.c: the files themselves. None is younger than an hour, until some are touched.
void tree_make(const struct corpus *corpus);
void tree_touch_recent(const struct corpus *corpus, int64_t now);

// MARK: small things (main.c)

_Noreturn void fail(const char *what);  // with errno's text
uint64_t scramble(uint64_t value);      // splitmix64's step: a number's own random number
