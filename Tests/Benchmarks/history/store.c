// store.db as the tracker leaves it after SIGTERM: the tables of Sources/ChangeStore/Schema.swift (version 3), the log
// folded into the file, `-wal` and `-shm` beside it. Of the index it has the directories, but neither entries nor
// inodes: no query reads them.
#include "history.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENERATION (1 << 18)  // Store+PathGenerations.swift: rows after which every path is interned anew

static const char *const schema =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE filesystems(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE);"
    "CREATE TABLE directories("
    " id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL,"
    " fs INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER NOT NULL);"
    "CREATE TABLE inodes("
    " fs INTEGER NOT NULL, inode INTEGER NOT NULL, directory INTEGER NOT NULL, name BLOB NOT NULL,"
    " attributes BLOB NOT NULL, PRIMARY KEY (fs, inode)) WITHOUT ROWID;"
    "CREATE TABLE links("
    " fs INTEGER NOT NULL, inode INTEGER NOT NULL, directory INTEGER NOT NULL, name BLOB NOT NULL,"
    " PRIMARY KEY (fs, inode, directory, name)) WITHOUT ROWID;"
    "CREATE TABLE paths(id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL);"
    "CREATE TABLE history("
    " sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, type INTEGER NOT NULL,"
    " directory INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL,"
    " from_directory INTEGER, from_name BLOB);"
    "CREATE TABLE commits("
    " first INTEGER PRIMARY KEY, last INTEGER NOT NULL, earliest INTEGER NOT NULL, latest INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "CREATE INDEX commits_by_time ON commits(latest);"
    "CREATE TABLE path_generations(last_path INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL);"
    "CREATE TABLE entries("
    " directory INTEGER NOT NULL, hash INTEGER NOT NULL, fs INTEGER NOT NULL, inode INTEGER NOT NULL,"
    " PRIMARY KEY (directory, hash, fs, inode)) WITHOUT ROWID;"
    "PRAGMA user_version = 3;"
    "INSERT INTO meta VALUES ('uuid', '3f1c2a9e-7b54-4d1e-9a36-5c0f8e21d7b4'), ('baseline_done', 1);"
    "INSERT INTO filesystems VALUES (1, 'ef53-1f2e3d4c5b6a7988');";

struct store {
    const struct corpus *corpus;
    char path[LONGEST_PATH];
    sqlite3 *database;
    sqlite3_stmt *history, *paths, *commits, *generations;
    int64_t *interned;  // of each directory, its number in `paths`; 0 until this generation needs it
    int64_t sequence, last_path, generation_end;
    struct { int64_t first, earliest, latest, bytes; } commit;  // CommitSummary of Store.swift
};

static void check(struct store *store, int code, int expected) {
    if (code == expected) return;
    fprintf(stderr, "make_history: %s: %s\n", store->path, sqlite3_errmsg(store->database));
    exit(2);
}

static void run(struct store *store, const char *sql) {
    check(store, sqlite3_exec(store->database, sql, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3_stmt *prepare(struct store *store, const char *sql) {
    sqlite3_stmt *statement;
    check(store, sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK);
    return statement;
}

static void step(struct store *store, sqlite3_stmt *statement) {
    check(store, sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
}

static void add_directory(struct store *store, sqlite3_stmt *statement, int64_t parent, const char *name,
                          size_t length) {
    static int64_t inode = 131072;
    sqlite3_bind_int64(statement, 1, parent);
    sqlite3_bind_blob(statement, 2, name, (int)length, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, ++inode);
    sqlite3_bind_int64(statement, 4, 1772323200 * SECOND + inode * 1000003);
    step(store, statement);
}

// The roots first, each level after the one above it, as a walk finds them.
static void add_directories(struct store *store) {
    const struct corpus *corpus = store->corpus;
    long tops = corpus_tops_a_root(corpus);
    char name[LONGEST_PATH];
    sqlite3_stmt *statement =
        prepare(store, "INSERT INTO directories(parent, name, fs, inode, born) VALUES (?1, ?2, 1, ?3, ?4)");
    for (int root = 0; root < ROOTS; root++)
        add_directory(store, statement, 0, name, root_path(corpus, root, name));
    for (long number = 0; number < ROOTS * tops; number++) {
        int root = (int)(number / tops);
        add_directory(store, statement, 1 + root, name, top_name(root, number % tops, name));
    }
    for (long directory = 0; directory < corpus_directories(corpus); directory++) {
        int64_t parent = 1 + ROOTS + root_of(corpus, directory) * tops + top_of(corpus, directory);
        add_directory(store, statement, parent, name, directory_name(corpus, directory, name));
    }
    sqlite3_finalize(statement);
}

struct store *store_open(const struct corpus *corpus, const char *directory) {
    struct store *store = calloc(1, sizeof *store);
    if (!store) fail("store");
    store->corpus = corpus;
    store->interned = calloc((size_t)corpus_directories(corpus), sizeof *store->interned);
    if (!store->interned) fail("store");
    snprintf(store->path, sizeof store->path, "%s/store.db", directory);
    remove(store->path);
    check(store, sqlite3_open(store->path, &store->database), SQLITE_OK);
    // Nobody needs what a crash leaves of this: no journal, no waiting for the disk, one transaction.
    run(store, "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
               "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -131072; BEGIN");
    run(store, schema);
    add_directories(store);
    store->history = prepare(store, "INSERT INTO history VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8)");
    store->paths = prepare(store, "INSERT INTO paths(path) VALUES (?1)");
    store->commits = prepare(store, "INSERT INTO commits VALUES (?1, ?2, ?3, ?4, ?5)");
    store->generations = prepare(store, "INSERT INTO path_generations VALUES (?1, ?2)");
    store->generation_end = GENERATION;
    return store;
}

static int64_t intern(struct store *store, long directory) {
    if (store->interned[directory]) return store->interned[directory];
    char path[LONGEST_PATH];
    size_t length = directory_path(store->corpus, directory, path);
    sqlite3_bind_blob(store->paths, 1, path, (int)length, SQLITE_STATIC);
    step(store, store->paths);
    return store->interned[directory] = ++store->last_path;
}

void store_row(struct store *store, const struct row *row) {
    char name[64], from[64];
    size_t length = file_name(row->file, name), from_length = 0;
    int64_t sequence = ++store->sequence, directory = intern(store, row->file / FILES_A_DIRECTORY);
    sqlite3_bind_int64(store->history, 1, sequence);
    sqlite3_bind_int64(store->history, 2, row->at);
    sqlite3_bind_int(store->history, 3, row->kind);
    sqlite3_bind_int64(store->history, 4, directory);
    sqlite3_bind_blob(store->history, 5, name, (int)length, SQLITE_STATIC);
    sqlite3_bind_int64(store->history, 6, row->size);
    if (row->from >= 0) {
        from_length = file_name(row->from, from);
        sqlite3_bind_int64(store->history, 7, intern(store, row->from / FILES_A_DIRECTORY));
        sqlite3_bind_blob(store->history, 8, from, (int)from_length, SQLITE_STATIC);
    } else {
        sqlite3_bind_null(store->history, 7);
        sqlite3_bind_null(store->history, 8);
    }
    step(store, store->history);
    if (!store->commit.first) {
        store->commit.first = sequence;
        store->commit.earliest = row->at;
        store->commit.bytes = 52;
    }
    store->commit.latest = row->at;
    store->commit.bytes += 32 + (int64_t)(length + from_length);
}

void store_commit(struct store *store) {
    sqlite3_bind_int64(store->commits, 1, store->commit.first);
    sqlite3_bind_int64(store->commits, 2, store->sequence);
    sqlite3_bind_int64(store->commits, 3, store->commit.earliest);
    sqlite3_bind_int64(store->commits, 4, store->commit.latest);
    sqlite3_bind_int64(store->commits, 5, store->commit.bytes);
    step(store, store->commits);
    store->commit.first = 0;
    if (store->sequence < store->generation_end) return;
    sqlite3_bind_int64(store->generations, 1, store->last_path);
    sqlite3_bind_int64(store->generations, 2, store->sequence);
    step(store, store->generations);
    store->generation_end = store->sequence + GENERATION;
    memset(store->interned, 0, (size_t)corpus_directories(store->corpus) * sizeof *store->interned);
}

void store_close(struct store *store) {
    sqlite3_finalize(store->history), sqlite3_finalize(store->paths);
    sqlite3_finalize(store->commits), sqlite3_finalize(store->generations);
    run(store, "COMMIT");
    check(store, sqlite3_close(store->database), SQLITE_OK);
    // From here on as Store.swift does it: WAL whose file stays, and the reservation given back at the clean stop.
    check(store, sqlite3_open(store->path, &store->database), SQLITE_OK);
    run(store, "PRAGMA journal_mode = WAL");
    int on = 1;
    sqlite3_file_control(store->database, NULL, SQLITE_FCNTL_PERSIST_WAL, &on);
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO meta VALUES ('sequence_reserved', %lld)", (long long)store->sequence);
    run(store, sql);
    run(store, "PRAGMA wal_checkpoint(TRUNCATE)");
    check(store, sqlite3_close(store->database), SQLITE_OK);
    free(store->interned);
    free(store);
}
