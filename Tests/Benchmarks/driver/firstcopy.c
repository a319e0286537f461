// The first copy of many small files: `changes sync --once` to an empty destination over ssh, beside `rsync -aH`.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT 1.3

// Nothing that was written before is written out while a subject is measured.
static double measure(const char *label, const char *const *arguments, double *memory) {
    sync();
    struct usage run = measure_program(label, arguments, NULL, false);
    if (memory) *memory = run.memory;
    return run.succeeded ? run.wall : NAN;
}

static double time_sync(const struct offsite *offsite, double *memory) {
    return measure("changes sync --once",
                   (const char *[]){options.changes, "sync", "--once", "--config", offsite->configuration, "--state",
                                    offsite->tracker->state, NULL},
                   memory);
}

// Into a directory of its own beside the copy.
static double time_rsync(const struct offsite *offsite, const struct receiver *receiver) {
    char *source = text("%s/", offsite->base), *target = text("%s@127.0.0.1:%s-plain/", receiver->user, offsite->copy);
    double wall = measure("rsync -aH",
                          (const char *[]){"rsync", "-aH", "--no-owner", "--no-group", "-e", receiver->ssh, source,
                                           target, NULL},
                          NULL);
    free(source), free(target);
    return wall;
}

// Both from nothing, in turn who is first.
static void take(long files, int round, double *ours, double *theirs, double *memory) {
    *ours = *theirs = *memory = NAN;
    char *receiving = text("%s/receiver", options.disk), *directory = text("%s/offsite", options.disk);
    struct receiver *receiver = receiver_start(receiving);
    struct offsite *offsite = receiver ? offsite_prepare(directory, files, receiver) : NULL;
    if (offsite) {
        // Where the receiver may make its other directory.
        struct stat target;
        char *plain = text("%s-plain", offsite->copy);
        make_directory(plain);
        if (stat(offsite->copy, &target) < 0 || chown(plain, target.st_uid, target.st_gid) < 0) die("%s", plain);
        free(plain);
        if (round % 2) *theirs = time_rsync(offsite, receiver);
        *ours = time_sync(offsite, memory);
        if (round % 2 == 0) *theirs = time_rsync(offsite, receiver);
        offsite_stop(offsite);
    }
    if (receiver) receiver_stop(receiver);
    free(receiving), free(directory);
}

void bench_firstcopy(void) {
    long files = options.full ? 100000 : 20000;
    size_t rounds = (size_t)options.repeats;
    report_title("firstcopy", "first copy of %ld files of 100 to 1,100 bytes, over ssh on loopback, %zu rounds, in %s (%s)",
                 files, rounds, options.disk, file_system_of(options.disk));
    double ours[64], theirs[64], memory[64], ratio[64];
    for (size_t round = 0; round < rounds; round++) {
        take(files, (int)round, &ours[round], &theirs[round], &memory[round]);
        ratio[round] = ours[round] / theirs[round];
    }
    figure("changes sync --once", "wall time", median(ours, rounds), "s", NO_LIMIT, 0);
    figure("changes sync --once", "memory", largest(memory, rounds) / 1e6, "MB", AT_MOST, 100);
    figure("rsync -aH", "wall time", median(theirs, rounds), "s", NO_LIMIT, 0);
    figure("changes sync / rsync -aH", "wall time", median(ratio, rounds), "x", AT_MOST, LIMIT);
    report_table();
}
