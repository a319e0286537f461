// Peer (d): a loop that reads inotify, looks once at each path that a read named (statx), and writes two SQLite rows
// for it: the index row (directory, name -> attributes) and the history row (the path). What recording costs at least.
//
//   peer_pipeline ROOT DATABASE [GATHER_MS]      until SIGTERM; then prints "events N overflows N reads N rows N"
//
// One transaction a read, but at most one commit every 50 ms; WAL, synchronous=NORMAL. With GATHER_MS it waits that
// long before each read, so that more events fall on the same look: cheaper an event, later in the database.
#define _GNU_SOURCE
#include "watch_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COMMIT_INTERVAL 0.05  // seconds

static sqlite3 *database;
static sqlite3_stmt *upsert, *erase, *record, *begin, *commit;

static void check(int code, int expected, const char *what) {
    if (code == expected) return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(database));
    exit(2);
}

static void run(const char *sql) { check(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK, sql); }

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK, sql);
    return statement;
}

static void step(sqlite3_stmt *statement) {
    check(sqlite3_step(statement), SQLITE_DONE, sqlite3_sql(statement));
    sqlite3_reset(statement);
}

static void open_database(const char *path) {
    check(sqlite3_open(path, &database), SQLITE_OK, path);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=NORMAL");
    run("CREATE TABLE entries (directory INTEGER, name BLOB, inode INTEGER, mode INTEGER, owner INTEGER, gid INTEGER,"
        " links INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER, PRIMARY KEY (directory, name)) WITHOUT ROWID");
    run("CREATE TABLE history (seq INTEGER PRIMARY KEY, at INTEGER, kind INTEGER, path BLOB)");
    upsert = prepare("INSERT INTO entries VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT (directory, name)"
                     " DO UPDATE SET inode=?3, mode=?4, owner=?5, gid=?6, links=?7, size=?8, mtime=?9, ctime=?10");
    erase = prepare("DELETE FROM entries WHERE directory = ?1 AND name = ?2");
    record = prepare("INSERT INTO history (at, kind, path) VALUES (?1, ?2, ?3)");
    begin = prepare("BEGIN");
    commit = prepare("COMMIT");
}

// The names of one read: each is looked at once. Open addressing, emptied by moving on to the next generation.
#define SLOTS (1 << 17)
static struct {
    uint32_t generation;
    int directory;
    const char *name;
} slots[SLOTS];
static uint32_t generation;

static int first_in_read(int directory, const char *name) {
    uint64_t hash = 14695981039346656037ull ^ (uint32_t)directory;
    for (const char *at = name; *at; at++) hash = (hash ^ (uint8_t)*at) * 1099511628211ull;
    for (size_t slot = (hash ^ hash >> 32) % SLOTS;; slot = (slot + 1) % SLOTS) {
        if (slots[slot].generation != generation) {
            slots[slot].generation = generation;
            slots[slot].directory = directory;
            slots[slot].name = name;
            return 1;
        }
        if (slots[slot].directory == directory && strcmp(slots[slot].name, name) == 0) return 0;
    }
}

static int64_t nanoseconds(struct statx_timestamp time) { return time.tv_sec * 1000000000ll + time.tv_nsec; }

static void look(const struct watch_tree *tree, int directory, const char *name) {
    const char *parent = watch_tree_path(tree, directory);
    if (!parent) return;
    char path[8192];
    int length = snprintf(path, sizeof path, "%s/%s", parent, name);
    if (length < 0 || (size_t)length >= sizeof path) return;
    struct statx status;
    int exists = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) == 0;

    sqlite3_stmt *change = exists ? upsert : erase;
    sqlite3_bind_int(change, 1, directory);
    sqlite3_bind_blob(change, 2, name, (int)strlen(name), SQLITE_STATIC);
    if (exists) {
        sqlite3_bind_int64(change, 3, (int64_t)status.stx_ino);
        sqlite3_bind_int(change, 4, status.stx_mode);
        sqlite3_bind_int64(change, 5, status.stx_uid);
        sqlite3_bind_int64(change, 6, status.stx_gid);
        sqlite3_bind_int64(change, 7, status.stx_nlink);
        sqlite3_bind_int64(change, 8, (int64_t)status.stx_size);
        sqlite3_bind_int64(change, 9, nanoseconds(status.stx_mtime));
        sqlite3_bind_int64(change, 10, nanoseconds(status.stx_ctime));
    }
    step(change);

    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    sqlite3_bind_int64(record, 1, at.tv_sec * 1000000000ll + at.tv_nsec);
    sqlite3_bind_int(record, 2, exists);
    sqlite3_bind_blob(record, 3, path, length, SQLITE_STATIC);
    step(record);
}

static double monotonic(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 3 && count != 4) {
        fprintf(stderr, "usage: peer_pipeline ROOT DATABASE [GATHER_MS]\n");
        return 2;
    }
    long gather = count == 4 ? atol(arguments[3]) : 0;
    open_database(arguments[2]);
    struct watch_tree tree;
    watch_tree_open(&tree);
    watch_tree_add(&tree, arguments[1]);
    char *buffer = aligned_alloc(4096, READ_BUFFER);
    if (!buffer) return 2;
    stop_on_sigterm();
    notify_ready();

    unsigned long long events = 0, overflows = 0, reads = 0, rows = 0;
    int open_transaction = 0;
    double began = 0;
    while (!stop_requested) {
        struct pollfd ready = {.fd = tree.inotify, .events = POLLIN};
        int left = open_transaction ? (int)((began + COMMIT_INTERVAL - monotonic()) * 1000) + 1 : -1;
        int found = poll(&ready, 1, open_transaction && left < 0 ? 0 : left);
        if (found < 0 && errno != EINTR) return perror("poll"), 2;
        if (found > 0) {
            if (gather) nanosleep(&(struct timespec){.tv_nsec = gather * 1000000}, NULL);
            ssize_t length = read(tree.inotify, buffer, READ_BUFFER);
            if (length < 0 && errno != EINTR) return perror("read"), 2;
            reads++;
            generation++;
            if (!open_transaction) {
                step(begin);
                open_transaction = 1;
                began = monotonic();
            }
            for (char *at = buffer; at < buffer + length;) {
                const struct inotify_event *event = (const struct inotify_event *)at;
                at += sizeof *event + event->len;
                if (event->mask & IN_Q_OVERFLOW) {
                    overflows++;
                    continue;
                }
                events++;
                if (event->mask & (IN_ISDIR | IN_IGNORED)) watch_tree_follow(&tree, event);
                if (event->len && first_in_read(event->wd, event->name)) {
                    look(&tree, event->wd, event->name);
                    rows++;
                }
            }
        }
        if (open_transaction && monotonic() >= began + COMMIT_INTERVAL) {
            step(commit);
            open_transaction = 0;
        }
    }
    if (open_transaction) step(commit);
    sqlite3_stmt *statements[] = {upsert, erase, record, begin, commit};
    for (size_t index = 0; index < 5; index++) sqlite3_finalize(statements[index]);
    sqlite3_close(database);
    printf("events %llu overflows %llu reads %llu rows %llu\n", events, overflows, reads, rows);
    return 0;
}
