// The floor of `changes query`: a C loop that reads the same rows of the same store with SQLite, and no more than that.
//
//   peer_query paths DATABASE SECONDS ROOT    the paths of the rows of the last SECONDS below ROOT, one a line
//   peer_query hours DATABASE SECONDS         how many rows each hour of the last SECONDS has, one hour a line
//
// Each row's path is put together for `paths` only. No row is left out for a later one of the same path.
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000ll

static sqlite3 *database;

static void check(int code, int expected, const char *what) {
    if (code == expected) return;
    fprintf(stderr, "peer_query: %s: %s\n", what, sqlite3_errmsg(database));
    exit(2);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK, sql);
    return statement;
}

// The first row that can be of this moment or later: that of the first commit which reaches it. The plus keeps SQLite
// from going through the commits from the oldest on, which for a late moment takes longer than all the rest.
static int64_t first_sequence(int64_t moment) {
    sqlite3_stmt *statement = prepare("SELECT min(+first) FROM commits WHERE latest >= ?1");
    sqlite3_bind_int64(statement, 1, moment);
    check(sqlite3_step(statement), SQLITE_ROW, "commits");
    int64_t first = sqlite3_column_type(statement, 0) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return first;
}

// The path of a directory. The rows of a commit share a few, and mostly follow upon each other.
static const char *path_of(sqlite3_stmt *statement, int64_t directory, int *length) {
    static int64_t known;
    static char path[8192];
    static int known_length;
    if (directory != known) {
        sqlite3_bind_int64(statement, 1, directory);
        check(sqlite3_step(statement), SQLITE_ROW, "paths");
        known_length = sqlite3_column_bytes(statement, 0);
        if (known_length > (int)sizeof path) known_length = sizeof path;
        memcpy(path, sqlite3_column_blob(statement, 0), (size_t)known_length);
        sqlite3_reset(statement);
        known = directory;
    }
    *length = known_length;
    return path;
}

static void print_paths(int64_t moment, const char *root) {
    sqlite3_stmt *paths = prepare("SELECT path FROM paths WHERE id = ?1");
    sqlite3_stmt *rows = prepare("SELECT at, directory, name FROM history WHERE sequence >= ?1 ORDER BY sequence");
    sqlite3_bind_int64(rows, 1, first_sequence(moment));
    int code, length, scope = (int)strlen(root);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *path = path_of(paths, sqlite3_column_int64(rows, 1), &length);
        if (sqlite3_column_int64(rows, 0) < moment) continue;
        if (length < scope || memcmp(path, root, (size_t)scope) != 0) continue;
        if (length > scope && path[scope] != '/') continue;
        printf("%.*s/%.*s\n", length, path, sqlite3_column_bytes(rows, 2), (const char *)sqlite3_column_blob(rows, 2));
    }
    check(code, SQLITE_DONE, "history");
    sqlite3_finalize(paths);
    sqlite3_finalize(rows);
}

static void print_hours(int64_t moment) {
    sqlite3_stmt *rows = prepare("SELECT at FROM history WHERE sequence >= ?1 ORDER BY sequence");
    sqlite3_bind_int64(rows, 1, first_sequence(moment));
    int64_t hour = moment / (3600 * SECOND);
    static int64_t counts[24 * 366];
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t at = sqlite3_column_int64(rows, 0), index = at / (3600 * SECOND) - hour;
        if (at >= moment && index < (int64_t)(sizeof counts / sizeof *counts)) counts[index]++;
    }
    check(code, SQLITE_DONE, "history");
    for (size_t index = 0; index < sizeof counts / sizeof *counts; index++) {
        if (!counts[index]) continue;
        time_t second = (time_t)((hour + (int64_t)index) * 3600);
        char text[32];
        struct tm parts;
        strftime(text, sizeof text, "%Y-%m-%d %H:00", gmtime_r(&second, &parts));
        printf("%s  %lld\n", text, (long long)counts[index]);
    }
    sqlite3_finalize(rows);
}

int main(int count, char **arguments) {
    int paths = count == 5 && strcmp(arguments[1], "paths") == 0;
    int hours = count == 4 && strcmp(arguments[1], "hours") == 0;
    if (!paths && !hours) {
        fprintf(stderr, "usage: peer_query paths DATABASE SECONDS ROOT | hours DATABASE SECONDS\n");
        return 2;
    }
    check(sqlite3_open_v2(arguments[2], &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK, arguments[2]);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t moment = time.tv_sec * SECOND + time.tv_nsec - atoll(arguments[3]) * SECOND;
    if (paths)
        print_paths(moment, arguments[4]);
    else
        print_hours(moment);
    sqlite3_close(database);
    return 0;
}
