// The subject itself: `changes track`.
#define _GNU_SOURCE
#include "bench.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracker *tracker_start(const char *root, const char *directory, long watchdog, double timeout) {
    struct tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker) abort();
    make_directory(directory);
    tracker->state = text("%s/state", directory);
    make_directory(tracker->state);
    tracker->log = text("%s/changes.log", directory);
    tracker->process = process_start(
        "tracker",
        (const char *[]){options.changes, "track", "--root", root, "--log", tracker->log, "--state", tracker->state,
                         NULL},
        NULL, watchdog);
    if (process_wait_ready(tracker->process, timeout)) return tracker;
    tracker_stop(tracker);
    return NULL;
}

bool tracker_stop(struct tracker *tracker) {
    bool clean = tracker->process->pid > 0 && process_stop(tracker->process);
    process_free(tracker->process);
    free(tracker->log);
    free(tracker->state);
    free(tracker);
    return clean;
}

double tracker_store_bytes(const char *state, double *write_ahead) {
    double bytes = 0;
    *write_ahead = 0;
    DIR *listing = opendir(state);
    if (!listing) return 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (strncmp(entry->d_name, "store.db", 8) != 0) continue;
        char *path = text("%s/%s", state, entry->d_name);
        double size = read_file_bytes(path);
        if (strcmp(entry->d_name + 8, "-wal") == 0) *write_ahead += size;
        bytes += size;
        free(path);
    }
    closedir(listing);
    return bytes;
}
