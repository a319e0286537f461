// What `changes sync` is measured with: a tree of small files below a root, a tracker on it, and a destination.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_A_DIRECTORY 20
#define DIRECTORIES_A_TOP 100

char *offsite_name(long number) {
    long directory = number / FILES_A_DIRECTORY;
    return text("top-%03ld/directory-%02ld/message-%02ld.eml", directory / DIRECTORIES_A_TOP,
                directory % DIRECTORIES_A_TOP, number % FILES_A_DIRECTORY);
}

char *offsite_path(const struct offsite *offsite, long number) {
    char *name = offsite_name(number), *path = text("%s/%s", offsite->root, name);
    free(name);
    return path;
}

// Content of 100 to 1,100 bytes, another for each file.
static void make_file(const char *path, long number) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    char content[1100];
    uint64_t seed = (uint64_t)number + 1;
    size_t length = 100 + (size_t)(next_random(&seed) % 1000);
    memset(content, 'a' + (int)(number % 26), length);
    if (file < 0 || write(file, content, length) != (ssize_t)length) die("%s: %s", path, strerror(errno));
    close(file);
}

static void make_files(const struct offsite *offsite) {
    make_directory(offsite->base), make_directory(offsite->root);
    for (long number = 0; number < offsite->files; number++) {
        char *path = offsite_path(offsite, number);
        if (number % FILES_A_DIRECTORY == 0) {
            char *slash = strrchr(path, '/');
            *slash = 0;
            char *parent = strrchr(path, '/');
            *parent = 0;
            make_directory(path);
            *parent = '/';
            make_directory(path);
            *slash = '/';
        }
        make_file(path, number);
        free(path);
    }
}

void offsite_change(const struct offsite *offsite, long number) {
    char *path = offsite_path(offsite, number);
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0 || write(file, "x", 1) != 1) die("%s: %s", path, strerror(errno));
    close(file);
    free(path);
}

static char *target_of(const struct offsite *offsite, const struct receiver *receiver, char **ssh) {
    if (!receiver) {
        *ssh = strdup("");
        return strdup(offsite->copy);
    }
    *ssh = text("ssh = { port = %d, identity = \"%s/client_key\", known_hosts = \"%s/known_hosts\" }\n",
                receiver->port, receiver->directory, receiver->directory);
    return text("%s@127.0.0.1:%s", receiver->user, offsite->copy);
}

bool offsite_sync(const struct offsite *offsite, const char *what) {
    return measure_program(what,
                           (const char *[]){options.changes, "sync", what, "--config", offsite->configuration,
                                            "--state", offsite->tracker->state, NULL},
                           NULL, false)
        .succeeded;
}

struct offsite *offsite_prepare(const char *directory, long files, const struct receiver *receiver) {
    struct offsite *offsite = calloc(1, sizeof *offsite);
    if (!offsite) abort();
    make_directory(directory);
    offsite->directory = strdup(directory);
    offsite->files = files;
    offsite->base = text("%s/source", directory);
    offsite->root = text("%s/mail-backup", offsite->base);
    offsite->copy = receiver ? strdup(receiver->target) : text("%s/copy", directory);
    if (!receiver) make_directory(offsite->copy);
    offsite->configuration = text("%s/sync.toml", directory);
    char *ssh, *target = target_of(offsite, receiver, &ssh);
    write_text(offsite->configuration, text("[[destination]]\nname = \"offsite\"\nsource = \"%s\"\ntarget = \"%s\"\n"
                                            "settle = \"0s\"\nmax_delete = \"100%%\"\n%s",
                                            offsite->base, target, ssh));
    free(ssh), free(target);
    double began = now();
    make_files(offsite);
    report_note("%ld files made in %.0f s", files, now() - began);
    char *tracking = text("%s/tracking", directory);
    offsite->tracker = tracker_start(offsite->root, tracking, 0, 900);
    free(tracking);
    if (!offsite->tracker) {
        offsite_stop(offsite);
        return NULL;
    }
    if (offsite_sync(offsite, "init")) return offsite;
    offsite_stop(offsite);
    return NULL;
}

struct offsite *offsite_start(const char *directory, long files, const struct receiver *receiver) {
    struct offsite *offsite = offsite_prepare(directory, files, receiver);
    if (!offsite) return NULL;
    double began = now();
    if (offsite_sync(offsite, "--once")) {
        report_note("first copy of all of them in %.0f s", now() - began);
        return offsite;
    }
    offsite_stop(offsite);
    return NULL;
}

struct process *watch_start(const struct offsite *offsite) {
    struct process *worker = process_start(
        "changes sync",
        (const char *[]){options.changes, "sync", "--watch", "--config", offsite->configuration, "--state",
                         offsite->tracker->state, NULL},
        NULL, 0);
    if (process_wait_ready(worker, 30)) return worker;
    process_free(worker);
    return NULL;
}

void offsite_stop(struct offsite *offsite) {
    if (offsite->tracker) tracker_stop(offsite->tracker);
    remove_tree(offsite->directory);
    free(offsite->directory), free(offsite->base), free(offsite->root), free(offsite->copy);
    free(offsite->configuration);
    free(offsite);
}
