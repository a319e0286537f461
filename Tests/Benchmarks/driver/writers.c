// The load: processes that write as fast as they can, or at a rate, each into directories of its own.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char content[512] = "Return-Path: <a@example.org>\nSubject: a small file, as mail stores hold them\n\n";

static void file_name(char *name, size_t size, long writer, long file) {
    snprintf(name, size, "w%ld/d%02ld/mail-%07ld.eml", writer, file % WRITER_DIRECTORIES, file);
}

// Opens as `flags` say, writes once, closes: MODIFY and CLOSE_WRITE, after CREATE for a new file.
static void write_file(int root, const char *name, int flags) {
    int file = openat(root, name, O_WRONLY | O_CLOEXEC | flags, 0644);
    if (file < 0 || write(file, content, sizeof content) != sizeof content) {
        perror(name);
        _exit(1);
    }
    close(file);
}

void writers_prepare(const char *root, enum writing kind, long set) {
    int directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) die("%s: %s", root, strerror(errno));
    for (long writer = 0; writer < WRITERS; writer++) {
        char *path = text("%s/w%ld", root, writer);
        make_directory(path);
        for (long number = 0; number < WRITER_DIRECTORIES; number++) {
            char *child = text("%s/d%02ld", path, number);
            make_directory(child);
            free(child);
        }
        free(path);
        char name[64];
        for (long file = 0; kind == REWRITTEN_FILES && file < set; file++) {
            file_name(name, sizeof name, writer, file);
            write_file(directory, name, O_CREAT);
        }
    }
    close(directory);
}

static void write_all(int root, enum writing kind, long writer, long count, long set, double rate) {
    double began = now();
    char name[64];
    for (long done = 0; done < count; done++) {
        // In steps of about a millisecond at the rates that matter: a burst is far below the queue's limit.
        if (rate > 0 && done % 8 == 0) {
            double ahead = began + (double)done / rate - now();
            if (ahead > 0) pause_for(ahead);
        }
        file_name(name, sizeof name, writer, kind == DISTINCT_FILES ? done : done % set);
        write_file(root, name, kind == DISTINCT_FILES ? O_CREAT | O_EXCL : 0);
    }
}

double writers_run(const char *root, enum writing kind, long count, long set, double rate) {
    int directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), gate[2];
    if (directory < 0 || pipe2(gate, O_CLOEXEC) < 0) die("%s: %s", root, strerror(errno));
    pid_t writers[WRITERS];
    fflush(stdout);
    for (long writer = 0; writer < WRITERS; writer++) {
        writers[writer] = fork();
        if (writers[writer] < 0) die("fork: %s", strerror(errno));
        if (writers[writer] > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(gate[1]);
        char byte;
        if (read(gate[0], &byte, 1) < 0) _exit(1);  // end of file: the gate is open
        write_all(directory, kind, writer, count, set, rate / WRITERS);
        _exit(0);
    }
    pause_for(0.05);
    double began = now();
    close(gate[0]);
    close(gate[1]);
    for (long writer = 0; writer < WRITERS; writer++) {
        int status;
        while (waitpid(writers[writer], &status, 0) < 0)
            if (errno != EINTR) die("waitpid: %s", strerror(errno));
        if (status != 0) die("a writer failed");
    }
    close(directory);
    return now() - began;
}
