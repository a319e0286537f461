// The files that the history speaks of, for `find`. Sparse: only names and times matter.
#define _GNU_SOURCE
#include "history.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// March 2026: older than any hour that is asked for.
static const struct timespec old[2] = {{.tv_sec = 1772323200}, {.tv_sec = 1772323200}};

static void make_directory(const char *path) {
    if (mkdir(path, 0755) < 0 && errno != EEXIST) fail(path);
}

static void make_old(const char *path) {
    if (utimensat(AT_FDCWD, path, old, 0) < 0) fail(path);
}

static void make_files(const char *path, long directory) {
    int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) fail(path);
    for (long file = directory * FILES_A_DIRECTORY; file < (directory + 1) * FILES_A_DIRECTORY; file++) {
        char name[64];
        file_name(file, name);
        int opened = openat(parent, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (opened < 0 || ftruncate(opened, file_size(file, 0)) < 0 || futimens(opened, old) < 0) fail(name);
        close(opened);
    }
    if (futimens(parent, old) < 0) fail(path);
    close(parent);
}

void tree_make(const struct corpus *corpus) {
    char path[LONGEST_PATH];
    for (int root = 0; root < ROOTS; root++) {
        root_path(corpus, root, path);
        make_directory(path);
    }
    for (long directory = 0; directory < corpus_directories(corpus); directory++) {
        directory_path(corpus, directory, path);
        char *slash = strrchr(path, '/');
        *slash = 0;
        make_directory(path);
        *slash = '/';
        make_directory(path);
        make_files(path, directory);
        *slash = 0;
        make_old(path);
    }
    for (int root = 0; root < ROOTS; root++) {
        root_path(corpus, root, path);
        make_old(path);
    }
    make_old(corpus->base);
}

void tree_touch_recent(const struct corpus *corpus, int64_t now) {
    int64_t when = now - RECENT_SPAN / 2;
    struct timespec time = {.tv_sec = (time_t)(when / SECOND), .tv_nsec = (long)(when % SECOND)};
    for (long number = 0; number < RECENT_HITS + RECENT_OTHERS; number++) {
        char path[LONGEST_PATH];
        long file = recent_file(corpus, number);
        size_t length = directory_path(corpus, file / FILES_A_DIRECTORY, path);
        path[length++] = '/';
        file_name(file, path + length);
        if (utimensat(AT_FDCWD, path, (struct timespec[2]){time, time}, 0) < 0) fail(path);
    }
}
